//! What wakes the App controller besides its own objects and its Components.

use crate::watch::Feeds;
use api::{App, conditions::PIN_ACCEPTED};
use futures::{Stream, StreamExt as _, stream};
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};

/// The App of a Group, when the Group's members change: node states stand in `<app>-metadata`.
pub fn of_groups(feeds: &Feeds) -> impl Stream<Item = ObjectRef<App>> + Send + use<> {
    feeds.groups.subscribe().map(|group| {
        let namespace = group.namespace().unwrap_or_default();
        ObjectRef::new(group.spec.app.as_str()).within(&namespace)
    })
}

/// The Apps of a plugin that wait for a version, when one of its versions changes. An App that runs
/// what it asks for is not woken.
pub fn of_addons(feeds: &Feeds) -> impl Stream<Item = ObjectRef<App>> + Send + use<> {
    let apps = feeds.apps.store().clone();
    feeds.addons.subscribe().flat_map(move |addon| {
        let waits = |app: &App| app.spec.plugin == addon.spec.plugin && is_waiting(app);
        let found: Vec<_> = apps
            .state_filter(waits)
            .iter()
            .map(|app| ObjectRef::from_obj(&**app))
            .collect();
        stream::iter(found)
    })
}

/// Whether the App has no pin, another one than it asks for, or was refused.
fn is_waiting(app: &App) -> bool {
    let Some(status) = &app.status else {
        return true;
    };
    let refused = status
        .conditions
        .iter()
        .any(|c| c.type_ == PIN_ACCEPTED && c.status != "True");
    let other = status
        .pin
        .as_ref()
        .is_none_or(|pin| pin.plugin_version != app.spec.plugin_version);
    refused || other
}
