//! The ConfigMap `<app>-metadata`: what an App is, how its nodes are, and what is in force, in a
//! form that people and scripts read without knowing our resources.

use super::observe::{Nodes, Observed};
use api::{
    crd::app::Pin,
    names::{self, ComponentName},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The keys and texts: `info.json`, `nodes.json`, `configuration.json`.
pub fn data(observed: &Observed, pin: &Pin) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("info.json".to_owned(), text(&info(observed, pin))),
        ("nodes.json".to_owned(), text(&nodes(&observed.groups))),
        (
            "configuration.json".to_owned(),
            text(&configuration(observed)),
        ),
    ])
}

fn text(value: &Value) -> String {
    format!("{value:#}\n")
}

fn info(observed: &Observed, pin: &Pin) -> Value {
    let mut info = json!({
        "app": observed.name,
        "namespace": observed.namespace,
        "plugin": observed.spec.plugin,
        "pluginVersion": pin.plugin_version,
        "digest": pin.digest,
        "runtimeVersion": pin.runtime_version,
        "topology": pin.topology,
    });
    if let Some(profile) = &observed.spec.profile {
        info["profile"] = json!(profile);
    }
    info
}

/// Each node by its pod's name: `normal`, `adding` while it is not ready, `deleting`.
fn nodes(groups: &[Nodes]) -> Value {
    let mut nodes = BTreeMap::new();
    for group in groups {
        let wanted = wanted_ordinals(group);
        for ordinal in &wanted {
            nodes.insert(names::pod(&group.name, *ordinal), "adding");
        }
        for member in &group.members {
            let state = match (wanted.contains(&member.ordinal), member.ready) {
                (false, _) => "deleting",
                (true, true) => "normal",
                (true, false) => "adding",
            };
            nodes.insert(names::pod(&group.name, member.ordinal), state);
        }
    }
    json!(nodes)
}

/// The first `replicas` ordinals that are not reserved.
fn wanted_ordinals(group: &Nodes) -> Vec<u32> {
    let unreserved = (0..).filter(|ordinal| !group.reserved.contains(ordinal));
    unreserved.take(group.replicas as usize).collect()
}

fn configuration(observed: &Observed) -> Value {
    let revision = |component: &ComponentName| {
        observed
            .groups
            .iter()
            .find(|g| g.component == *component)
            .map(|g| &g.config_revision)
    };
    let components: BTreeMap<_, _> = observed
        .components
        .iter()
        .map(|child| {
            let name = &child.spec.component;
            let revision = revision(name);
            (
                name.as_str(),
                json!({"settings": child.spec.settings, "configRevision": revision}),
            )
        })
        .collect();
    json!(components)
}
