//! Profiles: what they set is there to be set.

use super::Rules;
use crate::{
    check::{document::Node, one_of},
    manifest::{self, ProfileComponent, TopologyComponent},
};
use api::names::{ComponentName, VolumeName};
use std::collections::BTreeSet;

/// The most profiles.
const MAX_PROFILES: usize = 16;

impl Rules<'_> {
    pub(super) fn profiles(&mut self, list: &Node) {
        let manifest = self.manifest;
        self.at_most(list, "profiles", manifest.profiles.len(), MAX_PROFILES);
        let mut names = BTreeSet::new();
        for (i, profile) in manifest.profiles.iter().enumerate() {
            let at = list.index(i);
            self.unique(at.key("name"), "the profile", &mut names, &profile.name);
            for (name, defaults) in &profile.components {
                let at = at.key("components").key(name);
                if !self.known_component(at, name) {
                    continue;
                }
                self.profile_replicas(at.key("replicas"), name, defaults);
                if let Some(resources) = &defaults.resources {
                    self.resources(at.key("resources"), resources);
                }
                if let Some(component) = manifest.components.get(name) {
                    self.profile_component(at, component, defaults);
                }
            }
        }
    }

    /// At least one topology must allow so many members.
    fn profile_replicas(&mut self, at: &Node, name: &ComponentName, defaults: &ProfileComponent) {
        let Some(replicas) = defaults.replicas else {
            return;
        };
        let topologies = self.manifest.topologies();
        let with: Vec<_> = topologies
            .iter()
            .filter_map(|topology| Some((&topology.name, topology.components.get(name)?)))
            .collect();
        if with.iter().any(|(_, members)| members.allows(replicas)) {
            return;
        }
        let allowed: Vec<String> = with
            .iter()
            .map(|(topology, members)| format!("{} in `{topology}`", span(members)))
            .collect();
        let message = format!(
            "no topology allows {replicas} members of `{name}`: want {}",
            crate::check::listed(&allowed)
        );
        self.refuse(at, message);
    }

    fn profile_component(
        &mut self,
        at: &Node,
        component: &manifest::Component,
        defaults: &ProfileComponent,
    ) {
        let volumes = component.volumes.iter();
        let volumes: Vec<&str> = volumes.map(|volume| volume.name.as_str()).collect();
        for (name, size) in &defaults.storage {
            let at = at.key("storage").key(name);
            if !volumes.contains(&VolumeName::as_str(name)) {
                let want = one_of(name.as_str(), &volumes);
                self.refuse(at, format!("no volume `{name}`: {want}"));
            }
            self.size(at, size);
        }
        if !defaults.parameters.is_empty() && component.schema.is_empty() {
            let message = "the component has no `schema`, and takes no parameters";
            self.refuse(at.key("parameters"), message);
        }
    }
}

/// `1 to 7, odd`.
fn span(members: &TopologyComponent) -> String {
    let (min, max) = (members.min(), members.max());
    let odd = if members.odd { ", odd," } else { "" };
    if min == max {
        return format!("{min}");
    }
    format!("{min} to {max}{odd}")
}
