//! What the pinned version makes of one component of an App: its declaration, its scripts and action
//! table, and its rendered configuration.

use super::inputs::AllSettings;
use crate::context::Context;
use api::{
    Component,
    agent::{ACTIONS_FILE, ActionTable},
};
use k8s_openapi::ByteString;
use kube::ResourceExt as _;
use package::{
    Package,
    manifest::{Component as Declared, TopologyComponent},
    render::{self, Instance, RenderError},
};
use serde::{Deserialize, Serialize};
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
    /// How many members the topology allows.
    pub members: TopologyComponent,
    /// The image of the runtime version.
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

impl From<RenderError> for RenderFailed {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::NotJudged { reason } => Self::NotJudged(reason),
            other => Self::Refused(other.to_string()),
        }
    }
}

/// Renders the component; the evaluation happens outside of the async threads.
///
/// # Errors
/// The version has no such component or runtime, or a template does not render.
pub async fn render(
    component: &Component,
    package: Arc<Package>,
    settings: AllSettings,
    context: &Context,
) -> Result<Rendered, RenderFailed> {
    let (component, evaluate) = (component.clone(), context.evaluate.clone());
    let work = move || rendered(&component, &package, settings, &*evaluate);
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
    let runtime = &spec.pin.runtime_version;
    let image = manifest
        .runtime(runtime)
        .ok_or_else(|| no(format!("runtime {runtime}")))?;
    let topology = manifest.topology(&spec.pin.topology);
    let members = topology.and_then(|t| t.components.get(name).cloned());
    let instance = Instance {
        app: spec.app.clone(),
        namespace: component.namespace().unwrap_or_default(),
        topology: spec.pin.topology.clone(),
        runtime: runtime.clone(),
        components: settings,
    };
    let refers_to = render::Context::new(package, &instance)?;
    Ok(Rendered {
        config: render::config_files(package, name, &refers_to, evaluate)?,
        actions: declared
            .actions()
            .map_err(|error| RenderFailed::Refused(error.to_string()))?,
        scripts: scripts(package),
        image: image.image.clone(),
        members: members.unwrap_or_default(),
        declared: declared.clone(),
    })
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
