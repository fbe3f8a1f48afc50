//! One kind of process: what runs, what it needs, and what is known of it.

use crate::duration::{self, InvalidDuration};
use api::{
    Range, Version,
    agent::{self, ActionPlace, ActionTable, ProbeAction, ProbeOutput},
    crd::{app::Resources, group::StartOrder},
    names::{ActionName, CredentialName, RoleName, VolumeName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// The signals that ask a process to do something, or to end.
pub(crate) const SIGNALS: [&str; 8] = [
    "SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH",
];
/// A duration, as a JSON Schema says it.
const DURATION: &str = "^([0-9]+(ms|s|m|h))+$";
/// A file's name in a section, as a JSON Schema says it.
const FILE_NAME: &str = "^[A-Za-z0-9][-._A-Za-z0-9]*$";

/// One kind of process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(extend("required" = ["command"]))]
pub struct Component {
    /// The middleware's command; the first word is the program. It runs under the agent.
    #[schemars(extend("minItems" = 1), example = ["/scripts/start.sh"])]
    pub command: Vec<String>,
    /// Further environment, by name. No secret belongs here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(example = json!({"LANG": "C.UTF-8"}))]
    pub env: BTreeMap<String, String>,
    /// The ports that it listens on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = json!([{"name": "redis", "port": 6379}]))]
    pub ports: Vec<Port>,
    /// Requests and limits where the App sets none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = json!({"requests": {"cpu": "50m"}, "limits": {"memory": "256Mi"}}))]
    pub resources: Option<Resources>,
    /// The user and group that it runs as, and the group of its volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = json!({"user": 999, "group": 999}))]
    pub run_as: Option<RunAs>,
    /// The volumes of each member.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
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
    #[schemars(length(max = 8))]
    pub credentials: Vec<Credential>,
    /// What the agent runs, by name. `prepare` runs before the process starts for the first time in
    /// a pod's life, `reload` makes it read its configuration again; others are the addon's own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32), example = json!({"reload": {"signal": "SIGHUP"}}))]
    pub actions: BTreeMap<ActionName, Action>,
    /// Further Kubernetes objects of the component.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub objects: Vec<Object>,
    /// The roles that members have, the leading one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), example = json!([{"name": "primary", "service": true}]))]
    pub roles: Vec<Role>,
    /// How role and health are found out; required where there are roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// Whether members start one after the other or at once.
    pub start: StartOrder,
    /// How it is stopped.
    #[schemars(example = json!({"signal": "SIGINT", "timeout": "1m"}))]
    pub stop: Stop,
}

/// A port that the middleware listens on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Port {
    /// Its name, an IANA service name of at most 15 characters.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$"), example = &"redis")]
    pub name: String,
    /// Its number; 50051 and 50052 are the agent's.
    #[schemars(range(min = 1), example = 6379)]
    pub port: u16,
}

/// Numeric ids of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunAs {
    /// The user id, not 0.
    #[schemars(range(min = 1, max = 2_147_483_647), example = 999)]
    pub user: i64,
    /// The group id, not 0; also the group of the volumes.
    #[schemars(range(min = 1, max = 2_147_483_647), example = 999)]
    pub group: i64,
}

/// A volume of each member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// Its name.
    #[schemars(example = &"data")]
    pub name: VolumeName,
    /// Where the middleware finds it.
    #[schemars(regex(pattern = "^/"), example = &"/data")]
    pub mount_path: String,
    /// Its size where the App sets none, a Kubernetes quantity.
    #[schemars(example = &"10Gi")]
    pub size: String,
}

/// A rendered configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigFile {
    /// The file's name in `/middleware/config/`.
    #[schemars(regex(pattern = FILE_NAME), length(max = 200), example = &"redis.conf")]
    pub file: String,
    /// The template's name in `templates/`.
    #[schemars(regex(pattern = FILE_NAME), length(max = 200), example = &"redis.conf")]
    pub template: String,
    /// The versions of the middleware that it is for; every one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &">=7.2.0")]
    pub runtimes: Option<Range>,
}

/// A file of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SchemaFile {
    /// The file's name in `schema/`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][-._A-Za-z0-9]*\.cue$"), length(max = 200), example = &"redis.cue")]
    pub file: String,
    /// The versions of the middleware that it is for; every one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"7.2.x")]
    pub runtimes: Option<Range>,
}

/// A user and a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credential {
    /// What it is called in the Secret `<app>-<component>-credentials`.
    #[schemars(example = &"admin")]
    pub name: CredentialName,
    /// The user; the credential's name where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_.-]{0,62}$"), example = &"postgres")]
    pub username: Option<String>,
}

/// What the agent runs: a command, or a signal to the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Action {
    /// The command and its arguments; never a shell line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = ["/scripts/reload.sh"])]
    pub command: Vec<String>,
    /// The signal that the process gets instead of a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = SIGNALS), example = &"SIGHUP")]
    pub signal: Option<String>,
    /// The container in which the command runs.
    #[serde(default, rename = "in")]
    #[schemars(example = &"main")]
    pub place: ActionPlace,
    /// The time after which the command is killed and has failed.
    #[serde(default = "default_timeout")]
    #[schemars(regex(pattern = DURATION), example = &"1m30s")]
    pub timeout: String,
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(example = &"Reads the configuration again.")]
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
    #[schemars(example = &"ServiceMonitor")]
    pub kind: ObjectKind,
    /// The template's name in `templates/`; it renders to one object.
    #[schemars(regex(pattern = FILE_NAME), length(max = 200), example = &"monitor.yaml")]
    pub template: String,
    /// Whether the template may render to nothing, and the object is left out where the cluster does
    /// not know its kind.
    #[serde(default)]
    pub optional: bool,
}

/// The kinds that an addon may own; pods are not among them.
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

/// What a member can be, as the middleware itself says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// Its name, as the probe reports it.
    #[schemars(example = &"primary")]
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
    #[schemars(extend("minItems" = 1), example = ["/scripts/probe.sh"])]
    pub command: Vec<String>,
    /// The time between two runs.
    #[serde(default = "default_interval")]
    #[schemars(regex(pattern = DURATION), example = &"2s")]
    pub interval: String,
    /// The time after which a run is killed and has failed.
    #[serde(default = "default_interval")]
    #[schemars(regex(pattern = DURATION), example = &"2s")]
    pub timeout: String,
    /// A regular expression whose first group is looked up in `roles`; the output is JSON
    /// (`{role, writable, position, lineage}`) where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"role:(\\w+)")]
    pub pattern: Option<String>,
    /// With `pattern`: what the command says → the role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(example = json!({"master": "primary", "slave": "replica"}))]
    pub roles: BTreeMap<String, RoleName>,
}

fn default_interval() -> String {
    "2s".to_owned()
}

/// How a process is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Stop {
    /// The signal.
    #[schemars(extend("enum" = SIGNALS), example = &"SIGTERM")]
    pub signal: String,
    /// The time after which it is killed.
    #[schemars(regex(pattern = DURATION), example = &"30s")]
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

impl Credential {
    /// The user.
    pub fn username(&self) -> &str {
        self.username.as_deref().unwrap_or(self.name.as_str())
    }
}

impl ConfigFile {
    /// Whether it is for that version of the middleware.
    pub fn is_for(&self, runtime: &Version) -> bool {
        is_for(self.runtimes.as_ref(), runtime)
    }
}

impl SchemaFile {
    /// Whether it is for that version of the middleware.
    pub fn is_for(&self, runtime: &Version) -> bool {
        is_for(self.runtimes.as_ref(), runtime)
    }
}

fn is_for(runtimes: Option<&Range>, runtime: &Version) -> bool {
    runtimes.is_none_or(|range| range.matches(runtime))
}

impl ObjectKind {
    /// Its name, as `kind` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::Ingress => "Ingress",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::ServiceMonitor => "ServiceMonitor",
            Self::PodMonitor => "PodMonitor",
            Self::PrometheusRule => "PrometheusRule",
        }
    }

    /// Its group and version, as `apiVersion` has them.
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Service | Self::ConfigMap | Self::Secret | Self::PersistentVolumeClaim => "v1",
            Self::Ingress | Self::NetworkPolicy => "networking.k8s.io/v1",
            Self::PodDisruptionBudget => "policy/v1",
            Self::ServiceMonitor | Self::PodMonitor | Self::PrometheusRule => {
                "monitoring.coreos.com/v1"
            }
        }
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
