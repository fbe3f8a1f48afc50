//! AddonPolicy: which versions may be published and pinned, whatever a source says of itself.

use crate::{Digest, names::PluginName};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A floor under every source, and under versions that are made by hand: what it demands and cannot be
/// shown is not published, and not pinned anew. What runs is left alone.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "middleware.io",
    version = "v1alpha1",
    kind = "AddonPolicy",
    shortname = "mwpol",
    category = "middleware",
    derive = "PartialEq",
    printcolumn(name = "Plugins", type_ = "string", json_path = ".spec.plugins"),
    printcolumn(name = "Sources", type_ = "string", json_path = ".spec.sources"),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct AddonPolicySpec {
    /// The addons that it is about; all where empty.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub plugins: Vec<PluginName>,
    /// How the URLs of the sources begin that it is about, for example `https://git.example.com/platform/`;
    /// all, and versions that were made by hand, where empty. Versions by hand count to every policy:
    /// they could bear any name.
    #[serde(default)]
    #[schemars(length(max = 64), inner(length(min = 1, max = 2048)))]
    pub sources: Vec<String>,
    /// Where these addons may come from, as prefixes of URLs; anywhere where empty. Versions by hand
    /// come from nowhere.
    #[serde(default)]
    #[schemars(length(max = 64), inner(length(min = 1, max = 2048)))]
    pub allowed_sources: Vec<String>,
    /// Whether a version must be signed, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignaturePolicy>,
    /// What the images that a version names must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<ImagePolicy>,
    /// Versions that are published although they do not keep to it, by their digest.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub exceptions: Vec<PolicyException>,
}

/// Who must have signed a version; anybody whom its source trusts, where the list is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignaturePolicy {
    /// Signers, any of whom may have signed.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub signers: Vec<AllowedSigner>,
}

/// A signer: a key by its fingerprint, or an identity with its issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.key) != (has(self.issuer) && has(self.subject))")
    .message("give either key, or issuer and subject"))]
pub struct AllowedSigner {
    /// The fingerprint of a key as `kubectl middleware addon verify` prints it: `sha256:…` of cosign,
    /// `SHA256:…` of SSH, 40 or 64 digits of OpenPGP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 16, max = 128))]
    pub key: Option<String>,
    /// The issuer of the identity, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub issuer: Option<String>,
    /// The identity, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub subject: Option<String>,
}

/// What the images that a version names must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImagePolicy {
    /// Whether each is named with its digest.
    #[serde(default)]
    pub require_digest: bool,
    /// Whether the registry must have verified the signature of each.
    #[serde(default)]
    pub require_signature: bool,
}

/// A version that is published although it does not keep to a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyException {
    /// The plugin.
    pub plugin: PluginName,
    /// The digest of the version.
    pub digest: Digest,
}
