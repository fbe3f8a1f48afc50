//! What is in force where an App says nothing: what the App sets goes before its profile, and that
//! before the addon's own.
//!
//! In: a manifest and the choices of an App. Out: settings without a gap, and the values that the
//! templates see. Pure; whether the choices are allowed is the callers' matter.

use crate::manifest::{self, Manifest, ProfileComponent, TopologyComponent};
use api::{
    Version,
    crd::app::{AppComponent, AppConfig, Storage},
    names::{ComponentName, ProfileName, TopologyName, VolumeName},
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The settings of `component` that are in force, of which `settings` are the App's own.
///
/// Each of these is taken from the App, else from its profile, else from the addon: `replicas` (the
/// profile's only where the topology allows so many), `resources` as a whole, the size of each
/// volume, each parameter. `enabled` is always there: what the topology has as optional runs only
/// where the App says so, and what it has not does not run.
pub fn in_force(
    manifest: &Manifest,
    topology: &TopologyName,
    profile: Option<&ProfileName>,
    component: &ComponentName,
    settings: &AppComponent,
) -> AppComponent {
    let topology = manifest.topology(topology);
    let members = topology.and_then(|topology| topology.components.get(component).cloned());
    let declared = manifest.components.get(component);
    let profile = profile.and_then(|name| manifest.profile(name));
    let profile = profile.and_then(|profile| profile.components.get(component));
    AppComponent {
        enabled: Some(enabled(members.as_ref(), settings)),
        replicas: settings
            .replicas
            .or_else(|| default_replicas(members.as_ref(), profile)),
        resources: settings
            .resources
            .clone()
            .or_else(|| profile.and_then(|profile| profile.resources.clone()))
            .or_else(|| declared.and_then(|declared| declared.resources.clone())),
        storage: storage(declared, profile, settings),
        config: AppConfig {
            parameters: parameters(profile, settings),
        },
    }
}

/// The values that templates see: those of the addon, changed by the profile's, changed by those of
/// the runtime version; each a JSON merge patch (RFC 7396) on what is before it.
pub fn values(
    manifest: &Manifest,
    profile: Option<&ProfileName>,
    runtime: &Version,
) -> Map<String, Value> {
    let mut values = manifest.values.clone();
    if let Some(profile) = profile.and_then(|name| manifest.profile(name)) {
        merge(&mut values, &profile.values);
    }
    if let Some(runtime) = manifest.runtime(runtime) {
        merge(&mut values, &runtime.values);
    }
    values
}

fn enabled(members: Option<&TopologyComponent>, settings: &AppComponent) -> bool {
    members.is_some_and(|members| !members.optional || settings.enabled == Some(true))
}

fn default_replicas(
    members: Option<&TopologyComponent>,
    profile: Option<&ProfileComponent>,
) -> Option<u32> {
    let members = members?;
    let wanted = profile.and_then(|profile| profile.replicas);
    let fitting = wanted.filter(|replicas| members.allows(*replicas));
    Some(fitting.unwrap_or_else(|| members.replicas()))
}

fn storage(
    declared: Option<&manifest::Component>,
    profile: Option<&ProfileComponent>,
    settings: &AppComponent,
) -> BTreeMap<VolumeName, Storage> {
    let mut storage = settings.storage.clone();
    for volume in declared.into_iter().flat_map(|declared| &declared.volumes) {
        let of_profile = profile.and_then(|profile| profile.storage.get(&volume.name));
        let size = &mut storage.entry(volume.name.clone()).or_default().size;
        size.get_or_insert_with(|| of_profile.unwrap_or(&volume.size).clone());
    }
    storage
}

fn parameters(profile: Option<&ProfileComponent>, settings: &AppComponent) -> Map<String, Value> {
    let mut parameters = profile
        .map(|profile| profile.parameters.clone())
        .unwrap_or_default();
    parameters.extend(settings.config.parameters.clone());
    parameters
}

/// Applies the JSON merge patch `patch`: `null` removes a key, objects are merged, all else takes the
/// place of what was there.
fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, value) in patch {
        match value {
            Value::Null => {
                target.remove(key);
            }
            Value::Object(patch) => {
                let inner = target.entry(key.clone()).or_insert(Value::Null);
                if !inner.is_object() {
                    *inner = Value::Object(Map::new());
                }
                if let Value::Object(inner) = inner {
                    merge(inner, patch);
                }
            }
            value => {
                target.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
