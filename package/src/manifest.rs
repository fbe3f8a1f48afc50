//! The manifest, `addon.yaml`: all that a package declares. What the types here say is what an author
//! may write; how the text becomes them, with file and line of each fault, stands in [`mod@crate::check`].
//!
//! Rows of R-2 that nothing serves yet are refused by name (`not supported yet`), not ignored.

use crate::duration::{self, InvalidDuration};
use api::{
    Range, Version,
    agent::{self, ActionPlace, ActionTable, ProbeAction, ProbeOutput},
    crd::{app::Resources, group::StartOrder},
    names::{
        ActionName, ComponentName, CredentialName, PluginName, ProfileName, RoleName, TopologyName,
        VolumeName,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
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
    /// The versions of Kubernetes that it runs on, for example `>=1.28`; every one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Range>,
    /// The versions of the middleware that it runs, and the image of each.
    pub runtimes: Vec<Runtime>,
    /// The addon versions that may move to this one; none where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upgrade_from: Vec<Range>,
    /// For a runtime version, the runtime versions that may move to it; no entry allows nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub migrate_from: BTreeMap<Version, Vec<Range>>,
    /// Free values for the templates: `values.<key>` there.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
    /// The kinds of process.
    pub components: BTreeMap<ComponentName, Component>,
    /// The arrangements that an App may choose; one of the name `default`, with one member of each
    /// component, where absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topologies: Vec<Topology>,
    /// Defaults under a name that an App may choose, such as `development` and `production`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
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
    pub version: Version,
    /// The image of every component, with tag or digest.
    pub image: String,
    /// The images of the components that have another one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<ComponentName, String>,
    /// What differs in `values` for this version: a JSON merge patch (RFC 7396).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
}

/// One kind of process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    pub resources: Option<Resources>,
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
    /// The schema of the parameters: files in `schema/`, which together are one CUE package. No
    /// parameter is taken where absent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schema: Vec<SchemaFile>,
    /// Users and passwords that are generated once for each App, found by the middleware in
    /// `/credentials/` as `<name>-username` and `<name>-password`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
    /// What the agent runs, by name. `prepare` runs before the process starts for the first time in
    /// a pod's life, `reload` makes it read its configuration again; others are the addon's own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<ActionName, Action>,
    /// Further Kubernetes objects of the component.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Object>,
    /// The roles that members have, the leading one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// How role and health are found out; required where there are roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// Whether members start one after the other or at once.
    pub start: StartOrder,
    /// How it is stopped.
    pub stop: Stop,
}

/// A port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Port {
    /// Its name, an IANA service name of at most 15 characters.
    pub name: String,
    /// Its number.
    pub port: u16,
}

/// Numeric ids of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunAs {
    /// The user id, not 0.
    pub user: i64,
    /// The group id, not 0; also the group of the volumes.
    pub group: i64,
}

/// A volume of each member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigFile {
    /// The file's name in `/middleware/config/`.
    pub file: String,
    /// The template's name in `templates/`.
    pub template: String,
    /// The versions of the middleware that it is for; every one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtimes: Option<Range>,
}

/// A file of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SchemaFile {
    /// The file's name in `schema/`.
    pub file: String,
    /// The versions of the middleware that it is for; every one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtimes: Option<Range>,
}

/// A user and a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credential {
    /// What it is called in the Secret `<app>-<component>-credentials`.
    pub name: CredentialName,
    /// The user; the credential's name where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

/// What the agent runs: a command, or a signal to the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Action {
    /// The command and its arguments; never a shell line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The signal that the process gets instead of a command, for example `SIGHUP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// The container in which the command runs.
    #[serde(default, rename = "in")]
    pub place: ActionPlace,
    /// The time after which the command is killed and has failed, for example `30s`.
    #[serde(default = "default_timeout")]
    pub timeout: String,
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

fn default_timeout() -> String {
    "30s".to_owned()
}

/// A further Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Object {
    /// Its kind, one of those that an addon may own.
    pub kind: ObjectKind,
    /// The template's name in `templates/`; it renders to one object.
    pub template: String,
    /// Whether the template may render to nothing, and the object is left out where the cluster does
    /// not know its kind.
    #[serde(default)]
    pub optional: bool,
}

/// The kinds that an addon may own (R-2.8).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[expect(missing_docs, reason = "they are Kubernetes' own")]
pub enum ObjectKind {
    Service,
    ConfigMap,
    Secret,
    PersistentVolumeClaim,
    Ingress,
    NetworkPolicy,
    PodDisruptionBudget,
    ServiceMonitor,
    PodMonitor,
    PrometheusRule,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// Its name, as the probe reports it.
    pub name: RoleName,
    /// Whether a Service `<app>-<component>-<role>-svc` follows it.
    #[serde(default)]
    pub service: bool,
}

/// How role and health are found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    pub name: ProfileName,
    /// One sentence for the catalog.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What differs in `values`: a JSON merge patch (RFC 7396).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
    /// The defaults of components.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub components: BTreeMap<ComponentName, ProfileComponent>,
}

/// The defaults of one component in a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProfileComponent {
    /// How many members, in every topology that allows so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Requests and limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// The size of volumes by name, for example `data: 100Gi`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub storage: BTreeMap<VolumeName, String>,
    /// Values of parameters; the App's own go before them, one by one.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
}

/// Which component goes before which. In each list, one begins when the one before it is ready, or
/// rolled out; a component that is not in the list waits for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Orders {
    /// When an App is made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub provision: Vec<ComponentName>,
    /// When its settings change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub update: Vec<ComponentName>,
    /// When its addon or runtime version changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub upgrade: Vec<ComponentName>,
}

impl Orders {
    /// Whether there is no order.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
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
        let action = |(name, action): (&ActionName, &Action)| {
            Ok((name.to_string(), action.for_the_agent()?))
        };
        let actions = self.actions.iter().map(action).collect::<Result<_, _>>()?;
        Ok(ActionTable { probe, actions })
    }
}

impl Action {
    fn for_the_agent(&self) -> Result<agent::Action, InvalidDuration> {
        Ok(agent::Action {
            command: self.command.clone(),
            signal: self.signal.clone(),
            place: self.place,
            timeout_millis: millis(&self.timeout)?,
        })
    }
}

impl Runtime {
    /// The image of `component`.
    pub fn image(&self, component: &ComponentName) -> &str {
        self.images.get(component).unwrap_or(&self.image)
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
