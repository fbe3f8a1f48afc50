//! The images that an addon names: pinned by digest and signed, where the source demands it.

use super::{
    Looking, Stopped, blocking,
    place::{Failure, Stores},
    proofs::Question,
    secrets,
    trust::{Trust, Unsigned},
};
use crate::context::Context;
use api::{Digest, crd::source::ImageVerification, provenance::VerifiedImage};
use package::Manifest;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use transport::{
    Credentials,
    oci::{Reference, Remote, SCHEME},
};

/// What is demanded of images.
pub(super) struct Demand {
    require_digest: bool,
    verify: Option<Verify>,
}

/// How they are verified.
#[derive(Clone)]
struct Verify {
    trust: Trust,
    insecure: bool,
    credentials: Credentials,
    timeout: Duration,
}

impl Demand {
    /// What the source of `looking` demands; nothing where nothing is.
    pub async fn of(looking: &Looking<'_>) -> Result<Option<Self>, Stopped> {
        let Some(images) = &looking.source.spec.images else {
            return Ok(None);
        };
        let ImageVerification {
            require_digest,
            verify,
            insecure,
            secret_ref,
        } = images;
        let verify = match verify {
            None => None,
            Some(verify) => Some(Verify {
                trust: Trust::of(looking, verify, "images.verify").await?,
                insecure: *insecure,
                credentials: match secret_ref {
                    None => Credentials::default(),
                    Some(reference) => {
                        secrets::registries(looking.context, reference, "images.secretRef").await?
                    }
                },
                timeout: looking.timeout,
            }),
        };
        let demand = Self {
            require_digest: *require_digest,
            verify,
        };
        Ok((demand.require_digest || demand.verify.is_some()).then_some(demand))
    }

    /// The images of the addon `tree`, all of which meet the demand.
    pub async fn met(
        &self,
        context: &Context,
        tree: &str,
        images: &[String],
    ) -> Result<Vec<VerifiedImage>, Unsigned> {
        let unpinned = images
            .iter()
            .find(|image| Named::of(image).digest.is_none());
        if self.require_digest
            && let Some(image) = unpinned
        {
            return Err(Unsigned::Refused(format!(
                "the image `{image}` is not pinned, and images.requireDigest wants it: name it with \
                 its digest, as in `{}@sha256:…`",
                image.split('@').next().unwrap_or_default()
            )));
        }
        let Some(verify) = &self.verify else {
            return Ok(Vec::new());
        };
        let mut verified = Vec::with_capacity(images.len());
        for image in images {
            verified.push(verify.verified(context, tree, image).await?);
        }
        Ok(verified)
    }
}

impl Verify {
    async fn verified(
        &self,
        context: &Context,
        tree: &str,
        image: &str,
    ) -> Result<VerifiedImage, Unsigned> {
        let question = Question {
            tree: tree.to_owned(),
            demand: self.trust.fingerprint.clone(),
        };
        if let Some(verified) = context.proofs.image(&question, image) {
            return Ok(verified);
        }
        let (verify, stores, name) = (self.clone(), context.stores.clone(), image.to_owned());
        let work = move || verify.ask(&stores, &name);
        let verified = blocking(context, work).await.map_err(Unsigned::Untold)?;
        let verified = verified.map_err(|unsigned| about(image, unsigned))?;
        context.proofs.image_signed(question, verified.clone());
        Ok(verified)
    }

    /// It blocks.
    fn ask(&self, stores: &Stores, image: &str) -> Result<VerifiedImage, Unsigned> {
        let named = Named::of(image);
        let remote = Remote {
            url: named.url,
            insecure: self.insecure,
            reference: Reference {
                tag: named.tag,
                ..Reference::default()
            },
            credentials: self.credentials.clone(),
            timeout: self.timeout,
        };
        let digest = match named.digest {
            Some(digest) => digest,
            None => {
                let untold = |error| Unsigned::Untold(Failure::from(error));
                let found = stores.artifacts.resolve(&remote).map_err(untold)?;
                let first = found.into_iter().next();
                let nothing = || Unsigned::Untold(Failure::passing("its tag names nothing"));
                first.ok_or_else(nothing)?.digest
            }
        };
        let signer = self.trust.signer(&stores.artifacts, &remote, &digest)?;
        Ok(VerifiedImage {
            image: image.to_owned(),
            digest,
            signer,
        })
    }
}

fn about(image: &str, unsigned: Unsigned) -> Unsigned {
    match unsigned {
        Unsigned::Refused(why) => Unsigned::Refused(format!("the image `{image}`: {why}")),
        Unsigned::Untold(mut failure) => {
            failure.message = format!("the image `{image}`: {}", failure.message);
            Unsigned::Untold(failure)
        }
    }
}

/// Every image that `manifest` names, for any runtime, each once.
pub(super) fn of(manifest: &Manifest) -> Arc<[String]> {
    let runtimes = manifest.runtimes.iter();
    let all =
        runtimes.flat_map(|runtime| [&runtime.image].into_iter().chain(runtime.images.values()));
    let all: BTreeSet<&String> = all.collect();
    all.into_iter().cloned().collect()
}

/// An image reference taken apart as container runtimes do.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    /// Its repository, `oci://docker.io/library/redis`.
    url: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Named {
    /// The parts of `image`, which is well-formed.
    fn of(image: &str) -> Self {
        let (named, digest) = match image.split_once('@') {
            Some((named, digest)) => (named, digest.parse().ok()),
            None => (image, None),
        };
        let after_path = named.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match named[after_path..].split_once(':') {
            Some((last, tag)) => (&named[..after_path + last.len()], Some(tag.to_owned())),
            None => (named, None),
        };
        let has_host = name
            .split_once('/')
            .is_some_and(|(first, _)| first.contains(['.', ':']) || first == "localhost");
        let url = match name {
            name if has_host => format!("{SCHEME}{name}"),
            name if name.contains('/') => format!("{SCHEME}docker.io/{name}"),
            name => format!("{SCHEME}docker.io/library/{name}"),
        };
        Self { url, tag, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_looked_for_where_container_runtimes_do() {
        let hex = "0".repeat(64);
        let pinned = format!("localhost/a:1@sha256:{hex}");
        for (image, url, tag) in [
            ("redis:7", "oci://docker.io/library/redis", Some("7")),
            (
                "bitnami/redis:7",
                "oci://docker.io/bitnami/redis",
                Some("7"),
            ),
            (
                "r.example:5000/a/b:v1",
                "oci://r.example:5000/a/b",
                Some("v1"),
            ),
            ("r.example:5000/a", "oci://r.example:5000/a", None),
            (&pinned, "oci://localhost/a", Some("1")),
        ] {
            let named = Named::of(image);
            assert_eq!(named.url, url, "{image}");
            assert_eq!(named.tag.as_deref(), tag, "{image}");
            assert_eq!(named.digest.is_some(), image == pinned, "{image}");
        }
    }
}
