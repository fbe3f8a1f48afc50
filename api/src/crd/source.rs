//! AddonSource: where addons come from. Field names, Secret keys and revision strings are Flux's.

use crate::{Digest, Range, Version, conditions::Condition, names::PluginName};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place that addons come from, kept in step with the catalog.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "middleware.io",
    version = "v1alpha1",
    kind = "AddonSource",
    shortname = "mws",
    category = "middleware",
    status = "AddonSourceStatus",
    derive = "PartialEq",
    printcolumn(name = "URL", type_ = "string", json_path = ".spec.git.url"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Versions", type_ = "integer", json_path = ".status.versions"),
    printcolumn(name = "Revision", type_ = "string", json_path = ".status.revision"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct AddonSourceSpec {
    /// The Git repository that holds the addons.
    pub git: GitSource,
    /// How often the source is looked at, for example `1m`; 5 % of jitter is added.
    #[schemars(length(max = 16), regex(pattern = "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"))]
    #[serde(default = "default_interval")]
    pub interval: String,
    /// How long one look may take, for example `60s`.
    #[schemars(length(max = 16), regex(pattern = "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"))]
    #[serde(default = "default_timeout")]
    pub timeout: String,
    /// Whether the source is left alone.
    #[serde(default)]
    pub suspend: bool,
}

fn default_interval() -> String {
    "1m".to_owned()
}

fn default_timeout() -> String {
    "60s".to_owned()
}

/// A Git repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.url.startsWith('https://') || (has(self.insecure) && self.insecure && self.url.startsWith('http://'))")
    .message("url must begin with https://, or with http:// where insecure is true"))]
pub struct GitSource {
    /// The repository's URL: `https://…`, or `http://…` where `insecure` is true.
    #[schemars(length(min = 1, max = 2048))]
    pub url: String,
    /// Whether plain HTTP is allowed.
    #[serde(default)]
    pub insecure: bool,
    /// What is checked out; the default branch where absent.
    #[serde(default, rename = "ref")]
    pub reference: GitReference,
    /// The directories that hold addons, each either an addon, or a folder of addons, or of versions
    /// of an addon; the root of the repository where absent.
    #[serde(default)]
    #[schemars(length(max = 32), inner(length(min = 1, max = 512)))]
    pub directories: Vec<String>,
    /// A Secret in the platform's namespace with `username` and `password`, and optionally `ca.crt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
}

/// A Secret in the platform's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// What of a repository is meant. The first that is given wins: commit, tag, semver, branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitReference {
    /// A branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub branch: Option<String>,
    /// A tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub tag: Option<String>,
    /// The newest tag in a range of versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semver: Option<Range>,
    /// A commit's full hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 40, max = 64), regex(pattern = "^[0-9a-f]+$"))]
    pub commit: Option<String>,
}

/// What the last look found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AddonSourceStatus {
    /// The generation that this status describes.
    pub observed_generation: Option<i64>,
    /// The last value of the reconcile-now annotation that was acted on.
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,
    /// What was found, for example `main@sha1:…`.
    #[schemars(length(max = 512))]
    pub revision: Option<String>,
    /// How many versions the source offers that are published.
    #[schemars(range(min = 0))]
    pub versions: Option<i32>,
    /// The addons that the checks refused; the first 100.
    #[schemars(length(max = 100))]
    pub failed: Vec<FailedAddon>,
    /// The versions that the source offers with other bytes than were published; the first 100.
    #[schemars(length(max = 100))]
    pub changed: Vec<ChangedVersion>,
    /// The state in Kubernetes' standard form: Ready, Reconciling, Stalled, VersionsUnchanged.
    #[schemars(schema_with = "crate::schema::conditions")]
    pub conditions: Vec<Condition>,
}

/// An addon that the checks refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FailedAddon {
    /// The addon's directory in the source.
    #[schemars(length(max = 512))]
    pub directory: String,
    /// The plugin, where the manifest says it.
    pub plugin: Option<PluginName>,
    /// The version, where the manifest says it.
    pub version: Option<Version>,
    /// What is wrong; the first 20.
    #[schemars(length(max = 20))]
    pub findings: Vec<Finding>,
}

/// One thing that is wrong in an addon.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase", default)]
pub struct Finding {
    /// The file, relative to the addon.
    #[schemars(length(max = 512))]
    pub file: String,
    /// The line, from 1, where there is one.
    #[schemars(range(min = 1))]
    pub line: Option<u32>,
    /// The column, from 1, where there is one.
    #[schemars(range(min = 1))]
    pub column: Option<u32>,
    /// What is wrong, why, and how it is mended.
    #[schemars(length(max = 2048))]
    pub message: String,
}

impl std::fmt::Display for Finding {
    /// `file:line:column: message`, as compilers print it; the message alone where it is of no file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.file.is_empty() {
            f.write_str(&self.file)?;
            for place in [self.line, self.column].into_iter().flatten() {
                write!(f, ":{place}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

/// A published version that the source offers with other bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangedVersion {
    /// The plugin.
    pub plugin: PluginName,
    /// The version.
    pub version: Version,
    /// The addon's directory in the source.
    #[schemars(length(max = 512))]
    pub directory: String,
    /// The digest that was published, and stays.
    pub published: Digest,
    /// The digest of what the source offers now.
    pub offered: Digest,
    /// The files that differ; the first 50. Empty where the published content is not there any more.
    #[schemars(length(max = 50), inner(length(max = 512)))]
    #[serde(default)]
    pub files: Vec<String>,
}

crate::crd::reasons! {
    /// Why an AddonSource is what it is.
    SourceReason {
        /// Every version that it offers is published.
        Synced,
        /// A look is under way, or its versions are being published.
        Progressing,
        /// It is suspended.
        Suspended,
        /// The repository could not be reached or read; tried again.
        FetchFailed,
        /// The spec cannot be served.
        InvalidSpec,
        /// Some addons were refused by the checks.
        AddonsFailed,
        /// Some published versions are offered with other bytes.
        VersionChanged,
        /// Every version that it offers has the bytes that were published.
        Unchanged,
        /// A MiddlewareAddon that the registry did not make is in the way.
        Conflict,
        /// Versions were projected.
        Projected,
    }
}
