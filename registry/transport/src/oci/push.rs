//! An addon's version written to a registry: one layer, a manifest, the tag last. What stands under
//! the tag already is never replaced.

use super::{
    Error, Remote, Revision,
    manifest::{
        ARTIFACT_TYPE, Descriptor, EMPTY, EMPTY_TYPE, ICON_TYPE, LAYER_TYPE, MANIFEST_TYPE,
        Manifest, README_TYPE, TREE_ANNOTATION,
    },
    session::Session,
};
use api::{Digest, Version};
use package::Tree;

/// What an addon's version is made of.
#[derive(Clone, Debug)]
pub struct Artifact<'a> {
    /// The plugin.
    pub plugin: &'a str,
    /// The version; its printed form is the tag.
    pub version: &'a Version,
    /// Its files.
    pub tree: &'a Tree,
    /// Whether README and icon are also pushed as artifacts that point at it.
    pub referrers: bool,
}

/// What a push did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// What stands under the tag now.
    pub revision: Revision,
    /// Whether it is new; else the same content was there already.
    pub new: bool,
}

/// See [`super::Artifacts::push`].
pub(crate) fn push(
    session: &Session<'_>,
    remote: &Remote,
    artifact: &Artifact<'_>,
) -> Result<Pushed, Error> {
    let tag = artifact.version.to_string();
    let layer = package::archive::pack(artifact.tree, Vec::new())
        .map_err(|error| remote.refuse(error.to_string()))?;
    let bytes = session.written(&manifest(artifact, &layer))?;
    let ours = super::manifest::digest(&bytes);
    if let Some(there) = there(session, remote, &tag, &ours, &artifact.tree.digest())? {
        let revision = Revision::of_tag(&tag, there);
        refer(session, artifact, &revision.digest)?;
        return Ok(Pushed {
            revision,
            new: false,
        });
    }
    session.put_blob(EMPTY_TYPE, EMPTY)?;
    session.put_blob(LAYER_TYPE, &layer)?;
    // What points at a version is there before the version is.
    session.put_manifest(ours.as_str(), MANIFEST_TYPE, &bytes)?;
    refer(session, artifact, &ours)?;
    session.put_manifest(&tag, MANIFEST_TYPE, &bytes)?;
    Ok(Pushed {
        revision: Revision::of_tag(&tag, ours),
        new: true,
    })
}

fn manifest(artifact: &Artifact<'_>, layer: &[u8]) -> Manifest {
    const TITLE: &str = "org.opencontainers.image.title";
    let (plugin, version) = (artifact.plugin, artifact.version);
    let mut descriptor = Descriptor::of(LAYER_TYPE, layer);
    let file = format!("{plugin}-{version}.tar.gz");
    descriptor.annotations.insert(TITLE.to_owned(), file);
    let mut manifest = Manifest::artifact(ARTIFACT_TYPE, vec![descriptor]);
    manifest.annotations = [
        (TITLE, plugin.to_owned()),
        ("org.opencontainers.image.version", version.to_string()),
        (TREE_ANNOTATION, artifact.tree.digest().to_string()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    manifest
}

/// The digest of what stands under the tag, where that is the same version: the same manifest, or one
/// that another release packed of the same tree.
fn there(
    session: &Session<'_>,
    remote: &Remote,
    tag: &str,
    ours: &Digest,
    tree: &Digest,
) -> Result<Option<Digest>, Error> {
    let fetched = match session.manifest_of_tag(tag) {
        Ok(fetched) => fetched,
        Err(error) if error.is_absence() => return Ok(None),
        Err(error) => return Err(error),
    };
    let same_tree = || {
        let manifest = session.as_manifest(&fetched).ok()?;
        Some(manifest.annotations.get(TREE_ANNOTATION)? == tree.as_str())
    };
    if &fetched.digest == ours || same_tree() == Some(true) {
        return Ok(Some(fetched.digest));
    }
    Err(Error::Taken {
        url: remote.url.clone(),
        tag: tag.to_owned(),
        there: fetched.digest,
        ours: ours.clone(),
    })
}

/// README and icon as artifacts of their own, for those who show a registry's content.
fn refer(session: &Session<'_>, artifact: &Artifact<'_>, subject: &Digest) -> Result<(), Error> {
    const COPIES: [(&str, &str, &str); 3] = [
        ("README.md", README_TYPE, "text/markdown"),
        ("icon.png", ICON_TYPE, "image/png"),
        ("icon.svg", ICON_TYPE, "image/svg+xml"),
    ];
    if !artifact.referrers {
        return Ok(());
    }
    let about = session.manifest_of_digest(subject)?.descriptor();
    for (path, artifact_type, media_type) in COPIES {
        let Some(bytes) = artifact.tree.get(path) else {
            continue;
        };
        session.put_blob(EMPTY_TYPE, EMPTY)?;
        let layer = session.put_blob(media_type, bytes)?;
        let mut manifest = Manifest::artifact(artifact_type, vec![layer]);
        manifest.subject = Some(about.clone());
        let bytes = session.written(&manifest)?;
        session.put_referrer(subject, MANIFEST_TYPE, &bytes)?;
    }
    Ok(())
}
