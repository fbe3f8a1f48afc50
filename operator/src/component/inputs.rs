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

#[cfg(test)]
mod tests {
    use super::*;

    fn component(profile: Option<&str>) -> Component {
        serde_json::from_value(json!({
            "apiVersion": "middleware.io/v1alpha1", "kind": "Component",
            "metadata": {"name": "cache-redis", "namespace": "team"},
            "spec": {
                "app": "cache", "component": "redis", "plugin": "redis", "profile": profile,
                "pin": {
                    "pluginVersion": "1.0.0", "digest": format!("sha256:{}", "a".repeat(64)),
                    "runtimeVersion": "7.0.15", "topology": "replication",
                },
                "settings": {"resources": {"limits": {"memory": "1Gi"}}},
            },
        }))
        .unwrap()
    }

    /// Groups that an older release made carry these hashes: another one would make pods again with
    /// the platform (design.md, invariant 3).
    #[test]
    fn what_the_first_release_hashed_is_hashed_as_it_was() {
        let component = component(None);
        let pin = json!({
            "pluginVersion": "1.0.0", "digest": format!("sha256:{}", "a".repeat(64)),
            "runtimeVersion": "7.0.15", "topology": "replication",
        });
        let settings = json!({"replicas": 3, "resources": {"limits": {"memory": "1Gi"}}});
        let all = AllSettings::from([(
            component.spec.component.clone(),
            serde_json::from_value(settings.clone()).unwrap(),
        )]);
        let first = hash(&json!({
            "app": "cache", "namespace": "team", "component": "redis", "plugin": "redis",
            "pin": pin, "settings": {"redis": settings},
        }));
        assert_eq!(super::all(&component, &all), first);
        let first = hash(&json!({
            "app": "cache", "component": "redis", "digest": pin["digest"], "runtime": "7.0.15",
            "topology": "replication", "resources": {"limits": {"memory": "1Gi"}},
            "config": "01234567",
        }));
        let in_force = Resources::default();
        assert_eq!(template(&component, "01234567", Some(&in_force)), first);
    }

    #[test]
    fn only_parameters_that_restart_are_inputs_of_a_restart() {
        let component = component(Some("production"));
        let hashed = |set: Value, own: Value| {
            let settings = serde_json::from_value(json!({"config": {"parameters": set}})).unwrap();
            let all = AllSettings::from([(component.spec.component.clone(), settings)]);
            let own: Parameters = serde_json::from_value(json!({
                "values": own,
                "declared": {"live": {"effect": "dynamic"}, "read": {"effect": "reload"}, "cold": {}},
            }))
            .unwrap();
            restart(&component, &all, &own)
        };
        let values =
            |live: u32, read: u32, cold: u32| json!({"live": live, "read": read, "cold": cold});
        let before = hashed(json!({}), values(1, 1, 1));
        assert_eq!(
            hashed(json!({"live": 2, "read": 2}), values(2, 2, 1)),
            before
        );
        assert_ne!(hashed(json!({"cold": 2}), values(1, 1, 2)), before);
        // Set to its default: nothing else is in force.
        assert_eq!(hashed(json!({"cold": 1}), values(1, 1, 1)), before);
    }
}
