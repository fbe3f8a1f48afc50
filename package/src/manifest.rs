//! The manifest, `addon.yaml`: all that a package declares. What the types here say is what an author
//! may write; how the text becomes them, with file and line of each fault, stands in [`mod@crate::check`].
//!
//! Rows of R-2 that nothing serves yet are refused by name (`not supported yet`), not ignored.

use crate::duration::{self, InvalidDuration};
use api::{
    Range, Version,
    agent::{ActionTable, ProbeAction, ProbeOutput},
    names::{ComponentName, PluginName, RoleName, TopologyName, VolumeName},
};
use serde::{Deserialize, Serialize};
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// `middleware.io/v1alpha1`.
    pub api_version: String,
    /// `Addon`.
    pub kind: String,
    /// The plugin's name.
    pub name: PluginName,
    /// The addon's version.
    pub version: Version,
    /// The oldest release of the platform that knows every field used, `MAJOR.MINOR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_platform: Option<String>,
    /// One or two sentences for the catalog.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Who to ask, `Name <mail>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maintainers: Vec<String>,
    /// The licence of the middleware, an SPDX expression.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub licence: String,
    /// The versions of the middleware that it runs, and the image of each.
    pub runtimes: Vec<Runtime>,
    /// The addon versions that may move to this one; none where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upgrade_from: Vec<Range>,
    /// For a runtime version, the runtime versions that may move to it; no entry allows nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub migrate_from: BTreeMap<Version, Vec<Range>>,
    /// Free values for the templates: `values.<key>` there.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub values: serde_json::Map<String, serde_json::Value>,
    /// The kinds of process.
    pub components: BTreeMap<ComponentName, Component>,
    /// The arrangements that an App may choose; one of the name `default`, with one member of each
    /// component, where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topologies: Vec<Topology>,
}

/// One version of the middleware.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Runtime {
    /// Its version.
    pub version: Version,
    /// The image of every component, with tag or digest.
    pub image: String,
}

/// One kind of process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Component {
    /// The middleware's command; the first word is the program. It runs under the agent.
    pub command: Vec<String>,
    /// Further environment, by name. No secret belongs here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The ports that it listens on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    /// Requests and limits where the App sets none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<api::crd::app::Resources>,
    /// The user and group that it runs as, and the group of its volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as: Option<RunAs>,
    /// The volumes of each member.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Configuration files, rendered from `templates/`, found by the middleware in
    /// `/middleware/config/`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<ConfigFile>,
    /// The roles that members have, the leading one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// How role and health are found out; required where there are roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// Whether members start one after the other or at once.
    pub start: api::crd::group::StartOrder,
    /// How it is stopped.
    pub stop: Stop,
}

/// A port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Port {
    /// Its name, an IANA service name of at most 15 characters.
    pub name: String,
    /// Its number.
    pub port: u16,
}

/// Numeric ids of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunAs {
    /// The user id, not 0.
    pub user: i64,
    /// The group id, not 0; also the group of the volumes.
    pub group: i64,
}

/// A volume of each member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// Its name.
    pub name: VolumeName,
    /// Where the middleware finds it.
    pub mount_path: String,
    /// Its size where the App sets none, a Kubernetes quantity.
    pub size: String,
}

/// A rendered configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigFile {
    /// The file's name in `/middleware/config/`.
    pub file: String,
    /// The template's name in `templates/`.
    pub template: String,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// Its name, as the probe reports it.
    pub name: RoleName,
    /// Whether a Service `<app>-<component>-<role>-svc` follows it.
    #[serde(default)]
    pub service: bool,
}

/// How role and health are found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    /// The command and its arguments, run in the sidecar from the middleware's own image.
    pub command: Vec<String>,
    /// The time between two runs, for example `2s`.
    #[serde(default = "default_interval")]
    pub interval: String,
    /// The time after which a run is killed and has failed, for example `2s`.
    #[serde(default = "default_interval")]
    pub timeout: String,
    /// A regular expression whose first group is looked up in `roles`; the output is JSON
    /// (`{role, writable, position, lineage}`) where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// With `pattern`: what the command says → the role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, RoleName>,
}

fn default_interval() -> String {
    "2s".to_owned()
}

/// How a process is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Stop {
    /// The signal, for example `SIGTERM`.
    pub signal: String,
    /// The time after which it is killed, for example `30s`.
    pub timeout: String,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            signal: "SIGTERM".to_owned(),
            timeout: "30s".to_owned(),
        }
    }
}

/// A named arrangement of components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Topology {
    /// Its name.
    pub name: TopologyName,
    /// One sentence for the catalog.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its components, and how many members each has.
    pub components: BTreeMap<ComponentName, TopologyComponent>,
}

/// How many members a component has in a topology.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TopologyComponent {
    /// How many where the App sets none; the least allowed where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// The least; 1 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// The most; as many as `min` and `replicas` ask for where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
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

impl Component {
    /// What the agent of a member may be asked to run, as `actions.json` holds it.
    ///
    /// # Errors
    /// A duration is none; a checked package has none such.
    pub fn actions(&self) -> Result<ActionTable, InvalidDuration> {
        let probe = self.probe.as_ref().map(Probe::action).transpose()?;
        Ok(ActionTable { probe })
    }
}

impl Probe {
    fn action(&self) -> Result<ProbeAction, InvalidDuration> {
        Ok(ProbeAction {
            command: self.command.clone(),
            interval_millis: millis(&self.interval)?,
            timeout_millis: millis(&self.timeout)?,
            output: self.output(),
        })
    }

    fn output(&self) -> ProbeOutput {
        let Some(pattern) = &self.pattern else {
            return ProbeOutput::Json;
        };
        let roles = self.roles.iter();
        ProbeOutput::Pattern {
            pattern: pattern.clone(),
            roles: roles
                .map(|(said, role)| (said.clone(), role.to_string()))
                .collect(),
        }
    }
}

fn millis(text: &str) -> Result<u64, InvalidDuration> {
    let millis = duration::parse(text)?.as_millis();
    Ok(u64::try_from(millis).unwrap_or(u64::MAX))
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_addon_without_topologies_has_one_with_everything_once() {
        let manifest: Manifest = serde_json::from_value(serde_json::json!({
            "apiVersion": API_VERSION, "kind": KIND, "name": "a", "version": "1.0.0",
            "runtimes": [{"version": "1.9.0", "image": "a:1"}, {"version": "1.10.0", "image": "a:2"}],
            "components": {"b": {}, "c": {}},
        }))
        .unwrap();
        let [topology] = &manifest.topologies()[..] else {
            panic!("one topology")
        };
        assert_eq!(
            manifest.topology_names(),
            std::slice::from_ref(&topology.name)
        );
        assert_eq!(topology.name.as_str(), DEFAULT_TOPOLOGY);
        let members = |c: &TopologyComponent| (c.min(), c.replicas(), c.max());
        assert!(
            topology
                .components
                .values()
                .all(|c| members(c) == (1, 1, 1))
        );
        assert_eq!(topology.components.len(), 2);
        let newest = manifest.runtime_versions()[0].clone();
        assert_eq!(newest.to_string(), "1.10.0");
        assert_eq!(
            manifest.runtime(&newest).map(|r| r.image.as_str()),
            Some("a:2")
        );
    }

    #[test]
    fn a_probe_with_a_pattern_is_told_the_agent_so() {
        let probe: Probe = serde_json::from_value(serde_json::json!({
            "command": ["who"], "pattern": "is (\\w+)", "roles": {"master": "primary"}, "timeout": "1500ms",
        }))
        .unwrap();
        let component = Component {
            probe: Some(probe),
            ..Component::default()
        };
        let action = component.actions().unwrap().probe.unwrap();
        assert_eq!(
            (action.interval_millis, action.timeout_millis),
            (2000, 1500)
        );
        let ProbeOutput::Pattern { pattern, roles } = action.output else {
            panic!("a pattern")
        };
        assert_eq!(pattern, r"is (\w+)");
        assert_eq!(roles["master"], "primary");
    }
}
