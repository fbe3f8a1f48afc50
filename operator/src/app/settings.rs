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

/// Checks every component that the App names, in order.
///
/// # Errors
/// The first that is not in the topology, or that is set to what the topology does not allow.
pub fn check(
    components: &BTreeMap<ComponentName, AppComponent>,
    topology: &Topology,
    shape: &Shape,
) -> Result<(), Refused> {
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
        replicas(name, set, members)?;
        storage(name, set, shape)?;
        resources(name, set.resources.as_ref())?;
    }
    Ok(())
}

fn invalid(field: &str, message: &str) -> Refused {
    Refused::new(Reason::InvalidSettings, format!("{field}: {message}"))
}

fn replicas(
    name: &ComponentName,
    set: &AppComponent,
    members: &TopologyComponent,
) -> Result<(), Refused> {
    let (least, most) = (members.min(), members.max());
    match set.replicas {
        Some(n) if n < least || n > most => Err(invalid(
            &format!("spec.components.{name}.replicas"),
            &format!("{n} is outside of what the topology allows: {least} to {most}"),
        )),
        _ => Ok(()),
    }
}

fn storage(name: &ComponentName, set: &AppComponent, shape: &Shape) -> Result<(), Refused> {
    let volumes = shape
        .volumes
        .get(name)
        .map(Vec::as_slice)
        .unwrap_or_default();
    for (volume, storage) in &set.storage {
        let field = format!("spec.components.{name}.storage.{volume}");
        if !volumes.contains(volume) {
            return Err(invalid(
                &field,
                &format!("there is no such volume; there are: {}", listed(volumes)),
            ));
        }
        if let Some(size) = &storage.size {
            is_quantity(&format!("{field}.size"), size)?;
        }
    }
    Ok(())
}

fn resources(name: &ComponentName, set: Option<&Resources>) -> Result<(), Refused> {
    let Some(Resources { requests, limits }) = set else {
        return Ok(());
    };
    for (kind, quantities) in [("requests", requests), ("limits", limits)] {
        for (resource, quantity) in quantities {
            is_quantity(
                &format!("spec.components.{name}.resources.{kind}.{resource}"),
                quantity,
            )?;
        }
    }
    Ok(())
}

fn is_quantity(field: &str, text: &str) -> Result<(), Refused> {
    match text.parse::<Quantity>() {
        Ok(_) => Ok(()),
        Err(error) => Err(invalid(field, &error.to_string())),
    }
}
