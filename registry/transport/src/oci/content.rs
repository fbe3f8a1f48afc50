//! Manifests and blobs of a repository: read by digest and verified, or written.

use super::{
    Error,
    manifest::{self, Descriptor, Index, Manifest},
    session::Session,
};
use crate::http::Answer;
use api::Digest;
use bytes::Bytes;
use reqwest::header;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};

/// The largest manifest or index: what registries accept.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;
const DIGEST_HEADER: &str = "docker-content-digest";

/// A manifest or index as it came, with the digest of its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
}

impl Fetched {
    pub(crate) fn is_index(&self) -> bool {
        manifest::is_index(&self.media_type)
    }

    pub(crate) fn descriptor(&self) -> Descriptor {
        Descriptor::of(&self.media_type, &self.bytes)
    }
}

impl Session<'_> {
    /// The digest of the manifest that `reference`, a tag or a digest, names: by HEAD, and by GET where
    /// the registry does not say it to HEAD.
    pub(crate) fn head(&self, reference: &str, what: &str) -> Result<Digest, Error> {
        let url = self.at().url(&format!("manifests/{reference}"))?;
        let request = self
            .client()
            .head(url.clone())
            .header(header::ACCEPT, manifest::accept());
        match self.send(request, &url, what, "for a manifest") {
            Ok(answer) => {
                if let Some(Ok(digest)) = answer.header(DIGEST_HEADER).map(str::parse) {
                    return Ok(digest);
                }
            }
            Err(Error::Status { status, .. }) if status < 500 || status == 501 => {}
            Err(Error::Unauthorized { status: 403, .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(self.manifest(reference, what)?.digest)
    }

    /// The manifest that the tag `tag` names now.
    pub(crate) fn manifest_of_tag(&self, tag: &str) -> Result<Fetched, Error> {
        self.manifest(tag, &format!("tag {tag}"))
    }

    /// The manifest whose digest is `digest`.
    pub(crate) fn manifest_of_digest(&self, digest: &Digest) -> Result<Fetched, Error> {
        let what = format!("manifest {digest}");
        let fetched = self.manifest(digest.as_str(), &what)?;
        if &fetched.digest == digest {
            return Ok(fetched);
        }
        Err(self.wrong(what, digest.clone(), fetched.digest))
    }

    fn manifest(&self, reference: &str, what: &str) -> Result<Fetched, Error> {
        let url = self.at().url(&format!("manifests/{reference}"))?;
        let answer = self.get(&url, &manifest::accept(), what, "for a manifest")?;
        let says = answer.header(DIGEST_HEADER).map(str::parse::<Digest>);
        let media_type = media_type(&answer);
        let bytes = self.body(answer, MAX_MANIFEST_BYTES, what)?;
        let digest = manifest::digest(&bytes);
        if let Some(Ok(says)) = says
            && says != digest
        {
            return Err(self.wrong(what.to_owned(), says, digest));
        }
        Ok(Fetched {
            digest,
            media_type,
            bytes,
        })
    }

    pub(crate) fn wrong(&self, what: String, want: Digest, got: Digest) -> Error {
        Error::WrongDigest {
            url: self.url(),
            what,
            want,
            got,
        }
    }

    /// `fetched` as an image manifest.
    pub(crate) fn as_manifest(&self, fetched: &Fetched) -> Result<Manifest, Error> {
        let not = |reason: &str| Error::NotAnAddon {
            url: self.url(),
            digest: fetched.digest.clone(),
            reason: reason.to_owned(),
        };
        if fetched.is_index() {
            return Err(not("it is an index of several images"));
        }
        serde_json::from_slice(&fetched.bytes).map_err(|_| not("it is no image manifest"))
    }

    /// `fetched` as an index.
    pub(crate) fn as_index(&self, fetched: &Fetched) -> Result<Index, Error> {
        serde_json::from_slice(&fetched.bytes).map_err(|_| self.odd("an index is no index"))
    }

    /// The blob that `descriptor` names, as a stream that checks itself.
    pub(crate) fn blob(&self, descriptor: &Descriptor) -> Result<Blob<'_>, Error> {
        let answer = self.blob_answer(descriptor)?;
        Ok(Blob {
            session: self,
            answer,
            descriptor: descriptor.clone(),
            hasher: Sha256::new(),
            read: 0,
            ended: None,
        })
    }

    pub(crate) fn blob_answer(&self, descriptor: &Descriptor) -> Result<Answer, Error> {
        let digest = &descriptor.digest;
        let url = self.at().url(&format!("blobs/{digest}"))?;
        self.get(&url, "*/*", &format!("blob {digest}"), "for a blob")
    }

    /// The whole blob, of at most `limit` bytes, verified.
    pub(crate) fn small_blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, Error> {
        if descriptor.size > limit {
            let what = format!("blob {}", descriptor.digest);
            return Err(self.too_large(what, format!("{limit} bytes")));
        }
        let mut blob = self.blob(descriptor)?;
        let mut bytes = Vec::new();
        let read = blob.read_to_end(&mut bytes);
        blob.finish()?;
        read.map_err(|error| Error::BrokenOff {
            url: self.url(),
            reason: error.to_string(),
        })?;
        Ok(bytes)
    }

    /// Whether the repository has the blob.
    pub(crate) fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        let url = self.at().url(&format!("blobs/{digest}"))?;
        let request = self.client().head(url.clone());
        match self.send(request, &url, "blob", "for a blob") {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. } | Error::Status { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Uploads `bytes` unless they are there; returns their descriptor.
    pub(crate) fn put_blob(&self, media_type: &str, bytes: &[u8]) -> Result<Descriptor, Error> {
        let descriptor = Descriptor::of(media_type, bytes);
        if self.has_blob(&descriptor.digest)? {
            self.meter().moved(descriptor.size);
        } else {
            let body = Bytes::copy_from_slice(bytes);
            self.put_body(&descriptor, body.into())?;
        }
        Ok(descriptor)
    }

    /// Uploads what `body` streams, and counts it: the registry checks its digest.
    pub(crate) fn put_body(
        &self,
        descriptor: &Descriptor,
        body: reqwest::Body,
    ) -> Result<(), Error> {
        const DOING: &str = "to an upload";
        let begin = self.at().url("blobs/uploads/")?;
        let request = self.client().post(begin.clone()).body("");
        let answer = self.send(request, &begin, "repository", DOING)?;
        let mut to = answer
            .header("location")
            .and_then(|location| answer.url().join(location).ok())
            .ok_or_else(|| self.odd("it does not say where to upload"))?;
        to.query_pairs_mut()
            .append_pair("digest", descriptor.digest.as_str());
        let request = self
            .client()
            .put(to.clone())
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, descriptor.size)
            .body(self.meter().counted(body));
        self.upload(request, &to, DOING)?;
        Ok(())
    }

    /// Writes a manifest under `reference`, a tag or its digest. Whether the registry keeps account of
    /// referrers itself is said where the manifest has a subject.
    pub(crate) fn put_manifest(
        &self,
        reference: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<bool, Error> {
        let url = self.at().url(&format!("manifests/{reference}"))?;
        let request = self
            .client()
            .put(url.clone())
            .header(header::CONTENT_TYPE, media_type)
            .body(bytes.to_vec());
        let answer = self.send(request, &url, "repository", "to a manifest")?;
        let want = manifest::digest(bytes);
        if let Some(Ok(got)) = answer.header(DIGEST_HEADER).map(str::parse::<Digest>)
            && got != want
        {
            return Err(self.wrong("the manifest that was pushed".to_owned(), want, got));
        }
        Ok(answer.header("oci-subject").is_some())
    }
}

/// The manifest's type without parameters; by its header, which the specification demands.
fn media_type(answer: &Answer) -> String {
    let header = answer.header("content-type").unwrap_or_default();
    let bare = header.split(';').next().unwrap_or_default();
    manifest::shown(bare.trim())
}

/// A blob that is being read. Its bytes are those that were asked for only once [`Blob::finish`] says
/// so; it gives no byte more than the descriptor says.
pub(crate) struct Blob<'a> {
    session: &'a Session<'a>,
    answer: Answer,
    descriptor: Descriptor,
    hasher: Sha256,
    read: u64,
    /// How it ended.
    ended: Option<Result<(), Error>>,
}

impl Blob<'_> {
    /// Reads what is left, and says whether all bytes were those that were asked for.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let mut buffer = [0; 8192];
        while self.ended.is_none() {
            let _ = self.next(&mut buffer);
        }
        self.ended.unwrap_or(Ok(()))
    }

    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        let outcome = self.step(buffer);
        match outcome {
            Ok(0) if !buffer.is_empty() => self.ended = Some(Ok(())),
            Ok(n) => return Ok(n),
            Err(error) => {
                let text = error.to_string();
                self.ended = Some(Err(error));
                return Err(text);
            }
        }
        Ok(0)
    }

    fn step(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let n = self
            .answer
            .read(buffer)
            .map_err(|failure| self.session.failed(failure))?;
        if n == 0 && !buffer.is_empty() {
            return self.verified().map(|()| 0);
        }
        self.read += n as u64;
        if self.read > self.descriptor.size {
            let what = format!("blob {}", self.descriptor.digest);
            let limit = format!(
                "the {} bytes that its descriptor says",
                self.descriptor.size
            );
            return Err(self.session.too_large(what, limit));
        }
        self.hasher.update(&buffer[..n]);
        Ok(n)
    }

    fn verified(&mut self) -> Result<(), Error> {
        let want = &self.descriptor.digest;
        if self.read < self.descriptor.size {
            return Err(Error::BrokenOff {
                url: self.session.url(),
                reason: format!(
                    "blob {want} ended after {} of {} bytes",
                    self.read, self.descriptor.size
                ),
            });
        }
        let got = Digest::sha256(self.hasher.finalize_reset().into());
        if &got == want {
            return Ok(());
        }
        let what = format!("blob {want}");
        Err(self.session.wrong(what, want.clone(), got))
    }
}

impl Read for Blob<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.ended {
            Some(Ok(())) => Ok(0),
            Some(Err(error)) => Err(io::Error::other(error.to_string())),
            None => self.next(buffer).map_err(io::Error::other),
        }
    }
}
