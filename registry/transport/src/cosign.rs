//! Who signed an artifact: cosign's signatures by key, in both of its formats. Fail closed.
//!
//! In: an artifact's digest and the keys that are trusted. Out: [`Verified`], or a [`Refusal`] of its
//! own for each thing that can be wrong. cosign 2 writes a payload («simple signing») under the tag
//! `sha256-<hex>.sig`; cosign 3 a bundle (version 0.3) with a DSSE envelope that points at the
//! artifact. What stays unread here: transparency logs and timestamps, which say when a key signed,
//! and certificates.
//!
//! This is no part of a library because the sigstore crates verify key signatures of bundles only with
//! a transparency log, and take an unreachable registry for an unsigned artifact.

mod bundle;
mod find;
mod keys;
mod simple;

pub use keys::{InvalidKey, Keys};

use crate::oci::{Artifacts, Error, Remote};
use api::Digest;

/// An artifact that one of the keys signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Which key: `sha256:` and the hash of its SubjectPublicKeyInfo.
    pub key: Digest,
    /// Where the signature was.
    pub format: Format,
}

/// Where cosign writes a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Under the tag `sha256-<hex>.sig`.
    Tag,
    /// In a bundle that points at the artifact.
    Bundle,
}

/// Why an artifact does not count as signed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The registry says that there is no signature.
    #[error(
        "{url}@{digest} is not signed: there is neither a signature under the tag {tag} nor a bundle \
         that points at it; sign it with `cosign sign --key`"
    )]
    Missing {
        /// The repository.
        url: String,
        /// The artifact.
        digest: Digest,
        /// The tag.
        tag: String,
    },
    /// None of the keys made the signature.
    #[error(
        "{url}@{digest} is signed, but not with a key that is trusted (the keys are {trusted}); check \
         the keys in the Secret of verify.secretRef"
    )]
    WrongKey {
        /// The repository.
        url: String,
        /// The artifact.
        digest: Digest,
        /// The keys, shortened.
        trusted: String,
    },
    /// A signature was changed after it was made.
    #[error("{url}@{digest}: a signature was tampered with: {reason}")]
    Tampered {
        /// The repository.
        url: String,
        /// The artifact.
        digest: Digest,
        /// How that shows.
        reason: String,
    },
    /// The signature is good, and for something else.
    #[error("{url}@{digest}: the signature that is there is one of {signed}, not of this artifact")]
    OtherDigest {
        /// The repository.
        url: String,
        /// The artifact.
        digest: Digest,
        /// What was signed.
        signed: Digest,
    },
    /// What is there cannot be read as a signature.
    #[error("{url}@{digest}: the signature cannot be read: {reason}")]
    Unreadable {
        /// The repository.
        url: String,
        /// The artifact.
        digest: Digest,
        /// What is wrong with it.
        reason: String,
    },
    /// Whether there is a signature cannot be told.
    #[error("whether the artifact is signed cannot be told: {0}")]
    Registry(#[source] Error),
}

/// What one candidate came to, without the names of the artifact.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    OtherDigest(Digest),
    Tampered(String),
    WrongKey,
    Unreadable(String),
}

impl Reason {
    /// How much it tells: of several candidates the most telling is reported.
    fn rank(&self) -> u8 {
        match self {
            Self::OtherDigest(_) => 3,
            Self::Tampered(_) => 2,
            Self::WrongKey => 1,
            Self::Unreadable(_) => 0,
        }
    }
}

impl Artifacts {
    /// Whether one of `keys` signed the artifact `digest`; one good signature is enough, in either
    /// format.
    ///
    /// # Errors
    /// There is none, or it is wrong, or it could not be looked for: each has its own [`Refusal`].
    pub fn verify(
        &self,
        remote: &Remote,
        digest: &Digest,
        keys: &Keys,
    ) -> Result<Verified, Refusal> {
        let search = find::Search::new(self, remote, digest);
        let mut reasons = Vec::new();
        let mut unread = None;
        for format in [Format::Bundle, Format::Tag] {
            match search.candidates(format) {
                Ok(candidates) => {
                    for candidate in candidates {
                        match candidate.and_then(|candidate| candidate.verify(digest, keys)) {
                            Ok(key) => return Ok(Verified { key, format }),
                            Err(reason) => reasons.push(reason),
                        }
                    }
                }
                Err(error) => unread = Some(error),
            }
        }
        // What could not be looked at may hold the good one.
        if let Some(error) = unread {
            return Err(Refusal::Registry(error));
        }
        let reason = reasons.into_iter().max_by_key(Reason::rank);
        Err(refusal(remote, digest, keys, reason))
    }
}

fn refusal(remote: &Remote, digest: &Digest, keys: &Keys, reason: Option<Reason>) -> Refusal {
    let (url, digest) = (remote.url.clone(), digest.clone());
    match reason {
        None => Refusal::Missing {
            tag: find::tag(&digest),
            url,
            digest,
        },
        Some(Reason::WrongKey) => Refusal::WrongKey {
            url,
            digest,
            trusted: keys.to_string(),
        },
        Some(Reason::Tampered(reason)) => Refusal::Tampered {
            url,
            digest,
            reason,
        },
        Some(Reason::OtherDigest(signed)) => Refusal::OtherDigest {
            url,
            digest,
            signed,
        },
        Some(Reason::Unreadable(reason)) => Refusal::Unreadable {
            url,
            digest,
            reason,
        },
    }
}
