//! Names that are not in the catalog, and what may have been meant.

use super::model::{self, Catalog, Plugin};
use crate::{
    cluster::{Cluster, ClusterError},
    suggest,
};
use api::{Version, names::PluginName};

/// Nothing of that name is in the catalog.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotInCatalog(String);

/// The catalog of `name` alone, which has it.
///
/// # Errors
/// There is no such plugin, or the cluster does not say.
pub(crate) async fn one(cluster: &Cluster, name: &PluginName) -> anyhow::Result<Catalog> {
    let catalog = model::load(cluster, Some(name)).await?;
    match catalog.plugins.is_empty() {
        true => Err(missing_plugin(cluster, name).await?.into()),
        false => Ok(catalog),
    }
}

/// That there is no plugin `name`, and what there is.
///
/// # Errors
/// The cluster does not say.
pub(crate) async fn missing_plugin(
    cluster: &Cluster,
    name: &PluginName,
) -> Result<NotInCatalog, ClusterError> {
    let catalog = model::load(cluster, None).await?;
    let names: Vec<&str> = catalog.plugins.iter().map(|p| p.plugin.as_str()).collect();
    let instead = suggest::instead(name.as_str(), &names);
    let how = match names.is_empty() {
        true => "`kubectl middleware source add` brings addons into the catalog",
        false => "`kubectl middleware catalog list` shows them",
    };
    let said = format!("there is no plugin `{name}` in the catalog{instead}");
    Ok(NotInCatalog(suggest::and_then(&said, how)))
}

/// That `plugin` has no `version`, and what it has.
pub(crate) fn missing_version(plugin: &Plugin, version: &Version) -> NotInCatalog {
    let there: Vec<String> = plugin
        .versions
        .iter()
        .map(|v| v.version.to_string())
        .collect();
    let there: Vec<&str> = there.iter().map(String::as_str).collect();
    let instead = suggest::there_are(&there);
    NotInCatalog(format!(
        "{} has no version {version} in the catalog{instead}",
        plugin.plugin
    ))
}
