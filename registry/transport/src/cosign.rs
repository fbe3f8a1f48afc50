//! Who signed an artifact: cosign's signatures by key and by identity, in both of its formats. Fail
//! closed. And signing by key, as cosign does.
//!
//! In: an artifact's digest, and whom to trust: keys, or identities that a trust root vouches for.
//! Out: [`Verified`], or a [`Refusal`] of its own for each thing that can be wrong. cosign 2 writes a
//! payload («simple signing») under the tag `sha256-<hex>.sig`; cosign 3 a bundle (version 0.3) with a
//! DSSE envelope that points at the artifact. Nothing is asked but the artifact's registry: the trust
//! root is given, and says which clocks, logs and authorities count. Of signatures by key, logs and
//! timestamps stay unread: they say when a key signed.
//!
//! This is no part of a library because the sigstore crates verify key signatures of bundles only with
//! a transparency log, and take an unreachable registry for an unsigned artifact.

mod bundle;
mod certificate;
mod find;
mod keys;
mod log;
mod private;
mod root;
mod sct;
mod sign;
mod simple;
mod timestamp;
mod trust;

pub use keys::{InvalidKey, Keys};
pub use private::{InvalidPrivateKey, PrivateKey};
pub use root::TrustRoot;
pub use sign::Signed;
pub use trust::{Identity, InvalidIdentity, InvalidRoot, Trust, Trusted};

use crate::oci::{Artifacts, Error, Remote};
use api::{Digest, provenance::Signer};

/// An artifact that somebody who is trusted signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who: a key by `sha256:` and the hash of its SubjectPublicKeyInfo, or an identity.
    pub signer: Signer,
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
         that points at it; sign it with `kubectl middleware addon sign` or cosign"
    )]
    Missing {
        /// The repository.
        url: String,
        /// The artifact.
        digest: Digest,
        /// The tag.
        tag: String,
    },
    /// Nobody who is trusted made the signature.
    #[error(
        "{url}@{digest} is signed, but not with a key that is trusted ({trusted}); trust the signer's \
         key too, or sign it with one of these"
    )]
    WrongKey {
        /// The repository.
        url: String,
        /// The artifact.
        digest: Digest,
        /// Whom is trusted: the keys shortened, the identities as they were given.
        trusted: String,
    },
    /// An identity made the signature that is not trusted.
    #[error(
        "{url}@{digest} is signed by {found}, and {trusted}; trust this identity too, or have it signed \
         by one of these"
    )]
    WrongIdentity {
        /// The repository.
        url: String,
        /// The artifact.
        digest: Digest,
        /// Who signed.
        found: String,
        /// Whom is trusted.
        trusted: String,
    },
    /// The trust root does not vouch for who signed.
    #[error(
        "{url}@{digest}: the trust root does not vouch for the signer: {reason}; check that the trust \
         root is that of the sigstore that signed it"
    )]
    Untrusted {
        /// The repository.
        url: String,
        /// The artifact.
        digest: Digest,
        /// What is missing.
        reason: String,
    },
    /// No trusted clock says that the identity was valid when it signed.
    #[error(
        "{url}@{digest}: the identity had expired when it signed, or nobody can tell: {reason}; sign it \
         anew, with a timestamp"
    )]
    Expired {
        /// The repository.
        url: String,
        /// The artifact.
        digest: Digest,
        /// When it was valid, and what the clocks say.
        reason: String,
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
    WrongIdentity(String),
    Expired(String),
    Untrusted(String),
    WrongKey,
    Unreadable(String),
}

impl Reason {
    /// How much it tells: of several candidates the most telling is reported.
    fn rank(&self) -> u8 {
        match self {
            Self::OtherDigest(_) => 6,
            Self::Tampered(_) => 5,
            Self::WrongIdentity(_) => 4,
            Self::Expired(_) => 3,
            Self::Untrusted(_) => 2,
            Self::WrongKey => 1,
            Self::Unreadable(_) => 0,
        }
    }
}

impl Artifacts {
    /// Whether somebody who is trusted signed the artifact `digest`; one good signature is enough, in
    /// either format. `trusted` is [`Trust`], or [`Keys`] alone, by reference.
    ///
    /// # Errors
    /// There is none, or it is wrong, or it could not be looked for: each has its own [`Refusal`].
    pub fn verify<'a>(
        &self,
        remote: &Remote,
        digest: &Digest,
        trusted: impl Into<Trusted<'a>>,
    ) -> Result<Verified, Refusal> {
        let trusted = trusted.into();
        let search = find::Search::new(self, remote, digest);
        let mut reasons = Vec::new();
        let mut unread = None;
        for format in [Format::Bundle, Format::Tag] {
            match search.candidates(format) {
                Ok(candidates) => {
                    for candidate in candidates {
                        match candidate.and_then(|candidate| candidate.verify(digest, trusted)) {
                            Ok(signer) => return Ok(Verified { signer, format }),
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
        Err(refusal(remote, digest, trusted, reason))
    }
}

fn refusal(
    remote: &Remote,
    digest: &Digest,
    trusted: Trusted<'_>,
    reason: Option<Reason>,
) -> Refusal {
    let (url, digest) = (remote.url.clone(), digest.clone());
    let trusted = trusted.to_string();
    match reason {
        None => Refusal::Missing {
            tag: find::tag(&digest),
            url,
            digest,
        },
        Some(Reason::WrongKey) => Refusal::WrongKey {
            url,
            digest,
            trusted,
        },
        Some(Reason::WrongIdentity(found)) => Refusal::WrongIdentity {
            url,
            digest,
            found,
            trusted,
        },
        Some(Reason::Untrusted(reason)) => Refusal::Untrusted {
            url,
            digest,
            reason,
        },
        Some(Reason::Expired(reason)) => Refusal::Expired {
            url,
            digest,
            reason,
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
