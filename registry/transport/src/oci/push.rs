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
    let copies = copies(artifact);
    let there = there(session, remote, &tag, &ours, &artifact.tree.digest())?;
    let beside: u64 = copies.iter().map(Beside::size).sum();
    if let Some(there) = there {
        session.meter().expect(beside);
        let revision = Revision::of_tag(&tag, there);
        refer(session, &copies, &revision.digest)?;
        return Ok(Pushed {
            revision,
            new: false,
        });
    }
    let own = (EMPTY.len() + layer.len()) as u64;
    session.meter().expect(own + beside);
    session.put_blob(EMPTY_TYPE, EMPTY)?;
    session.put_blob(LAYER_TYPE, &layer)?;
    // What points at a version is there before the version is.
    session.put_manifest(ours.as_str(), MANIFEST_TYPE, &bytes)?;
    refer(session, &copies, &ours)?;
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

/// README or icon as an artifact of its own, for those who show a registry's content.
struct Beside<'a> {
    artifact_type: &'static str,
    media_type: &'static str,
    bytes: &'a [u8],
}

impl Beside<'_> {
    /// Of its blobs.
    fn size(&self) -> u64 {
        (EMPTY.len() + self.bytes.len()) as u64
    }
}

/// The copies that are to point at the version.
fn copies<'a>(artifact: &Artifact<'a>) -> Vec<Beside<'a>> {
    const COPIES: [(&str, &str, &str); 3] = [
        ("README.md", README_TYPE, "text/markdown"),
        ("icon.png", ICON_TYPE, "image/png"),
        ("icon.svg", ICON_TYPE, "image/svg+xml"),
    ];
    if !artifact.referrers {
        return Vec::new();
    }
    let tree = artifact.tree;
    let there = COPIES
        .into_iter()
        .filter_map(|(path, artifact_type, media_type)| {
            Some(Beside {
                artifact_type,
                media_type,
                bytes: tree.get(path)?,
            })
        });
    there.collect()
}

fn refer(session: &Session<'_>, copies: &[Beside<'_>], subject: &Digest) -> Result<(), Error> {
    if copies.is_empty() {
        return Ok(());
    }
    let about = session.manifest_of_digest(subject)?.descriptor();
    for copy in copies {
        session.put_blob(EMPTY_TYPE, EMPTY)?;
        let layer = session.put_blob(copy.media_type, copy.bytes)?;
        let mut manifest = Manifest::artifact(copy.artifact_type, vec![layer]);
        manifest.subject = Some(about.clone());
        let bytes = session.written(&manifest)?;
        session.put_referrer(subject, MANIFEST_TYPE, &bytes)?;
    }
    Ok(())
}
