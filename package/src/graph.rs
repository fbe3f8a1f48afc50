//! Which version may follow which, and for which runtime versions (R-21, design.md section 8).
//!
//! In: the versions of one plugin. Out: whether a step is allowed, and one reason where it is not;
//! what can be reached, and on which way; what looks wrong. Admission and the App controller ask the same function and
//! print the same text.

mod dev;
mod lint;
mod walk;

pub use dev::{Dev, named, with_version};
pub use lint::{Note, NoteKind, Predecessors, Severity};
pub use walk::{ClosedEdge, Ways};

use crate::Manifest;
use api::{Range, Version};
use std::{collections::BTreeMap, fmt};

/// What an App runs: the addon's version and the middleware's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The addon's version.
    pub addon: Version,
    /// The middleware's version.
    pub runtime: Version,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with runtime {}", self.addon, self.runtime)
    }
}

/// One version of an addon, as far as the graph goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The addon's version.
    pub version: Version,
    /// The versions of the middleware that it runs.
    pub runtimes: Vec<Version>,
    /// The addon versions that may move to it.
    pub upgrade_from: Vec<Range>,
    /// For a runtime version, the runtime versions that may move to it.
    pub migrate_from: BTreeMap<Version, Vec<Range>>,
    /// Whether something new may pin it: it is published, not withdrawn, and not being deleted.
    pub open: bool,
}

impl Node {
    /// The node of a manifest.
    pub fn new(manifest: &Manifest, open: bool) -> Self {
        Self {
            version: manifest.version.clone(),
            runtimes: manifest.runtime_versions(),
            upgrade_from: manifest.upgrade_from.clone(),
            migrate_from: manifest.migrate_from.clone(),
            open,
        }
    }
}

/// Why a step is refused; each of them for one wanted state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusedStep {
    /// There is no such version.
    #[error("there is no version {wanted}; there are {}", crate::check::listed(.valid))]
    UnknownVersion {
        /// The version that was asked for.
        wanted: Version,
        /// The versions that may be pinned, newest first.
        valid: Vec<Version>,
    },
    /// Nothing new may pin the version.
    #[error(
        "version {wanted} takes no new users: it is not Active, it is withdrawn, or it is being deleted"
    )]
    NotOpen {
        /// The version that was asked for.
        wanted: Version,
    },
    /// The wanted version does not list the present one.
    #[error(
        "version {wanted} cannot follow {present}: its upgradeFrom lists {}",
        crate::check::listed(.lists)
    )]
    NotInUpgradeFrom {
        /// The present version.
        present: Version,
        /// The version that was asked for.
        wanted: Version,
        /// What it lists.
        lists: Vec<Range>,
    },
    /// The wanted version does not run the wanted runtime version.
    #[error("version {wanted} does not run {runtime}; it runs {}", crate::check::listed(.supported))]
    RuntimeUnsupported {
        /// The version that was asked for.
        wanted: Version,
        /// The runtime version that was asked for.
        runtime: Version,
        /// The ones that it runs, newest first.
        supported: Vec<Version>,
    },
    /// The wanted version does not say that the present runtime version may move to the wanted one.
    #[error(
        "the wanted version cannot move runtime {present} to {runtime}: its migrateFrom for {runtime} \
         lists {}",
        crate::check::listed(.lists)
    )]
    NotInMigrateFrom {
        /// The present runtime version.
        present: Version,
        /// The runtime version that was asked for.
        runtime: Version,
        /// What is listed for it.
        lists: Vec<Range>,
    },
}

/// The versions of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    nodes: BTreeMap<Version, Node>,
}

impl Graph {
    /// The graph of `nodes`; of two of one version the last stays.
    pub fn new(nodes: impl IntoIterator<Item = Node>) -> Self {
        let nodes = nodes.into_iter().map(|n| (n.version.clone(), n)).collect();
        Self { nodes }
    }

    /// Whether an App that runs `from` may be set to `to` in one edit. Staying is allowed, also on a
    /// version that takes no new users; a downgrade is a step like any other. `from` need not be in
    /// the graph: what was deleted can still be left.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn step(&self, from: &State, to: &State) -> Result<(), RefusedStep> {
        if from == to {
            return Ok(());
        }
        let node = self
            .nodes
            .get(&to.addon)
            .ok_or_else(|| self.unknown(&to.addon))?;
        if from.addon != to.addon {
            addon_step(node, &from.addon)?;
        }
        runtime_step(node, &from.runtime, &to.runtime)
    }

    /// Whether something new may be `state`: a new App, without a version before.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn entry(&self, state: &State) -> Result<(), RefusedStep> {
        let unknown = || self.unknown(&state.addon);
        let node = self.nodes.get(&state.addon).ok_or_else(unknown)?;
        open(node)?;
        runs(node, &state.runtime)
    }

    /// The versions that something new may pin, newest first.
    pub fn open_versions(&self) -> Vec<Version> {
        let open = self.nodes.values().rev().filter(|n| n.open);
        open.map(|n| n.version.clone()).collect()
    }

    fn unknown(&self, wanted: &Version) -> RefusedStep {
        RefusedStep::UnknownVersion {
            wanted: wanted.clone(),
            valid: self.open_versions(),
        }
    }
}

fn addon_step(node: &Node, present: &Version) -> Result<(), RefusedStep> {
    open(node)?;
    let listed = node.upgrade_from.iter().any(|range| range.matches(present));
    if listed || dev::are_siblings(present, &node.version) {
        return Ok(());
    }
    Err(RefusedStep::NotInUpgradeFrom {
        present: present.clone(),
        wanted: node.version.clone(),
        lists: node.upgrade_from.clone(),
    })
}

fn runtime_step(node: &Node, present: &Version, runtime: &Version) -> Result<(), RefusedStep> {
    runs(node, runtime)?;
    let lists = node.migrate_from.get(runtime).cloned().unwrap_or_default();
    if present == runtime || lists.iter().any(|range| range.matches(present)) {
        return Ok(());
    }
    Err(RefusedStep::NotInMigrateFrom {
        present: present.clone(),
        runtime: runtime.clone(),
        lists,
    })
}

fn open(node: &Node) -> Result<(), RefusedStep> {
    let wanted = node.version.clone();
    node.open
        .then_some(())
        .ok_or(RefusedStep::NotOpen { wanted })
}

fn runs(node: &Node, runtime: &Version) -> Result<(), RefusedStep> {
    if node.runtimes.contains(runtime) {
        return Ok(());
    }
    let mut supported = node.runtimes.clone();
    supported.sort_by(|a, b| b.cmp(a));
    Err(RefusedStep::RuntimeUnsupported {
        wanted: node.version.clone(),
        runtime: runtime.clone(),
        supported,
    })
}

#[cfg(test)]
mod tests;
