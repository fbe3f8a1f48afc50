//! Topologies: their components exist, and the numbers of members fit each other.

use super::Rules;
use crate::{check::document::Node, manifest::TopologyComponent};
use api::names::ComponentName;
use std::collections::BTreeSet;

/// The most topologies, as many as a MiddlewareAddon's status lists.
const MAX_TOPOLOGIES: usize = 32;
/// The most members of a component in one Group.
const MAX_MEMBERS: u32 = 1000;

impl Rules<'_> {
    pub(super) fn topologies(&mut self, list: &Node) {
        let manifest = self.manifest;
        self.at_most(
            list,
            "topologies",
            manifest.topologies.len(),
            MAX_TOPOLOGIES,
        );
        let mut names = BTreeSet::new();
        let components: Vec<&str> = manifest
            .components
            .keys()
            .map(ComponentName::as_str)
            .collect();
        for (i, topology) in manifest.topologies.iter().enumerate() {
            let at = list.index(i);
            self.unique(at.key("name"), "the topology", &mut names, &topology.name);
            if topology.components.is_empty() {
                self.refuse(
                    at.key("components"),
                    "the topology has no component; want at least one",
                );
            }
            for (name, members) in &topology.components {
                let at = at.key("components").key(name);
                if !manifest.components.contains_key(name) {
                    let message = format!(
                        "no component `{name}`: {}",
                        crate::check::one_of(name.as_str(), &components)
                    );
                    self.refuse(at, message);
                }
                self.members(at, members);
            }
        }
    }

    fn members(&mut self, at: &Node, members: &TopologyComponent) {
        let (min, is, max) = (members.min(), members.replicas(), members.max());
        if min > max {
            self.refuse(
                at,
                format!("`min` is {min} and `max` {max}: nothing is between them"),
            );
        } else if !(min..=max).contains(&is) {
            self.refuse(
                at.key("replicas"),
                format!("want `replicas` from {min} to {max}, not {is}"),
            );
        }
        if max > MAX_MEMBERS {
            self.refuse(
                at,
                format!("{max} members, and at most {MAX_MEMBERS} are allowed"),
            );
        }
    }
}
