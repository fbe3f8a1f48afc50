//! Does what was planned for an App: Components, `<app>-metadata`, and the steps on the way out.

use super::{
    deletion::Step,
    observe::Claim,
    plan::{Plan, Verdict},
};
use crate::{
    apply::ApplyError,
    children::{self, Place},
    context::Context,
    error::{self, Consequence, is_conflict, is_not_found},
    events::Happened,
    finalizer::{self, Finalizer},
};
use api::{
    App, Component, ComponentSpec,
    crd::app::{AppPhase, AppReason},
    labels::{self, manager},
    names::{self, AppName},
};
use futures::future::try_join_all;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret};
use kube::{
    Api, Resource, ResourceExt as _,
    api::{DeleteParams, Preconditions},
    core::NamespaceResourceScope,
};
use serde::de::DeserializeOwned;
use std::{collections::BTreeMap, fmt::Debug};

/// What was done, and so may be said.
pub struct Acted {
    /// What is to be said.
    pub verdict: Verdict,
    /// What changed, for people.
    pub events: Vec<Happened>,
    /// Whether to look again without being woken.
    pub look_again: bool,
    /// Whether the App is released: nothing is said of it any more.
    pub gone: bool,
}

/// What was planned could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The finalizer could not be written.
    #[error("writing the finalizer failed: {0}")]
    Finalizer(#[source] Box<kube::Error>),
    /// A child could not be applied.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// Something could not be deleted.
    #[error("deleting {what} failed: {source}")]
    Delete {
        /// Its kind and name.
        what: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
}

impl ActError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Finalizer(error) | Self::Delete { source: error, .. } => error::of_kube(error),
            Self::Apply(error) => error.consequence(),
        }
    }

    /// In one word.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Finalizer(_) => "FinalizerFailed",
            Self::Apply(error) => error.reason(),
            Self::Delete { .. } => "DeleteFailed",
        }
    }
}

/// Does what was planned for `app`; what does not depend on each other, at once.
///
/// # Errors
/// The API server refused, or could not be asked; nothing is said then.
pub async fn act(app: &App, plan: Plan, context: &Context) -> Result<Acted, ActError> {
    let Plan {
        finalizer,
        deletion,
        components,
        superfluous,
        metadata,
        mut verdict,
        events,
        mut look_again,
    } = plan;
    leave(app, &deletion, context).await?;
    delete_components(app, &superfluous, context).await?;
    let apps = Api::<App>::namespaced(context.client.clone(), &namespace(app));
    let hold = async {
        let written = finalizer::write(&apps, app, finalizer, labels::APP_FINALIZER).await;
        written.map_err(ActError::Finalizer)
    };
    let children = async {
        let told = try_join_all(metadata.map(|data| tell(app, data, context)));
        let all = try_join_all(
            components
                .into_iter()
                .map(|c| apply_component(app, c, context)),
        );
        futures::try_join!(all, told)
    };
    let (held, applied) = futures::join!(hold, children);
    held?;
    match applied {
        Ok(_) => {}
        Err(error @ ApplyError::NameTaken { .. }) => {
            verdict.phase = AppPhase::Failed;
            verdict.reason = AppReason::NameTaken.as_str();
            verdict.message = error.to_string();
            look_again = true;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Acted {
        verdict,
        events,
        look_again,
        gone: finalizer == Finalizer::Remove,
    })
}

fn namespace(app: &App) -> String {
    app.namespace().unwrap_or_default()
}

async fn apply_component(
    app: &App,
    spec: ComponentSpec,
    context: &Context,
) -> Result<(), ApplyError> {
    let name = names::component(&spec.app, &spec.component);
    let place = Place {
        app: &spec.app,
        plugin: &spec.plugin,
        component: Some(&spec.component),
        group: None,
    };
    let metadata = children::metadata(app, name.clone(), place.labels());
    let desired = Component {
        metadata,
        spec,
        status: None,
    };
    let live = context
        .feeds
        .components
        .get(&name, app.namespace().as_deref());
    let applied = context
        .applier
        .apply_over(&desired, manager::APP, live.as_deref())
        .await?;
    context.count("app", applied);
    Ok(())
}

async fn tell(
    app: &App,
    data: BTreeMap<String, String>,
    context: &Context,
) -> Result<(), ApplyError> {
    let Ok(app_name) = app.name_any().parse::<AppName>() else {
        return Ok(());
    };
    let name = names::metadata_config_map(&app_name);
    let place = Place {
        app: &app_name,
        plugin: &app.spec.plugin,
        component: None,
        group: None,
    };
    let desired = ConfigMap {
        metadata: children::metadata(app, name.clone(), place.labels()),
        data: Some(data),
        ..ConfigMap::default()
    };
    let live = context
        .feeds
        .config_maps
        .get(&name, app.namespace().as_deref());
    let known = live.and_then(|live| live.resource_version());
    let applied = context
        .applier
        .apply(&desired, manager::APP, known.as_deref())
        .await?;
    context.count("app", applied);
    Ok(())
}

/// The step on the way out.
async fn leave(app: &App, step: &Step, context: &Context) -> Result<(), ActError> {
    match step {
        Step::DeleteComponents(names) => delete_components(app, names, context).await,
        Step::DeleteData { claims, secrets } => {
            delete_all::<PersistentVolumeClaim>(app, claims, context).await?;
            delete_all::<Secret>(app, secrets, context).await
        }
        Step::None | Step::Held | Step::WaitForPods(_) | Step::Release { .. } => Ok(()),
    }
}

/// Deletes Components in the foreground: each stays until its pods are gone.
async fn delete_components(app: &App, names: &[String], context: &Context) -> Result<(), ActError> {
    let components = Api::<Component>::namespaced(context.client.clone(), &namespace(app));
    for name in names {
        let live = context
            .feeds
            .components
            .get(name, app.namespace().as_deref());
        if live
            .as_ref()
            .is_none_or(|live| live.metadata.deletion_timestamp.is_some())
        {
            continue;
        }
        let params = DeleteParams::foreground().preconditions(Preconditions {
            uid: live.and_then(|live| live.uid()),
            resource_version: None,
        });
        deleted(components.delete(name, &params).await.map(drop), || {
            format!("Component `{name}`")
        })?;
    }
    Ok(())
}

async fn delete_all<K>(app: &App, objects: &[Claim], context: &Context) -> Result<(), ActError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned,
{
    let api = Api::<K>::namespaced(context.client.clone(), &namespace(app));
    for Claim { name, uid } in objects {
        let params = DeleteParams::default().preconditions(Preconditions {
            uid: Some(uid.clone()),
            resource_version: None,
        });
        let gone = api.delete(name, &params).await.map(drop);
        deleted(gone, || format!("{} `{name}`", K::kind(&())))?;
    }
    Ok(())
}

/// What is gone already, or is another object of that name by now, is deleted.
fn deleted(result: Result<(), kube::Error>, what: impl FnOnce() -> String) -> Result<(), ActError> {
    match result {
        Err(error) if !is_not_found(&error) && !is_conflict(&error) => Err(ActError::Delete {
            what: what(),
            source: Box::new(error),
        }),
        _ => Ok(()),
    }
}
