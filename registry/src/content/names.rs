//! Which content objects are there, by name alone: what somebody deleted is made again for the versions
//! that a source offers.

use api::{crd::addon::ContentRef, labels};
use futures::{Stream, StreamExt as _, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, ResourceExt as _,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// The names of all content objects that a registry made.
#[derive(Clone)]
pub struct Names(Arc<Shared>);

struct Shared {
    held: Mutex<Held>,
    filled: watch::Sender<bool>,
}

#[derive(Default)]
struct Held {
    now: HashSet<String>,
    /// Those of a list that is under way.
    coming: HashSet<String>,
}

impl Names {
    /// The names, and the stream that fills them and tells of each that went.
    pub fn watched(
        api: Api<PartialObjectMeta<ConfigMap>>,
    ) -> (Self, impl Stream<Item = String> + Send) {
        let names = Self(Arc::new(Shared {
            held: Mutex::default(),
            filled: watch::Sender::new(false),
        }));
        let config = watcher::Config::default().labels(&selector());
        let noting = names.clone();
        let gone = watcher(api, config)
            .default_backoff()
            .flat_map(move |event| stream::iter(noting.take(event)));
        (names, gone)
    }

    /// Resolves when they were filled once.
    pub async fn wait_until_ready(&self) {
        let mut filled = self.0.filled.subscribe();
        // The sender is never dropped before.
        let _ = filled.wait_for(|filled| *filled).await;
    }

    /// Those of `content` that are not there.
    pub fn missing(&self, content: &[ContentRef]) -> Vec<String> {
        let held = self.held();
        let missing = content.iter().filter(|c| !held.now.contains(&c.name));
        missing.map(|c| c.name.clone()).collect()
    }

    /// Whether `name` is there.
    pub fn has(&self, name: &str) -> bool {
        self.held().now.contains(name)
    }

    /// Notes objects that were made, before the watch tells of them.
    pub fn note(&self, names: impl Iterator<Item = String>) {
        self.held().now.extend(names);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, event: watcher::Result<Event<PartialObjectMeta<ConfigMap>>>) -> Vec<String> {
        let mut held = self.held();
        match event {
            Ok(Event::Apply(object)) => drop(held.now.insert(object.name_any())),
            Ok(Event::InitApply(object)) => drop(held.coming.insert(object.name_any())),
            Ok(Event::Init) => held.coming.clear(),
            Ok(Event::Delete(object)) => {
                held.now.remove(&object.name_any());
                return vec![object.name_any()];
            }
            Ok(Event::InitDone) => {
                let coming = std::mem::take(&mut held.coming);
                let before = std::mem::replace(&mut held.now, coming);
                self.0.filled.send_replace(true);
                return before.difference(&held.now).cloned().collect();
            }
            Err(error) => tracing::warn!(%error, "the watch of content failed"),
        }
        Vec::new()
    }
}

/// What every content object of a registry carries.
pub fn selector() -> String {
    format!(
        "{}={},{},{}",
        labels::MANAGED_BY,
        labels::MANAGED_BY_PAAMESH,
        labels::SOURCE,
        labels::SECTION
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str) -> PartialObjectMeta<ConfigMap> {
        let mut object = PartialObjectMeta::default();
        object.metadata.name = Some(name.to_owned());
        object
    }

    #[test]
    fn what_goes_is_told_also_when_the_watch_missed_it() {
        let names = Names(Arc::new(Shared {
            held: Mutex::default(),
            filled: watch::Sender::new(false),
        }));
        let reference = |name: &str| ContentRef {
            section: "manifest".to_owned(),
            kind: api::crd::addon::ContentKind::ConfigMap,
            name: name.to_owned(),
            digest: None,
        };
        for event in [Event::Init, Event::InitApply(object("a")), Event::InitDone] {
            assert!(names.take(Ok(event)).is_empty());
        }
        names.note(["b".to_owned()].into_iter());
        let all = [reference("a"), reference("b"), reference("c")];
        assert_eq!(names.missing(&all), ["c"]);
        assert_eq!(names.take(Ok(Event::Delete(object("a")))), ["a"]);
        assert_eq!(names.missing(&all), ["a", "c"]);
        assert!(names.take(Ok(Event::Init)).is_empty());
        assert_eq!(names.take(Ok(Event::InitDone)), ["b"]);
    }
}
