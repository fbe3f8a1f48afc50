//! What is below an App: its Components and Groups, and what is left of it on the way out.

use super::ObserveError;
use crate::{children::is_owned, context::Context};
use api::{
    App, Component, ComponentSpec, ComponentStatus, Group,
    crd::{app::Pin, group::Member},
    labels,
    names::{self, AppName, ComponentName},
};
use k8s_openapi::{
    api::core::v1::{PersistentVolumeClaim, Pod, Secret},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{Api, ResourceExt as _, api::ListParams};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// A Component of the App.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Child {
    /// The name of the object.
    pub name: String,
    /// What it is to be.
    pub spec: ComponentSpec,
    /// What it is.
    #[serde(default)]
    pub status: ComponentStatus,
    /// The generation of the spec.
    #[serde(default)]
    pub generation: Option<i64>,
}

/// A Group of the App.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nodes {
    /// The name of the object.
    pub name: String,
    /// The component that it belongs to.
    pub component: ComponentName,
    /// What it was made by; that of its Component where absent.
    #[serde(default)]
    pub pin: Option<Pin>,
    /// How many members it is to have.
    pub replicas: u32,
    /// The ordinals that are not used.
    #[serde(default)]
    pub reserved: Vec<u32>,
    /// The revision of the configuration files.
    pub config_revision: String,
    /// Its members.
    #[serde(default)]
    pub members: Vec<Member>,
}

/// What is left of an App that is deleted with its volumes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remains {
    /// Its pods.
    #[serde(default)]
    pub pods: usize,
    /// Its volume claims.
    #[serde(default)]
    pub claims: Vec<Claim>,
    /// The Secrets with its credentials.
    #[serde(default)]
    pub secrets: Vec<Claim>,
}

/// A volume claim, or another object that is data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Its uid: another object of the name is not meant.
    pub uid: String,
}

pub(super) fn children(app: &App, context: &Context) -> (Vec<Arc<Component>>, Vec<Arc<Group>>) {
    let uid = app.uid().unwrap_or_default();
    let (namespace, name) = (app.namespace(), app.name_any());
    let mut components = context
        .feeds
        .components
        .store()
        .state_filter(|c| is_owned(&c.metadata, &uid));
    let ours = |group: &Group| {
        group.namespace() == namespace
            && group.spec.app.as_str() == name
            && components
                .iter()
                .any(|c| is_owned(&group.metadata, &c.uid().unwrap_or_default()))
    };
    let mut groups = context.feeds.groups.store().state_filter(ours);
    components.sort_by_key(|component| component.name_any());
    groups.sort_by_key(|group| group.name_any());
    (components, groups)
}

/// The pin that a lost status had: what the pods were made by, or were to be.
pub(super) fn rebuilt(components: &[Arc<Component>], groups: &[Arc<Group>]) -> Option<Pin> {
    let by_component = components.iter().map(|component| &component.spec.pin);
    let by_group = groups.iter().map(|group| &group.spec.pin);
    by_component.chain(by_group).next().cloned()
}

pub(super) fn child(component: &Component) -> Child {
    Child {
        name: component.name_any(),
        spec: component.spec.clone(),
        status: component.status.clone().unwrap_or_default(),
        generation: component.metadata.generation,
    }
}

pub(super) fn nodes(group: &Group) -> Nodes {
    Nodes {
        name: group.name_any(),
        component: group.spec.component.clone(),
        pin: Some(group.spec.pin.clone()),
        replicas: group.spec.replicas,
        reserved: group.spec.reserved_ordinals.clone(),
        config_revision: group.spec.config_revision.clone(),
        members: group
            .status
            .as_ref()
            .map(|s| s.members.clone())
            .unwrap_or_default(),
    }
}

/// What is left of `app`, which may have had the components `known` besides those that its claims
/// name.
pub(super) async fn remains(
    app: &App,
    known: BTreeSet<ComponentName>,
    context: &Context,
) -> Result<Remains, ObserveError> {
    let failed = |error| ObserveError::Remains(Box::new(error));
    let namespace = app.namespace().unwrap_or_default();
    let ours = ListParams::default().labels(&format!(
        "{}={},{}={}",
        labels::MANAGED_BY,
        labels::MANAGED_BY_PAAMESH,
        labels::APP,
        app.name_any()
    ));
    let pods = Api::<Pod>::namespaced(context.client.clone(), &namespace);
    let claims = Api::<PersistentVolumeClaim>::namespaced(context.client.clone(), &namespace);
    let (pods, claims) = futures::try_join!(pods.list_metadata(&ours), claims.list_metadata(&ours))
        .map_err(failed)?;
    let of_claims = claims.items.iter().filter_map(|claim| {
        let component = claim.labels().get(labels::COMPONENT)?;
        component.parse::<ComponentName>().ok()
    });
    let components: BTreeSet<ComponentName> = known.into_iter().chain(of_claims).collect();
    Ok(Remains {
        pods: pods.items.len(),
        secrets: secrets(app, &components, context).await.map_err(failed)?,
        claims: claims
            .items
            .iter()
            .filter_map(|c| data(&c.metadata))
            .collect(),
    })
}

/// The Secrets with credentials: asked for one by one, for the operator may not list Secrets.
async fn secrets(
    app: &App,
    components: &BTreeSet<ComponentName>,
    context: &Context,
) -> Result<Vec<Claim>, kube::Error> {
    let namespace = app.namespace().unwrap_or_default();
    let Ok(name) = app.name_any().parse::<AppName>() else {
        return Ok(Vec::new());
    };
    let secrets = Api::<Secret>::namespaced(context.client.clone(), &namespace);
    let read = components.iter().map(|component| {
        let component = names::component(&name, component);
        let secrets = secrets.clone();
        async move {
            let secret = names::credentials_secret(&component);
            let found = secrets.get_metadata_opt(&secret).await?;
            let ours =
                found.filter(|found| found.labels().get(labels::CREDENTIALS) == Some(&component));
            Ok::<_, kube::Error>(ours.and_then(|found| data(&found.metadata)))
        }
    });
    let found: Vec<Option<Claim>> = futures::future::try_join_all(read).await?;
    Ok(found.into_iter().flatten().collect())
}

fn data(metadata: &ObjectMeta) -> Option<Claim> {
    Some(Claim {
        name: metadata.name.clone()?,
        uid: metadata.uid.clone()?,
    })
}
