//! What wakes the App controller besides its own objects and its Components.

use crate::watch::Feeds;
use api::{App, MiddlewareAddon, conditions::PIN_ACCEPTED, crd::addon::Lifecycle};
use futures::{Stream, StreamExt as _, stream};
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use std::collections::HashMap;

/// The App of a Group, when the Group's members change: node states stand in `<app>-metadata`.
pub fn of_groups(feeds: &Feeds) -> impl Stream<Item = ObjectRef<App>> + Send + use<> {
    feeds.groups.subscribe().map(|group| {
        let namespace = group.namespace().unwrap_or_default();
        ObjectRef::new(group.spec.app.as_str()).within(&namespace)
    })
}

/// The Apps of a plugin that wait for a version, when one of its versions changes, and those that run by
/// a version of which something else is said now. No other App that runs what it asks for is woken.
pub fn of_addons(feeds: &Feeds) -> impl Stream<Item = ObjectRef<App>> + Send + use<> {
    let apps = feeds.apps.store().clone();
    let mut said_before = HashMap::<String, Said>::new();
    feeds.addons.subscribe().flat_map(move |addon| {
        let is_news = heard(&mut said_before, &addon);
        let waits = |app: &App| {
            app.spec.plugin == addon.spec.plugin
                && (is_waiting(app) || is_news && runs_by(app, &addon))
        };
        let found: Vec<_> = apps
            .state_filter(waits)
            .iter()
            .map(|app| ObjectRef::from_obj(&**app))
            .collect();
        stream::iter(found)
    })
}

/// The Apps that wait, when a policy changes: it may have been what refused them, or they are being
/// judged by what it was.
pub fn of_policies(feeds: &Feeds) -> impl Stream<Item = ObjectRef<App>> + Send + use<> {
    let apps = feeds.apps.store().clone();
    feeds.policies.subscribe().flat_map(move |_| {
        let found: Vec<_> = apps
            .state_filter(is_waiting)
            .iter()
            .map(|app| ObjectRef::from_obj(&**app))
            .collect();
        stream::iter(found)
    })
}

/// What is said of a version, by people and by the calendar.
type Said = (Lifecycle, Option<String>);

/// Whether something else is said of the version than before. Versions of which nothing is said are
/// not remembered.
fn heard(said: &mut HashMap<String, Said>, addon: &MiddlewareAddon) -> bool {
    let status = addon.status.as_ref();
    let now = (
        addon.spec.lifecycle.clone().unwrap_or_default(),
        status.and_then(|status| status.lifecycle.clone()),
    );
    let before = match now == Said::default() {
        true => said.remove(&addon.name_any()),
        false => said.insert(addon.name_any(), now.clone()),
    };
    before.unwrap_or_default() != now
}

fn runs_by(app: &App, addon: &MiddlewareAddon) -> bool {
    let pin = app.status.as_ref().and_then(|status| status.pin.as_ref());
    pin.is_some_and(|pin| pin.plugin_version == addon.spec.version)
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
