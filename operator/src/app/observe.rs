//! What there is: what the App asks for and has, the versions of its plugin, the shape of the version
//! that it is to run by, and what its children say.

use crate::{
    children::is_owned,
    content::ContentError,
    context::Context,
    error::{self, Consequence},
};
use api::{
    App, AppSpec, AppStatus, Component, ComponentSpec, ComponentStatus, Digest, Group,
    MiddlewareAddon, Range, Version,
    conditions::READY,
    crd::{
        addon::{AddonPhase, Migration},
        app::{DeletionPolicy, Pin},
        group::Member,
    },
    labels,
    names::{AppName, ComponentName, InvalidName, PluginName, VolumeName},
};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::{Api, ResourceExt as _, api::ListParams};
use package::{Manifest, manifest::Topology};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// All that [`super::plan::plan`] decides by.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The App's name.
    pub name: AppName,
    /// Its namespace.
    pub namespace: String,
    /// What it asks for.
    pub spec: AppSpec,
    /// The generation of the spec.
    #[serde(default)]
    pub generation: Option<i64>,
    /// Whether deletion was asked for.
    #[serde(default)]
    pub deleting: bool,
    /// Whether our finalizer is on it.
    #[serde(default)]
    pub held: bool,
    /// What was said last.
    #[serde(default)]
    pub status: AppStatus,
    /// What it is bound to: as the status has it, or its children where the status was lost.
    #[serde(default)]
    pub present: Option<Pin>,
    /// Every plugin with an Active version; empty where the App's plugin has one.
    #[serde(default)]
    pub plugins: Vec<PluginName>,
    /// The versions of the plugin, newest first.
    #[serde(default)]
    pub versions: Vec<Known>,
    /// The shape of the version that is asked for, or of the present one where that is none.
    #[serde(default)]
    pub shape: Option<Shape>,
    /// Why there is no shape though there is such a version.
    #[serde(default)]
    pub unavailable: Option<String>,
    /// The Components of the App.
    #[serde(default)]
    pub components: Vec<Child>,
    /// The Groups of the App.
    #[serde(default)]
    pub groups: Vec<Nodes>,
    /// What is left of it; read only where its volumes go with it.
    #[serde(default)]
    pub remains: Option<Remains>,
}

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
}

/// What of a manifest an App can be wrong about.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    /// The arrangements.
    pub topologies: Vec<Topology>,
    /// The volumes of each component.
    #[serde(default)]
    pub volumes: BTreeMap<ComponentName, Vec<VolumeName>>,
}

/// A Component of the App.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Child {
    /// The name of the object.
    pub name: String,
    /// What it is to be.
    pub spec: ComponentSpec,
    /// What it is.
    #[serde(default)]
    pub status: ComponentStatus,
    /// The generation of the spec.
    #[serde(default)]
    pub generation: Option<i64>,
}

/// A Group of the App.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nodes {
    /// The name of the object.
    pub name: String,
    /// The component that it belongs to.
    pub component: ComponentName,
    /// How many members it is to have.
    pub replicas: u32,
    /// The ordinals that are not used.
    #[serde(default)]
    pub reserved: Vec<u32>,
    /// The revision of the configuration files.
    pub config_revision: String,
    /// Its members.
    #[serde(default)]
    pub members: Vec<Member>,
}

/// What is left of an App that is deleted with its volumes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remains {
    /// Its pods.
    #[serde(default)]
    pub pods: usize,
    /// Its volume claims.
    #[serde(default)]
    pub claims: Vec<Claim>,
}

/// A volume claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Its uid: another claim of the name is not meant.
    pub uid: String,
}

/// What there is could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The name is none of an App; the API server refuses such.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The API server could not be asked for content.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// Pods and claims could not be listed.
    #[error("listing pods and volume claims failed: {0}")]
    Remains(#[source] Box<kube::Error>),
}

impl ObserveError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Name(_) => Consequence::Terminal,
            Self::Content(error) => error.consequence(),
            Self::Remains(error) => error::of_kube(error),
        }
    }
}

/// Observes `app`, from the caches but for content that was not read yet, and for pods and claims of
/// an App that is deleted.
///
/// # Errors
/// Something could not be read.
pub async fn observe(app: &App, context: &Context) -> Result<Observed, ObserveError> {
    let (components, groups) = children(app, context);
    let status = app.status.clone().unwrap_or_default();
    let present = status.pin.clone().or_else(|| rebuilt(&components, &groups));
    let addons = context.feeds.addons.store();
    let versions = addons.state_filter(|addon| addon.spec.plugin == app.spec.plugin);
    let deleting = app.metadata.deletion_timestamp.is_some();
    let held = app.finalizers().iter().any(|f| f == labels::APP_FINALIZER);
    let protected = app.spec.deletion_policy == DeletionPolicy::Protected;
    let (shape, unavailable) = shape(app, present.as_ref(), &versions, context).await?;
    let mut known: Vec<Known> = versions.iter().map(|addon| known(addon)).collect();
    known.sort_by(|a, b| b.version.cmp(&a.version));
    Ok(Observed {
        name: app.name_any().parse()?,
        namespace: app.namespace().unwrap_or_default(),
        generation: app.metadata.generation,
        held,
        plugins: plugins(&known, context),
        versions: known,
        components: components
            .iter()
            .map(|component| child(component))
            .collect(),
        groups: groups.iter().map(|group| nodes(group)).collect(),
        remains: match deleting && held && !protected {
            true => Some(remains(app, context).await?),
            false => None,
        },
        spec: app.spec.clone(),
        deleting,
        status,
        present,
        shape,
        unavailable,
    })
}

fn children(app: &App, context: &Context) -> (Vec<Arc<Component>>, Vec<Arc<Group>>) {
    let uid = app.uid().unwrap_or_default();
    let (namespace, name) = (app.namespace(), app.name_any());
    let mut components = context
        .feeds
        .components
        .store()
        .state_filter(|c| is_owned(&c.metadata, &uid));
    let ours = |group: &Group| {
        group.namespace() == namespace
            && group.spec.app.as_str() == name
            && components
                .iter()
                .any(|c| is_owned(&group.metadata, &c.uid().unwrap_or_default()))
    };
    let mut groups = context.feeds.groups.store().state_filter(ours);
    components.sort_by_key(|component| component.name_any());
    groups.sort_by_key(|group| group.name_any());
    (components, groups)
}

/// The pin that a lost status had: what the pods were made by, or were to be.
fn rebuilt(components: &[Arc<Component>], groups: &[Arc<Group>]) -> Option<Pin> {
    let by_component = components.iter().map(|component| &component.spec.pin);
    let by_group = groups.iter().map(|group| &group.spec.pin);
    by_component.chain(by_group).next().cloned()
}

fn known(addon: &MiddlewareAddon) -> Known {
    let status = addon.status.clone().unwrap_or_default();
    let ready = status.conditions.iter().find(|c| c.type_ == READY);
    Known {
        version: addon.spec.version.clone(),
        terminating: addon.metadata.deletion_timestamp.is_some(),
        message: ready.map(|c| c.message.clone()).unwrap_or_default(),
        phase: status.phase,
        digest: status.digest,
        runtimes: status.runtime_versions,
        upgrade_from: status.upgrade_from,
        migrate_from: status.migrate_from,
    }
}

fn plugins(known: &[Known], context: &Context) -> Vec<PluginName> {
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

/// The shape of the version that is asked for where it is Active, else of the present one.
async fn shape(
    app: &App,
    present: Option<&Pin>,
    versions: &[Arc<MiddlewareAddon>],
    context: &Context,
) -> Result<(Option<Shape>, Option<String>), ObserveError> {
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
        Ok(package) => Ok((Some(shape_of(&package.manifest)), None)),
        Err(error @ ContentError::Read { .. }) => Err(error.into()),
        Err(error) => Ok((None, Some(error.to_string()))),
    }
}

fn shape_of(manifest: &Manifest) -> Shape {
    let volumes = |component: &package::manifest::Component| {
        component
            .volumes
            .iter()
            .map(|volume| volume.name.clone())
            .collect()
    };
    Shape {
        topologies: manifest.topologies(),
        volumes: manifest
            .components
            .iter()
            .map(|(n, c)| (n.clone(), volumes(c)))
            .collect(),
    }
}

fn child(component: &Component) -> Child {
    Child {
        name: component.name_any(),
        spec: component.spec.clone(),
        status: component.status.clone().unwrap_or_default(),
        generation: component.metadata.generation,
    }
}

fn nodes(group: &Group) -> Nodes {
    Nodes {
        name: group.name_any(),
        component: group.spec.component.clone(),
        replicas: group.spec.replicas,
        reserved: group.spec.reserved_ordinals.clone(),
        config_revision: group.spec.config_revision.clone(),
        members: group
            .status
            .as_ref()
            .map(|s| s.members.clone())
            .unwrap_or_default(),
    }
}

async fn remains(app: &App, context: &Context) -> Result<Remains, ObserveError> {
    let namespace = app.namespace().unwrap_or_default();
    let ours = ListParams::default().labels(&format!(
        "{}={},{}={}",
        labels::MANAGED_BY,
        labels::MANAGED_BY_PAAMESH,
        labels::APP,
        app.name_any()
    ));
    let pods = Api::<Pod>::namespaced(context.client.clone(), &namespace);
    let claims = Api::<PersistentVolumeClaim>::namespaced(context.client.clone(), &namespace);
    let (pods, claims) = futures::try_join!(pods.list_metadata(&ours), claims.list_metadata(&ours))
        .map_err(|error| ObserveError::Remains(Box::new(error)))?;
    let claims = claims.items.into_iter().filter_map(|claim| {
        Some(Claim {
            name: claim.metadata.name?,
            uid: claim.metadata.uid?,
        })
    });
    Ok(Remains {
        pods: pods.items.len(),
        claims: claims.collect(),
    })
}
