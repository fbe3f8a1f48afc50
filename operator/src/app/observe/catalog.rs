//! The versions of an App's plugin, and the shape of the one that counts.

use super::ObserveError;
use crate::{
    content::ContentError,
    context::Context,
    policy::{self, Subject},
};
use api::{
    App, Digest, MiddlewareAddon, Range, Version,
    conditions::{DEPRECATED, READY},
    crd::{
        addon::{AddonPhase, Migration},
        app::Pin,
    },
    names::{ComponentName, PluginName, ProfileName, VolumeName},
};
use package::{
    Manifest, Package,
    manifest::{Orders, Topology},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A version of the plugin.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Known {
    /// The addon's version.
    pub version: Version,
    /// Where it stands.
    #[serde(default)]
    pub phase: Option<AddonPhase>,
    /// Whether it is being deleted.
    #[serde(default)]
    pub terminating: bool,
    /// The digest that it is published with.
    #[serde(default)]
    pub digest: Option<Digest>,
    /// The versions of the middleware that it runs, newest first.
    #[serde(default)]
    pub runtimes: Vec<Version>,
    /// The addon versions that may move to it.
    #[serde(default)]
    pub upgrade_from: Vec<Range>,
    /// The runtime versions that may move to one.
    #[serde(default)]
    pub migrate_from: Vec<Migration>,
    /// What its Ready condition says.
    #[serde(default)]
    pub message: String,
    /// Why nothing new may pin it, where it is withdrawn.
    #[serde(default)]
    pub withdrawn: Option<String>,
    /// Why it is better not used any more.
    #[serde(default)]
    pub deprecated: Option<String>,
}

/// What of a manifest an App can be wrong about, and in which order its components go.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    /// The arrangements.
    pub topologies: Vec<Topology>,
    /// The volumes of each component.
    #[serde(default)]
    pub volumes: BTreeMap<ComponentName, Vec<VolumeName>>,
    /// The components that take parameters.
    #[serde(default)]
    pub schemas: BTreeSet<ComponentName>,
    /// The profiles.
    #[serde(default)]
    pub profiles: Vec<ProfileName>,
    /// Which component goes before which.
    #[serde(default)]
    pub orders: Orders,
    /// The versions of Kubernetes that it runs on.
    #[serde(default)]
    pub kubernetes: Option<Range>,
}

pub(super) fn known(addon: &MiddlewareAddon) -> Known {
    let status = addon.status.as_ref();
    let said = |type_| {
        let mut conditions = status.into_iter().flat_map(|s| &s.conditions);
        let found = conditions.find(|c| c.type_ == type_);
        found.map(|c| c.message.clone())
    };
    let lifecycle = addon.spec.lifecycle.as_ref();
    Known {
        version: addon.spec.version.clone(),
        terminating: addon.metadata.deletion_timestamp.is_some(),
        message: said(READY).unwrap_or_default(),
        // A refusal waits for nobody; that support ended is what the addon controller says.
        withdrawn: lifecycle.and_then(|lifecycle| lifecycle.withdrawn.clone()),
        deprecated: said(DEPRECATED),
        phase: status.and_then(|s| s.phase),
        digest: status.and_then(|s| s.digest.clone()),
        runtimes: status
            .map(|s| s.runtime_versions.clone())
            .unwrap_or_default(),
        upgrade_from: status.map(|s| s.upgrade_from.clone()).unwrap_or_default(),
        migrate_from: status.map(|s| s.migrate_from.clone()).unwrap_or_default(),
    }
}

/// Why a policy refuses the version that the App asks for, where that is a new pin. What it runs by is
/// never asked about.
pub(super) async fn unverified(
    app: &App,
    present: Option<&Pin>,
    versions: &[Arc<MiddlewareAddon>],
    package: Option<&Package>,
    context: &Context,
) -> Result<Option<String>, ObserveError> {
    let wanted = &app.spec.plugin_version;
    let is_new = present.is_none_or(|pin| pin.plugin_version != *wanted);
    let addon = versions.iter().find(|addon| addon.spec.version == *wanted);
    let (Some(package), Some(addon), true) = (package, addon, is_new) else {
        return Ok(None);
    };
    let policies = context.policies.now().await?;
    if policies.is_empty() {
        return Ok(None);
    }
    let origin = context.keys.origin(addon, &package.digest).await?;
    let subject = Subject::new(&package.manifest, &package.digest, origin);
    Ok(policy::judge(&policies, &subject)
        .err()
        .map(|refusal| refusal.to_string()))
}

pub(super) fn plugins(known: &[Known], context: &Context) -> Vec<PluginName> {
    if known
        .iter()
        .any(|known| known.phase == Some(AddonPhase::Active))
    {
        return Vec::new();
    }
    let active = context.feeds.addons.store().state_filter(|addon| {
        addon
            .status
            .as_ref()
            .is_some_and(|status| status.phase == Some(AddonPhase::Active))
    });
    let mut plugins: Vec<_> = active
        .iter()
        .map(|addon| addon.spec.plugin.clone())
        .collect();
    plugins.sort();
    plugins.dedup();
    plugins
}

/// The package of the version that is asked for where it is Active, else of the present one; or why
/// it cannot be had.
pub(super) async fn package(
    app: &App,
    present: Option<&Pin>,
    versions: &[Arc<MiddlewareAddon>],
    context: &Context,
) -> Result<(Option<Arc<Package>>, Option<String>), ObserveError> {
    let find = |version: &Version| versions.iter().find(|addon| addon.spec.version == *version);
    let active = |addon: &&Arc<MiddlewareAddon>| {
        let status = addon
            .status
            .as_ref()
            .filter(|s| s.phase == Some(AddonPhase::Active));
        status.and_then(|status| status.digest.clone())
    };
    let wanted = find(&app.spec.plugin_version);
    let stays =
        present.filter(|pin| wanted.is_none() || pin.plugin_version == app.spec.plugin_version);
    let (digest, addon) = match stays {
        Some(pin) => (Some(pin.digest.clone()), find(&pin.plugin_version)),
        None => (wanted.as_ref().and_then(active), wanted),
    };
    let Some(digest) = digest else {
        return Ok((None, None));
    };
    let read = match (context.packages.held(&digest), addon) {
        (Some(package), _) => Ok(package),
        (None, Some(addon)) => context.packages.package(&addon.spec, &digest).await,
        (None, None) => {
            let gone = format!("MiddlewareAddon with digest {digest}");
            Err(ContentError::Missing {
                objects: vec![gone],
            })
        }
    };
    match read {
        Ok(package) => Ok((Some(package), None)),
        Err(error @ ContentError::Read { .. }) => Err(error.into()),
        Err(error) => Ok((None, Some(error.to_string()))),
    }
}

pub(super) fn shape_of(manifest: &Manifest) -> Shape {
    let components = || manifest.components.iter();
    let volumes = |component: &package::manifest::Component| {
        component
            .volumes
            .iter()
            .map(|volume| volume.name.clone())
            .collect()
    };
    Shape {
        topologies: manifest.topologies(),
        volumes: components().map(|(n, c)| (n.clone(), volumes(c))).collect(),
        schemas: components()
            .filter(|(_, component)| !component.schema.is_empty())
            .map(|(name, _)| name.clone())
            .collect(),
        profiles: manifest.profiles.iter().map(|p| p.name.clone()).collect(),
        orders: manifest.orders.clone(),
        kubernetes: manifest.kubernetes.clone(),
    }
}
