//! The catalog from lists of the API server: every version, and the Apps that may be seen.

use super::{AddonVersion, Catalog, Origin, Plugin, Reach, Trouble, User, Users};
use crate::cluster::{Cluster, ClusterError, Hidden};
use api::{
    App, MiddlewareAddon, MiddlewareAddonStatus, Version,
    conditions::{Condition, READY},
    crd::addon::AddonPhase,
    labels,
    names::PluginName,
};
use kube::{Api, ResourceExt as _, api::ListParams};
use std::collections::BTreeMap;

/// The Apps that use a version, by plugin and version.
type ByPin = BTreeMap<(PluginName, Version), Vec<User>>;

/// The catalog, or what of it is of one plugin.
///
/// # Errors
/// The versions may not be seen, or the cluster does not answer.
pub(crate) async fn load(
    cluster: &Cluster,
    plugin: Option<&PluginName>,
) -> Result<Catalog, ClusterError> {
    let (addons, apps) = futures::join!(addons(cluster, plugin), apps(cluster));
    Ok(catalog(addons?, apps?))
}

/// The catalog, as far as one source brought it.
///
/// # Errors
/// As [`load`].
pub(crate) async fn load_source(cluster: &Cluster, source: &str) -> Result<Catalog, ClusterError> {
    let brought = ListParams::default().labels(&format!("{}={source}", labels::SOURCE));
    let api = Api::all(cluster.client.clone());
    let (addons, apps) = futures::join!(cluster.list(&api, brought), apps(cluster));
    Ok(catalog(addons?, apps?))
}

/// The catalog of these lists.
pub(crate) fn catalog(
    addons: Vec<MiddlewareAddon>,
    (apps, users_of): (Vec<App>, Reach),
) -> Catalog {
    let mut users = by_pin(apps);
    let mut plugins = BTreeMap::<PluginName, Vec<AddonVersion>>::new();
    for addon in addons {
        let version = version(addon, &mut users);
        plugins
            .entry(version.plugin.clone())
            .or_default()
            .push(version);
    }
    let plugins = plugins.into_iter().map(|(plugin, mut versions)| {
        versions.sort_by(|a, b| b.version.cmp(&a.version));
        Plugin { plugin, versions }
    });
    Catalog {
        plugins: plugins.collect(),
        users_of,
    }
}

async fn addons(
    cluster: &Cluster,
    plugin: Option<&PluginName>,
) -> Result<Vec<MiddlewareAddon>, ClusterError> {
    let api = Api::all(cluster.client.clone());
    let Some(plugin) = plugin else {
        return cluster.list(&api, ListParams::default()).await;
    };
    let of_plugin = ListParams::default().fields(&format!("spec.plugin={plugin}"));
    match cluster.list(&api, of_plugin).await {
        // Before Kubernetes 1.31 the fields of custom resources select nothing.
        Err(ClusterError::Refused { status }) if status.code == 400 => {
            let mut all = cluster.list(&api, ListParams::default()).await?;
            all.retain(|addon| addon.spec.plugin == *plugin);
            Ok(all)
        }
        listed => listed,
    }
}

/// The Apps of all namespaces; where that is not allowed, those of the context's namespace.
async fn apps(cluster: &Cluster) -> Result<(Vec<App>, Reach), ClusterError> {
    if let Some(only) = &cluster.only {
        let reach = Reach::Namespace {
            namespace: only.clone(),
            hidden: None,
        };
        return seen(apps_of(cluster, only).await, reach);
    }
    let everywhere = Api::<App>::all(cluster.client.clone());
    let everywhere = cluster.list(&everywhere, ListParams::default()).await;
    let Some(hidden) = everywhere.as_ref().err().and_then(ClusterError::hidden) else {
        return Ok((everywhere?, Reach::Everywhere));
    };
    let reach = Reach::Namespace {
        namespace: cluster.namespace.clone(),
        hidden: Some(hidden.clone()),
    };
    seen(apps_of(cluster, &cluster.namespace).await, reach)
}

async fn apps_of(cluster: &Cluster, namespace: &str) -> Result<Vec<App>, ClusterError> {
    let api = Api::namespaced(cluster.client.clone(), namespace);
    cluster.list(&api, ListParams::default()).await
}

fn seen(
    listed: Result<Vec<App>, ClusterError>,
    reach: Reach,
) -> Result<(Vec<App>, Reach), ClusterError> {
    match listed {
        Ok(apps) => Ok((apps, reach)),
        Err(error) => match error.hidden() {
            Some(hidden) => Ok((Vec::new(), nowhere(reach, hidden))),
            None => Err(error),
        },
    }
}

/// Nothing is seen; the right that would show most goes before the one that would show a part.
fn nowhere(reach: Reach, hidden: &Hidden) -> Reach {
    match reach {
        Reach::Namespace {
            hidden: Some(all), ..
        } => Reach::Nowhere(all),
        _ => Reach::Nowhere(hidden.clone()),
    }
}

fn by_pin(apps: Vec<App>) -> ByPin {
    let mut users = ByPin::new();
    for app in apps {
        let (namespace, name) = (app.namespace().unwrap_or_default(), app.name_any());
        let status = app.status.unwrap_or_default();
        let Some(pin) = status.pin else { continue };
        let user = User {
            namespace,
            name,
            runtime: pin.runtime_version,
            topology: pin.topology,
            phase: status.phase,
        };
        let of = (app.spec.plugin, pin.plugin_version);
        users.entry(of).or_default().push(user);
    }
    for users in users.values_mut() {
        users.sort_by_key(ToString::to_string);
    }
    users
}

/// The version that `addon` is; its users are taken out of `users`.
fn version(addon: MiddlewareAddon, users: &mut ByPin) -> AddonVersion {
    let origin = Origin::of(&addon);
    let deleting = addon.metadata.deletion_timestamp.is_some();
    let status = addon.status.unwrap_or_default();
    let of = (addon.spec.plugin, addon.spec.version);
    let users = Users {
        count: status.users.and_then(|count| count.try_into().ok()),
        apps: users.remove(&of).unwrap_or_default(),
    };
    let (plugin, version) = of;
    let migrations = status.migrate_from.iter();
    AddonVersion {
        plugin,
        version,
        phase: status.phase.unwrap_or(AddonPhase::Pending),
        trouble: trouble(&status),
        deleting,
        lifecycle: addon.spec.lifecycle.unwrap_or_default(),
        digest: status.digest.or(addon.spec.digest),
        signer: status.signer,
        origin,
        migrate_from: migrations
            .map(|m| (m.runtime.clone(), m.from.clone()))
            .collect(),
        runtimes: status.runtime_versions,
        topologies: status.topologies,
        upgrade_from: status.upgrade_from,
        users,
        created: addon.metadata.creation_timestamp,
        content: addon.spec.content,
    }
}

/// What stands in the way of being ready.
fn trouble(status: &MiddlewareAddonStatus) -> Option<Trouble> {
    let is_ready = |c: &&Condition| c.type_ == READY;
    let ready = status.conditions.iter().find(is_ready)?;
    (ready.status != "True").then(|| Trouble {
        reason: ready.reason.clone(),
        message: ready.message.clone(),
    })
}
