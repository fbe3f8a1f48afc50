//! What there is: what the App asks for and has, the versions of its plugin, the shape of the version
//! that it is to run by, what the schemas say of its parameters, and what its children say.

mod below;
mod catalog;
mod judged;

pub use below::{Child, Claim, Nodes, Remains};
pub use catalog::{Known, Shape};
pub use judged::{Judged, Verdicts};

use crate::{
    content::ContentError,
    context::Context,
    error::{self, Consequence},
    policy::ListError,
    provenance::KeyError,
};
use api::{
    App, AppSpec, AppStatus, Version,
    conditions::{PIN_ACCEPTED, is_true},
    crd::app::{DeletionPolicy, Pin},
    labels,
    names::{AppName, ComponentName, InvalidName, PluginName},
};
use below::{child, children, nodes, rebuilt, remains};
use catalog::{known, package, plugins, shape_of};
use kube::ResourceExt as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
    /// Why a policy refuses the version that is asked for.
    #[serde(default)]
    pub unverified: Option<String>,
    /// The version of Kubernetes, where the shape asks for one.
    #[serde(default)]
    pub cluster: Option<Version>,
    /// What the schemas say of the parameters.
    #[serde(default)]
    pub judged: Judged,
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
    /// The registry's key could not be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The policies could not be listed.
    #[error(transparent)]
    Policies(#[from] ListError),
    /// The API server could not be asked for content.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// Pods and claims could not be listed.
    #[error("listing pods, volume claims and credentials failed: {0}")]
    Remains(#[source] Box<kube::Error>),
    /// The version of the API server could not be asked for.
    #[error("asking for the version of Kubernetes failed: {0}")]
    Cluster(#[source] Box<kube::Error>),
}

impl Observed {
    /// Whether just this spec was accepted before.
    pub fn was_accepted(&self) -> bool {
        self.status.observed_generation == self.generation
            && is_true(&self.status.conditions, PIN_ACCEPTED)
    }

    /// The components that the App may have had, as far as it can still be told.
    fn had(&self) -> BTreeSet<ComponentName> {
        let now = self.components.iter().map(|child| &child.spec.component);
        let said = self.status.components.iter().map(|status| &status.name);
        let topologies = self.shape.iter().flat_map(|shape| &shape.topologies);
        let declared = topologies.flat_map(|topology| topology.components.keys());
        now.chain(said).chain(declared).cloned().collect()
    }
}

impl ObserveError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Name(_) => Consequence::Terminal,
            Self::Content(error) => error.consequence(),
            Self::Key(error) => error.consequence(),
            Self::Policies(error) => error.consequence(),
            Self::Remains(error) | Self::Cluster(error) => error::of_kube(error),
        }
    }
}

/// Observes `app`, from the caches but for content that was not read yet, for schemas that were not
/// asked yet, and for what is left of an App that is deleted.
///
/// # Errors
/// Something could not be read.
pub async fn observe(app: &App, context: &Context) -> Result<Observed, ObserveError> {
    let (components, groups) = children(app, context);
    let status = app.status.clone().unwrap_or_default();
    let present = status.pin.clone().or_else(|| rebuilt(&components, &groups));
    let addons = context.feeds.addons.store();
    let versions = addons.state_filter(|addon| addon.spec.plugin == app.spec.plugin);
    let (package, unavailable) = package(app, present.as_ref(), &versions, context).await?;
    let mut known: Vec<Known> = versions.iter().map(|addon| known(addon)).collect();
    known.sort_by(|a, b| b.version.cmp(&a.version));
    let mut observed = Observed {
        name: app.name_any().parse()?,
        namespace: app.namespace().unwrap_or_default(),
        generation: app.metadata.generation,
        held: app.finalizers().iter().any(|f| f == labels::APP_FINALIZER),
        plugins: plugins(&known, context),
        versions: known,
        components: components.iter().map(|c| child(c)).collect(),
        groups: groups.iter().map(|group| nodes(group)).collect(),
        remains: None,
        spec: app.spec.clone(),
        deleting: app.metadata.deletion_timestamp.is_some(),
        status,
        present,
        shape: package.as_ref().map(|package| shape_of(&package.manifest)),
        unavailable,
        unverified: None,
        cluster: None,
        judged: Judged::Fine,
    };
    let goes = observed.deleting && observed.spec.deletion_policy != DeletionPolicy::Protected;
    if goes && observed.held {
        observed.remains = Some(remains(app, observed.had(), context).await?);
    }
    if goes || observed.spec.suspend || observed.was_accepted() {
        return Ok(observed);
    }
    let asked = observed.present.as_ref();
    let unverified = catalog::unverified(app, asked, &versions, package.as_deref(), context);
    observed.unverified = unverified.await?;
    let asks = observed
        .shape
        .as_ref()
        .and_then(|shape| shape.kubernetes.as_ref());
    if asks.is_some() {
        let version = context
            .cluster
            .version()
            .await
            .map_err(ObserveError::Cluster)?;
        observed.cluster = Some(version);
    }
    if let Some(package) = package {
        observed.judged = judged::judge(&observed, package, context).await;
    }
    Ok(observed)
}
