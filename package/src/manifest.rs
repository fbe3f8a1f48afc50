//! The manifest, `addon.yaml`: all that a package declares. What the types here say is what an author
//! may write; how the text becomes them, with file and line of each fault, stands in [`mod@crate::check`].
//! The JSON Schema for editors and the reference are made of these types and their comments.
//!
//! Rows of R-2 that nothing serves yet are refused by name (`not supported yet`), not ignored.

mod component;
mod schema;
mod topology;

pub(crate) use component::SIGNALS;
pub use component::{
    Action, Component, ConfigFile, Credential, Object, ObjectKind, Port, Probe, Role, RunAs,
    SchemaFile, Stop, Volume,
};
pub use schema::{SCHEMA_ID, json_schema};
pub use topology::{Orders, Profile, ProfileComponent, Topology, TopologyComponent};

use api::{
    Range, Version,
    names::{ComponentName, PluginName, ProfileName, TopologyName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The manifest's `apiVersion`.
pub const API_VERSION: &str = "middleware.io/v1alpha1";
/// The manifest's `kind`.
pub const KIND: &str = "Addon";
/// The manifest's file name.
pub const FILE: &str = "addon.yaml";
/// The topology of an addon that declares none.
pub const DEFAULT_TOPOLOGY: &str = "default";

/// An addon, as its author declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// `middleware.io/v1alpha1`.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// `Addon`.
    #[schemars(extend("const" = KIND))]
    pub kind: String,
    /// The plugin's name.
    #[schemars(example = &"redis")]
    pub name: PluginName,
    /// The addon's version, which is not the middleware's: it grows with every change of a file.
    #[schemars(example = &"1.2.0")]
    pub version: Version,
    /// The oldest release of the platform that knows every field used, `MAJOR.MINOR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+\.[0-9]+$"), example = &"0.1")]
    pub min_platform: Option<String>,
    /// One or two sentences for the catalog.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(example = &"In-memory data store; one server, or one primary with replicas.")]
    pub description: String,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = ["cache", "key-value"])]
    pub keywords: Vec<String>,
    /// Who to ask, `Name <mail>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = ["Ada <ada@example.org>"])]
    pub maintainers: Vec<String>,
    /// The licence of the middleware, an SPDX expression.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(example = &"BSD-3-Clause")]
    pub licence: String,
    /// The versions of Kubernetes that it runs on; every one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &">=1.28")]
    pub kubernetes: Option<Range>,
    /// The versions of the middleware that it runs, and the image of each.
    #[schemars(length(min = 1, max = 64))]
    pub runtimes: Vec<Runtime>,
    /// The addon versions that may move to this one; none where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), example = ["1.1.x"])]
    pub upgrade_from: Vec<Range>,
    /// For a runtime version, the runtime versions that may move to it; no entry allows nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(example = json!({"7.2.0": ["7.0.x"]}))]
    pub migrate_from: BTreeMap<Version, Vec<Range>>,
    /// Free values for the templates: `values.<key>` there.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(example = json!({"appendFsync": "everysec"}))]
    pub values: Map<String, Value>,
    /// The kinds of process.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 16))]
    pub components: BTreeMap<ComponentName, Component>,
    /// The arrangements that an App may choose; one of the name `default`, with one member of each
    /// component, where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub topologies: Vec<Topology>,
    /// Defaults under a name that an App may choose, such as `development` and `production`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub profiles: Vec<Profile>,
    /// Which component goes before which; all at once where absent.
    #[serde(default, skip_serializing_if = "Orders::is_empty")]
    pub orders: Orders,
}

/// One version of the middleware.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Runtime {
    /// Its version.
    #[schemars(example = &"7.2.0")]
    pub version: Version,
    /// The image of every component, with tag or digest.
    #[schemars(length(min = 1), example = &"redis:7.2.0")]
    pub image: String,
    /// The images of the components that have another one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(example = json!({"proxy": "envoyproxy/envoy:v1.31.0"}))]
    pub images: BTreeMap<ComponentName, String>,
    /// What differs in `values` for this version: a JSON merge patch (RFC 7396), in which `null`
    /// takes a key away.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(example = json!({"appendFsync": "always"}))]
    pub values: Map<String, Value>,
}

impl Manifest {
    /// The versions of the middleware that it runs, newest first.
    pub fn runtime_versions(&self) -> Vec<Version> {
        let mut versions: Vec<Version> = self.runtimes.iter().map(|r| r.version.clone()).collect();
        versions.sort_by(|a, b| b.cmp(a));
        versions
    }

    /// The runtime of that version.
    pub fn runtime(&self, version: &Version) -> Option<&Runtime> {
        self.runtimes.iter().find(|r| r.version == *version)
    }

    /// The profile of that name.
    pub fn profile(&self, name: &ProfileName) -> Option<&Profile> {
        self.profiles.iter().find(|p| p.name == *name)
    }

    /// The names of the profiles that an App may choose, as declared.
    pub fn profile_names(&self) -> Vec<ProfileName> {
        self.profiles.iter().map(|p| p.name.clone()).collect()
    }

    /// The topology of that name.
    pub fn topology(&self, name: &TopologyName) -> Option<Topology> {
        self.topologies().into_iter().find(|t| t.name == *name)
    }

    /// The names of the topologies that an App may choose, as declared.
    pub fn topology_names(&self) -> Vec<TopologyName> {
        self.topologies().into_iter().map(|t| t.name).collect()
    }

    /// The topologies that an App may choose: those declared, or else `default` with one member of
    /// each component.
    pub fn topologies(&self) -> Vec<Topology> {
        let Ok(name) = DEFAULT_TOPOLOGY.parse() else {
            return self.topologies.clone();
        };
        if !self.topologies.is_empty() {
            return self.topologies.clone();
        }
        let one = |name: &ComponentName| (name.clone(), TopologyComponent::default());
        vec![Topology {
            name,
            description: String::new(),
            components: self.components.keys().map(one).collect(),
        }]
    }
}

impl Runtime {
    /// The image of `component`.
    pub fn image(&self, component: &ComponentName) -> &str {
        self.images.get(component).unwrap_or(&self.image)
    }
}

#[cfg(test)]
mod tests;
