//! Configuration files of one instance: what templates may refer to, and the files that come out.
//!
//! In: a package, what an App adds to it, an evaluator. Out: file → text. Which pods get them is the
//! operator's matter.

use crate::{Evaluate, EvaluateError, Finding, Package, RenderRequest, manifest};
use api::{
    Version,
    crd::app::{AppComponent, Resources},
    names::{self, AppName, ComponentName, GroupName, PluginName, TopologyName, VolumeName},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What an App adds to its addon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The App's name.
    pub app: AppName,
    /// The App's namespace.
    pub namespace: String,
    /// The arrangement of components.
    pub topology: TopologyName,
    /// The version of the middleware.
    pub runtime: Version,
    /// What differs from the addon's defaults; a component of the topology that is absent here has
    /// the defaults.
    pub components: BTreeMap<ComponentName, AppComponent>,
}

/// What a template may refer to: `app.name`, `app.namespace`, `addon.name`, `addon.version`,
/// `runtime.version`, `topology`, `values.…`, `components.<name>.…` for every component of the
/// topology, and `component.…` for the one that the file belongs to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    app: AppContext,
    addon: AddonContext,
    runtime: RuntimeContext,
    topology: TopologyName,
    components: BTreeMap<ComponentName, ComponentContext>,
    values: serde_json::Map<String, serde_json::Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct AppContext {
    name: AppName,
    namespace: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct AddonContext {
    name: PluginName,
    version: Version,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct RuntimeContext {
    version: Version,
}

/// One component, as templates see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ComponentContext {
    /// The short name.
    name: ComponentName,
    /// `<app>-<component>`: also the Service of all ready members.
    full_name: String,
    /// `<app>-<component>-0`.
    group: String,
    /// How many members are wanted.
    replicas: u32,
    /// The DNS name of ordinal 0, relative to the namespace: `<Group>-0.<Group>-h`.
    leader: String,
    /// Port numbers by name.
    ports: BTreeMap<String, u16>,
    /// `requests` and `limits`, both maps that may lack any key.
    resources: ResourcesContext,
    /// `mountPath` and `size` by the volume's name.
    volumes: BTreeMap<VolumeName, VolumeContext>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ResourcesContext {
    requests: BTreeMap<String, String>,
    limits: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct VolumeContext {
    mount_path: String,
    size: String,
}

/// Nothing was rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The addon has no such topology.
    #[error("no topology `{topology}`; there are {}", crate::check::listed(.valid))]
    UnknownTopology {
        /// The one that was asked for.
        topology: TopologyName,
        /// The ones that there are.
        valid: Vec<TopologyName>,
    },
    /// The topology has no such component.
    #[error("the topology `{topology}` has no component `{component}`")]
    UnknownComponent {
        /// The topology.
        topology: TopologyName,
        /// The component that was asked for.
        component: ComponentName,
    },
    /// A template does not render.
    #[error("{0}")]
    Template(Finding),
    /// The evaluator gave no verdict; ask again later.
    #[error("the evaluator gave no verdict: {reason}")]
    NotJudged {
        /// Why.
        reason: String,
    },
}

impl Context {
    /// What the templates of `package` may refer to in `instance`.
    ///
    /// # Errors
    /// [`RenderError::UnknownTopology`], [`RenderError::UnknownComponent`].
    pub fn new(package: &Package, instance: &Instance) -> Result<Self, RenderError> {
        let manifest = &package.manifest;
        let topology =
            manifest
                .topology(&instance.topology)
                .ok_or_else(|| RenderError::UnknownTopology {
                    topology: instance.topology.clone(),
                    valid: manifest.topology_names(),
                })?;
        let mut components = BTreeMap::new();
        for (name, members) in &topology.components {
            let Some(component) = manifest.components.get(name) else {
                return Err(unknown_component(&instance.topology, name));
            };
            let context = component_context(instance, name, component, members);
            components.insert(name.clone(), context);
        }
        Ok(Self {
            app: AppContext {
                name: instance.app.clone(),
                namespace: instance.namespace.clone(),
            },
            addon: AddonContext {
                name: manifest.name.clone(),
                version: manifest.version.clone(),
            },
            runtime: RuntimeContext {
                version: instance.runtime.clone(),
            },
            topology: instance.topology.clone(),
            components,
            values: manifest.values.clone(),
        })
    }

    /// The object that a template of `component` sees; `None` where the topology has it not.
    pub(crate) fn of(&self, component: &ComponentName) -> Option<serde_json::Value> {
        let own = serde_json::to_value(self.components.get(component)?).ok()?;
        let mut all = serde_json::to_value(self).ok()?;
        all.as_object_mut()?.insert("component".to_owned(), own);
        Some(all)
    }
}

fn component_context(
    instance: &Instance,
    name: &ComponentName,
    component: &manifest::Component,
    members: &manifest::TopologyComponent,
) -> ComponentContext {
    let none = AppComponent::default();
    let settings = instance.components.get(name).unwrap_or(&none);
    let group = names::group(&instance.app, name, &GroupName::sole());
    ComponentContext {
        name: name.clone(),
        full_name: names::component(&instance.app, name),
        replicas: settings.replicas.unwrap_or_else(|| members.replicas()),
        leader: format!(
            "{}.{}",
            names::pod(&group, 0),
            names::headless_service(&group)
        ),
        ports: component
            .ports
            .iter()
            .map(|p| (p.name.clone(), p.port))
            .collect(),
        resources: resources_context(settings.resources.as_ref().or(component.resources.as_ref())),
        volumes: volumes_context(component, settings),
        group,
    }
}

fn resources_context(resources: Option<&Resources>) -> ResourcesContext {
    let Resources { requests, limits } = resources.cloned().unwrap_or_default();
    ResourcesContext { requests, limits }
}

fn volumes_context(
    component: &manifest::Component,
    settings: &AppComponent,
) -> BTreeMap<VolumeName, VolumeContext> {
    let context = |volume: &manifest::Volume| {
        let size = settings
            .storage
            .get(&volume.name)
            .and_then(|s| s.size.clone());
        let context = VolumeContext {
            mount_path: volume.mount_path.clone(),
            size: size.unwrap_or_else(|| volume.size.clone()),
        };
        (volume.name.clone(), context)
    };
    component.volumes.iter().map(context).collect()
}

/// The configuration files of `component`, by their names in `/middleware/config/`.
///
/// # Errors
/// The component is not in the context's topology, a template is at fault, or there is no verdict.
pub fn config_files(
    package: &Package,
    component: &ComponentName,
    context: &Context,
    evaluate: &dyn Evaluate,
) -> Result<BTreeMap<String, String>, RenderError> {
    let missing = || unknown_component(&context.topology, component);
    let declared = package
        .manifest
        .components
        .get(component)
        .ok_or_else(missing)?;
    let context = context.of(component).ok_or_else(missing)?;
    let templates = templates(package);
    let mut files = BTreeMap::new();
    for config in &declared.config {
        let request = RenderRequest {
            templates: &templates,
            template: &config.template,
            context: &context,
        };
        files.insert(config.file.clone(), evaluate.render(&request)?);
    }
    Ok(files)
}

/// Every template that is text, by name.
pub(crate) fn templates(package: &Package) -> BTreeMap<&str, &str> {
    let files = package.tree.files();
    files
        .filter_map(|(path, bytes)| {
            let name = path.strip_prefix(crate::tree::TEMPLATES_PREFIX)?;
            Some((name, std::str::from_utf8(bytes).ok()?))
        })
        .collect()
}

fn unknown_component(topology: &TopologyName, component: &ComponentName) -> RenderError {
    RenderError::UnknownComponent {
        topology: topology.clone(),
        component: component.clone(),
    }
}

impl From<EvaluateError> for RenderError {
    fn from(error: EvaluateError) -> Self {
        match error {
            EvaluateError::Refused(finding) => Self::Template(finding),
            EvaluateError::Unavailable { reason } => Self::NotJudged { reason },
        }
    }
}
