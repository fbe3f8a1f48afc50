//! Content objects as they come. Those that are there already are listed by their names, for a catalog
//! has many thousand; the new ones are watched with their files, so that the version that names them is
//! judged without reading each of them once more.

use super::Meta;
use crate::content::Recent;
use futures::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, WatchParams},
    core::{PartialObjectMetaExt as _, Status, WatchEvent},
    runtime::watcher::{self, Error, Event},
};

/// How many names come at once.
const PAGE: u32 = 500;

/// What is to be done next.
enum State {
    /// List names, from this token on.
    List(Option<String>),
    /// Watch from this resource version on.
    From(String),
    /// Read the next of these; the last that came had this resource version.
    Watching(
        BoxStream<'static, kube::Result<WatchEvent<ConfigMap>>>,
        String,
    ),
}

impl State {
    /// After the API server answered `status` to who watches from `version` on.
    fn after(status: &Status, version: String) -> Self {
        // It forgot what happened since then.
        const GONE: u16 = 410;
        match status.code {
            GONE => Self::List(None),
            _ => Self::From(version),
        }
    }
}

/// The events of a watch of the objects with the label `label`; `recent` has the files of those that
/// came.
pub fn watched(
    api: Api<ConfigMap>,
    label: &'static str,
    recent: Recent,
) -> impl Stream<Item = watcher::Result<Event<Meta<ConfigMap>>>> + Send {
    let begin = (api, recent, State::List(None));
    let steps = stream::unfold(begin, move |(api, recent, state)| async move {
        let (events, state) = match state {
            State::List(token) => list(&api, label, token, &recent).await,
            State::From(version) => watch(&api, label, version).await,
            State::Watching(stream, version) => next(stream, version, &recent).await,
        };
        Some((events, (api, recent, state)))
    });
    steps.flat_map(stream::iter)
}

type Events = Vec<watcher::Result<Event<Meta<ConfigMap>>>>;

async fn list(
    api: &Api<ConfigMap>,
    label: &str,
    token: Option<String>,
    recent: &Recent,
) -> (Events, State) {
    let mut params = ListParams::default().labels(label).limit(PAGE);
    let mut events = Vec::new();
    match token {
        Some(token) => params = params.continue_token(&token),
        None => {
            // What went while nobody watched is not told of.
            recent.clear();
            events.push(Ok(Event::Init));
        }
    }
    let page = match api.list_metadata(&params).await {
        Ok(page) => page,
        Err(error) => {
            return (
                vec![Err(Error::InitialListFailed(error))],
                State::List(None),
            );
        }
    };
    events.extend(
        page.items
            .into_iter()
            .map(|object| Ok(Event::InitApply(object))),
    );
    let more = page.metadata.continue_.filter(|token| !token.is_empty());
    match (more, page.metadata.resource_version) {
        (Some(token), _) => (events, State::List(Some(token))),
        (None, Some(version)) => {
            events.push(Ok(Event::InitDone));
            (events, State::From(version))
        }
        (None, None) => (vec![Err(Error::NoResourceVersion)], State::List(None)),
    }
}

async fn watch(api: &Api<ConfigMap>, label: &str, version: String) -> (Events, State) {
    let params = WatchParams::default().labels(label);
    match api.watch(&params, &version).await {
        Ok(stream) => (Vec::new(), State::Watching(stream.boxed(), version)),
        Err(error) => {
            let again = match &error {
                kube::Error::Api(status) => State::after(status, version),
                _ => State::From(version),
            };
            (vec![Err(Error::WatchStartFailed(error))], again)
        }
    }
}

async fn next(
    mut stream: BoxStream<'static, kube::Result<WatchEvent<ConfigMap>>>,
    version: String,
    recent: &Recent,
) -> (Events, State) {
    match stream.next().await {
        Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
            let version = object.resource_version().unwrap_or(version);
            let name = named(&object);
            recent.keep(object);
            (
                vec![Ok(Event::Apply(name))],
                State::Watching(stream, version),
            )
        }
        Some(Ok(WatchEvent::Deleted(object))) => {
            let version = object.resource_version().unwrap_or(version);
            recent.forget(&object.name_any());
            (
                vec![Ok(Event::Delete(named(&object)))],
                State::Watching(stream, version),
            )
        }
        Some(Ok(WatchEvent::Bookmark(mark))) => {
            let version = mark.metadata.resource_version;
            (Vec::new(), State::Watching(stream, version))
        }
        Some(Ok(WatchEvent::Error(status))) => {
            let again = State::after(&status, version);
            (vec![Err(Error::WatchError(status))], again)
        }
        Some(Err(error)) => (vec![Err(Error::WatchFailed(error))], State::From(version)),
        None => (Vec::new(), State::From(version)),
    }
}

fn named(object: &ConfigMap) -> Meta<ConfigMap> {
    object.metadata.clone().into_response_partial()
}
