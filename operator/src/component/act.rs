//! Does what was planned for a Component: what pods mount and are reached by first, then the Group.

use super::plan::{Children, Plan, Verdict};
use crate::{
    apply::ApplyError,
    context::Context,
    error::{self, Consequence, is_not_found},
};
use api::{
    Component, Group,
    crd::{app::AppPhase, component::ComponentReason as Reason},
    labels::manager,
};
use futures::future::try_join_all;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Preconditions},
};

/// What was done, and so may be said.
pub struct Acted {
    /// What is to be said.
    pub verdict: Verdict,
    /// Whether to look again without being woken.
    pub look_again: bool,
}

/// What was planned could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// A child could not be applied.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A Service that is not wanted any more could not be deleted.
    #[error("deleting Service `{name}` failed: {source}")]
    Delete {
        /// Its name.
        name: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
}

impl ActError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Apply(error) => error.consequence(),
            Self::Delete { source, .. } => error::of_kube(source),
        }
    }

    /// In one word.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Apply(error) => error.reason(),
            Self::Delete { .. } => "DeleteFailed",
        }
    }
}

/// Does what was planned for `component`.
///
/// # Errors
/// The API server refused, or could not be asked; nothing is said then.
pub async fn act(component: &Component, plan: Plan, context: &Context) -> Result<Acted, ActError> {
    let Plan {
        children,
        suspend,
        mut verdict,
        mut look_again,
    } = plan;
    if let Some(group) = suspend {
        apply_group(&group, context).await?;
    }
    if let Some(children) = children {
        match make(component, children, context).await {
            Ok(()) => {}
            Err(ActError::Apply(error)) => look_again = trouble(&mut verdict, error)?,
            Err(error) => return Err(error),
        }
    }
    Ok(Acted {
        verdict,
        look_again,
    })
}

/// What a person must mend is said; everything else is tried again. Returns whether to look again
/// without being woken.
fn trouble(verdict: &mut Verdict, error: ApplyError) -> Result<bool, ActError> {
    let (reason, look_again) = match &error {
        ApplyError::NameTaken { .. } => (Reason::NameTaken, true),
        _ if error.consequence() == Consequence::Terminal => (Reason::Refused, false),
        _ => return Err(error.into()),
    };
    verdict.phase = AppPhase::Failed;
    verdict.reason = reason.as_str();
    verdict.message = error.to_string();
    Ok(look_again)
}

async fn make(
    component: &Component,
    children: Children,
    context: &Context,
) -> Result<(), ActError> {
    let Children {
        config_maps,
        services,
        superfluous,
        group,
    } = children;
    let maps = try_join_all(config_maps.iter().map(|map| apply_config_map(map, context)));
    let reached = try_join_all(
        services
            .iter()
            .map(|service| apply_service(service, context)),
    );
    futures::try_join!(maps, reached)?;
    apply_group(&group, context).await?;
    try_join_all(
        superfluous
            .iter()
            .map(|name| delete_service(component, name, context)),
    )
    .await?;
    let names = services.iter().map(ResourceExt::name_any).collect();
    context
        .applier
        .note_owned(component.uid().unwrap_or_default(), names);
    Ok(())
}

async fn apply_group(group: &Group, context: &Context) -> Result<(), ApplyError> {
    let live = context
        .feeds
        .groups
        .get(&group.name_any(), group.namespace().as_deref());
    context
        .applier
        .apply_over(group, manager::COMPONENT, live.as_deref())
        .await
        .map(|applied| context.count("component", applied))
}

async fn apply_config_map(map: &ConfigMap, context: &Context) -> Result<(), ApplyError> {
    let live = context
        .feeds
        .config_maps
        .get(&map.name_any(), map.namespace().as_deref());
    let known = live.and_then(|live| live.resource_version());
    context
        .applier
        .apply(map, manager::COMPONENT, known.as_deref())
        .await
        .map(|applied| context.count("component", applied))
}

async fn apply_service(service: &Service, context: &Context) -> Result<(), ApplyError> {
    let live = context
        .feeds
        .services
        .get(&service.name_any(), service.namespace().as_deref());
    let known = live.and_then(|live| live.resource_version());
    context
        .applier
        .apply(service, manager::COMPONENT, known.as_deref())
        .await
        .map(|applied| context.count("component", applied))
}

async fn delete_service(
    component: &Component,
    name: &str,
    context: &Context,
) -> Result<(), ActError> {
    let namespace = component.namespace().unwrap_or_default();
    let live = context.feeds.services.get(name, Some(&namespace));
    let params = DeleteParams::default().preconditions(Preconditions {
        uid: live.and_then(|live| live.uid()),
        resource_version: None,
    });
    let services = Api::<Service>::namespaced(context.client.clone(), &namespace);
    match services.delete(name, &params).await {
        Err(error) if !is_not_found(&error) => Err(ActError::Delete {
            name: name.to_owned(),
            source: Box::new(error),
        }),
        _ => Ok(()),
    }
}
