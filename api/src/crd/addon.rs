//! MiddlewareAddon: one version of one addon.

use crate::{
    Digest, Range, Version,
    conditions::Condition,
    names::{PluginName, TopologyName},
};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One version of one addon: all that the platform knows about one kind of middleware. Immutable:
/// other content is another version.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "middleware.io",
    version = "v1alpha1",
    kind = "MiddlewareAddon",
    shortname = "mwa",
    category = "middleware",
    status = "MiddlewareAddonStatus",
    derive = "PartialEq",
    selectable = ".spec.plugin",
    printcolumn(name = "Plugin", type_ = "string", json_path = ".spec.plugin", priority = 1),
    printcolumn(name = "Version", type_ = "string", json_path = ".spec.version", priority = 1),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Runtimes", type_ = "string", json_path = ".status.runtimes"),
    printcolumn(name = "Topologies", type_ = "string", json_path = ".status.topologyNames"),
    printcolumn(name = "Users", type_ = "integer", json_path = ".status.users"),
    printcolumn(name = "Lifecycle", type_ = "string", json_path = ".status.lifecycle"),
    printcolumn(name = "Digest", type_ = "string", json_path = ".status.shortDigest"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("self.metadata.name == self.spec.plugin + '-' + self.spec.version")
        .message("metadata.name must be <plugin>-<version>"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.plugin == oldSelf.plugin && self.version == oldSelf.version && self.content == oldSelf.content && has(self.digest) == has(oldSelf.digest) && (!has(self.digest) || self.digest == oldSelf.digest)")
    .message("a version is immutable: publish other content under another version; only lifecycle may change"))]
pub struct MiddlewareAddonSpec {
    /// The addon's name; `plugin` of the Apps that use it.
    pub plugin: PluginName,
    /// The addon's version: SemVer without `v` and without build metadata.
    #[schemars(with = "StrictVersion")]
    pub version: Version,
    /// The digest that the content must have; computed from it where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The objects that hold the version's files, in the platform's namespace.
    #[schemars(length(min = 1, max = 64))]
    pub content: Vec<ContentRef>,
    /// What is said of the version without changing it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
}

/// What is said of a version without changing it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lifecycle {
    /// Why no new App may pin it; those that run stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub withdrawn: Option<String>,
    /// Why it is better not used any more, and what to use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub deprecated: Option<String>,
    /// The last day on which it is supported, `2027-03-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub end_of_support: Option<String>,
    /// What its users should know, for example of a vulnerability.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub advisories: Vec<Advisory>,
}

/// What users of a version should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Advisory {
    /// For example `CVE-2026-12345`.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, in a sentence.
    #[schemars(length(max = 512))]
    #[serde(default)]
    pub summary: String,
    /// Where more is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub url: Option<String>,
}

/// How bad an advisory is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Hardly.
    Low,
    /// Somewhat.
    Medium,
    /// Badly.
    High,
    /// At once.
    Critical,
}

/// A version without the leading `v` that people may write elsewhere: it stands in names.
struct StrictVersion;

impl JsonSchema for StrictVersion {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StrictVersion".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9a-z-]+(\.[0-9a-z-]+)*)?$",
            "maxLength": 63,
        })
    }
}

/// One object that holds files of one section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContentRef {
    /// The section that the files belong to: `manifest` is the package's root, any other its folder.
    #[schemars(
        length(min = 1, max = 40),
        regex(pattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub section: String,
    /// The kind of the object.
    pub kind: ContentKind,
    /// The name of the object in the platform's namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The digest of the object's files, as the tree digest is computed; checked where given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// The kinds of object that hold content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ContentKind {
    /// A ConfigMap; keys are file names.
    #[default]
    ConfigMap,
}

/// What the operator found the version to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MiddlewareAddonStatus {
    /// The generation that this status describes.
    pub observed_generation: Option<i64>,
    /// Pending: content is missing or a check could not be made; Active: published, Apps may pin it;
    /// Failed: a check refused it.
    pub phase: Option<AddonPhase>,
    /// The digest of the content.
    pub digest: Option<Digest>,
    /// The digest's first digits, for print columns.
    #[schemars(length(max = 32))]
    pub short_digest: Option<String>,
    /// The versions of the middleware that it runs, newest first.
    #[schemars(length(max = 64))]
    pub runtime_versions: Vec<Version>,
    /// The runtime versions in one line, for print columns.
    #[schemars(length(max = 4096))]
    pub runtimes: Option<String>,
    /// The addon versions that may move to this one.
    #[schemars(length(max = 256))]
    pub upgrade_from: Vec<Range>,
    /// For a runtime version, the runtime versions that may move to it.
    #[schemars(length(max = 64))]
    pub migrate_from: Vec<Migration>,
    /// The topologies that an App may choose.
    #[schemars(length(max = 32))]
    pub topologies: Vec<TopologyName>,
    /// The topologies in one line, for print columns.
    #[schemars(length(max = 2048))]
    pub topology_names: Option<String>,
    /// How many Apps use the version.
    #[schemars(range(min = 0))]
    pub users: Option<i32>,
    /// `Withdrawn`, `Deprecated` or `EndOfSupport`, for print columns; absent where it is none of them.
    #[schemars(length(max = 32))]
    pub lifecycle: Option<String>,
    /// Who signed the version, where that was verified: a key's fingerprint, or identity and issuer.
    #[schemars(length(max = 1100))]
    pub signer: Option<String>,
    /// The state in Kubernetes' standard form: Ready, Reconciling, Stalled, DeletionHeld.
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}

/// Which runtime versions may move to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Migration {
    /// The runtime version that is moved to.
    pub runtime: Version,
    /// The runtime versions that may move to it.
    #[schemars(length(max = 64))]
    pub from: Vec<Range>,
}

/// Where a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AddonPhase {
    /// Content is missing, or a check could not be made; tried again by itself.
    Pending,
    /// Published: Apps may pin it, and its bytes never change.
    Active,
    /// A check refused it; it holds no version number.
    Failed,
}

crate::crd::reasons! {
    /// Why a MiddlewareAddon is what it is.
    AddonReason {
        /// Published.
        Published,
        /// An object that holds content is not there yet.
        ContentMissing,
        /// The checks refused the content; the message has file and line.
        Invalid,
        /// The version is published with another digest.
        VersionChanged,
        /// The content does not have the digest that the spec names.
        DigestMismatch,
        /// A newer platform is needed.
        PlatformTooOld,
        /// The checks could not be made; tried again.
        NotJudged,
        /// It is deleted, and Apps use it.
        InUse,
        /// It is deleted, and nothing new may pin it.
        Terminating,
        /// An AddonPolicy demands what it is not; the message says which.
        Unverified,
        /// No new App may pin it.
        Withdrawn,
        /// It is better not used any more.
        Deprecated,
    }
}
