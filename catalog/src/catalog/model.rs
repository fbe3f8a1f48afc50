//! The catalog as a plain value: plugins, their versions, and who uses them.
//!
//! In: what the API server lists to this person ([`load`]), and content on demand
//! ([`super::content`]). Out: values to show, sorted, and nothing that changes by itself. What one may
//! not see says so ([`Hidden`]); only the versions themselves must be visible.

mod load;
mod origin;

pub(crate) use load::{catalog as of_lists, load, load_source};
pub(crate) use origin::Origin;

use crate::cluster::Hidden;
use api::{
    Digest, Range, Version,
    conditions::Time,
    crd::{
        addon::{AddonPhase, ContentRef, Lifecycle},
        app::AppPhase,
    },
    names::{PluginName, TopologyName},
};
use package::graph::{Graph, Node};
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// What is in the catalog.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Catalog {
    /// By name.
    pub(crate) plugins: Vec<Plugin>,
    /// Of which namespaces the Apps are among the users.
    pub(crate) users_of: Reach,
}

/// One kind of middleware.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plugin {
    /// Its name.
    pub(crate) plugin: PluginName,
    /// Its versions, newest first; never empty.
    pub(crate) versions: Vec<AddonVersion>,
}

/// One version.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AddonVersion {
    /// The plugin.
    pub(crate) plugin: PluginName,
    /// The version.
    pub(crate) version: Version,
    /// Where it stands; Pending where the operator said nothing yet.
    pub(crate) phase: AddonPhase,
    /// Why it is not ready, as the operator says it: reason and message of the condition Ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trouble: Option<Trouble>,
    /// Whether it is being deleted: nothing new may pin it.
    pub(crate) deleting: bool,
    /// What is said of it.
    pub(crate) lifecycle: Lifecycle,
    /// The digest of its content, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<Digest>,
    /// Who signed it, where that was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signer: Option<String>,
    /// Where it came from; nowhere where a person made it by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
    /// The versions of the middleware that it runs, newest first.
    pub(crate) runtimes: Vec<Version>,
    /// The topologies that an App may choose.
    pub(crate) topologies: Vec<TopologyName>,
    /// The addon versions that may move to it.
    pub(crate) upgrade_from: Vec<Range>,
    /// For a runtime version, what may move to it.
    pub(crate) migrate_from: BTreeMap<Version, Vec<Range>>,
    /// Who uses it.
    pub(crate) users: Users,
    /// Since when it is in the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Time>,
    /// The objects that hold its files.
    pub(crate) content: Vec<ContentRef>,
}

/// Why a version is not ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trouble {
    /// The condition's reason.
    pub(crate) reason: String,
    /// Its message.
    pub(crate) message: String,
}

/// Who uses a version.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Users {
    /// How many, in all namespaces, as the operator counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<usize>,
    /// Those that may be seen, by namespace and name.
    pub(crate) apps: Vec<User>,
}

/// An App that is pinned to a version.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    /// Its namespace.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
    /// What it runs.
    pub(crate) runtime: Version,
    /// How it is arranged.
    pub(crate) topology: TopologyName,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phase: Option<AppPhase>,
}

/// Of which namespaces the Apps are seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Reach {
    /// Of all.
    #[default]
    Everywhere,
    /// Of this one: it was asked for, or the others may not be seen.
    Namespace {
        /// The namespace.
        namespace: String,
        /// Why not of all, where that was not what was asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        hidden: Option<Hidden>,
    },
    /// Of none.
    Nowhere(Hidden),
}

impl Catalog {
    /// The plugin of that name.
    pub(crate) fn plugin(&self, name: &str) -> Option<&Plugin> {
        self.plugins.iter().find(|p| p.plugin.as_str() == name)
    }
}

impl Plugin {
    /// That version.
    pub(crate) fn version(&self, version: &Version) -> Option<&AddonVersion> {
        self.versions.iter().find(|v| v.version == *version)
    }

    /// What somebody new should take: the newest release that may be pinned and is not deprecated,
    /// else the newest that may be pinned, else the newest of all.
    pub(crate) fn recommended(&self) -> Option<&AddonVersion> {
        let mut open = self.versions.iter().filter(|v| v.is_open());
        let good = |v: &&AddonVersion| {
            !v.version.is_prerelease() && v.lifecycle.deprecated.is_none() && v.is_open()
        };
        let release = self.versions.iter().find(good);
        release.or_else(|| open.next()).or(self.versions.first())
    }

    /// Who may follow whom among the published versions.
    pub(crate) fn graph(&self) -> Graph {
        let published = self.versions.iter().filter(|v| v.is_published());
        Graph::new(published.map(AddonVersion::node))
    }

    /// How many Apps use any of its versions, as the operator counts them; `None` where it said
    /// nothing yet.
    pub(crate) fn users(&self) -> Option<usize> {
        let counts = self.versions.iter().filter_map(|v| v.users.count);
        counts.reduce(|all, one| all + one)
    }
}

impl AddonVersion {
    /// Whether its bytes are published.
    pub(crate) fn is_published(&self) -> bool {
        self.phase == AddonPhase::Active
    }

    /// Whether something new may pin it.
    pub(crate) fn is_open(&self) -> bool {
        self.is_published() && !self.deleting && self.lifecycle.withdrawn.is_none()
    }

    /// What it is in one word: the lifecycle's where it has one, else the phase.
    pub(crate) fn state(&self) -> &'static str {
        match self.phase {
            _ if self.deleting => "Terminating",
            AddonPhase::Pending => "Pending",
            AddonPhase::Failed => "Failed",
            AddonPhase::Active if self.lifecycle.withdrawn.is_some() => "Withdrawn",
            AddonPhase::Active if self.lifecycle.deprecated.is_some() => "Deprecated",
            AddonPhase::Active => "Active",
        }
    }

    /// The name of its MiddlewareAddon.
    pub(crate) fn object_name(&self) -> String {
        api::names::addon(&self.plugin, &self.version)
    }

    /// As much of it as the upgrade graph knows.
    pub(crate) fn node(&self) -> Node {
        Node {
            version: self.version.clone(),
            runtimes: self.runtimes.clone(),
            upgrade_from: self.upgrade_from.clone(),
            migrate_from: self.migrate_from.clone(),
            open: self.is_open(),
        }
    }
}

impl Users {
    /// How many there are, as far as anybody says.
    pub(crate) fn number(&self) -> usize {
        self.count.unwrap_or_default().max(self.apps.len())
    }
}

impl Reach {
    /// Whether every user is seen.
    pub(crate) fn is_everywhere(&self) -> bool {
        *self == Self::Everywhere
    }
}

impl fmt::Display for Reach {
    /// What a list of users must say of itself: `of all namespaces`, `of the namespace team-a; others
    /// are not visible to you (needs …)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => f.write_str("of all namespaces"),
            Self::Namespace { namespace, hidden } => {
                write!(f, "of the namespace {namespace} alone")?;
                match hidden {
                    Some(hidden) => write!(f, "; others are {hidden}"),
                    None => Ok(()),
                }
            }
            Self::Nowhere(hidden) => write!(f, "{hidden}"),
        }
    }
}

impl fmt::Display for User {
    /// `namespace/name`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
