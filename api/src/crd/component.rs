//! Component: one kind of process of an App; made by the App controller alone.

use crate::{
    conditions::Condition,
    crd::app::{AppComponent, AppPhase, Pin},
    names::{AppName, ComponentName, PluginName, ProfileName},
};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One kind of process of an App, for example the Redis servers. Made by the platform from an App.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "middleware.io",
    version = "v1alpha1",
    kind = "Component",
    namespaced,
    shortname = "mwc",
    category = "middleware",
    status = "ComponentStatus",
    derive = "PartialEq",
    printcolumn(name = "App", type_ = "string", json_path = ".spec.app"),
    printcolumn(
        name = "Version",
        type_ = "string",
        json_path = ".spec.pin.pluginVersion"
    ),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.members"),
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
pub struct ComponentSpec {
    /// The App that it belongs to.
    pub app: AppName,
    /// Its name in the addon.
    pub component: ComponentName,
    /// The addon's name.
    pub plugin: PluginName,
    /// What the App is bound to.
    pub pin: Pin,
    /// The addon's profile that the App chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileName>,
    /// What the App sets for it.
    #[serde(default)]
    pub settings: AppComponent,
    /// The optional components that run in this App: what is rendered may name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub optional: Vec<ComponentName>,
    /// Whether another component goes first, by the addon's order: until then this one stays what
    /// it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hold: bool,
}

/// What the Component is now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ComponentStatus {
    /// The generation that this status describes.
    pub observed_generation: Option<i64>,
    /// Where it stands in its life.
    pub phase: Option<AppPhase>,
    /// How many members are wanted.
    #[schemars(range(min = 0))]
    pub replicas: Option<u32>,
    /// How many of them are ready.
    #[schemars(range(min = 0))]
    pub ready: Option<u32>,
    /// Ready and wanted members in one line, for print columns.
    #[schemars(length(max = 32))]
    pub members: Option<String>,
    /// The addon's own objects that were made for it, so that they go when nobody wants them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub objects: Vec<ObjectRef>,
    /// The state in Kubernetes' standard form: Ready, Reconciling, Stalled, PlatformOutdated.
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}

/// A Kubernetes object in the namespace of its Component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// Its kind.
    #[schemars(length(max = 63))]
    pub kind: String,
    /// Its name.
    #[schemars(length(max = 253))]
    pub name: String,
}

crate::crd::reasons! {
    /// Why a Component is what it is.
    ComponentReason {
        /// Every Group is ready and of the pin.
        Running,
        /// Groups are made for the first time.
        Creating,
        /// Groups move to what is wanted.
        Updating,
        /// Members are missing or not ready.
        Degraded,
        /// A Group cannot go on.
        Failed,
        /// The content of the pinned version cannot be read.
        ContentUnavailable,
        /// A template of the pinned version does not render with these settings.
        RenderFailed,
        /// An object of that name belongs to something else.
        NameTaken,
        /// The API server refused an object.
        Refused,
        /// The App is suspended.
        Suspended,
        /// Another component goes first.
        Held,
        /// The cluster does not know the kind of an object that the addon must have.
        UnknownKind,
        /// The pods were composed by an older release of the platform.
        OlderComposer,
    }
}
