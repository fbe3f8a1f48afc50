//! Group: pods with one spec and one ordinal sequence; made by the Component controller.

use crate::{
    conditions::Condition,
    crd::app::{AppPhase, Pin, Storage},
    names::{AppName, ComponentName, GroupName, PluginName, RoleName, VolumeName},
};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Pods with one spec and one ordinal sequence: a shard, or all members of a component. Stable
/// names, volumes and network identity per ordinal.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "middleware.io",
    version = "v1alpha1",
    kind = "Group",
    namespaced,
    shortname = "mwg",
    category = "middleware",
    status = "GroupStatus",
    derive = "PartialEq",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Component", type_ = "string", json_path = ".spec.component"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.membersReady"),
    printcolumn(
        name = "Updated",
        type_ = "integer",
        json_path = ".status.updatedReplicas"
    ),
    printcolumn(name = "Roles", type_ = "string", json_path = ".status.roles"),
    printcolumn(
        name = "Revision",
        type_ = "string",
        json_path = ".spec.revision",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
pub struct GroupSpec {
    /// The App that it belongs to.
    pub app: AppName,
    /// The component that it belongs to.
    pub component: ComponentName,
    /// Its short name; `0` where the user names none.
    pub group: GroupName,
    /// The addon's name.
    pub plugin: PluginName,
    /// What the App is bound to. A lost status of the App is rebuilt from this.
    pub pin: Pin,
    /// How many members; the wanted ordinals are the first so many that are not reserved.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: u32,
    /// Ordinals that are not used: their members are removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000), inner(range(min = 0, max = 9999)))]
    pub reserved_ordinals: Vec<u32>,
    /// The hash of what a pod is made from: template, configuration and volumes. A pod of another
    /// revision is made again.
    #[schemars(length(min = 8, max = 8))]
    pub revision: String,
    /// The revision of scripts and actions; changing it restarts nothing.
    #[schemars(length(min = 8, max = 8))]
    pub content_revision: String,
    /// The revision of the configuration files. Where the middleware reads them again, changing it
    /// restarts nothing.
    #[schemars(length(min = 8, max = 8))]
    pub config_revision: String,
    /// The number of the composer that made the template.
    #[schemars(range(min = 1))]
    pub composer: u32,
    /// The pod's metadata and spec, without what differs between members.
    #[schemars(schema_with = "crate::schema::free_form")]
    pub template: serde_json::Value,
    /// The volumes of each member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub volumes: Vec<GroupVolume>,
    /// The roles that members have; empty for a middleware without roles. Order of a rollout: the
    /// last role here first, the first last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub roles: Vec<RoleName>,
    /// Whether members start one after the other or at once.
    #[serde(default)]
    pub start: StartOrder,
    /// Whether the controllers leave the Group alone.
    #[serde(default)]
    pub suspend: bool,
}

fn one() -> u32 {
    1
}

/// A volume of each member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupVolume {
    /// The volume's name in the template; its claims are `<volume>-<pod>`.
    pub name: VolumeName,
    /// Size and class of a claim that is made now.
    pub storage: Storage,
}

/// How the members of a Group start for the first time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StartOrder {
    /// By ordinal, each ready before the next is made.
    #[default]
    Ordered,
    /// All at once.
    Parallel,
}

/// What the Group is now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupStatus {
    /// The generation that this status describes.
    pub observed_generation: Option<i64>,
    /// Where it stands in its life.
    pub phase: Option<AppPhase>,
    /// How many pods there are.
    #[schemars(range(min = 0))]
    pub replicas: Option<u32>,
    /// How many of them are ready.
    #[schemars(range(min = 0))]
    pub ready_replicas: Option<u32>,
    /// How many of them are of the wanted revision.
    #[schemars(range(min = 0))]
    pub updated_replicas: Option<u32>,
    /// Ready and wanted members in one line, for print columns.
    #[schemars(length(max = 32))]
    pub members_ready: Option<String>,
    /// Roles and their ordinals in one line, for print columns: `primary:0 replica:1,2`.
    #[schemars(length(max = 1024))]
    pub roles: Option<String>,
    /// The label selector of the pods, for the scale subresource.
    #[schemars(length(max = 512))]
    pub selector: Option<String>,
    /// The members, by ordinal; the first 1000.
    #[schemars(length(max = 1000))]
    pub members: Vec<Member>,
    /// The state in Kubernetes' standard form: Ready, Reconciling, Stalled.
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}

/// One member of a Group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Its ordinal.
    #[schemars(range(min = 0, max = 9999))]
    pub ordinal: u32,
    /// The role that the middleware itself reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// Whether the pod is ready.
    pub ready: bool,
    /// The revision that the pod was made from.
    #[schemars(length(max = 16))]
    pub revision: String,
    /// Why it is not ready, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

crate::crd::reasons! {
    /// Why a Group is what it is.
    GroupReason {
        /// Every member is ready and of the wanted revision.
        Running,
        /// Members are made for the first time.
        Creating,
        /// Members are made again at another revision, one at a time.
        RollingOut,
        /// A member that was made again is not ready: the rollout stands.
        RolloutBlocked,
        /// Members are added.
        ScalingOut,
        /// Members are removed.
        ScalingIn,
        /// Members are missing or not ready.
        Degraded,
        /// An object of that name belongs to something else.
        NameTaken,
        /// The Group is suspended.
        Suspended,
        /// Ordinal 0 leads in a Group with roles and cannot be reserved.
        LeaderReserved,
        /// The API server refused an object.
        Refused,
        /// It is being deleted.
        Deleting,
        /// A pod was made.
        MemberCreated,
        /// A pod was deleted to be made again.
        MemberReplaced,
        /// A pod was removed.
        MemberRemoved,
    }
}
