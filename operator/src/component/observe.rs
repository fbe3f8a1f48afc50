//! What there is: the Component and its Group, what its children are made from, and, where that is
//! not what they were made from, what the pinned version makes of it now.

mod settled;

use super::{
    build,
    inputs::{self, AllSettings},
    kinds,
    render::{self, RenderFailed, Rendered},
};
use crate::{
    children::is_owned,
    content::ContentError,
    context::Context,
    error::{self, Consequence},
};
use api::{
    Component, ComponentSpec, Group,
    crd::app::AppComponent,
    labels,
    names::{self, GroupName},
};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::{Api, ResourceExt as _, api::ListParams};
use package::{Package, defaults::in_force, manifest::ObjectKind};
use serde::{Deserialize, Serialize};
use settled::is_settled;
use std::{collections::BTreeSet, fmt::Debug, sync::Arc};

/// All that [`super::plan::plan`] decides by.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The Component.
    pub component: Component,
    /// Its Group.
    #[serde(default)]
    pub group: Option<Group>,
    /// Whether the App is suspended.
    #[serde(default)]
    pub suspended: bool,
    /// The hash of what the children are to be made from.
    pub inputs: String,
    /// What the pinned version makes of it.
    pub rendering: Rendering,
    /// `<Component>-content` as it is.
    #[serde(default)]
    pub content: Option<ConfigMap>,
    /// `<Component>-config` as it is.
    #[serde(default)]
    pub config: Option<ConfigMap>,
    /// The revisions of both that pods were made with or run.
    #[serde(default)]
    pub in_use: BTreeSet<String>,
    /// The Services of the Component.
    #[serde(default)]
    pub services: Vec<String>,
    /// The kinds of its own objects that the cluster does not know.
    #[serde(default)]
    pub unknown: BTreeSet<ObjectKind>,
}

/// What the pinned version makes of a Component.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rendering {
    /// Nothing changed: nothing was rendered.
    Settled,
    /// Other Components of the App are not of this pin yet.
    Waiting(String),
    /// The content cannot be read.
    Unavailable(String),
    /// A template does not render with these settings.
    Failed(String),
    /// This.
    Done(Box<Rendered>),
}

/// What there is could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// Content could not be read.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A ConfigMap or the pods could not be read.
    #[error("reading the children failed: {0}")]
    Children(#[source] Box<kube::Error>),
}

impl ObserveError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Content(error) => error.consequence(),
            Self::Children(error) => error::of_kube(error),
        }
    }
}

/// Observes `component`: from the caches alone where nothing changed.
///
/// # Errors
/// Something could not be read.
pub async fn observe(component: &Component, context: &Context) -> Result<Observed, ObserveError> {
    let spec = &component.spec;
    let namespace = component.namespace();
    let group_name = names::group(&spec.app, &spec.component, &GroupName::sole());
    let uid = component.uid().unwrap_or_default();
    let group = context.feeds.groups.get(&group_name, namespace.as_deref());
    let group = group.filter(|group| is_owned(&group.metadata, &uid));
    let services = context
        .feeds
        .services
        .store()
        .state_filter(|s| is_owned(&s.metadata, &uid));
    let mut observed = Observed {
        inputs: inputs::all(component, &settings(component, None, context)),
        component: component.clone(),
        group: group.as_deref().cloned(),
        suspended: is_suspended(component, context),
        rendering: Rendering::Settled,
        content: None,
        config: None,
        in_use: BTreeSet::new(),
        services: services.iter().map(|service| service.name_any()).collect(),
        unknown: BTreeSet::new(),
    };
    let leaves = component.metadata.deletion_timestamp.is_some();
    if leaves || spec.hold || is_settled(&observed, &services, context) {
        return Ok(observed);
    }
    let package = match package(component, context).await {
        Ok(package) => package,
        Err(error @ ContentError::Read { .. }) => return Err(error.into()),
        Err(error) => {
            observed.rendering = Rendering::Unavailable(error.to_string());
            return Ok(observed);
        }
    };
    if let Some(missing) = missing_siblings(component, &package, context) {
        observed.rendering = Rendering::Waiting(missing);
        return Ok(observed);
    }
    let settings = settings(component, Some(&package), context);
    observed.inputs = inputs::all(component, &settings);
    let before = default_before(spec, observed.group.as_ref(), &package);
    let (rendered, held) = futures::join!(
        render::render(component, package, settings, before, context),
        held(component, context)
    );
    observed.rendering = match rendered {
        Ok(rendered) => {
            observed.unknown = unknown(&rendered.objects, context).await?;
            Rendering::Done(Box::new(rendered))
        }
        Err(RenderFailed::Refused(message)) => Rendering::Failed(message),
        Err(RenderFailed::NotJudged(message)) => Rendering::Unavailable(message),
    };
    (observed.content, observed.config, observed.in_use) = held?;
    Ok(observed)
}

fn is_suspended(component: &Component, context: &Context) -> bool {
    let app = component.spec.app.as_str();
    let app = context
        .feeds
        .apps
        .get(app, component.namespace().as_deref());
    app.is_some_and(|app| {
        is_owned(&component.metadata, &app.uid().unwrap_or_default())
            && app.spec.suspend
            && app.metadata.deletion_timestamp.is_none()
    })
}

/// The package of the pin: from the cache, or by the MiddlewareAddon.
async fn package(component: &Component, context: &Context) -> Result<Arc<Package>, ContentError> {
    let pin = &component.spec.pin;
    if let Some(package) = context.packages.held(&pin.digest) {
        return Ok(package);
    }
    let name = names::addon(&component.spec.plugin, &pin.plugin_version);
    match context.feeds.addons.get(&name, None) {
        Some(addon) => context.packages.package(&addon.spec, &pin.digest).await,
        None => Err(ContentError::Missing {
            objects: vec![format!("MiddlewareAddon `{name}`")],
        }),
    }
}

/// The kinds of `objects` that the cluster does not know.
async fn unknown(
    objects: &[render::Object],
    context: &Context,
) -> Result<BTreeSet<ObjectKind>, ObserveError> {
    let mut unknown = BTreeSet::new();
    for kind in objects.iter().map(|object| object.kind) {
        let resource = kinds::resource(kind);
        let known = !kinds::is_extra(kind)
            || context
                .cluster
                .knows(&resource.api_version, &resource.kind)
                .await
                .map_err(ObserveError::Children)?;
        if !known {
            unknown.insert(kind);
        }
    }
    Ok(unknown)
}

/// The number of members that is the default in the profile of the Group, where the App has chosen
/// another one meanwhile.
fn default_before(spec: &ComponentSpec, group: Option<&Group>, package: &Package) -> Option<u32> {
    let before = group?.annotations().get(labels::PROFILE);
    let before: Option<names::ProfileName> = before.and_then(|profile| profile.parse().ok());
    if before == spec.profile {
        return None;
    }
    default_replicas(spec, before.as_ref(), package)
}

fn default_replicas(
    spec: &ComponentSpec,
    profile: Option<&names::ProfileName>,
    package: &Package,
) -> Option<u32> {
    let (topology, none) = (&spec.pin.topology, AppComponent::default());
    in_force(&package.manifest, topology, profile, &spec.component, &none).replicas
}

/// The Components of the App that are not there, or not of the same pin yet.
fn missing_siblings(component: &Component, package: &Package, context: &Context) -> Option<String> {
    let spec = &component.spec;
    let topology = package.manifest.topology(&spec.pin.topology)?;
    let there = |name: &names::ComponentName| {
        let full = names::component(&spec.app, name);
        let sibling = context
            .feeds
            .components
            .get(&full, component.namespace().as_deref());
        sibling.is_some_and(|sibling| sibling.spec.pin == spec.pin)
    };
    let components = topology.components.iter();
    let missing: Vec<String> = components
        .filter(|(name, members)| !members.optional || spec.optional.contains(name))
        .map(|(name, _)| name)
        .filter(|name| **name != spec.component && !there(name))
        .map(ToString::to_string)
        .collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

/// What is set for every Component of the App, with the number of members in force: as set, else as
/// its Group has it, else the default.
fn settings(component: &Component, package: Option<&Package>, context: &Context) -> AllSettings {
    let spec = &component.spec;
    let namespace = component.namespace();
    let all = context.feeds.components.store().state_filter(|other| {
        other.namespace() == namespace
            && other.spec.app == spec.app
            && other.spec.component != spec.component
            && other.metadata.deletion_timestamp.is_none()
    });
    let all = all.iter().map(|other| &other.spec).chain([spec]);
    all.map(|other| {
        let group = names::group(&other.app, &other.component, &GroupName::sole());
        let group = context.feeds.groups.get(&group, namespace.as_deref());
        let settings = with_replicas(other, group.as_deref(), package);
        (other.component.clone(), settings)
    })
    .collect()
}

fn with_replicas(
    spec: &ComponentSpec,
    group: Option<&Group>,
    package: Option<&Package>,
) -> AppComponent {
    let (set, live) = (
        spec.settings.replicas,
        group.map(|group| group.spec.replicas),
    );
    let replicas = match package {
        None => set.or(live),
        Some(package) => {
            let default = default_replicas(spec, spec.profile.as_ref(), package);
            let before = default_before(spec, group, package);
            Some(build::group::replicas(set, live, default, before))
        }
    };
    AppComponent {
        replicas,
        ..spec.settings.clone()
    }
}

type Held = (Option<ConfigMap>, Option<ConfigMap>, BTreeSet<String>);

/// The ConfigMaps of the Component as they are, and which revisions its pods use.
async fn held(component: &Component, context: &Context) -> Result<Held, ObserveError> {
    let (name, namespace) = (
        component.name_any(),
        component.namespace().unwrap_or_default(),
    );
    let maps = Api::<ConfigMap>::namespaced(context.client.clone(), &namespace);
    let pods = Api::<Pod>::namespaced(context.client.clone(), &namespace);
    let ours = ListParams::default().labels(&format!(
        "{}={},{}={}",
        labels::APP,
        component.spec.app,
        labels::COMPONENT,
        component.spec.component
    ));
    let (content_name, config_name) = (
        names::content_config_map(&name),
        names::config_config_map(&name),
    );
    let (content, config, pods) = futures::try_join!(
        maps.get_opt(&content_name),
        maps.get_opt(&config_name),
        pods.list_metadata(&ours)
    )
    .map_err(|error| ObserveError::Children(Box::new(error)))?;
    let annotations = [labels::CONTENT_REVISION, labels::CONFIG_REVISION];
    let in_use = pods.items.iter().flat_map(|pod| {
        annotations
            .iter()
            .filter_map(|name| pod.annotations().get(*name).cloned())
    });
    Ok((content, config, in_use.collect()))
}
