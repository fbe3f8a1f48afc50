//! Manifests and indexes (OCI image specification 1.1), as far as we read and write them, and what
//! an addon's artifact looks like. Pure.
//!
//! Fields stand in the order in which they are written, and maps are sorted: the same content is the
//! same bytes.

use api::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// What an addon's artifact says it is (R-10).
pub const ARTIFACT_TYPE: &str = "application/vnd.middleware.extension.v1+json";
/// What its one layer is: what `oras`, Flux and Argo CD unpack.
pub const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The artifact type of the copy of `README.md` beside an addon.
pub const README_TYPE: &str = "application/vnd.middleware.extension.readme.v1";
/// The artifact type of the copy of the icon beside an addon.
pub const ICON_TYPE: &str = "application/vnd.middleware.extension.icon.v1";
/// The annotation that holds the digest of the addon's tree.
pub const TREE_ANNOTATION: &str = "io.middleware.tree.digest";

pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_INDEX_TYPE: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(crate) const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
pub(crate) const EMPTY: &[u8] = b"{}";
/// The tar archives under gzip that we take: that of OCI, docker's, and the one that Flux pushes.
const LAYER_TYPES: [&str; 3] = [
    LAYER_TYPE,
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.cncf.flux.content.v1.tar+gzip",
];

/// The value of `Accept` for manifests and indexes.
pub(crate) fn accept() -> String {
    [
        MANIFEST_TYPE,
        INDEX_TYPE,
        DOCKER_MANIFEST_TYPE,
        DOCKER_INDEX_TYPE,
    ]
    .join(", ")
}

/// The digest of `bytes`.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest::sha256(Sha256::digest(bytes).into())
}

/// A reference to content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What the artifact that it points at says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// The descriptor of `bytes`.
    pub(crate) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: digest(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// An image manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// 2.
    pub schema_version: u32,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What the artifact is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration; of an artifact, empty.
    pub config: Descriptor,
    /// The content.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Free text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// The manifest of an artifact of the type `artifact_type` with these layers.
    pub(crate) fn artifact(artifact_type: &str, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MANIFEST_TYPE.to_owned()),
            artifact_type: Some(artifact_type.to_owned()),
            config: Descriptor::of(EMPTY_TYPE, EMPTY),
            layers,
            subject: None,
            annotations: BTreeMap::new(),
        }
    }

    /// What it says it is: the artifact type, or as before OCI 1.1 the type of its configuration.
    pub fn kind(&self) -> &str {
        let kind = self
            .artifact_type
            .as_deref()
            .filter(|kind| !kind.is_empty());
        kind.unwrap_or(&self.config.media_type)
    }

    /// The one layer of an addon.
    ///
    /// # Errors
    /// Why this is no addon.
    pub(crate) fn addon_layer(&self, largest: u64) -> Result<&Descriptor, String> {
        if self.kind() != ARTIFACT_TYPE {
            return Err(format!(
                "its artifact type is `{}`, not `{ARTIFACT_TYPE}`; push it with \
                 `kubectl middleware addon push`",
                shown(self.kind())
            ));
        }
        let [layer] = self.layers.as_slice() else {
            return Err(format!("it has {} layers, not one", self.layers.len()));
        };
        if !LAYER_TYPES.contains(&layer.media_type.as_str()) {
            return Err(format!(
                "its layer is `{}`, not `{LAYER_TYPE}`",
                shown(&layer.media_type)
            ));
        }
        if layer.size > largest {
            return Err(format!(
                "its layer has {} bytes; at most {largest} are read",
                layer.size
            ));
        }
        Ok(layer)
    }
}

/// What a stranger wrote, cut to what a message can bear.
pub(crate) fn shown(text: &str) -> String {
    text.chars()
        .take(100)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// An index: several manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// 2.
    pub schema_version: u32,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The manifests.
    #[serde(default)]
    pub manifests: Vec<Descriptor>,
    /// Free text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            schema_version: 2,
            media_type: Some(INDEX_TYPE.to_owned()),
            manifests: Vec::new(),
            annotations: BTreeMap::new(),
        }
    }
}

/// Whether a manifest of this type is an index.
pub(crate) fn is_index(media_type: &str) -> bool {
    matches!(media_type, INDEX_TYPE | DOCKER_INDEX_TYPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addon() -> Manifest {
        Manifest::artifact(ARTIFACT_TYPE, vec![Descriptor::of(LAYER_TYPE, b"x")])
    }

    fn check(change: impl FnOnce(&mut Manifest), want: Result<(), &str>) {
        let mut manifest = addon();
        change(&mut manifest);
        match (manifest.addon_layer(10), want) {
            (Ok(_), Ok(())) => {}
            (Err(got), Err(want)) => assert!(got.contains(want), "{got}"),
            (got, want) => panic!("{got:?}, want {want:?}"),
        }
    }

    #[test]
    fn an_addon_has_its_type_and_one_layer() {
        check(|_| {}, Ok(()));
        // As tools from before OCI 1.1 say it.
        let old = |manifest: &mut Manifest| {
            manifest.artifact_type = None;
            manifest.config.media_type = ARTIFACT_TYPE.to_owned();
        };
        check(old, Ok(()));
        check(
            |m| m.artifact_type = Some("x".into()),
            Err("artifact type is `x`"),
        );
        check(
            |m| m.artifact_type = None,
            Err("artifact type is `application/vnd.oci.empty"),
        );
        check(|m| m.layers.clear(), Err("0 layers, not one"));
        check(
            |m| m.layers.push(m.config.clone()),
            Err("2 layers, not one"),
        );
        check(
            |m| m.layers[0].media_type = "text/plain".into(),
            Err("its layer is `text/plain`"),
        );
        check(|m| m.layers[0].size = 11, Err("11 bytes; at most 10"));
    }

    #[test]
    fn the_same_manifest_is_the_same_bytes() {
        let bytes = serde_json::to_string(&addon()).unwrap();
        let again: Manifest = serde_json::from_str(&bytes).unwrap();
        assert_eq!(again, addon());
        assert!(bytes.starts_with(r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.middleware.extension.v1+json","config":{"#), "{bytes}");
    }
}
