//! What points at a manifest: by the referrers API, and by the tag `sha256-<hex>` where a registry has
//! none (OCI distribution specification 1.1, «Listing Referrers» and «Referrers Tag Schema»).
//!
//! Only an answer says that nothing points at it. A registry that cannot be reached, asks for
//! patience or refuses us is an error.

use super::{
    Error,
    manifest::{self, Descriptor, EMPTY_TYPE, INDEX_TYPE, Index},
    session::Session,
};
use api::Digest;

/// Bounds on a listing.
const MAX_PAGES: usize = 20;
const MAX_REFERRERS: usize = 2_000;
/// The most that are read to learn what they are.
const MAX_UNNAMED: usize = 200;
const MAX_PAGE_BYTES: u64 = 4 << 20;

/// The tag that stands for the referrers of `digest` where the registry has no API for them.
pub(crate) fn fallback_tag(digest: &Digest) -> String {
    format!("sha256-{}", digest.hex())
}

impl Session<'_> {
    /// What points at `digest`: all of it, or the artifacts of one type.
    pub(crate) fn referrers(
        &self,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, Error> {
        let mut found = match self.by_api(digest)? {
            Some(found) => found,
            None => self.by_tag(digest)?.manifests,
        };
        self.name(&mut found)?;
        let wanted = |descriptor: &Descriptor| {
            artifact_type.is_none_or(|wanted| descriptor.artifact_type.as_deref() == Some(wanted))
        };
        Ok(found.into_iter().filter(wanted).collect())
    }

    /// Says the artifact type where the registry does not: some know only the configuration's type,
    /// which of an artifact is empty.
    fn name(&self, found: &mut [Descriptor]) -> Result<(), Error> {
        let unnamed = |descriptor: &&mut Descriptor| match descriptor.artifact_type.as_deref() {
            None | Some("") | Some(EMPTY_TYPE) => true,
            Some(_) => false,
        };
        for (n, descriptor) in found.iter_mut().filter(unnamed).enumerate() {
            if n >= MAX_UNNAMED {
                let limit = format!("{MAX_UNNAMED} entries without an artifact type");
                return Err(self.too_large("the list of referrers", limit));
            }
            let fetched = self.manifest_of_digest(&descriptor.digest)?;
            if !fetched.is_index() {
                let manifest = self.as_manifest(&fetched)?;
                descriptor.artifact_type = Some(manifest.kind().to_owned());
            }
        }
        Ok(())
    }

    /// All pages; none where the registry has no such API. A filter would be the registry's to apply
    /// or not, so none is sent.
    fn by_api(&self, digest: &Digest) -> Result<Option<Vec<Descriptor>>, Error> {
        let mut found = Vec::new();
        let mut next = Some(self.at().url(&format!("referrers/{digest}"))?);
        for page in 0..MAX_PAGES {
            let Some(url) = next.take() else {
                return Ok(Some(found));
            };
            let answer = match self.get(&url, INDEX_TYPE, "referrers", "for referrers") {
                Ok(answer) => answer,
                // 404 by the specification; the others by registries that know no such path.
                Err(Error::NotFound { .. }) if page == 0 => return Ok(None),
                Err(Error::Status {
                    status: 400 | 405 | 406 | 501,
                    ..
                }) if page == 0 => return Ok(None),
                Err(error) => return Err(error),
            };
            let says = answer.header("content-type").unwrap_or_default();
            if !says.starts_with(INDEX_TYPE) && page == 0 {
                return Ok(None);
            }
            next = self.next_page(&answer)?;
            let index: Index = self.json(answer, MAX_PAGE_BYTES, "the list of referrers")?;
            found.extend(index.manifests);
            if found.len() > MAX_REFERRERS {
                break;
            }
        }
        match next {
            None if found.len() <= MAX_REFERRERS => Ok(Some(found)),
            _ => Err(self.too_large("the list of referrers", format!("{MAX_REFERRERS} entries"))),
        }
    }

    /// The index under the fallback tag; empty where there is none.
    fn by_tag(&self, digest: &Digest) -> Result<Index, Error> {
        match self.manifest_of_tag(&fallback_tag(digest)) {
            Ok(fetched) if fetched.is_index() => self.as_index(&fetched),
            Ok(_) => Err(self.odd("the tag of the referrers is no index")),
            Err(error) if error.is_absence() => Ok(Index::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes a manifest that points at `subject`, by its digest; where the registry keeps no account
    /// of referrers, in the index under the fallback tag too.
    pub(crate) fn put_referrer(
        &self,
        subject: &Digest,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Digest, Error> {
        let digest = manifest::digest(bytes);
        if self.put_manifest(digest.as_str(), media_type, bytes)? {
            return Ok(digest);
        }
        let mut index = self.by_tag(subject)?;
        if index.manifests.iter().any(|there| there.digest == digest) {
            return Ok(digest);
        }
        index.manifests.push(entry(media_type, bytes));
        let bytes = self.written(&index)?;
        self.put_manifest(&fallback_tag(subject), INDEX_TYPE, &bytes)?;
        Ok(digest)
    }

    /// `value` as the bytes that are pushed.
    pub(crate) fn written<T: serde::Serialize>(&self, value: &T) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(value).map_err(|error| self.odd(error.to_string()))
    }
}

/// The entry of an index for a manifest: with its artifact type and annotations, as the API gives them.
fn entry(media_type: &str, bytes: &[u8]) -> Descriptor {
    let mut descriptor = Descriptor::of(media_type, bytes);
    if let Ok(manifest) = serde_json::from_slice::<manifest::Manifest>(bytes) {
        descriptor.artifact_type = Some(manifest.kind().to_owned());
        descriptor.annotations = manifest.annotations;
    }
    descriptor
}
