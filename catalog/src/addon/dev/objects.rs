//! The objects of a state: content in the platform's namespace, and the MiddlewareAddon that names it.
//! Pure. What equals content that is there already is that content: names say the bytes.

use super::saved::State;
use api::{
    MiddlewareAddon, MiddlewareAddonSpec,
    crd::addon::{ContentKind, ContentRef},
    labels, names,
    names::PluginName,
};
use k8s_openapi::{
    ByteString, api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use package::{section_digest, tree::MANIFEST_SECTION};
use std::collections::BTreeMap;

/// The most bytes of one object: 1 MiB is the API server's limit, with metadata.
const MAX_OBJECT_BYTES: usize = 900 << 10;

/// Whose states they are, as labels.
#[derive(Clone, Debug)]
pub(super) struct Owner<'a> {
    pub(super) plugin: &'a PluginName,
    pub(super) app: &'a str,
    pub(super) namespace: &'a str,
}

/// The objects of one state.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Objects {
    /// Created first.
    pub(super) content: Vec<ConfigMap>,
    /// Created when all content is there.
    pub(super) addon: MiddlewareAddon,
}

type Files<'a> = BTreeMap<&'a str, &'a [u8]>;

impl Owner<'_> {
    /// On every object of a session like this one.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let labels = [
            (labels::PLUGIN, self.plugin.as_str()),
            (labels::K8S_NAME, self.plugin.as_str()),
            (labels::MANAGED_BY, labels::manager::DEV),
            (labels::DEV_APP, self.app),
            (labels::DEV_NAMESPACE, self.namespace),
        ];
        labels
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    /// What selects them.
    pub(super) fn selector(&self) -> String {
        let labels = self.labels();
        let pairs: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        pairs.join(",")
    }
}

impl Objects {
    /// The objects of `state`, with content in the namespace `platform`.
    pub(super) fn of(state: &State, owner: &Owner<'_>, platform: &str) -> Self {
        let (mut content, mut references) = (Vec::new(), Vec::new());
        for (section, files) in state.tree.sections() {
            for part in parts(files) {
                let digest = section_digest(&part, section);
                let name = names::content(owner.plugin, section, &digest);
                content.push(object(state, owner, platform, section, &name, &part));
                references.push(ContentRef {
                    section: section.to_owned(),
                    kind: ContentKind::ConfigMap,
                    name,
                    digest: Some(digest),
                });
            }
        }
        let addon = addon(state, owner, references);
        Self { content, addon }
    }
}

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
    state: &State,
    owner: &Owner<'_>,
    platform: &str,
    section: &str,
    name: &str,
    files: &Files<'_>,
) -> ConfigMap {
    let mut labels = owner.labels();
    labels.insert(labels::SECTION.to_owned(), section.to_owned());
    if section == MANIFEST_SECTION {
        labels.insert(labels::VERSION.to_owned(), state.version.to_string());
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
            namespace: Some(platform.to_owned()),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        immutable: Some(true),
        data: (!data.is_empty()).then_some(data),
        binary_data: (!binary.is_empty()).then_some(binary),
    }
}

fn addon(state: &State, owner: &Owner<'_>, content: Vec<ContentRef>) -> MiddlewareAddon {
    let mut labels = owner.labels();
    labels.insert(labels::VERSION.to_owned(), state.version.to_string());
    let spec = MiddlewareAddonSpec {
        plugin: owner.plugin.clone(),
        version: state.version.clone(),
        digest: Some(state.tree.digest()),
        content,
        lifecycle: None,
    };
    let mut addon = MiddlewareAddon::new(&names::addon(owner.plugin, &state.version), spec);
    addon.metadata.labels = Some(labels);
    // From the first moment, so that no version is ever pinned that could vanish.
    addon.metadata.finalizers = Some(vec![labels::ADDON_FINALIZER.to_owned()]);
    addon
}
