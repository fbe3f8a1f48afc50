//! What there is: what the App asks for and has, the versions of its plugin, the shape of the version
//! that it is to run by, and what its children say.

mod below;
mod catalog;

pub use below::{Child, Claim, Nodes, Remains};
pub use catalog::{Known, Shape};

use crate::{
    content::ContentError,
    context::Context,
    error::{self, Consequence},
};
use api::{
    App, AppSpec, AppStatus,
    crd::app::{DeletionPolicy, Pin},
    labels,
    names::{AppName, InvalidName, PluginName},
};
use below::{child, children, nodes, rebuilt, remains};
use catalog::{known, plugins, shape};
use kube::ResourceExt as _;
use serde::{Deserialize, Serialize};

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
