//! App: one instance of a middleware, pinned to one version of an addon.

use crate::{
    Digest, Version,
    conditions::Condition,
    names::{ComponentName, PluginName, ProfileName, TopologyName, VolumeName},
};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One instance of a middleware. It runs by the addon version that it is pinned to, and by nothing
/// else; another version is another value of `pluginVersion`.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "middleware.io",
    version = "v1alpha1",
    kind = "App",
    namespaced,
    shortname = "mwapp",
    category = "middleware",
    status = "AppStatus",
    derive = "PartialEq",
    printcolumn(name = "Plugin", type_ = "string", json_path = ".spec.plugin"),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.pin.pluginVersion"),
    printcolumn(name = "Runtime", type_ = "string", json_path = ".status.pin.runtimeVersion"),
    printcolumn(name = "Topology", type_ = "string", json_path = ".status.pin.topology"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.members"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 30")
        .message("the name of an App is at most 30 lower-case letters, digits and '-', and starts with a letter"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(oldSelf.topology) || (has(self.topology) && self.topology == oldSelf.topology)")
    .message("the topology of an App never changes; create another App"))]
pub struct AppSpec {
    /// The addon's name, as `kubectl get mwa` lists it. It never changes.
    #[x_kube(validation = Rule::new("self == oldSelf").message("the plugin of an App never changes; create another App"))]
    pub plugin: PluginName,
    /// The addon's version, exact. Another value asks for an upgrade, which that version must allow.
    pub plugin_version: Version,
    /// The version of the middleware itself; the newest that the addon runs where absent, chosen
    /// once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_version: Option<Version>,
    /// The arrangement of components; may be absent where the addon has one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<TopologyName>,
    /// The addon's profile: defaults under one name. The addon's plain defaults where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileName>,
    /// Whether the controllers leave the App alone.
    #[serde(default)]
    pub suspend: bool,
    /// What happens to the volumes when the App is deleted, or that it cannot be.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// What differs from the addon's defaults, by component.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, AppComponent>", extend("maxProperties" = 16))]
    pub components: BTreeMap<ComponentName, AppComponent>,
}

/// What the deletion of an App means for its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// Pods go, volumes stay: an App of the same name takes them again.
    #[default]
    KeepVolumes,
    /// Pods and volumes go.
    Delete,
    /// Deletion is held, and the App runs on, until the policy is another.
    Protected,
}

/// What an App sets for one component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AppComponent {
    /// Whether it runs, where the topology has it as optional; it does not where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How many members; the topology's default where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: Option<u32>,
    /// Requests and limits of the middleware's container; the addon's where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Size and class of volumes, by the volume's name in the addon.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Storage>", extend("maxProperties" = 8))]
    pub storage: BTreeMap<VolumeName, Storage>,
    /// Configuration of the middleware.
    #[serde(skip_serializing_if = "AppConfig::is_empty")]
    pub config: AppConfig,
}

/// Configuration of the middleware.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AppConfig {
    /// Parameters by name, as the addon's schema declares them: text, numbers, booleans.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(schema_with = "crate::schema::parameters")]
    pub parameters: serde_json::Map<String, serde_json::Value>,
}

impl AppConfig {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }
}

/// Requests and limits of a container, as Kubernetes writes quantities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Resources {
    /// What is reserved, for example `cpu: 100m`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 8, "additionalProperties" = {"type": "string", "maxLength": 32}))]
    pub requests: BTreeMap<String, String>,
    /// What is never exceeded, for example `memory: 256Mi`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 8, "additionalProperties" = {"type": "string", "maxLength": 32}))]
    pub limits: BTreeMap<String, String>,
}

/// One volume of each member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Storage {
    /// The size, for example `10Gi`; the addon's where absent. It takes effect at creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub size: Option<String>,
    /// The StorageClass; the cluster's default where absent. It takes effect at creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub storage_class: Option<String>,
}

/// What an App is bound to: it renders from this alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    /// The addon's version.
    pub plugin_version: Version,
    /// The digest of its content.
    pub digest: Digest,
    /// The version of the middleware itself.
    pub runtime_version: Version,
    /// The arrangement of components.
    pub topology: TopologyName,
}

/// A pin that the App had before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PastPin {
    /// What it was bound to.
    pub pin: Pin,
    /// When it was left for another.
    pub until: crate::conditions::Time,
}

/// What the App is now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AppStatus {
    /// The generation that this status describes.
    pub observed_generation: Option<i64>,
    /// Where the App stands in its life.
    pub phase: Option<AppPhase>,
    /// What the App is bound to, and runs by or is being moved to.
    pub pin: Option<Pin>,
    /// What it was bound to before, newest first; the last 10.
    #[schemars(length(max = 10))]
    pub history: Vec<PastPin>,
    /// Ready and wanted members in one line, for print columns.
    #[schemars(length(max = 32))]
    pub members: Option<String>,
    /// How the components are.
    #[schemars(length(max = 16))]
    pub components: Vec<AppComponentStatus>,
    /// The state in Kubernetes' standard form: Ready, Reconciling, Stalled, PinAccepted, DeletionHeld.
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}

/// How one component of an App is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppComponentStatus {
    /// The component's short name.
    pub name: ComponentName,
    /// Where it stands.
    pub phase: AppPhase,
    /// How many members are wanted.
    #[schemars(range(min = 0))]
    pub replicas: u32,
    /// How many of them are ready.
    #[schemars(range(min = 0))]
    pub ready: u32,
}

/// Where an App, a Component or a Group stands in its life.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum AppPhase {
    /// Nothing was made yet: the pin is not resolved, or it is refused.
    #[default]
    Pending,
    /// It is made for the first time.
    Creating,
    /// Everything is as asked.
    Running,
    /// It moves to another configuration, size or shape.
    Updating,
    /// It moves to another addon or runtime version.
    Upgrading,
    /// It ran, and members are missing or not ready.
    Degraded,
    /// It cannot go on without a person.
    Failed,
    /// It is being deleted.
    Deleting,
}

crate::crd::reasons! {
    /// Why an App is what it is.
    AppReason {
        /// Every member is ready and of the pin.
        Running,
        /// Members are made for the first time.
        Creating,
        /// Members move to another shape or configuration.
        Updating,
        /// Members move to another version.
        Upgrading,
        /// Members are missing or not ready.
        Degraded,
        /// A component cannot go on.
        Failed,
        /// The App is suspended.
        Suspended,
        /// The pin was accepted.
        Accepted,
        /// No version of such a plugin is Active.
        UnknownPlugin,
        /// The plugin has no such version.
        UnknownVersion,
        /// The version is there, and not Active.
        VersionNotActive,
        /// The version is being deleted: nothing new may pin it.
        VersionTerminating,
        /// The version is withdrawn: nothing new may pin it.
        VersionWithdrawn,
        /// An AddonPolicy demands what the version is not; the message says which.
        Unverified,
        /// The version is better not used any more.
        Deprecated,
        /// The version does not run this version of the middleware.
        UnknownRuntime,
        /// The version has no such topology, or several and the App names none.
        UnknownTopology,
        /// The version has no such profile.
        UnknownProfile,
        /// The topology has no such component.
        UnknownComponent,
        /// A component's settings are outside what the version allows.
        InvalidSettings,
        /// The wanted version does not list the present one in `upgradeFrom`.
        NotInUpgradeFrom,
        /// No `migrateFrom` of the wanted version lists the present runtime version.
        NotInMigrateFrom,
        /// The topology of an App never changes.
        TopologyChanged,
        /// The version does not run on this version of Kubernetes.
        UnsupportedKubernetes,
        /// Nobody could say yet whether the settings are allowed; it is asked again.
        NotJudged,
        /// A Component of that name belongs to something else.
        NameTaken,
        /// The content of the pinned version cannot be read.
        ContentUnavailable,
        /// It is being deleted.
        Deleting,
        /// Deletion is refused by the policy `Protected`.
        Protected,
        /// Volumes were deleted with the App.
        VolumesDeleted,
        /// Volumes were kept when the App was deleted.
        VolumesKept,
    }
}
