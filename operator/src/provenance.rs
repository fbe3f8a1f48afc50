//! Who vouches for a version: the registry, by its signature over what it found and verified.
//!
//! In: the annotation `middleware.io/provenance`, the digest of the content, and the registry's public
//! key, from a Secret in the platform's namespace. Out: an [`Origin`]. An annotation that proves nothing
//! is no fault: the version counts as made by hand, and a policy says what that means. Whether there is
//! a key is asked of the API server; where it cannot be asked there is no verdict.

mod key;

pub use key::PublicKey;

use crate::{
    asked::Asked,
    error::{self, Consequence},
};
use api::{
    Digest, MiddlewareAddon, labels,
    provenance::{PUBLIC_KEY, Provenance, SECRET, SignedProvenance, Signer},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt as _};
use serde::{Deserialize, Serialize};

/// Where a version comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// A source: the registry vouches for what is said here.
    Source(Box<Provenance>),
    /// Somebody's hand; and why the annotation proves nothing else, where there is one.
    ByHand(Option<Unproven>),
}

/// Why an annotation proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
pub enum Unproven {
    /// It is none that this release reads.
    #[error("its annotation {} is not readable: {}", labels::PROVENANCE, .0)]
    Unreadable(String),
    /// It has no signature.
    #[error("its annotation {} is not signed", labels::PROVENANCE)]
    Unsigned,
    /// It is that of another version, or of other content.
    #[error("its annotation {} vouches for {}", labels::PROVENANCE, .0)]
    OfAnother(String),
    /// There is no key to check it by.
    #[error(
        "Secret `{SECRET}` has no Ed25519 key in `{PUBLIC_KEY}` to check its annotation {} by; the \
         registry makes that Secret when it starts",
        labels::PROVENANCE
    )]
    NoKey,
    /// The registry's key did not make the signature.
    #[error(
        "the signature in its annotation {} is not the registry's",
        labels::PROVENANCE
    )]
    BadSignature,
}

impl Origin {
    /// Who signed the version, where the registry verified that.
    pub fn signer(&self) -> Option<&Signer> {
        match self {
            Self::Source(provenance) => provenance.signer.as_ref(),
            Self::ByHand(_) => None,
        }
    }

    /// Whether another key, which nobody tells of, may prove what is claimed.
    pub fn may_be_proven(&self) -> bool {
        let why = match self {
            Self::Source(_) => None,
            Self::ByHand(why) => why.as_ref(),
        };
        matches!(why, Some(Unproven::NoKey | Unproven::BadSignature))
    }
}

/// The registry's key could not be asked for.
#[derive(Debug, thiserror::Error)]
#[error("reading Secret `{SECRET}` failed: {0}")]
pub struct KeyError(#[source] Box<kube::Error>);

impl KeyError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        error::of_kube(&self.0)
    }
}

/// The registry's public key, as it was read last.
pub struct Keys {
    secrets: Api<Secret>,
    key: Asked<Option<PublicKey>>,
}

impl Keys {
    /// The key of the platform in `namespace`; nothing is read yet.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self {
            secrets: Api::namespaced(client, namespace),
            key: Asked::default(),
        }
    }

    /// Where `addon`, whose content has `digest`, comes from. A signature that the held key did not make
    /// is asked about once more, with the key as it is now: at most one reading for each question, and
    /// one for all that are asked at the same time.
    ///
    /// # Errors
    /// The key could not be asked for: there is no verdict.
    pub async fn origin(
        &self,
        addon: &MiddlewareAddon,
        digest: &Digest,
    ) -> Result<Origin, KeyError> {
        let Some(text) = addon.annotations().get(labels::PROVENANCE) else {
            return Ok(Origin::ByHand(None));
        };
        let claim = match claim(text, addon, digest) {
            Ok(claim) => claim,
            Err(unproven) => return Ok(Origin::ByHand(Some(unproven))),
        };
        let held = self.key.last().flatten();
        if held.is_some_and(|key| claim.is_signed_by(&key)) {
            return Ok(Origin::Source(Box::new(claim.provenance)));
        }
        Ok(match self.key.now(async || self.read().await).await? {
            None => Origin::ByHand(Some(Unproven::NoKey)),
            Some(key) if claim.is_signed_by(&key) => Origin::Source(Box::new(claim.provenance)),
            Some(_) => Origin::ByHand(Some(Unproven::BadSignature)),
        })
    }

    async fn read(&self) -> Result<Option<PublicKey>, KeyError> {
        let secret = self.secrets.get_opt(SECRET).await;
        let secret = secret.map_err(|error| KeyError(Box::new(error)))?;
        let pem = secret.and_then(|secret| secret.data?.remove(PUBLIC_KEY));
        Ok(pem.and_then(|pem| PublicKey::from_pem(&pem.0)))
    }
}

/// What an annotation claims of just this version, and the proof.
struct Claim {
    provenance: Provenance,
    bytes: Vec<u8>,
    signature: Vec<u8>,
}

impl Claim {
    fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.made(&self.signature, &self.bytes)
    }
}

fn claim(text: &str, addon: &MiddlewareAddon, digest: &Digest) -> Result<Claim, Unproven> {
    let unreadable = |error: serde_json::Error| Unproven::Unreadable(error.to_string());
    let signed: SignedProvenance = serde_json::from_str(text).map_err(unreadable)?;
    let SignedProvenance {
        provenance,
        signature,
    } = signed;
    if signature.is_empty() {
        return Err(Unproven::Unsigned);
    }
    let of_this = provenance.plugin == addon.spec.plugin
        && provenance.version == addon.spec.version
        && provenance.digest == *digest;
    if !of_this {
        return Err(Unproven::OfAnother(format!(
            "{} {} with digest {}",
            provenance.plugin, provenance.version, provenance.digest
        )));
    }
    let bytes = provenance.signed_bytes().map_err(unreadable)?;
    let signature = STANDARD.decode(&signature);
    let signature = signature.map_err(|_| Unproven::BadSignature)?;
    Ok(Claim {
        provenance,
        bytes,
        signature,
    })
}
