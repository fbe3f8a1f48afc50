//! The objects of a state: content in the platform's namespace, and the MiddlewareAddon that names it.
//! Pure. What equals content that is there already is that content: names say the bytes.

use super::saved::State;
use api::{
    MiddlewareAddon, MiddlewareAddonSpec, crd::addon::ContentRef, labels, names, names::PluginName,
};
use k8s_openapi::api::core::v1::ConfigMap;
use std::collections::BTreeMap;

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
        let whose = package::content::Owner {
            plugin: owner.plugin,
            version: &state.version,
            namespace: platform,
            labels: owner.labels(),
        };
        let (content, references) = package::content::objects(&state.tree, &whose);
        let addon = addon(state, owner, references);
        Self { content, addon }
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
