//! Which versions are too old. Kept are the newest of each plugin, what is in use, and the
//! shortest way from there to the newest: an App that runs an old version can always come on.

use super::{
    super::observed::{Existing, Observed, Offer, Owner, Verdict, Ways},
    Doomed,
    offers::object,
};
use api::{Version, crd::addon::AddonPhase, names::PluginName};
use package::graph::{Graph, Node, State};
use std::collections::{BTreeMap, BTreeSet};

/// What retention says.
#[derive(Default)]
pub(super) struct Retention {
    /// The objects of versions that are not to be made.
    pub old: BTreeSet<String>,
    /// Those that are there, and go.
    pub prune: Vec<Doomed>,
}

/// What retention says of what is there and what is offered.
pub(super) fn retention(observed: &Observed, offers: &[Offer]) -> Retention {
    let Some(newest) = observed.retention else {
        return Retention::default();
    };
    let newest = usize::try_from(newest).unwrap_or(usize::MAX);
    let mut retention = Retention::default();
    for (plugin, versions) in plugins(observed, offers) {
        versions.judge(plugin, newest, &mut retention);
    }
    retention
}

/// The versions of one plugin.
#[derive(Default)]
struct Versions<'a> {
    /// What is there, whoever made it.
    there: BTreeMap<&'a Version, &'a Existing>,
    /// What is offered and passed the checks.
    offered: BTreeSet<&'a Version>,
}

fn plugins<'a>(
    observed: &'a Observed,
    offers: &'a [Offer],
) -> BTreeMap<&'a PluginName, Versions<'a>> {
    let mut plugins: BTreeMap<_, Versions<'_>> = BTreeMap::new();
    for existing in observed.addons.values() {
        let versions = plugins.entry(&existing.plugin).or_default();
        versions.there.insert(&existing.version, existing);
    }
    for offer in offers {
        if let Verdict::Good {
            plugin, version, ..
        } = &offer.verdict
        {
            plugins.entry(plugin).or_default().offered.insert(version);
        }
    }
    plugins
}

impl Versions<'_> {
    fn judge(&self, plugin: &PluginName, newest: usize, retention: &mut Retention) {
        // What is offered counts before it is there, so that what will be too old is never made; what is
        // there goes only when the newer ones are published.
        let active: BTreeSet<&Version> = self.active().collect();
        let hopeful = self.offered.iter().filter(|version| !self.failed(version));
        let coming: BTreeSet<&Version> = active.iter().chain(hopeful).copied().collect();
        if let Some(oldest) = nth_newest(&coming, newest) {
            let old = self.offered.iter().filter(|version| **version < oldest);
            retention.old.extend(old.map(|v| object(plugin, v)));
        }
        let Some(oldest) = nth_newest(&active, newest) else {
            return;
        };
        let aged = self.there.iter().filter(|(v, e)| **v < oldest && may_go(e));
        let aged: Vec<_> = aged.collect();
        if aged.is_empty() {
            return;
        }
        let on_the_way = self.on_the_way();
        let going = aged.into_iter().filter(|(v, _)| !on_the_way.contains(**v));
        retention
            .prune
            .extend(going.map(|(version, existing)| Doomed {
                name: object(plugin, version),
                uid: existing.uid.clone(),
                resource_version: existing.resource_version.clone(),
            }));
    }

    /// Those of this source that something new may pin.
    fn active(&self) -> impl Iterator<Item = &Version> {
        let there = self.there.iter();
        let active = there.filter(|(_, e)| e.owner == Owner::ThisSource && is_open(e));
        active.map(|(version, _)| *version)
    }

    fn failed(&self, version: &Version) -> bool {
        let phase = self.there.get(version).and_then(|existing| existing.phase);
        phase == Some(AddonPhase::Failed)
    }

    /// The versions on the shortest ways from those in use to the newest that can be reached.
    fn on_the_way(&self) -> BTreeSet<Version> {
        let graph = Graph::new(self.there.values().filter_map(|existing| node(existing)));
        let used = self.there.values().filter(|e| e.users != Some(0));
        let mut kept = BTreeSet::new();
        for existing in used {
            let runtimes = existing.ways.iter().flat_map(|ways| &ways.runtimes);
            for runtime in runtimes {
                let from = State {
                    addon: existing.version.clone(),
                    runtime: runtime.clone(),
                };
                kept.extend(way_on(&graph, &from));
            }
        }
        kept
    }
}

/// The versions between `from` and the newest that can be reached from there, that one included,
/// whichever runtime version it is reached with.
fn way_on(graph: &Graph, from: &State) -> BTreeSet<Version> {
    let ways = graph.ways(from);
    let newest = ways.reachable().map(|state| &state.addon).max();
    let Some(newest) = newest.filter(|newest| **newest > from.addon) else {
        return BTreeSet::new();
    };
    let ends = ways.reachable().filter(|state| state.addon == *newest);
    let steps = ends.filter_map(|end| ways.to(end)).flatten();
    steps.map(|state| state.addon.clone()).collect()
}

fn node(existing: &Existing) -> Option<Node> {
    let Ways {
        runtimes,
        upgrade_from,
        migrate_from,
    } = existing.ways.clone()?;
    Some(Node {
        version: existing.version.clone(),
        runtimes,
        upgrade_from,
        migrate_from,
        open: is_open(existing),
    })
}

fn is_open(existing: &Existing) -> bool {
    existing.phase == Some(AddonPhase::Active) && !existing.deleting && existing.withdrawn.is_none()
}

/// Whether it is ours to remove, published, and used by nobody, as far as the operator said.
fn may_go(existing: &Existing) -> bool {
    existing.owner == Owner::ThisSource
        && existing.phase == Some(AddonPhase::Active)
        && !existing.deleting
        && existing.users == Some(0)
}

fn nth_newest<'a>(versions: &BTreeSet<&'a Version>, n: usize) -> Option<&'a Version> {
    versions.iter().rev().nth(n.checked_sub(1)?).copied()
}
