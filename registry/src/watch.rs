//! The caches of the registry, and which source is to be looked at when one of them changes. A cache
//! has a change before anybody is told of it.

use crate::{content::Names, index::Index};
use api::{AddonLedger, AddonSource, Guarded, MiddlewareAddon, labels};
use futures::{
    FutureExt as _, Stream, StreamExt as _,
    future::{BoxFuture, Shared, ready},
    stream::BoxStream,
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client, Resource, ResourceExt as _,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt as _,
        reflector::{ObjectRef, Store, reflector, store},
        watcher::{self, Event},
    },
};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// What the registry knows of the cluster.
#[derive(Clone)]
pub struct Caches {
    /// The sources.
    pub sources: Store<AddonSource>,
    /// All addon versions, hand-made ones too: they may be in the way.
    pub addons: Store<MiddlewareAddon>,
    /// What was ever published.
    pub ledgers: Store<AddonLedger>,
    /// Which of the versions are whose.
    pub index: Index,
    /// Which content is there.
    pub content: Names,
    /// Of those that wait for a `Store` at the same time, kube 5 wakes only the last; all wait here.
    filled: Shared<BoxFuture<'static, ()>>,
}

impl Caches {
    /// Resolves when every cache was filled once.
    pub async fn wait_until_ready(&self) {
        self.filled.clone().await;
    }
}

/// What changed.
pub enum Change {
    /// The source itself.
    Source(ObjectRef<AddonSource>),
    /// Nothing, and yet the source is to be looked at: somebody asks.
    Asked(ObjectRef<AddonSource>),
    /// A version: its object's name, and the source that it says it is of.
    Addon {
        /// The object's name.
        name: String,
        /// The source's name.
        source: Option<String>,
    },
    /// A content object is gone.
    Content(String),
}

/// Every change of a source or a version, as the caches get it.
pub type Changes = BoxStream<'static, Change>;

/// The caches, with content in `namespace`, and the stream that fills them: they stand still while
/// nobody reads it.
pub fn start(client: &Client, namespace: &str) -> (Caches, Changes) {
    let (sources, changed) = cached::<AddonSource, _>(client, |_| ());
    let changed = changed.map(|source| Change::Source(ObjectRef::from_obj(&source)));
    let index = Index::default();
    let indexing = index.clone();
    let (addons, versions) = cached(client, move |event| indexing.apply(event));
    let versions = versions.map(|addon: MiddlewareAddon| Change::Addon {
        source: addon.labels().get(labels::SOURCE).cloned(),
        name: addon.name_any(),
    });
    // The operator writes the ledger before the version is Active, and that is told.
    let (ledgers, entries) = cached::<AddonLedger, _>(client, |_| ());
    let entries = entries.filter_map(|_| ready(None));
    let content = Api::<PartialObjectMeta<ConfigMap>>::namespaced(client.clone(), namespace);
    let (content, gone) = Names::watched(content);
    let gone = gone.map(Change::Content);
    let changes = futures::stream::select_all([
        changed.boxed(),
        versions.boxed(),
        entries.boxed(),
        gone.boxed(),
    ]);
    let filled = filled(
        sources.clone(),
        addons.clone(),
        ledgers.clone(),
        content.clone(),
    );
    let caches = Caches {
        sources,
        addons,
        ledgers,
        index,
        content,
        filled: filled.boxed().shared(),
    };
    (caches, changes.boxed())
}

async fn filled(
    sources: Store<AddonSource>,
    addons: Store<MiddlewareAddon>,
    ledgers: Store<AddonLedger>,
    content: Names,
) {
    let _ = futures::join!(
        sources.wait_until_ready(),
        addons.wait_until_ready(),
        ledgers.wait_until_ready(),
        content.wait_until_ready()
    );
}

/// The cache of a kind, and its objects as they change; `note` is told after the cache, before anybody
/// else.
fn cached<K, N>(client: &Client, note: N) -> (Store<K>, impl Stream<Item = K> + Send + use<K, N>)
where
    N: Fn(&Event<K>) + Send + 'static,
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let api = Api::<Guarded<K>>::all(client.clone());
    let (store, writer) = store();
    let events = watcher::watcher(api, watcher::Config::default())
        .default_backoff()
        .filter_map(|event| ready(event.map(parsed).transpose()))
        // Half of an object's metadata, and nobody here reads it.
        .modify(|object: &mut K| object.meta_mut().managed_fields = None);
    let objects = reflector(writer, events)
        .inspect(move |event| {
            if let Ok(event) = event {
                note(event);
            }
        })
        .touched_objects()
        .filter_map(|object| ready(object.map_err(|error| warn::<K>(&error)).ok()));
    (store, objects)
}

fn warn<K: Resource<DynamicType = ()>>(error: &watcher::Error) {
    tracing::warn!(%error, kind = %K::kind(&()), "a watch failed");
}

/// The event without objects that do not parse: one malformed object never stops a watch.
fn parsed<K: Resource<DynamicType = ()>>(event: Event<Guarded<K>>) -> Option<Event<K>> {
    let good = |guard: Guarded<K>| match guard.0 {
        Ok(object) => Some(object),
        Err(bad) => {
            let name = bad.metadata.name.as_deref().unwrap_or_default();
            let error = &bad.error;
            tracing::error!(kind = %K::kind(&()), name, error, "an object is malformed");
            None
        }
    };
    Some(match event {
        Event::Apply(object) => Event::Apply(good(object)?),
        Event::Delete(object) => Event::Delete(good(object)?),
        Event::InitApply(object) => Event::InitApply(good(object)?),
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
    })
}
