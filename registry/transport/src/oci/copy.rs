//! A version copied from one repository to another with everything that points at it: the way into a
//! network of its own. Blobs are streamed; nothing is unpacked, and no digest changes. The tag is
//! written last, so that a version is seen only with its signatures.

use super::{
    Error, Revision,
    content::Fetched,
    manifest::{Descriptor, INDEX_TYPE, Manifest},
    referrers::fallback_tag,
    session::Session,
};
use api::Digest;
use std::collections::HashSet;

/// Bounds on what one version brings along.
const MAX_MANIFESTS: usize = 500;
const MAX_DEPTH: usize = 4;
/// The tags beside a digest that cosign 2 writes.
const COSIGN_TAGS: [&str; 3] = ["sig", "att", "sbom"];

/// What a copy did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Manifests written.
    pub manifests: usize,
    /// Blobs written.
    pub blobs: usize,
    /// Blobs that were there.
    pub present: usize,
    /// Bytes written.
    pub bytes: u64,
}

/// See [`super::Artifacts::copy`].
pub(crate) fn copy(
    from: &Session<'_>,
    to: &Session<'_>,
    revision: &Revision,
) -> Result<Copied, Error> {
    let mut copying = Copying {
        from,
        to,
        done: Copied::default(),
        seen: HashSet::new(),
    };
    let fetched = from.manifest_of_digest(&revision.digest)?;
    if let Some(tag) = &revision.tag {
        copying.free(tag, &fetched.digest)?;
    }
    copying.whole(&fetched, 0)?;
    if let Some(tag) = &revision.tag {
        copying.put(tag, &fetched)?;
    }
    Ok(copying.done)
}

struct Copying<'a> {
    from: &'a Session<'a>,
    to: &'a Session<'a>,
    done: Copied,
    seen: HashSet<Digest>,
}

impl Copying<'_> {
    /// A manifest with what it names, and what names it.
    fn whole(&mut self, fetched: &Fetched, depth: usize) -> Result<(), Error> {
        if !self.seen.insert(fetched.digest.clone()) {
            return Ok(());
        }
        if depth > MAX_DEPTH || self.seen.len() > MAX_MANIFESTS {
            let limit = format!("{MAX_MANIFESTS} manifests, or {MAX_DEPTH} levels of them");
            return Err(self.from.too_large("what points at the version", limit));
        }
        if fetched.is_index() {
            for child in self.from.as_index(fetched)?.manifests {
                let child = self.from.manifest_of_digest(&child.digest)?;
                self.whole(&child, depth + 1)?;
            }
            self.put(fetched.digest.as_str(), fetched)?;
        } else {
            self.manifest(fetched)?;
        }
        self.signatures(&fetched.digest)?;
        for referrer in self.from.referrers(&fetched.digest, None)? {
            let referrer = self.from.manifest_of_digest(&referrer.digest)?;
            self.whole(&referrer, depth + 1)?;
        }
        Ok(())
    }

    fn manifest(&mut self, fetched: &Fetched) -> Result<(), Error> {
        let manifest = self.from.as_manifest(fetched)?;
        let Manifest { config, layers, .. } = &manifest;
        let blobs = || std::iter::once(config).chain(layers);
        let bytes = blobs().map(|descriptor| descriptor.size).sum();
        self.to.meter().expect(bytes);
        for descriptor in blobs() {
            self.blob(descriptor)?;
        }
        match &manifest.subject {
            None => self.put(fetched.digest.as_str(), fetched),
            Some(subject) => {
                let (media_type, bytes) = (&fetched.media_type, &fetched.bytes);
                self.to.put_referrer(&subject.digest, media_type, bytes)?;
                self.done.manifests += 1;
                Ok(())
            }
        }
    }

    fn blob(&mut self, descriptor: &Descriptor) -> Result<(), Error> {
        if self.to.has_blob(&descriptor.digest)? {
            self.done.present += 1;
            self.to.meter().moved(descriptor.size);
        } else {
            let answer = self.from.blob_answer(descriptor)?;
            self.to
                .put_body(descriptor, answer.into_response().into())?;
            self.done.blobs += 1;
            self.done.bytes += descriptor.size;
        }
        Ok(())
    }

    /// What cosign 2 keeps under tags of the digest.
    fn signatures(&mut self, digest: &Digest) -> Result<(), Error> {
        for kind in COSIGN_TAGS {
            let tag = format!("{}.{kind}", fallback_tag(digest));
            let fetched = match self.from.manifest_of_tag(&tag) {
                Ok(fetched) => fetched,
                Err(error) if error.is_absence() => continue,
                Err(error) => return Err(error),
            };
            if !self.is_subset(&tag, &fetched)? {
                self.free(&tag, &fetched.digest)?;
            }
            self.manifest(&fetched)?;
            self.put(&tag, &fetched)?;
        }
        Ok(())
    }

    fn put(&mut self, reference: &str, fetched: &Fetched) -> Result<(), Error> {
        let media_type = match fetched.media_type.as_str() {
            "" => INDEX_TYPE,
            other => other,
        };
        self.to
            .put_manifest(reference, media_type, &fetched.bytes)?;
        self.done.manifests += 1;
        Ok(())
    }

    /// Whether everything that stands under the tag where we write is in `fetched` too: signatures come
    /// to those that are there, and none goes.
    fn is_subset(&self, tag: &str, fetched: &Fetched) -> Result<bool, Error> {
        let there = match self.to.manifest_of_tag(tag) {
            Ok(there) => self.to.as_manifest(&there)?,
            Err(error) if error.is_absence() => return Ok(true),
            Err(error) => return Err(error),
        };
        let ours = self.from.as_manifest(fetched)?;
        Ok(there.layers.iter().all(|layer| ours.layers.contains(layer)))
    }

    /// Nothing else stands under the tag where we write.
    fn free(&self, tag: &str, ours: &Digest) -> Result<(), Error> {
        match self.to.manifest_of_tag(tag) {
            Ok(there) if &there.digest != ours => Err(Error::Taken {
                url: self.to.url(),
                tag: tag.to_owned(),
                there: there.digest,
                ours: ours.clone(),
            }),
            Ok(_) => Ok(()),
            Err(error) if error.is_absence() => Ok(()),
            Err(error) => Err(error),
        }
    }
}
