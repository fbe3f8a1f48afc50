//! A checked package becomes objects (design.md, section 3): content ConfigMaps, one or more for each
//! section, and the MiddlewareAddon that names them. Pure.

use api::{
    MiddlewareAddon, MiddlewareAddonSpec, crd::addon::ContentRef, labels, names,
    provenance::SignedProvenance,
};
use k8s_openapi::api::core::v1::ConfigMap;
use package::{Package, content::Owner};
use serde::Serialize;
use std::collections::BTreeMap;

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
    let owner = Owner {
        plugin: &package.manifest.name,
        version: &package.manifest.version,
        namespace,
        labels: common_labels(package, origin),
    };
    let (content, references) = package::content::objects(&package.tree, &owner);
    Projection {
        content,
        addon: addon(package, origin, references),
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
    let mut addon = MiddlewareAddon::new(&names::addon(plugin, version), spec);
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
