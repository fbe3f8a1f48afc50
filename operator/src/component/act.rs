//! Does what was planned for a Component: what pods mount and are reached by first, then the Group;
//! what nobody wants any more goes last.

mod credentials;
mod objects;

use super::{
    build::object::inventory,
    plan::{Children, Plan, Verdict},
};
use crate::{
    apply::ApplyError,
    context::Context,
    error::{self, Consequence, is_not_found},
};
use api::{
    Component, Group,
    crd::{
        app::AppPhase,
        component::{ComponentReason as Reason, ObjectRef},
    },
    labels::manager,
};
pub use credentials::CredentialsError;
use futures::future::try_join_all;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Preconditions},
};
use package::manifest::ObjectKind;

/// What was done, and so may be said.
pub struct Acted {
    /// What is to be said.
    pub verdict: Verdict,
    /// The addon's own objects that are there, as far as that is another list than before.
    pub objects: Option<Vec<ObjectRef>>,
    /// Whether to look again without being woken.
    pub look_again: bool,
}

/// What was planned could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// A child could not be applied.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The Secret with the credentials could not be made.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// What is about to be made could not be noted.
    #[error("noting the objects in the status failed: {0}")]
    Inventory(#[source] Box<kube::Error>),
    /// What is not wanted any more could not be deleted.
    #[error("deleting {kind} `{name}` failed: {source}")]
    Delete {
        /// Its kind.
        kind: String,
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
            Self::Credentials(error) => error.consequence(),
            Self::Inventory(source) | Self::Delete { source, .. } => error::of_kube(source),
        }
    }

    /// In one word.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Apply(error) => error.reason(),
            Self::Credentials(_) => "CredentialsFailed",
            Self::Inventory(_) => "ReportFailed",
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
    let mut objects = None;
    if let Some(group) = suspend {
        apply_group(&group, context).await?;
    }
    if let Some(children) = children {
        let wanted = inventory(&children.objects);
        let noted = objects::note(component, &wanted, context).await?;
        match make(component, children, context).await {
            Ok(()) => objects = Some(wanted),
            Err(ActError::Apply(error)) => {
                objects = Some(noted);
                look_again = trouble(&mut verdict, error)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Acted {
        verdict,
        objects,
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
        credentials,
        services,
        superfluous,
        objects,
        forgotten,
        group,
    } = children;
    let maps = try_join_all(config_maps.iter().map(|map| apply_config_map(map, context)));
    let reached = try_join_all(
        services
            .iter()
            .map(|service| apply_service(service, context)),
    );
    let own = try_join_all(
        objects
            .iter()
            .map(|o| objects::apply(component, o, context)),
    );
    futures::try_join!(
        async { maps.await.map_err(ActError::from) },
        async { reached.await.map_err(ActError::from) },
        async { own.await.map_err(ActError::from) },
        credentials::hold(component, &credentials, context),
    )?;
    apply_group(&group, context).await?;
    try_join_all(
        superfluous
            .iter()
            .map(|name| delete_service(component, name, context)),
    )
    .await?;
    try_join_all(
        forgotten
            .iter()
            .map(|object| objects::delete(component, object, context)),
    )
    .await?;
    let of_addon = objects.iter().filter(|o| o.kind == ObjectKind::Service);
    let of_addon = of_addon.map(|object| object.reference().name);
    let names = services.iter().map(ResourceExt::name_any).chain(of_addon);
    context
        .applier
        .note_owned(component.uid().unwrap_or_default(), names.collect());
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
            kind: "Service".to_owned(),
            name: name.to_owned(),
            source: Box::new(error),
        }),
        _ => Ok(()),
    }
}
