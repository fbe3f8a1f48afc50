//! What wakes the addon controller besides its own objects: content that appears, and Apps that come
//! to use a version or leave it.

use crate::watch::Feeds;
use api::{App, MiddlewareAddon, names};
use futures::{Stream, StreamExt as _, stream};
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use std::collections::HashMap;

/// The versions that name a content object, when it changes. A version names few objects, so looking
/// through all of them is cheaper than an index that must be kept.
pub fn of_content(feeds: &Feeds) -> impl Stream<Item = ObjectRef<MiddlewareAddon>> + Send + use<> {
    let addons = feeds.addons.store().clone();
    feeds.content.subscribe().flat_map(move |object| {
        let name = object.name_any();
        let names_it = |addon: &MiddlewareAddon| {
            addon
                .spec
                .content
                .iter()
                .any(|content| content.name == name)
        };
        let found: Vec<_> = addons
            .state_filter(names_it)
            .iter()
            .map(|a| ObjectRef::from_obj(&**a))
            .collect();
        stream::iter(found)
    })
}

/// The versions whose users an App's change changes: the one that it had, and the one that it has.
pub fn of_apps(feeds: &Feeds) -> impl Stream<Item = ObjectRef<MiddlewareAddon>> + Send + use<> {
    let apps = feeds.apps.clone();
    let mut pinned = HashMap::<ObjectRef<App>, (Option<String>, bool)>::new();
    feeds.apps.subscribe().flat_map(move |app| {
        let key = ObjectRef::from_obj(&*app);
        let now = apps.store().get(&key);
        let pin = now.as_ref().and_then(|app| pin_of(app));
        // Whether the App's wish is decided matters to a version that is being deleted.
        let decided = now.as_ref().is_some_and(|app| is_decided(app));
        let before = match now {
            Some(_) => pinned.insert(key, (pin.clone(), decided)),
            None => pinned.remove(&key),
        };
        let (pin_before, decided_before) = before.unwrap_or((None, !decided));
        let mut touched: Vec<String> = match pin == pin_before && decided == decided_before {
            true => Vec::new(),
            false => [pin, pin_before, Some(wanted_of(&app))]
                .into_iter()
                .flatten()
                .collect(),
        };
        touched.sort();
        touched.dedup();
        stream::iter(touched.into_iter().map(|name| ObjectRef::new(&name)))
    })
}

/// The versions of a Group's plugin that are being deleted: its end, or its move to another version,
/// may be what they wait for.
pub fn of_groups(feeds: &Feeds) -> impl Stream<Item = ObjectRef<MiddlewareAddon>> + Send + use<> {
    let addons = feeds.addons.store().clone();
    feeds.groups.subscribe().flat_map(move |group| {
        let waits = |addon: &MiddlewareAddon| {
            addon.spec.plugin == group.spec.plugin && addon.metadata.deletion_timestamp.is_some()
        };
        let found: Vec<_> = addons
            .state_filter(waits)
            .iter()
            .map(|a| ObjectRef::from_obj(&**a))
            .collect();
        stream::iter(found)
    })
}

fn pin_of(app: &App) -> Option<String> {
    let pin = app.status.as_ref()?.pin.as_ref()?;
    Some(names::addon(&app.spec.plugin, &pin.plugin_version))
}

fn wanted_of(app: &App) -> String {
    names::addon(&app.spec.plugin, &app.spec.plugin_version)
}

fn is_decided(app: &App) -> bool {
    let status = app.status.as_ref();
    status.is_some_and(|s| s.observed_generation == app.metadata.generation)
}
