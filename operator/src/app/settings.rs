//! Whether what an App sets for its components is within what the version allows.

use super::{
    observe::Shape,
    resolve::{Refused, listed, meant},
};
use api::{
    crd::app::{AppComponent, AppReason as Reason, Resources},
    names::ComponentName,
};
use package::{
    manifest::{Topology, TopologyComponent},
    quantity::Quantity,
};
use std::collections::BTreeMap;

/// Checks every component that the App names.
///
/// # Errors
/// The first that is not in the topology; else everything that is set to what is not allowed.
pub fn check(
    components: &BTreeMap<ComponentName, AppComponent>,
    topology: &Topology,
    shape: &Shape,
) -> Result<(), Refused> {
    let mut faults = Vec::new();
    for (name, set) in components {
        let Some(members) = topology.components.get(name) else {
            let names: Vec<&str> = topology
                .components
                .keys()
                .map(ComponentName::as_str)
                .collect();
            return Err(Refused::new(
                Reason::UnknownComponent,
                format!(
                    "the topology `{}` has no component `{name}`{}; it has: {}",
                    topology.name,
                    meant(name.as_str(), &names),
                    listed(&names)
                ),
            ));
        };
        if set.enabled == Some(false) && !members.optional {
            faults.push(format!(
                "spec.components.{name}.enabled: the topology `{}` does not do without it; leave the field out",
                topology.name
            ));
        }
        faults.extend(replicas(name, set, members));
        faults.extend(storage(name, set, shape));
        faults.extend(parameters(name, set, shape));
        faults.extend(resources(name, set.resources.as_ref()));
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Refused::new(Reason::InvalidSettings, faults.join("; "))),
    }
}

/// `topology` without the components that run only where they are enabled, and are not.
pub fn enabled(
    components: &BTreeMap<ComponentName, AppComponent>,
    topology: &Topology,
) -> Topology {
    let is_enabled = |name: &ComponentName| {
        let set = components.get(name).and_then(|set| set.enabled);
        set == Some(true)
    };
    let mut topology = topology.clone();
    topology
        .components
        .retain(|name, members| !members.optional || is_enabled(name));
    topology
}

fn replicas(
    name: &ComponentName,
    set: &AppComponent,
    members: &TopologyComponent,
) -> Option<String> {
    let (least, most) = (members.min(), members.max());
    let n = set.replicas.filter(|n| !members.allows(*n))?;
    let odd = if members.odd { ", and odd" } else { "" };
    Some(format!(
        "spec.components.{name}.replicas: {n} is outside of what the topology allows: {least} to {most}{odd}"
    ))
}

/// Parameters of a component that takes none. What a schema says is asked elsewhere.
fn parameters(name: &ComponentName, set: &AppComponent, shape: &Shape) -> Option<String> {
    let names: Vec<&String> = set.config.parameters.keys().collect();
    let none = !names.is_empty() && !shape.schemas.contains(name);
    none.then(|| {
        format!(
            "spec.components.{name}.config.parameters: the addon declares no parameters of this component; set are: {}",
            listed(&names)
        )
    })
}

fn storage(name: &ComponentName, set: &AppComponent, shape: &Shape) -> Vec<String> {
    let volumes = shape
        .volumes
        .get(name)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut faults = Vec::new();
    for (volume, storage) in &set.storage {
        let field = format!("spec.components.{name}.storage.{volume}");
        if !volumes.contains(volume) {
            let there = listed(volumes);
            faults.push(format!(
                "{field}: there is no such volume; there are: {there}"
            ));
        }
        let size = storage.size.as_deref();
        faults.extend(size.and_then(|size| no_quantity(&format!("{field}.size"), size)));
    }
    faults
}

fn resources(name: &ComponentName, set: Option<&Resources>) -> Vec<String> {
    let Some(Resources { requests, limits }) = set else {
        return Vec::new();
    };
    let field =
        |kind, resource: &str| format!("spec.components.{name}.resources.{kind}.{resource}");
    let requests = requests.iter().map(|(r, q)| (field("requests", r), q));
    let limits = limits.iter().map(|(r, q)| (field("limits", r), q));
    let all = requests.chain(limits);
    all.filter_map(|(field, quantity)| no_quantity(&field, quantity))
        .collect()
}

fn no_quantity(field: &str, text: &str) -> Option<String> {
    let error = text.parse::<Quantity>().err()?;
    Some(format!("{field}: {error}"))
}
