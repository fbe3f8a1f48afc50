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
    printcolumn(name = "URL", type_ = "string", json_path = ".status.url"),
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
#[x_kube(validation = Rule::new("[has(self.git), has(self.oci), has(self.directory)].exists_one(given, given)")
    .message("give exactly one of git, oci and directory"))]
pub struct AddonSourceSpec {
    /// The Git repository that holds the addons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<GitSource>,
    /// The OCI repository whose tags are versions of one addon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oci: Option<OciSource>,
    /// A directory that the registry sees, for authors: each saved state becomes a pre-release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<DirectorySource>,
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
    /// What the images that its addons name must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<ImageVerification>,
    /// Who may say that there is something new, at `/hook/<name of the source>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// Which versions are kept; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

fn default_interval() -> String {
    "1m".to_owned()
}

fn default_timeout() -> String {
    "60s".to_owned()
}

/// A Git repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.url.startsWith('https://') || self.url.startsWith('ssh://') || (has(self.insecure) && self.insecure && self.url.startsWith('http://'))")
    .message("url must begin with https:// or ssh://, or with http:// where insecure is true"))]
pub struct GitSource {
    /// The repository's URL: `https://…`, `ssh://user@host/path`, or `http://…` where `insecure` is true.
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
    /// `head`: what stands in the revision; `full`: every version that ever stood in its first-parent
    /// history.
    #[serde(default)]
    pub history: History,
    /// A Secret in the platform's namespace: `username` and `password`, or `bearerToken`; for SSH
    /// `identity`, `known_hosts` and, where the identity is encrypted, `password`; optionally `ca.crt`,
    /// and `tls.crt` with `tls.key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
    /// A Secret in the platform's namespace with `address` of a proxy, and optionally `username` and
    /// `password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<SecretRef>,
    /// What must be signed, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<GitVerification>,
}

/// How much of a repository's history is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum History {
    /// What stands in the revision.
    #[default]
    Head,
    /// Every version that ever stood in its first-parent history.
    Full,
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
    /// How the tags of one addon among several begin, for example `redis/`; with `semver`, or alone
    /// for its newest release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub tag_prefix: Option<String>,
    /// A commit's full hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 40, max = 64), regex(pattern = "^[0-9a-f]+$"))]
    pub commit: Option<String>,
}

/// What of a Git repository must be signed, by OpenPGP or SSH.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitVerification {
    /// `HEAD`: the commit; `Tag`: the tag; `TagAndHEAD`: both.
    #[serde(default)]
    pub mode: GitVerificationMode,
    /// A Secret in the platform's namespace whose values are public keys: armored OpenPGP keys, or
    /// public keys of SSH, one a line.
    pub secret_ref: SecretRef,
}

/// What of a Git repository must be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GitVerificationMode {
    /// The commit.
    #[default]
    #[serde(rename = "HEAD")]
    Head,
    /// The tag.
    Tag,
    /// The tag and the commit that it points at.
    #[serde(rename = "TagAndHEAD")]
    TagAndHead,
}

/// A repository of an OCI registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.url.startsWith('oci://')").message("url must begin with oci://"))]
pub struct OciSource {
    /// `oci://host[:port]/path`, without tag and digest.
    #[schemars(length(min = 1, max = 2048))]
    pub url: String,
    /// Whether plain HTTP is spoken.
    #[serde(default)]
    pub insecure: bool,
    /// Which artifacts are meant; every tag that is a release where absent.
    #[serde(default, rename = "ref")]
    pub reference: OciReference,
    /// A Secret in the platform's namespace: `.dockerconfigjson`, or `username` and `password`, or
    /// `bearerToken`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
    /// A Secret in the platform's namespace: `ca.crt`, and optionally `tls.crt` with `tls.key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<SecretRef>,
    /// A Secret in the platform's namespace with `address` of a proxy, and optionally `username` and
    /// `password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<SecretRef>,
    /// Who must have signed the artifacts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<CosignVerification>,
}

/// What of an OCI repository is meant. The first that is given wins: digest, semver, tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciReference {
    /// One tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub tag: Option<String>,
    /// Every tag in a range of versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semver: Option<Range>,
    /// A regular expression: with `semver`, only tags that it finds are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub semver_filter: Option<String>,
    /// One artifact, by its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// Who must have signed an artifact, with cosign: one of the keys, or one of the identities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.secretRef) || (has(self.matchOIDCIdentity) && size(self.matchOIDCIdentity) > 0)")
    .message("give secretRef with public keys, or matchOIDCIdentity with a trustedRootSecretRef"))]
#[x_kube(validation = Rule::new("!has(self.matchOIDCIdentity) || size(self.matchOIDCIdentity) == 0 || has(self.trustedRootSecretRef)")
    .message("matchOIDCIdentity needs trustedRootSecretRef: without a trust root no certificate is believed"))]
pub struct CosignVerification {
    /// Which tool signed.
    #[serde(default)]
    pub provider: SignatureProvider,
    /// A Secret in the platform's namespace whose values under keys that end in `.pub` are public keys
    /// (PEM), any of which may have signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
    /// Identities, any of which may have signed.
    #[serde(default, rename = "matchOIDCIdentity")]
    #[schemars(length(max = 32))]
    pub match_oidc_identity: Vec<OidcIdentity>,
    /// A Secret in the platform's namespace with `trusted_root.json`, the trust root of sigstore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_root_secret_ref: Option<SecretRef>,
}

/// The tool that signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignatureProvider {
    /// cosign of sigstore, version 2 or 3.
    #[default]
    Cosign,
}

/// Who a certificate must name, as regular expressions that match the whole text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OidcIdentity {
    /// The issuer of the identity.
    #[schemars(length(min = 1, max = 512))]
    pub issuer: String,
    /// The identity: a mail address or a URL.
    #[schemars(length(min = 1, max = 512))]
    pub subject: String,
}

/// What the images that addons name must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageVerification {
    /// Whether each is named with its digest.
    #[serde(default)]
    pub require_digest: bool,
    /// Who must have signed each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<CosignVerification>,
    /// Whether plain HTTP is spoken with the registries of the images.
    #[serde(default)]
    pub insecure: bool,
    /// A Secret in the platform's namespace with `.dockerconfigjson`, for the registries of the images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
}

/// A directory that the registry sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DirectorySource {
    /// An addon's directory, or a folder of addons, below the registry's own root of directories.
    #[schemars(length(min = 1, max = 1024))]
    pub path: String,
}

/// Who may say that there is something new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Whose form the requests have.
    #[serde(rename = "type")]
    pub kind: WebhookKind,
    /// A Secret in the platform's namespace with `token`.
    pub secret_ref: SecretRef,
}

/// Whose form the requests of a webhook have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WebhookKind {
    /// GitHub: `X-Hub-Signature-256`.
    Github,
    /// GitLab: `X-Gitlab-Token`.
    Gitlab,
    /// Gitea and Forgejo: `X-Gitea-Signature`.
    Gitea,
    /// `X-Signature: sha256=…` (or sha512) over the body.
    Generic,
    /// Notifications of an OCI registry, with `Authorization: Bearer`.
    Oci,
}

/// Which versions are kept. What is in use, or on the way of something in use, is kept beyond it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retention {
    /// How many of the newest versions of each addon.
    #[schemars(range(min = 1, max = 5000))]
    pub versions: u32,
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
    /// What is looked at, in short.
    #[schemars(length(max = 2048))]
    pub url: Option<String>,
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
    /// The versions that were withdrawn, because they were removed from the source; the first 100.
    #[schemars(length(max = 100), inner(length(max = 128)))]
    pub withdrawn: Vec<String>,
    /// The state in Kubernetes' standard form: Ready, Reconciling, Stalled, VersionsUnchanged,
    /// SourceVerified.
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
    /// The AddonSource that published it, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub published_by: Option<String>,
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
        /// What is demanded to be signed is not, or not by whom it should be.
        VerificationFailed,
        /// All that is offered is signed by whom it should be.
        Verified,
        /// Versions were removed from the source.
        Withdrawn,
        /// Old versions that nobody uses were removed from the catalog.
        Pruned,
    }
}
