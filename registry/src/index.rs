//! Which versions a source made, and which a plugin has: by these a reconcile finds its own among all
//! that the cache holds. Fed by the events of the cache itself, after it.

use api::{MiddlewareAddon, labels, names::PluginName};
use kube::{ResourceExt as _, runtime::watcher::Event};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

/// The names of MiddlewareAddons, by what they are looked for.
#[derive(Clone, Default)]
pub struct Index(Arc<RwLock<Held>>);

#[derive(Default)]
struct Held {
    now: Sets,
    /// Those of a list that is under way.
    coming: Sets,
}

#[derive(Default)]
struct Sets {
    of: HashMap<String, (Option<String>, PluginName)>,
    by_source: HashMap<String, BTreeSet<String>>,
    by_plugin: HashMap<PluginName, BTreeSet<String>>,
}

impl Index {
    /// The objects that a registry made for `source`.
    pub fn of_source(&self, source: &str) -> Vec<String> {
        self.names(|sets| sets.by_source.get(source))
    }

    /// The objects of the versions of `plugin`, whoever made them.
    pub fn of_plugin(&self, plugin: &PluginName) -> Vec<String> {
        self.names(|sets| sets.by_plugin.get(plugin))
    }

    fn names(&self, find: impl Fn(&Sets) -> Option<&BTreeSet<String>>) -> Vec<String> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        find(&held.now).into_iter().flatten().cloned().collect()
    }

    /// Takes what the cache took.
    pub fn apply(&self, event: &Event<MiddlewareAddon>) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Apply(addon) => held.now.insert(addon),
            Event::Delete(addon) => held.now.remove(&addon.name_any()),
            Event::Init => held.coming = Sets::default(),
            Event::InitApply(addon) => held.coming.insert(addon),
            Event::InitDone => held.now = std::mem::take(&mut held.coming),
        }
    }
}

impl Sets {
    fn insert(&mut self, addon: &MiddlewareAddon) {
        let (name, source, plugin) = (addon.name_any(), source(addon), &addon.spec.plugin);
        if self
            .of
            .get(&name)
            .is_some_and(|of| of.0.as_deref() == source)
        {
            return;
        }
        self.remove(&name);
        if let Some(source) = source {
            let names = self.by_source.entry(source.to_owned()).or_default();
            names.insert(name.clone());
        }
        let names = self.by_plugin.entry(plugin.clone()).or_default();
        names.insert(name.clone());
        self.of
            .insert(name, (source.map(str::to_owned), plugin.clone()));
    }

    fn remove(&mut self, name: &str) {
        let Some((source, plugin)) = self.of.remove(name) else {
            return;
        };
        if let Some(source) = source {
            drop_name(&mut self.by_source, &source, name);
        }
        drop_name(&mut self.by_plugin, &plugin, name);
    }
}

fn drop_name<K: std::hash::Hash + Eq>(
    sets: &mut HashMap<K, BTreeSet<String>>,
    key: &K,
    name: &str,
) {
    let is_empty = sets.get_mut(key).is_some_and(|names| {
        names.remove(name);
        names.is_empty()
    });
    if is_empty {
        sets.remove(key);
    }
}

/// Only what carries both our labels was made by a registry.
pub fn source(addon: &MiddlewareAddon) -> Option<&str> {
    let labels = addon.metadata.labels.as_ref()?;
    let by = labels.get(labels::MANAGED_BY)?;
    let source = labels.get(labels::SOURCE)?;
    (by == labels::MANAGED_BY_PAAMESH).then_some(source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::MiddlewareAddonSpec;

    fn addon(version: &str, source: Option<&str>) -> MiddlewareAddon {
        let spec = MiddlewareAddonSpec {
            plugin: "redis".parse().unwrap(),
            version: version.parse().unwrap(),
            digest: None,
            content: Vec::new(),
            lifecycle: None,
        };
        let mut addon = MiddlewareAddon::new(&format!("redis-{version}"), spec);
        if let Some(source) = source {
            let by = (labels::MANAGED_BY, labels::MANAGED_BY_PAAMESH);
            for (key, value) in [by, (labels::SOURCE, source)] {
                addon.labels_mut().insert(key.to_owned(), value.to_owned());
            }
        }
        addon
    }

    #[test]
    fn versions_are_found_by_source_and_by_plugin_until_they_go() {
        let index = Index::default();
        let plugin = "redis".parse().unwrap();
        index.apply(&Event::Init);
        index.apply(&Event::InitApply(addon("1.0.0", Some("a"))));
        assert!(index.of_source("a").is_empty(), "a list counts when whole");
        index.apply(&Event::InitDone);
        index.apply(&Event::Apply(addon("1.1.0", None)));
        assert_eq!(index.of_source("a"), ["redis-1.0.0"]);
        assert_eq!(index.of_plugin(&plugin), ["redis-1.0.0", "redis-1.1.0"]);
        index.apply(&Event::Apply(addon("1.0.0", Some("b"))));
        assert!(index.of_source("a").is_empty(), "it has another source now");
        assert_eq!(index.of_source("b"), ["redis-1.0.0"]);
        index.apply(&Event::Delete(addon("1.0.0", Some("b"))));
        assert!(index.of_source("b").is_empty());
        assert_eq!(index.of_plugin(&plugin), ["redis-1.1.0"]);
    }
}
