//! What a Component's children are made from, as hashes: while they are the same, what was made
//! stays.

use crate::apply::hash;
use api::{
    Component,
    crd::app::{AppComponent, Pin, Resources},
    names::ComponentName,
};
use kube::ResourceExt as _;
use package::{Parameters, evaluate::Effect};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The settings of every component of the App, with the number of members that is in force.
pub type AllSettings = BTreeMap<ComponentName, AppComponent>;

/// The hash of all that the children are made from.
pub fn all(component: &Component, settings: &AllSettings) -> String {
    hash(&everything(component, settings))
}

/// The hash of what the configuration is rendered from, but for the component's own parameters that
/// take effect without a restart: while it is the same, another configuration restarts nothing.
pub fn restart(component: &Component, settings: &AllSettings, own: &Parameters) -> String {
    let mut settings = settings.clone();
    if let Some(own) = settings.get_mut(&component.spec.component) {
        own.config.parameters.clear();
    }
    let restarts = |name: &str| {
        let declared = own.declared.get(name);
        declared.is_none_or(|declared| declared.effect == Effect::Restart)
    };
    let values = own.values.iter().filter(|(name, _)| restarts(name));
    let mut inputs = everything(component, &settings);
    inputs["restart"] = values.map(|(name, v)| (name.clone(), v.clone())).collect();
    hash(&inputs)
}

/// What was no input of the first release stands here only where it is set: an older Group was made
/// from the same inputs.
fn everything(component: &Component, settings: &AllSettings) -> Value {
    let spec = &component.spec;
    let mut inputs = json!({
        "app": spec.app,
        "namespace": component.namespace(),
        "component": spec.component,
        "plugin": spec.plugin,
        "pin": spec.pin,
        "settings": settings,
    });
    if let Some(profile) = &spec.profile {
        inputs["profile"] = json!(profile);
    }
    inputs
}

/// The hash of what the pod template is composed from. The number of members and the size of volumes
/// are no part: changing them makes no pod again. `config` is the configuration revision that pods
/// restart for, `resources` are those in force.
pub fn template(component: &Component, config: &str, resources: Option<&Resources>) -> String {
    let spec = &component.spec;
    let Pin {
        plugin_version: _,
        digest,
        runtime_version,
        topology,
    } = &spec.pin;
    let mut inputs = json!({
        "app": spec.app,
        "component": spec.component,
        "digest": digest,
        "runtime": runtime_version,
        "topology": topology,
        "resources": spec.settings.resources,
        "config": config,
    });
    if spec.profile.is_some() {
        inputs["resourcesInForce"] = json!(resources);
    }
    hash(&inputs)
}
