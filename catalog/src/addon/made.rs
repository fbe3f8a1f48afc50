//! What one component of an App would be: its pods, claims, Services and credentials by name, the
//! part of the container that the manifest decides, parameters, configuration files, objects.

mod container;
pub(crate) mod parameters;
mod text;

pub(super) use parameters::Change;

use super::evaluator::evaluator;
use anyhow::Context as _;
use api::{
    agent,
    crd::app::AppComponent,
    names::{self, ComponentName, GroupName},
};
use container::Container;
use package::{
    Package, defaults,
    manifest::Component,
    render::{self, Context, Instance, RenderError, RenderedObject},
};
use parameters::Parameter;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a component would be.
#[derive(Debug, Serialize)]
pub(super) struct Made {
    component: ComponentName,
    replicas: u32,
    container: Container,
    pods: Vec<String>,
    claims: Vec<Claim>,
    services: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<Credentials>,
    /// What the agent can be asked to run, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Parameter>,
    /// The configuration files, by name.
    config: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    objects: Vec<Object>,
}

/// The claims of one volume.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Claim {
    volume: String,
    size: String,
    names: Vec<String>,
}

/// The Secret of generated users and passwords. Only names are known before there is an App.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Credentials {
    secret: String,
    keys: Vec<String>,
}

/// A further object.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Object {
    kind: String,
    name: String,
    optional: bool,
    object: Value,
}

impl Made {
    /// What `name` would be, which is in the context.
    ///
    /// # Errors
    /// A template is at fault, or there is no verdict on it.
    pub(super) fn of(
        package: &Package,
        instance: &Instance,
        context: &Context,
        name: &ComponentName,
    ) -> Result<Self, RenderError> {
        let declared = package.manifest.components.get(name).cloned();
        let declared = declared.unwrap_or_default();
        let none = AppComponent::default();
        let own = instance.components.get(name).unwrap_or(&none);
        let settings = defaults::in_force(
            &package.manifest,
            &instance.topology,
            instance.profile.as_ref(),
            name,
            own,
        );
        let group = names::group(&instance.app, name, &GroupName::sole());
        let replicas = settings.replicas.unwrap_or(1);
        let pods: Vec<String> = (0..replicas).map(|n| names::pod(&group, n)).collect();
        let image = package.manifest.runtime(&instance.runtime);
        let image = image.map(|runtime| runtime.image(name).to_owned());
        let objects = render::objects(package, name, context, evaluator())?;
        Ok(Self {
            container: Container::of(&declared, &settings, image.unwrap_or_default()),
            claims: claims(&declared, &settings, &pods),
            services: services(instance, name, &declared, &group),
            credentials: credentials(instance, name, &declared),
            actions: declared.actions.keys().map(ToString::to_string).collect(),
            parameters: match context.parameters(name) {
                Some(said) => parameters::list(said, own, &settings),
                None => Vec::new(),
            },
            config: render::config_files(package, name, context, evaluator())?,
            objects: objects.into_iter().map(Object::of).collect(),
            component: name.clone(),
            replicas,
            pods,
        })
    }

    /// The component's name.
    pub(super) fn name(&self) -> &ComponentName {
        &self.component
    }

    /// All that can differ between two versions, as files by path.
    ///
    /// # Errors
    /// None; a serializer has the last word.
    pub(super) fn files(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let (name, mut files) = (&self.component, BTreeMap::new());
        for (file, text) in &self.config {
            files.insert(format!("{name}/{file}"), text.clone());
        }
        for object in &self.objects {
            let path = format!("{name}/{}/{}.yaml", object.kind, object.name);
            files.insert(path, yaml(&object.object)?);
        }
        files.insert(format!("{name}.yaml"), yaml(&self.shape())?);
        Ok(files)
    }

    /// All that is neither file nor object nor parameter, and the same for every App's name.
    fn shape(&self) -> Value {
        let sizes = self.claims.iter();
        let sizes: BTreeMap<&str, &str> = sizes.map(|c| (&*c.volume, &*c.size)).collect();
        serde_json::json!({
            "actions": self.actions,
            "claims": sizes,
            "container": self.container,
            "credentials": self.credentials.as_ref().map_or(&[][..], |c| &c.keys),
            "replicas": self.replicas,
            "services": self.services,
        })
    }

    /// How the parameters differ from those of `before`, the same component elsewhere.
    pub(super) fn changes(&self, before: Option<&Self>) -> Vec<Change> {
        let before = before.map_or(&[][..], |before| &before.parameters);
        parameters::changes(&self.component, before, &self.parameters)
    }

    /// How the members come from `before`, the same version for another App, to this: `None` where
    /// that cannot be told.
    pub(super) fn effect(&self, before: &Self) -> Option<Outcome> {
        if self.container != before.container {
            return Some(Outcome::Restart);
        }
        if self.config == before.config {
            return Some(Outcome::Nothing);
        }
        let changes = self.changes(Some(before));
        let worst = changes.iter().map(Change::effect).max();
        let reloads = self.actions.iter().any(|action| action == agent::RELOAD);
        match worst {
            // What of the files is theirs, and what the parameters'?
            Some(_) if self.replicas != before.replicas => None,
            Some(worst) if reloads && worst != package::evaluate::Effect::Restart => {
                Some(Outcome::InPlace)
            }
            _ => Some(Outcome::Restart),
        }
    }
}

/// How members come from one configuration to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Outcome {
    /// They stay as they are.
    Nothing,
    /// They read their configuration again.
    InPlace,
    /// They start again, one after the other.
    Restart,
}

impl Object {
    fn of(rendered: RenderedObject) -> Self {
        let name = rendered.object["metadata"]["name"].as_str();
        Self {
            kind: rendered.kind.name().to_owned(),
            name: name.unwrap_or_default().to_owned(),
            optional: rendered.optional,
            object: rendered.object,
        }
    }
}

fn yaml(value: &Value) -> anyhow::Result<String> {
    serde_saphyr::to_string(value).context("writing YAML")
}

fn claims(declared: &Component, settings: &AppComponent, pods: &[String]) -> Vec<Claim> {
    let claim = |volume: &package::manifest::Volume| {
        let storage = settings.storage.get(&volume.name);
        let size = storage.and_then(|storage| storage.size.clone());
        let names = pods.iter().map(|pod| names::claim(&volume.name, pod));
        Claim {
            volume: volume.name.to_string(),
            size: size.unwrap_or_else(|| volume.size.clone()),
            names: names.collect(),
        }
    };
    declared.volumes.iter().map(claim).collect()
}

/// Services have ports: without any there is the headless one alone.
fn services(
    instance: &Instance,
    name: &ComponentName,
    declared: &Component,
    group: &str,
) -> Vec<String> {
    let mut services = Vec::new();
    if !declared.ports.is_empty() {
        services.push(names::component(&instance.app, name));
        let roles = declared.roles.iter().filter(|role| role.service);
        services.extend(roles.map(|role| names::role_service(&instance.app, name, &role.name)));
    }
    services.push(names::headless_service(group));
    services
}

fn credentials(
    instance: &Instance,
    name: &ComponentName,
    declared: &Component,
) -> Option<Credentials> {
    if declared.credentials.is_empty() {
        return None;
    }
    let keys = declared.credentials.iter().flat_map(|credential| {
        let (username, password) = names::credential_keys(&credential.name);
        [username, password]
    });
    Some(Credentials {
        secret: names::credentials_secret(&names::component(&instance.app, name)),
        keys: keys.collect(),
    })
}
