//! Where a version comes from, as the registry vouches for it: the annotation
//! `middleware.io/provenance` of a MiddlewareAddon.
//!
//! In: what the registry found and verified. Out: JSON, and the bytes that its key signs. The signature
//! is made in the registry and checked in the operator; without one that is good a version counts as
//! made by hand.

use crate::{Digest, Version, names::PluginName};
use serde::{Deserialize, Serialize};

/// The Secret in the platform's namespace with the registry's key, made by the registry where it is
/// missing: `private.pem` (PKCS #8) and `public.pem` (SPKI), both Ed25519.
pub const SECRET: &str = "paamesh-provenance";
/// The private key in [`SECRET`]; the registry's alone.
pub const PRIVATE_KEY: &str = "private.pem";
/// The public key in [`SECRET`].
pub const PUBLIC_KEY: &str = "public.pem";
/// Before the signed bytes, so that the key signs nothing else.
const CONTEXT: &str = "paamesh-provenance-v1\n";

/// Where a version comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The plugin.
    pub plugin: PluginName,
    /// The version.
    pub version: Version,
    /// The digest of its files.
    pub digest: Digest,
    /// The AddonSource's name.
    pub source: String,
    /// The URL of the source.
    pub url: String,
    /// The revision in which the version was found.
    pub revision: String,
    /// The addon's directory in it.
    pub directory: String,
    /// Who signed it, where that was demanded and verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// The images that it names and whose signatures were verified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<VerifiedImage>,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Signer {
    /// A key, by its fingerprint: `sha256:…` of cosign, `SHA256:…` of SSH, hexadecimal of OpenPGP.
    Key(String),
    /// An identity.
    Identity {
        /// Who vouches for it.
        issuer: String,
        /// A mail address or a URL.
        subject: String,
    },
}

impl std::fmt::Display for Signer {
    /// The fingerprint, or `subject (issuer)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(fingerprint) => f.write_str(fingerprint),
            Self::Identity { issuer, subject } => write!(f, "{subject} ({issuer})"),
        }
    }
}

/// An image whose signature was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedImage {
    /// As the manifest names it.
    pub image: String,
    /// The digest that was verified.
    pub digest: Digest,
    /// Who signed it.
    pub signer: Signer,
}

/// The annotation: what is vouched for, and the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedProvenance {
    /// What is vouched for.
    #[serde(flatten)]
    pub provenance: Provenance,
    /// Ed25519 over [`Provenance::signed_bytes`], base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub signature: String,
}

impl Provenance {
    /// What the key signs: a line of its own kind, then the JSON of `self`, whose fields have this order.
    ///
    /// # Errors
    /// It cannot be written as JSON, which does not happen.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = CONTEXT.as_bytes().to_vec();
        serde_json::to_writer(&mut bytes, self)?;
        Ok(bytes)
    }
}
