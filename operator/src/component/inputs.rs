//! What a Component's children are made from, as hashes: while they are the same, what was made
//! stays.

use crate::apply::hash;
use api::{
    Component,
    crd::app::{AppComponent, Pin},
    names::ComponentName,
};
use kube::ResourceExt as _;
use serde_json::json;
use std::collections::BTreeMap;

/// The settings of every component of the App, with the number of members that is in force.
pub type AllSettings = BTreeMap<ComponentName, AppComponent>;

/// The hash of all that the children are made from.
pub fn all(component: &Component, settings: &AllSettings) -> String {
    let spec = &component.spec;
    hash(&json!({
        "app": spec.app,
        "namespace": component.namespace(),
        "component": spec.component,
        "plugin": spec.plugin,
        "pin": spec.pin,
        "settings": settings,
    }))
}

/// The hash of what the pod template is composed from. The number of members and the size of volumes
/// are no part: changing them makes no pod again.
pub fn template(component: &Component, config_revision: &str) -> String {
    let spec = &component.spec;
    let Pin {
        plugin_version: _,
        digest,
        runtime_version,
        topology,
    } = &spec.pin;
    hash(&json!({
        "app": spec.app,
        "component": spec.component,
        "digest": digest,
        "runtime": runtime_version,
        "topology": topology,
        "resources": spec.settings.resources,
        "config": config_revision,
    }))
}
