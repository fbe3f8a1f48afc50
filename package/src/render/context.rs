//! What templates may refer to.

use super::{Instance, RenderError, unknown_component};
use crate::{Evaluate, Package, Parameters, defaults, manifest, parameters};
use api::{
    Version, agent,
    crd::app::{AppComponent, Resources},
    names::{
        self, AppName, ComponentName, CredentialName, GroupName, PluginName, ProfileName,
        TopologyName, VolumeName,
    },
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a template may refer to; all of it is always there, unless it says otherwise.
///
/// | name | what it is |
/// | --- | --- |
/// | `app.name`, `app.namespace` | the App |
/// | `addon.name`, `addon.version` | the addon |
/// | `runtime.version` | the version of the middleware, as text |
/// | `runtime.major`, `runtime.minor`, `runtime.patch` | the same as numbers |
/// | `topology` | the name of the arrangement |
/// | `profile` | the name of the profile; nothing where the App chose none |
/// | `values.<key>` | the addon's values, changed by profile and runtime version |
/// | `components.<name>` | every component that runs: an optional one only where it is enabled |
/// | `component` | the component that the file belongs to |
///
/// A component has these:
///
/// | name | what it is |
/// | --- | --- |
/// | `name` | its short name |
/// | `fullName` | `<app>-<component>`: also the Service of all ready members |
/// | `group` | `<app>-<component>-0`: its pods are `<group>-<ordinal>` |
/// | `leader` | the DNS name of ordinal 0, relative to the namespace |
/// | `replicas` | how many members are wanted |
/// | `image` | the image of the runtime version |
/// | `ports.<name>` | port numbers |
/// | `resources.requests`, `resources.limits` | quantities by name; either may lack any |
/// | `volumes.<name>.mountPath`, `.size` | the volumes |
/// | `parameters.<name>` | the parameters in force by the schema; one with neither value nor default is absent |
/// | `credentials.<name>.username` | the user |
/// | `credentials.<name>.usernameFile`, `.passwordFile` | where the middleware finds both |
/// | `credentials.<name>.secret`, `.usernameKey`, `.passwordKey` | where Kubernetes does, for objects |
///
/// No template ever sees a password.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    app: AppContext,
    addon: AddonContext,
    runtime: RuntimeContext,
    topology: TopologyName,
    profile: Option<ProfileName>,
    components: BTreeMap<ComponentName, ComponentContext>,
    values: Map<String, Value>,
    /// What the schema said, by component.
    #[serde(skip)]
    parameters: BTreeMap<ComponentName, Parameters>,
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
    major: u64,
    minor: u64,
    patch: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ComponentContext {
    name: ComponentName,
    full_name: String,
    group: String,
    replicas: u32,
    leader: String,
    image: String,
    ports: BTreeMap<String, u16>,
    resources: Resourced,
    volumes: BTreeMap<VolumeName, VolumeContext>,
    parameters: Map<String, Value>,
    credentials: BTreeMap<CredentialName, CredentialContext>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Resourced {
    requests: BTreeMap<String, String>,
    limits: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct VolumeContext {
    mount_path: String,
    size: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct CredentialContext {
    username: String,
    username_file: String,
    password_file: String,
    secret: String,
    username_key: String,
    password_key: String,
}

impl Context {
    /// What the templates of `package` may refer to in `instance`.
    ///
    /// # Errors
    /// The package has no such topology, profile, runtime or component, a schema refuses parameters,
    /// or there is no verdict on them.
    pub fn new(
        package: &Package,
        instance: &Instance,
        evaluate: &dyn Evaluate,
    ) -> Result<Self, RenderError> {
        let manifest = &package.manifest;
        let topology = chosen_topology(manifest, instance)?;
        let runtime = chosen_runtime(manifest, instance)?;
        let (mut components, mut parameters) = (BTreeMap::new(), BTreeMap::new());
        for name in topology.components.keys() {
            let Some(component) = manifest.components.get(name) else {
                return Err(unknown_component(&instance.topology, name));
            };
            let settings = settings(manifest, instance, name);
            if settings.enabled != Some(true) {
                continue;
            }
            let set = &settings.config.parameters;
            let in_force = parameters::parameters(package, &runtime.version, name, set, evaluate)
                .map_err(|error| RenderError::parameters(name, error))?;
            let values = in_force.values.clone();
            let image = runtime.image(name);
            let context = component_context(instance, name, component, settings, image, values);
            components.insert(name.clone(), context);
            parameters.insert(name.clone(), in_force);
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
            runtime: RuntimeContext::new(&instance.runtime),
            topology: instance.topology.clone(),
            profile: instance.profile.clone(),
            components,
            values: defaults::values(manifest, instance.profile.as_ref(), &instance.runtime),
            parameters,
        })
    }

    /// The parameters of `component`: those in force, and all that its schema declares; `None` where
    /// it does not run.
    pub fn parameters(&self, component: &ComponentName) -> Option<&Parameters> {
        self.parameters.get(component)
    }

    /// The components that run.
    pub fn components(&self) -> impl Iterator<Item = &ComponentName> {
        self.components.keys()
    }

    /// The object that a template of `component` sees; `None` where it does not run.
    pub(super) fn of(&self, component: &ComponentName) -> Option<Value> {
        let own = serde_json::to_value(self.components.get(component)?).ok()?;
        let mut all = serde_json::to_value(self).ok()?;
        all.as_object_mut()?.insert("component".to_owned(), own);
        Some(all)
    }

    pub(super) fn app(&self) -> &AppName {
        &self.app.name
    }

    pub(super) fn namespace(&self) -> &str {
        &self.app.namespace
    }

    pub(super) fn runtime(&self) -> &Version {
        &self.runtime.version
    }

    pub(super) fn topology(&self) -> &TopologyName {
        &self.topology
    }
}

impl RuntimeContext {
    fn new(version: &Version) -> Self {
        let numbers = version.semver();
        Self {
            version: version.clone(),
            major: numbers.major,
            minor: numbers.minor,
            patch: numbers.patch,
        }
    }
}

fn chosen_topology(
    manifest: &manifest::Manifest,
    instance: &Instance,
) -> Result<manifest::Topology, RenderError> {
    if let Some(profile) = &instance.profile
        && manifest.profile(profile).is_none()
    {
        return Err(RenderError::UnknownProfile {
            profile: profile.clone(),
            valid: manifest.profile_names(),
        });
    }
    let topology = manifest.topology(&instance.topology);
    topology.ok_or_else(|| RenderError::UnknownTopology {
        topology: instance.topology.clone(),
        valid: manifest.topology_names(),
    })
}

fn chosen_runtime<'a>(
    manifest: &'a manifest::Manifest,
    instance: &Instance,
) -> Result<&'a manifest::Runtime, RenderError> {
    let runtime = manifest.runtime(&instance.runtime);
    runtime.ok_or_else(|| RenderError::UnknownRuntime {
        runtime: instance.runtime.clone(),
        valid: manifest.runtime_versions(),
    })
}

/// What is in force for the component `name`.
fn settings(
    manifest: &manifest::Manifest,
    instance: &Instance,
    name: &ComponentName,
) -> AppComponent {
    let none = AppComponent::default();
    let own = instance.components.get(name).unwrap_or(&none);
    let profile = instance.profile.as_ref();
    defaults::in_force(manifest, &instance.topology, profile, name, own)
}

fn component_context(
    instance: &Instance,
    name: &ComponentName,
    component: &manifest::Component,
    settings: AppComponent,
    image: &str,
    parameters: Map<String, Value>,
) -> ComponentContext {
    let group = names::group(&instance.app, name, &GroupName::sole());
    let full_name = names::component(&instance.app, name);
    let (pod, service) = (names::pod(&group, 0), names::headless_service(&group));
    let ports = component.ports.iter();
    let credentials = component.credentials.iter();
    let Resources { requests, limits } = settings.resources.unwrap_or_default();
    let sizes = settings.storage;
    ComponentContext {
        name: name.clone(),
        replicas: settings.replicas.unwrap_or_default(),
        leader: format!("{pod}.{service}"),
        image: image.to_owned(),
        ports: ports.map(|p| (p.name.clone(), p.port)).collect(),
        resources: Resourced { requests, limits },
        volumes: volumes(component, |volume| sizes.get(volume)?.size.clone()),
        parameters,
        credentials: credentials
            .map(|declared| (declared.name.clone(), credential(&full_name, declared)))
            .collect(),
        full_name,
        group,
    }
}

fn volumes(
    component: &manifest::Component,
    size: impl Fn(&VolumeName) -> Option<String>,
) -> BTreeMap<VolumeName, VolumeContext> {
    let context = |volume: &manifest::Volume| {
        let context = VolumeContext {
            mount_path: volume.mount_path.clone(),
            size: size(&volume.name).unwrap_or_else(|| volume.size.clone()),
        };
        (volume.name.clone(), context)
    };
    component.volumes.iter().map(context).collect()
}

fn credential(full_name: &str, declared: &manifest::Credential) -> CredentialContext {
    let (username_key, password_key) = names::credential_keys(&declared.name);
    let file = |key: &str| format!("{}/{key}", agent::CREDENTIALS_DIR);
    CredentialContext {
        username: declared.username().to_owned(),
        username_file: file(&username_key),
        password_file: file(&password_key),
        secret: names::credentials_secret(full_name),
        username_key,
        password_key,
    }
}
