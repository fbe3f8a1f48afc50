//! What the pinned version makes of one component of an App: its declaration, its scripts and action
//! table, its rendered configuration and its own objects.

use super::inputs::{self, AllSettings};
use crate::context::Context;
use api::{
    Component,
    agent::{ACTIONS_FILE, ActionTable, RELOAD},
    crd::{
        app::{AppComponent, Pin},
        component::ObjectRef,
    },
};
use k8s_openapi::ByteString;
use kube::ResourceExt as _;
use package::{
    Package,
    defaults::in_force,
    manifest::{Component as Declared, ObjectKind},
    render::{self, Instance, RenderError, RenderedObject},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, sync::Arc};

/// A file name → its bytes.
pub type Files = BTreeMap<String, ByteString>;

/// What the pinned version makes of the component.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendered {
    /// What the manifest declares.
    pub declared: Declared,
    /// What is in force: the App's settings, else the profile's, else the addon's own.
    pub in_force: AppComponent,
    /// The number of members that the profile before had as its default, where the Group has still
    /// the defaults of that one.
    #[serde(default)]
    pub replicas_before: Option<u32>,
    /// The component's image of the runtime version.
    pub image: String,
    /// The scripts.
    #[serde(default)]
    pub scripts: Files,
    /// What the agent may be asked to run.
    #[serde(default)]
    pub actions: ActionTable,
    /// The configuration files.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// The hash of what the configuration is rendered from, but for parameters that take effect
    /// without a restart; `None` where the middleware cannot read its configuration again.
    #[serde(default)]
    pub restart_inputs: Option<String>,
    /// The addon's own objects.
    #[serde(default)]
    pub objects: Vec<Object>,
}

/// An object of the addon's own, as its template has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// Its kind.
    pub kind: ObjectKind,
    /// Whether it is left out where the cluster does not know its kind.
    #[serde(default)]
    pub optional: bool,
    /// The object.
    pub object: Value,
}

/// The version makes nothing of the component.
#[derive(Debug, thiserror::Error)]
pub enum RenderFailed {
    /// There is no verdict; ask again.
    #[error("{0}")]
    NotJudged(String),
    /// Final for these inputs.
    #[error("{0}")]
    Refused(String),
}

impl Object {
    /// Its kind and name.
    pub fn reference(&self) -> ObjectRef {
        let name = self.object["metadata"]["name"].as_str();
        ObjectRef {
            kind: format!("{:?}", self.kind),
            name: name.unwrap_or_default().to_owned(),
        }
    }
}

impl From<RenderError> for RenderFailed {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::NotJudged { reason } => Self::NotJudged(reason),
            other => Self::Refused(other.to_string()),
        }
    }
}

/// Renders the component; the evaluation happens outside of the async threads. `before` is the
/// number of members that another profile had as its default, where the Group follows that one.
///
/// # Errors
/// The version has no such component or runtime, a template does not render, or the schema refuses
/// the parameters.
pub async fn render(
    component: &Component,
    package: Arc<Package>,
    settings: AllSettings,
    before: Option<u32>,
    context: &Context,
) -> Result<Rendered, RenderFailed> {
    let (component, evaluate) = (component.clone(), context.evaluate.clone());
    let work = move || {
        let rendered = rendered(&component, &package, settings, &*evaluate)?;
        Ok(Rendered {
            replicas_before: before,
            ..rendered
        })
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(rendered) => rendered,
        Err(stopped) => Err(RenderFailed::NotJudged(stopped.to_string())),
    }
}

fn rendered(
    component: &Component,
    package: &Package,
    settings: AllSettings,
    evaluate: &dyn package::Evaluate,
) -> Result<Rendered, RenderFailed> {
    let (spec, manifest) = (&component.spec, &package.manifest);
    let name = &spec.component;
    let no =
        |what: String| RenderFailed::Refused(format!("{} has no {what}", spec.pin.plugin_version));
    let declared = manifest
        .components
        .get(name)
        .ok_or_else(|| no(format!("component `{name}`")))?;
    let Pin {
        runtime_version: runtime,
        topology,
        ..
    } = &spec.pin;
    let image = manifest
        .runtime(runtime)
        .ok_or_else(|| no(format!("runtime {runtime}")))?;
    let in_force = in_force(
        manifest,
        topology,
        spec.profile.as_ref(),
        name,
        &spec.settings,
    );
    let instance = Instance {
        app: spec.app.clone(),
        namespace: component.namespace().unwrap_or_default(),
        topology: topology.clone(),
        profile: spec.profile.clone(),
        runtime: runtime.clone(),
        components: settings,
    };
    let refers_to = render::Context::new(package, &instance, evaluate)?;
    let own = refers_to.parameters(name).cloned().unwrap_or_default();
    let reloads = declared.actions.contains_key(RELOAD);
    let restart_inputs = reloads.then(|| inputs::restart(component, &instance.components, &own));
    let objects = render::objects(package, name, &refers_to, evaluate)?;
    Ok(Rendered {
        config: render::config_files(package, name, &refers_to, evaluate)?,
        actions: declared
            .actions()
            .map_err(|error| RenderFailed::Refused(error.to_string()))?,
        scripts: scripts(package),
        image: image.image(name).to_owned(),
        objects: objects.into_iter().map(object).collect(),
        declared: declared.clone(),
        replicas_before: None,
        in_force,
        restart_inputs,
    })
}

fn object(rendered: RenderedObject) -> Object {
    let RenderedObject {
        kind,
        optional,
        object,
    } = rendered;
    Object {
        kind,
        optional,
        object,
    }
}

fn scripts(package: &Package) -> Files {
    let sections = package.tree.sections();
    let scripts = sections.get("scripts").into_iter().flatten();
    scripts
        .map(|(name, bytes)| ((*name).to_owned(), ByteString(bytes.to_vec())))
        .collect()
}

impl Rendered {
    /// Scripts and action table, as pods get them.
    ///
    /// # Errors
    /// The table has no JSON form.
    pub fn content(&self) -> Result<Files, serde_json::Error> {
        let mut files = self.scripts.clone();
        let table = serde_json::to_vec_pretty(&self.actions)?;
        files.insert(ACTIONS_FILE.to_owned(), ByteString(table));
        Ok(files)
    }

    /// The configuration files, as pods get them.
    pub fn config(&self) -> Files {
        let files = self.config.iter();
        files
            .map(|(name, text)| (name.clone(), ByteString(text.clone().into_bytes())))
            .collect()
    }
}

/// The revision of a set of files: the first 8 hex digits of the SHA-256 over name, size and bytes
/// of each.
pub fn revision(files: &Files) -> String {
    let mut hash = Sha256::new();
    for (name, bytes) in files {
        hash.update(format!("{name}\0{}\0", bytes.0.len()));
        hash.update(&bytes.0);
    }
    api::Digest::sha256(hash.finalize().into())
        .short(8)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_knows_the_revision_of_no_files() {
        assert_eq!(revision(&Files::new()), api::agent::EMPTY_REVISION);
    }
}
