//! A checked package becomes objects (design.md, section 3): content ConfigMaps, one or more for each
//! section, and the MiddlewareAddon that names them. Pure.

use api::{
    MiddlewareAddon, MiddlewareAddonSpec,
    crd::addon::{ContentKind, ContentRef},
    labels,
    provenance::SignedProvenance,
};
use k8s_openapi::{
    ByteString, api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use package::{Package, section_digest, tree::MANIFEST_SECTION};
use serde::Serialize;
use std::collections::BTreeMap;

/// The most bytes of one object: 1 MiB is the API server's limit, with metadata.
const MAX_OBJECT_BYTES: usize = 900 << 10;
/// How many digits of its digest stand in the name of a content object.
const NAME_DIGITS: usize = 12;

/// All objects of one version.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Projection {
    /// Created first, all at once.
    pub content: Vec<ConfigMap>,
    /// Created when all content is there.
    pub addon: MiddlewareAddon,
}

/// The objects of `package`, which comes from where `origin` says, with content in `namespace`.
pub fn projection(package: &Package, origin: &SignedProvenance, namespace: &str) -> Projection {
    let mut content = Vec::new();
    let mut references = Vec::new();
    for (section, files) in package.tree.sections() {
        for part in parts(files) {
            let digest = section_digest(&part, section);
            let name = format!(
                "{}-{section}-{}",
                package.manifest.name,
                digest.short(NAME_DIGITS)
            );
            content.push(object(package, origin, namespace, section, &name, &part));
            references.push(ContentRef {
                section: section.to_owned(),
                kind: ContentKind::ConfigMap,
                name,
                digest: Some(digest),
            });
        }
    }
    Projection {
        content,
        addon: addon(package, origin, references),
    }
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

fn object(
    package: &Package,
    origin: &SignedProvenance,
    namespace: &str,
    section: &str,
    name: &str,
    files: &Files<'_>,
) -> ConfigMap {
    let mut labels = common_labels(package, origin);
    labels.insert(labels::SECTION.to_owned(), section.to_owned());
    if section == MANIFEST_SECTION {
        // The other sections are shared by versions that do not differ in them.
        let version = package.manifest.version.to_string();
        labels.insert(labels::VERSION.to_owned(), version);
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
            namespace: Some(namespace.to_owned()),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        immutable: Some(true),
        data: (!data.is_empty()).then_some(data),
        binary_data: (!binary.is_empty()).then_some(binary),
    }
}

fn addon(
    package: &Package,
    origin: &SignedProvenance,
    content: Vec<ContentRef>,
) -> MiddlewareAddon {
    let (plugin, version) = (&package.manifest.name, &package.manifest.version);
    let mut labels = common_labels(package, origin);
    labels.insert(labels::VERSION.to_owned(), version.to_string());
    let provenance = serde_json::to_string(origin).unwrap_or_default();
    let spec = MiddlewareAddonSpec {
        plugin: plugin.clone(),
        version: version.clone(),
        digest: Some(package.digest.clone()),
        content,
        lifecycle: None,
    };
    let mut addon = MiddlewareAddon::new(&format!("{plugin}-{version}"), spec);
    addon.metadata.labels = Some(labels);
    let annotation = (labels::PROVENANCE.to_owned(), provenance);
    addon.metadata.annotations = Some(BTreeMap::from([annotation]));
    // From the first moment, so that no version is ever pinned that could vanish.
    addon.metadata.finalizers = Some(vec![labels::ADDON_FINALIZER.to_owned()]);
    addon
}

fn common_labels(package: &Package, origin: &SignedProvenance) -> BTreeMap<String, String> {
    let plugin = package.manifest.name.to_string();
    [
        (labels::PLUGIN, plugin.clone()),
        (labels::SOURCE, origin.provenance.source.clone()),
        (labels::K8S_NAME, plugin),
        (labels::MANAGED_BY, labels::MANAGED_BY_PAAMESH.to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::provenance::Provenance;
    use package::Tree;

    const MANIFEST: &str = include_str!("../tests/golden/projection/addon.yaml");

    fn package(files: &[(&str, &[u8])]) -> Package {
        let manifest = [("addon.yaml", MANIFEST.as_bytes())];
        let files = manifest.iter().chain(files);
        let files = files.map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
        package::load(Tree::from_files(files).unwrap()).unwrap()
    }

    fn projected(files: &[(&str, &[u8])]) -> Projection {
        let package = package(files);
        let origin = crate::provenance::key_of_tests().sign(Provenance {
            plugin: package.manifest.name.clone(),
            version: package.manifest.version.clone(),
            digest: package.digest.clone(),
            source: "platform".to_owned(),
            url: "https://git.example.com/addons".to_owned(),
            revision: format!("main@sha1:{}", "0".repeat(40)),
            directory: "addons/redis".to_owned(),
            signer: None,
            images: Vec::new(),
        });
        projection(&package, &origin, "paamesh-system")
    }

    #[test]
    fn a_package_becomes_these_objects() {
        let projection = projected(&[
            ("README.md", b"# Redis\n"),
            ("icon.png", b"\x89PNG\xff"),
            ("scripts/probe.sh", b"#!/bin/sh\nexec true\n"),
            ("templates/redis.conf", b"port 6379\n"),
        ]);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../tests/golden/projection");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_yaml_snapshot!("projection", projection));
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

    #[test]
    fn versions_share_the_sections_in_which_they_do_not_differ() {
        let names = |projection: Projection| -> Vec<String> {
            let objects = projection.content.into_iter();
            objects
                .map(|object| object.metadata.name.unwrap())
                .collect()
        };
        let probe: (&str, &[u8]) = ("scripts/probe.sh", b"1");
        let first = names(projected(&[probe, ("templates/a", b"1")]));
        let second = names(projected(&[probe, ("templates/a", b"2")]));
        assert_eq!(first[..2], second[..2]);
        assert_ne!(first[2], second[2]);
    }
}
