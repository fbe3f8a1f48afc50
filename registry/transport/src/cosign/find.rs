//! Where cosign keeps signatures, and what is there of them. What is missing is known only where the
//! registry says so.

use super::{
    Format, Reason, Trusted, bundle,
    simple::{self, Simple},
};
use crate::oci::{Action, Artifacts, Descriptor, Error, Remote, Session};
use api::{Digest, provenance::Signer};

/// More signatures than these are not looked at.
const MAX_CANDIDATES: usize = 100;

/// The tag under which cosign 2 keeps signatures of `digest`.
pub(crate) fn tag(digest: &Digest) -> String {
    format!("sha256-{}.sig", digest.hex())
}

/// What may be a signature.
pub(crate) enum Candidate {
    Simple(Simple),
    Bundle(Vec<u8>),
}

impl Candidate {
    /// Who made it, where it is good.
    pub(crate) fn verify(&self, digest: &Digest, trusted: Trusted<'_>) -> Result<Signer, Reason> {
        match self {
            Self::Simple(simple) => simple.verify(digest, trusted),
            Self::Bundle(bytes) => bundle::verify(bytes, digest, trusted),
        }
    }
}

type Candidates = Vec<Result<Candidate, Reason>>;

/// A search for signatures of one artifact.
pub(crate) struct Search<'a> {
    artifacts: &'a Artifacts,
    remote: &'a Remote,
    digest: &'a Digest,
}

impl<'a> Search<'a> {
    pub(crate) fn new(artifacts: &'a Artifacts, remote: &'a Remote, digest: &'a Digest) -> Self {
        Self {
            artifacts,
            remote,
            digest,
        }
    }

    /// What is there in `format`; empty where the registry says that nothing is.
    pub(crate) fn candidates(&self, format: Format) -> Result<Candidates, Error> {
        let session = self.artifacts.session(self.remote, Action::Pull)?;
        match format {
            Format::Tag => self.under_tag(&session),
            Format::Bundle => self.pointing(&session),
        }
    }

    fn under_tag(&self, session: &Session<'_>) -> Result<Candidates, Error> {
        let fetched = match session.manifest_of_tag(&tag(self.digest)) {
            Ok(fetched) => fetched,
            Err(error) if error.is_absence() => return Ok(Vec::new()),
            Err(error) => return candidate(Err(error)).map(|candidate| vec![candidate]),
        };
        let Ok(manifest) = session.as_manifest(&fetched) else {
            let reason = "what stands under its tag is no image manifest";
            return Ok(vec![Err(Reason::Unreadable(reason.to_owned()))]);
        };
        let layers = manifest.layers.into_iter().take(MAX_CANDIDATES);
        let found: Result<Candidates, Error> =
            layers.map(|layer| simple(session, &layer)).collect();
        let found = found?;
        if found.is_empty() {
            let reason = "what stands under its tag holds no signature";
            return Ok(vec![Err(Reason::Unreadable(reason.to_owned()))]);
        }
        Ok(found)
    }

    fn pointing(&self, session: &Session<'_>) -> Result<Candidates, Error> {
        let referrers = session.referrers(self.digest, Some(bundle::TYPE))?;
        let referrers = referrers.into_iter().take(MAX_CANDIDATES);
        referrers
            .map(|referrer| candidate(pulled(session, &referrer)))
            .collect()
    }
}

/// A candidate, or a reason against it; what the registry could not do stays an error.
fn candidate(got: Result<Candidate, Error>) -> Result<Result<Candidate, Reason>, Error> {
    match got {
        Ok(candidate) => Ok(Ok(candidate)),
        Err(error @ Error::WrongDigest { .. }) => Ok(Err(Reason::Tampered(error.to_string()))),
        Err(error @ (Error::TooLarge { .. } | Error::NotAnAddon { .. })) => {
            Ok(Err(Reason::Unreadable(error.to_string())))
        }
        // It is named and is not there: somebody took it away.
        Err(error) if error.is_absence() => Ok(Err(Reason::Unreadable(error.to_string()))),
        Err(error) => Err(error),
    }
}

fn simple(session: &Session<'_>, layer: &Descriptor) -> Result<Result<Candidate, Reason>, Error> {
    if layer.media_type != simple::LAYER_TYPE {
        let reason = "a layer is no simple signing payload";
        return Ok(Err(Reason::Unreadable(reason.to_owned())));
    }
    let payload = session.small_blob(layer, simple::MAX_BYTES);
    candidate(payload.map(|payload| {
        Candidate::Simple(Simple {
            payload,
            annotations: layer.annotations.clone(),
        })
    }))
}

/// The bundle in the one layer of a referrer.
fn pulled(session: &Session<'_>, referrer: &Descriptor) -> Result<Candidate, Error> {
    let fetched = session.manifest_of_digest(&referrer.digest)?;
    let manifest = session.as_manifest(&fetched)?;
    let [layer] = manifest.layers.as_slice() else {
        return Err(Error::NotAnAddon {
            url: session.url(),
            digest: fetched.digest,
            reason: format!("a bundle with {} layers, not one", manifest.layers.len()),
        });
    };
    let bytes = session.small_blob(layer, bundle::MAX_BYTES)?;
    Ok(Candidate::Bundle(bytes))
}
