//! Topologies and orders: their components exist, and the numbers of members fit each other.

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
                self.known_component(at, name);
                self.members(at, members);
            }
            let mut members = topology.components.values();
            if !topology.components.is_empty() && members.all(|members| members.optional) {
                self.refuse(
                    at.key("components"),
                    "every component is optional, and an App may enable none; want one that is not",
                );
            }
        }
    }

    /// A component that no topology has would never run, and never be looked at.
    pub(super) fn unarranged(&mut self, map: &Node) {
        let topologies = self.manifest.topologies();
        for name in self.manifest.components.keys() {
            if !topologies
                .iter()
                .any(|topology| topology.components.contains_key(name))
            {
                let message = format!(
                    "no topology has the component `{name}`; put it into one, or delete it"
                );
                self.refuse(map.key(name), message);
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
        for (field, number) in [("min", min), ("replicas", is), ("max", max)] {
            if members.odd && number.is_multiple_of(2) {
                let message =
                    format!("want an odd number for `{field}`, as `odd` asks for, not {number}");
                self.refuse(at.key(field), message);
            }
        }
        if max > MAX_MEMBERS {
            self.refuse(
                at,
                format!("{max} members, and at most {MAX_MEMBERS} are allowed"),
            );
        }
    }

    pub(super) fn orders(&mut self, map: &Node) {
        let orders = &self.manifest.orders;
        for (field, order) in [
            ("provision", &orders.provision),
            ("update", &orders.update),
            ("upgrade", &orders.upgrade),
        ] {
            let mut seen = BTreeSet::<&ComponentName>::new();
            for (i, name) in order.iter().enumerate() {
                let at = map.key(field).index(i);
                self.known_component(at, name);
                self.unique(at, "the component", &mut seen, name);
            }
        }
    }
}
