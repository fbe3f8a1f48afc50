//! Addons in OCI registries: tags and digests resolved, one layer pulled by digest and verified while
//! it is read, versions pushed and copied.
//!
//! In: a [`Remote`]. Out: revisions such as `1.2.0@sha256:…` ([`Artifacts::resolve`]) and the files
//! of the addons that they name ([`Artifacts::offered`]). Content is asked for by digest and by nothing else. Every call
//! blocks and ends by the remote's own timeout: call it where blocking is allowed.

mod challenge;
mod content;
mod copy;
mod docker_config;
mod error;
mod location;
mod manifest;
mod meter;
mod push;
mod referrers;
mod remote;
mod session;
mod tags;
mod tokens;

pub use copy::Copied;
pub use error::Error;
pub use location::SCHEME;
pub use manifest::{
    ARTIFACT_TYPE, Descriptor, ICON_TYPE, Index, LAYER_TYPE, Manifest, README_TYPE, TREE_ANNOTATION,
};
pub use meter::{Meter, Moved};
pub use push::{Artifact, Pushed};
pub use remote::{Reference, Remote, Revision};

pub(crate) use docker_config::check as check_docker_config;
pub(crate) use manifest::{EMPTY, EMPTY_TYPE, MANIFEST_TYPE, digest as digest_of, shown};
pub(crate) use session::Session;
pub(crate) use tokens::Action;

use crate::{Content, Offered};
use api::Digest;
use package::archive::{self, UnpackError};
use std::{
    io::Read,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokens::{Tokens, locked};

/// How many tags are asked for at once.
const AT_ONCE: usize = 8;

/// Access to registries; it remembers the tokens that they gave. Share one.
#[derive(Debug, Default)]
pub struct Artifacts {
    tokens: Tokens,
}

impl Artifacts {
    /// Access that remembers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What `remote` refers to now, by version, the oldest first; nothing is downloaded.
    ///
    /// # Errors
    /// The registry cannot be reached or read, or does not have what is asked for; the message lists
    /// what is there.
    pub fn resolve(&self, remote: &Remote) -> Result<Vec<Revision>, Error> {
        let session = self.session(remote, Action::Pull)?;
        let reference = &remote.reference;
        if let Some(digest) = &reference.digest {
            session.head(digest.as_str(), &format!("manifest {digest}"))?;
            return Ok(vec![Revision::of_digest(digest)]);
        }
        if reference.semver.is_none()
            && let Some(tag) = &reference.tag
        {
            if !location::is_tag(tag) {
                return Err(remote.refuse(format!("`{tag}` is no tag")));
            }
            let digest = session.head(tag, &format!("tag {tag}"))?;
            return Ok(vec![Revision::of_tag(tag, digest)]);
        }
        let tags = tags::select(remote, &tags::list(&session)?)?;
        heads(&session, &tags)
    }

    /// The manifest of the artifact `digest`, verified.
    ///
    /// # Errors
    /// The registry cannot be reached or read, has no such artifact, or sends other bytes.
    pub fn manifest(&self, remote: &Remote, digest: &Digest) -> Result<Manifest, Error> {
        let session = self.session(remote, Action::Pull)?;
        session.as_manifest(&session.manifest_of_digest(digest)?)
    }

    /// Reads the layer of the addon `digest` with `read`: a tar archive under gzip. What `read` sees is
    /// verified only after it has seen all, so what it returns is given back only where every byte was
    /// the one that was asked for.
    ///
    /// # Errors
    /// The registry cannot be reached or read, the artifact is no addon, or its bytes are others.
    pub fn pull<T>(
        &self,
        remote: &Remote,
        digest: &Digest,
        read: impl FnOnce(&mut dyn Read) -> T,
    ) -> Result<T, Error> {
        let session = self.session(remote, Action::Pull)?;
        let manifest = session.as_manifest(&session.manifest_of_digest(digest)?)?;
        let layer = manifest.addon_layer(archive::MAX_ARCHIVE_BYTES);
        let layer = layer.map_err(|reason| Error::NotAnAddon {
            url: remote.url.clone(),
            digest: digest.clone(),
            reason,
        })?;
        let mut blob = session.blob(layer)?;
        let result = read(&mut blob);
        blob.finish()?;
        Ok(result)
    }

    /// The addons that `revisions` name, in their order. Those whose manifest `known` says it knows are
    /// not pulled. What is no addon is offered as refused, with the reason.
    ///
    /// # Errors
    /// The registry cannot be reached or read, or sends other bytes.
    pub fn offered(
        &self,
        remote: &Remote,
        revisions: &[Revision],
        known: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Offered>, Error> {
        let offer = |revision: &Revision| {
            let content = if known(revision.digest.as_str()) {
                Content::Known
            } else {
                self.content(remote, &revision.digest)?
            };
            Ok(Offered {
                directory: revision.text.clone(),
                tree: revision.digest.to_string(),
                content,
            })
        };
        revisions.iter().map(offer).collect()
    }

    /// The files of the addon `digest`, or why it is none.
    ///
    /// # Errors
    /// The registry cannot be reached or read, or sends other bytes.
    pub fn content(&self, remote: &Remote, digest: &Digest) -> Result<Content, Error> {
        let refused = |findings| Ok(Content::Refused(findings));
        match self.pull(remote, digest, |reader| archive::unpack(reader)) {
            Ok(Ok(tree)) => {
                let files = tree.files();
                let files = files.map(|(path, bytes)| (path.to_owned(), bytes.to_vec()));
                Ok(Content::Files(files.collect()))
            }
            Ok(Err(UnpackError::Refused(findings))) => refused(findings),
            Ok(Err(UnpackError::Unreadable(error))) => Err(Error::BrokenOff {
                url: remote.url.clone(),
                reason: error.to_string(),
            }),
            Err(Error::NotAnAddon { reason, .. }) => refused(vec![api::crd::source::Finding {
                message: format!("this is no addon: {reason}"),
                ..Default::default()
            }]),
            Err(error) => Err(error),
        }
    }

    /// What points at the artifact `digest`: all of it, or the artifacts of one type. Both by the
    /// referrers API and, where the registry has none, by its tag.
    ///
    /// # Errors
    /// The registry cannot be reached or read: never taken for «there is none».
    pub fn referrers(
        &self,
        remote: &Remote,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, Error> {
        let session = self.session(remote, Action::Pull)?;
        session.referrers(digest, artifact_type)
    }

    /// Pushes a version under the tag that is its printed form.
    ///
    /// # Errors
    /// [`Error::Taken`] where other content stands under the tag, before anything is sent; else as
    /// registries fail.
    pub fn push(&self, remote: &Remote, artifact: &Artifact<'_>) -> Result<Pushed, Error> {
        self.push_metered(remote, artifact, &Meter::default())
    }

    /// The same, while `meter` tells how far it is.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_metered(
        &self,
        remote: &Remote,
        artifact: &Artifact<'_>,
        meter: &Meter,
    ) -> Result<Pushed, Error> {
        let session = self.session(remote, Action::Push)?.metered(meter);
        push::push(&session, remote, artifact)
    }

    /// Copies what `revision` names from one repository to another with its signatures and all that
    /// points at it, while `meter` tells how far it is.
    ///
    /// # Errors
    /// [`Error::Taken`] where other content stands under the tag there; else as registries fail.
    pub fn copy(
        &self,
        from: &Remote,
        to: &Remote,
        revision: &Revision,
        meter: &Meter,
    ) -> Result<Copied, Error> {
        let from = self.session(from, Action::Pull)?;
        let to = self.session(to, Action::Push)?.metered(meter);
        copy::copy(&from, &to, revision)
    }

    pub(crate) fn session<'a>(
        &'a self,
        remote: &'a Remote,
        action: Action,
    ) -> Result<Session<'a>, Error> {
        Session::open(remote, &self.tokens, action)
    }
}

/// The digests of `tags`, a few at a time, in their order. A tag that went away meanwhile is left out.
fn heads(session: &Session<'_>, tags: &[String]) -> Result<Vec<Revision>, Error> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::with_capacity(tags.len()));
    let failure = Mutex::new(None);
    let work = || {
        while let Some((n, tag)) = {
            let n = next.fetch_add(1, Ordering::Relaxed);
            tags.get(n).map(|tag| (n, tag))
        } {
            match session.head(tag, &format!("tag {tag}")) {
                Ok(digest) => locked(&found).push((n, Revision::of_tag(tag, digest))),
                Err(error) if error.is_absence() => {}
                Err(error) => {
                    locked(&failure).get_or_insert(error);
                    next.store(tags.len(), Ordering::Relaxed);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..AT_ONCE.min(tags.len()) {
            scope.spawn(work);
        }
        work();
    });
    if let Some(error) = locked(&failure).take() {
        return Err(error);
    }
    let mut found = std::mem::take(&mut *locked(&found));
    found.sort_by_key(|(n, _)| *n);
    Ok(found.into_iter().map(|(_, revision)| revision).collect())
}
