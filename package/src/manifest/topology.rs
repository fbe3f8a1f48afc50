//! How components are arranged: topologies, profiles, orders.

use api::{
    crd::app::Resources,
    names::{ComponentName, ProfileName, TopologyName, VolumeName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A named arrangement of components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Topology {
    /// Its name.
    #[schemars(example = &"replication")]
    pub name: TopologyName,
    /// One sentence for the catalog.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(example = &"One primary that takes writes, and replicas that serve reads.")]
    pub description: String,
    /// Its components, and how many members each has.
    #[schemars(extend("minProperties" = 1), example = json!({"redis": {"replicas": 3, "min": 2, "max": 7}}))]
    pub components: BTreeMap<ComponentName, TopologyComponent>,
}

/// How many members a component has in a topology.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TopologyComponent {
    /// How many where the App sets none; the least allowed where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1000), example = 3)]
    pub replicas: Option<u32>,
    /// The least; 1 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1000), example = 1)]
    pub min: Option<u32>,
    /// The most; as many as `min` and `replicas` ask for where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1000), example = 7)]
    pub max: Option<u32>,
    /// Whether the number must be odd, as a quorum wants it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub odd: bool,
    /// Whether it runs only in an App that sets `enabled: true` for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

/// Defaults under one name. What an App sets goes before them, and they before the addon's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// Its name.
    #[schemars(example = &"production")]
    pub name: ProfileName,
    /// One sentence for the catalog.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(example = &"Three members, and room to grow.")]
    pub description: String,
    /// What differs in `values`: a JSON merge patch (RFC 7396), in which `null` takes a key away.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(example = json!({"appendFsync": "always"}))]
    pub values: Map<String, Value>,
    /// The defaults of components.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(example = json!({"redis": {"replicas": 3, "storage": {"data": "100Gi"}}}))]
    pub components: BTreeMap<ComponentName, ProfileComponent>,
}

/// The defaults of one component in a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProfileComponent {
    /// How many members, in every topology that allows so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1000), example = 3)]
    pub replicas: Option<u32>,
    /// Requests and limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = json!({"requests": {"cpu": "1"}, "limits": {"memory": "4Gi"}}))]
    pub resources: Option<Resources>,
    /// The size of volumes by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(example = json!({"data": "100Gi"}))]
    pub storage: BTreeMap<VolumeName, String>,
    /// Values of parameters; the App's own go before them, one by one.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schemars(example = json!({"maxclients": 10000}))]
    pub parameters: Map<String, Value>,
}

/// Which component goes before which. In each list, one begins when the one before it is ready, or
/// rolled out; a component that is not in the list waits for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Orders {
    /// When an App is made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = ["redis", "sentinel"])]
    pub provision: Vec<ComponentName>,
    /// When its settings change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = ["sentinel", "redis"])]
    pub update: Vec<ComponentName>,
    /// When its addon or runtime version changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = ["sentinel", "redis"])]
    pub upgrade: Vec<ComponentName>,
}

impl Orders {
    /// Whether there is no order.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl TopologyComponent {
    /// The least number of members.
    pub fn min(&self) -> u32 {
        self.min.unwrap_or(1)
    }

    /// The number of members where the App sets none.
    pub fn replicas(&self) -> u32 {
        self.replicas.unwrap_or_else(|| self.min())
    }

    /// The greatest number of members.
    pub fn max(&self) -> u32 {
        self.max.unwrap_or_else(|| self.replicas().max(self.min()))
    }

    /// Whether there may be that many members.
    pub fn allows(&self, replicas: u32) -> bool {
        (self.min()..=self.max()).contains(&replicas) && !(self.odd && replicas.is_multiple_of(2))
    }
}
