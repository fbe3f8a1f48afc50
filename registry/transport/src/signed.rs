//! Who signed a commit or a tag of a mirror. Fail closed.
//!
//! In: a revision that was fetched, and the keys that are trusted. Out: who signed, or a [`Refusal`] of
//! its own for each thing that can be wrong. The modes are those of Flux.

use crate::{
    Error, Mirrors, Remote, Revision,
    signers::{PGP_SIGNATURE, Reason, SSH_SIGNATURE, Signers},
};
use git2::{ErrorCode, Oid, Repository};
use std::time::SystemTime;

/// What must be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The commit.
    Head,
    /// The tag that was asked for.
    Tag,
    /// Both.
    TagAndHead,
}

/// Why a revision does not count as signed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no signature.
    #[error("{object} is not signed; sign it with `git commit -S` or `git tag -s`")]
    Missing {
        /// `commit …` or `tag …`.
        object: String,
    },
    /// A tag is to be verified, and there is none that could be signed.
    #[error("{revision} has no signed tag: {reason}")]
    NoTag {
        /// The revision.
        revision: String,
        /// Why.
        reason: &'static str,
    },
    /// None of the keys made the signature.
    #[error("{object} is signed by {by}, which is not trusted; check the keys in verify.secretRef")]
    WrongKey {
        /// `commit …` or `tag …`.
        object: String,
        /// The key that it names.
        by: String,
    },
    /// It names a key that is trusted, which did not make it.
    #[error("{object} was changed after {by} signed it")]
    Tampered {
        /// `commit …` or `tag …`.
        object: String,
        /// The key that it names.
        by: String,
    },
    /// The signature of something else.
    #[error("{object}: what is signed is `{signed}`")]
    Other {
        /// `tag …`.
        object: String,
        /// What the signature is of.
        signed: String,
    },
    /// The key, or the signature, was good once.
    #[error("{object}: {reason}")]
    Expired {
        /// `commit …` or `tag …`.
        object: String,
        /// What.
        reason: String,
    },
    /// It is no signature that we know.
    #[error("{object}: the signature cannot be read: {reason}")]
    Unreadable {
        /// `commit …` or `tag …`.
        object: String,
        /// Why.
        reason: String,
    },
    /// Whether it is signed cannot be told.
    #[error("whether the revision is signed cannot be told: {0}")]
    Mirror(#[source] Error),
}

impl Mirrors {
    /// Who signed `revision`, which was fetched: the fingerprint of the key (`SHA256:…` for SSH), of the
    /// tag's where both are asked for.
    ///
    /// # Errors
    /// Nobody that is trusted, or it cannot be told: each with its own [`Refusal`].
    pub fn verify(
        &self,
        remote: &Remote,
        revision: &Revision,
        signers: &Signers,
        what: What,
    ) -> Result<String, Refusal> {
        let now = SystemTime::now();
        let work = |repository: &Repository| Ok(checked(repository, revision, signers, what, now));
        self.read(remote, work).map_err(Refusal::Mirror)?
    }
}

fn checked(
    repository: &Repository,
    revision: &Revision,
    signers: &Signers,
    what: What,
    now: SystemTime,
) -> Result<String, Refusal> {
    let commit = || of_commit(repository, revision, signers, now);
    let tag = || of_tag(repository, revision, signers, now);
    match what {
        What::Head => commit(),
        What::Tag => tag(),
        What::TagAndHead => commit().and_then(|_| tag()),
    }
}

fn of_commit(
    repository: &Repository,
    revision: &Revision,
    signers: &Signers,
    now: SystemTime,
) -> Result<String, Refusal> {
    let object = format!("commit {}", revision.commit);
    let unreadable = |error: git2::Error| Refusal::Unreadable {
        object: object.clone(),
        reason: error.message().to_owned(),
    };
    let oid = Oid::from_str(&revision.commit).map_err(unreadable)?;
    let (signature, data) = match repository.extract_signature(&oid, None) {
        Ok(found) => found,
        Err(error) if error.code() == ErrorCode::NotFound => {
            return Err(Refusal::Missing { object });
        }
        Err(error) => return Err(unreadable(error)),
    };
    let signature = String::from_utf8_lossy(&signature);
    let signer = signers.signer(&data, signature.trim_start(), now);
    signer.map_err(|reason| refusal(object, reason))
}

fn of_tag(
    repository: &Repository,
    revision: &Revision,
    signers: &Signers,
    now: SystemTime,
) -> Result<String, Refusal> {
    let no_tag = |reason| Refusal::NoTag {
        revision: revision.text.clone(),
        reason,
    };
    let full = revision.reference.as_deref().unwrap_or_default();
    let name = full.strip_prefix("refs/tags/");
    let name = name.ok_or_else(|| no_tag("what was asked for is no tag"))?;
    let object = format!("tag {name}");
    let unreadable = |reason: &str| Refusal::Unreadable {
        object: object.clone(),
        reason: reason.to_owned(),
    };
    let reference = repository.find_reference(&format!("refs/paamesh/tags/{name}"));
    let target = reference.ok().and_then(|reference| reference.target());
    let oid = target.ok_or_else(|| unreadable("it is not in the mirror"))?;
    let Ok(tag) = repository.find_tag(oid) else {
        return Err(no_tag(
            "the tag is a lightweight one, which cannot be signed",
        ));
    };
    // Git takes the name from outside: a signed tag under another name would be an older version.
    let signed = tag.name().unwrap_or_default();
    if signed != name || tag.target_id().to_string() != revision.commit {
        return Err(Refusal::Other {
            object,
            signed: format!("{signed} of {}", tag.target_id()),
        });
    }
    let raw = repository
        .odb()
        .and_then(|odb| odb.read(oid).map(|raw| raw.data().to_vec()));
    let raw = raw.map_err(|error| unreadable(error.message()))?;
    let Some(at) = signature_at(&raw) else {
        return Err(Refusal::Missing { object });
    };
    let signature = String::from_utf8_lossy(&raw[at..]);
    let signer = signers.signer(&raw[..at], &signature, now);
    signer.map_err(|reason| refusal(object, reason))
}

/// Where the signature at the end of a tag begins: the last line that begins one.
fn signature_at(raw: &[u8]) -> Option<usize> {
    let starts = |at: &usize| {
        let rest = &raw[*at..];
        let is = |marker: &str| rest.starts_with(marker.as_bytes());
        (*at == 0 || raw[*at - 1] == b'\n') && (is(PGP_SIGNATURE) || is(SSH_SIGNATURE))
    };
    (0..raw.len()).rev().find(starts)
}

fn refusal(object: String, reason: Reason) -> Refusal {
    match reason {
        Reason::WrongKey(by) => Refusal::WrongKey { object, by },
        Reason::Tampered(by) => Refusal::Tampered { object, by },
        Reason::Expired(reason) => Refusal::Expired { object, reason },
        Reason::Unreadable(reason) => Refusal::Unreadable { object, reason },
    }
}
