//! How a version's files stand in the API server (design.md, section 3): immutable ConfigMaps, one or
//! more for each section, and the references by which a MiddlewareAddon names them. Pure.
//!
//! In: a tree and whose it is. Out: objects, named by their bytes, so that versions share what they do
//! not differ in; and the way back, from an object to its files, which are believed by their digest.

use crate::{Tree, section_digest, tree::MANIFEST_SECTION};
use api::{
    Digest, Version,
    crd::addon::{ContentKind, ContentRef},
    labels, names,
    names::PluginName,
};
use k8s_openapi::{
    ByteString, api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use std::collections::BTreeMap;

/// The most bytes of one object: 1 MiB is the API server's limit, with metadata.
const MAX_OBJECT_BYTES: usize = 900 << 10;

/// Whose content it is.
#[derive(Clone, Debug)]
pub struct Owner<'a> {
    /// The plugin.
    pub plugin: &'a PluginName,
    /// The version.
    pub version: &'a Version,
    /// The platform's namespace.
    pub namespace: &'a str,
    /// The labels of every object; the section's, and the manifest's version, come on top.
    pub labels: BTreeMap<String, String>,
}

/// The objects that hold the files of `tree`, and the references to them in the same order.
pub fn objects(tree: &Tree, owner: &Owner<'_>) -> (Vec<ConfigMap>, Vec<ContentRef>) {
    let (mut objects, mut references) = (Vec::new(), Vec::new());
    for (section, files) in tree.sections() {
        for part in parts(files) {
            let digest = section_digest(&part, section);
            let name = names::content(owner.plugin, section, &digest);
            objects.push(object(owner, section, &name, &part));
            references.push(ContentRef {
                section: section.to_owned(),
                kind: ContentKind::ConfigMap,
                name,
                digest: Some(digest),
            });
        }
    }
    (objects, references)
}

/// The files of one object, text and binary, by name.
pub fn files(object: ConfigMap) -> BTreeMap<String, Vec<u8>> {
    let text = object.data.into_iter().flatten();
    let text = text.map(|(name, text)| (name, text.into_bytes()));
    let binary = object.binary_data.into_iter().flatten();
    text.chain(binary.map(|(name, bytes)| (name, bytes.0)))
        .collect()
}

/// The content is not what was named.
#[derive(Debug, thiserror::Error)]
#[error("{what} has digest {found}, and {named} is named")]
pub struct Mismatch {
    /// The object or version.
    pub what: String,
    /// The digest of what is there.
    pub found: Digest,
    /// The digest that was asked for.
    pub named: Digest,
}

impl Mismatch {
    /// Whether `found` is the digest that is `named` for `what`.
    ///
    /// # Errors
    /// It is another.
    pub fn check(what: impl FnOnce() -> String, found: Digest, named: &Digest) -> Result<(), Self> {
        if found == *named {
            return Ok(());
        }
        Err(Self {
            what: what(),
            found,
            named: named.clone(),
        })
    }
}

/// Whether `files` are those of the object that `reference` names; one that names no digest says nothing.
///
/// # Errors
/// They are others.
pub fn verified(reference: &ContentRef, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Mismatch> {
    let Some(named) = &reference.digest else {
        return Ok(());
    };
    let files = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), &bytes[..]));
    let found = section_digest(&files.collect(), &reference.section);
    Mismatch::check(|| format!("ConfigMap `{}`", reference.name), found, named)
}

type Files<'a> = BTreeMap<&'a str, &'a [u8]>;

/// The files in their order, as many in one part as an object holds.
fn parts(files: Files<'_>) -> Vec<Files<'_>> {
    let mut parts = Vec::new();
    let (mut part, mut size) = (Files::new(), 0);
    for (name, bytes) in files {
        let more = name.len() + bytes.len();
        if size + more > MAX_OBJECT_BYTES && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            size = 0;
        }
        part.insert(name, bytes);
        size += more;
    }
    parts.push(part);
    parts
}

fn object(owner: &Owner<'_>, section: &str, name: &str, files: &Files<'_>) -> ConfigMap {
    let mut labels = owner.labels.clone();
    labels.insert(labels::SECTION.to_owned(), section.to_owned());
    if section == MANIFEST_SECTION {
        // The other sections are shared by versions that do not differ in them.
        labels.insert(labels::VERSION.to_owned(), owner.version.to_string());
    }
    let (mut data, mut binary) = (BTreeMap::new(), BTreeMap::new());
    for (name, bytes) in files {
        match std::str::from_utf8(bytes) {
            Ok(text) => drop(data.insert((*name).to_owned(), text.to_owned())),
            Err(_) => drop(binary.insert((*name).to_owned(), ByteString(bytes.to_vec()))),
        }
    }
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(owner.namespace.to_owned()),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        immutable: Some(true),
        data: (!data.is_empty()).then_some(data),
        binary_data: (!binary.is_empty()).then_some(binary),
    }
}

#[cfg(test)]
mod tests {
    use super::{Owner, files, objects, verified};
    use crate::Tree;
    use std::collections::BTreeMap;

    #[test]
    fn files_are_believed_by_the_digest_that_their_object_is_named_with() {
        let tree = Tree::from_files([("addon.yaml".to_owned(), b"a".to_vec())]).unwrap();
        let owner = Owner {
            plugin: &"redis".parse().unwrap(),
            version: &"1.0.0".parse().unwrap(),
            namespace: "paamesh-system",
            labels: BTreeMap::new(),
        };
        let (mut objects, mut references) = objects(&tree, &owner);
        let (mut files, mut reference) = (files(objects.remove(0)), references.remove(0));
        verified(&reference, &files).unwrap();
        files.insert("addon.yaml".to_owned(), b"b".to_vec());
        let error = verified(&reference, &files).unwrap_err();
        assert_ne!(error.found, error.named);
        let said = error.to_string();
        assert!(
            said.starts_with(&format!(
                "ConfigMap `{}` has digest sha256:",
                reference.name
            )) && said.ends_with(&format!(", and {} is named", error.named)),
            "{said}"
        );
        reference.digest = None;
        verified(&reference, &files).unwrap();
    }

    #[test]
    fn a_large_section_is_spread_by_whole_files_and_reads_back() {
        let big = vec![b'x'; 500 << 10];
        let files: [(&str, &[u8]); 3] = [
            ("scripts/a", &big),
            ("scripts/b", b"small"),
            ("scripts/c", &big),
        ];
        let parts = super::parts(files.into_iter().collect());
        let names: Vec<Vec<&str>> = parts.iter().map(|p| p.keys().copied().collect()).collect();
        assert_eq!(names, [vec!["scripts/a", "scripts/b"], vec!["scripts/c"]]);
    }
}
