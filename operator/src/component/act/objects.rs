//! The addon's own objects: noted before they are made, so that none is forgotten; applied; deleted
//! when nobody wants them.

use super::ActError;
use crate::{
    apply::{ApplyError, can_be_taken},
    children::is_owned,
    component::{build::object::is_data, kinds, render::Object},
    context::Context,
    error::{is_conflict, is_not_found},
    status,
};
use api::{Component, crd::component::ObjectRef, labels, labels::manager};
use kube::{
    Api, ResourceExt as _,
    api::{ApiResource, DeleteParams, DynamicObject, PostParams, Preconditions},
};
use package::manifest::ObjectKind;
use std::collections::BTreeSet;

/// Notes `wanted` beside what was made before, where something is new; returns all of them.
pub(super) async fn note(
    component: &Component,
    wanted: &[ObjectRef],
    context: &Context,
) -> Result<Vec<ObjectRef>, ActError> {
    let mut status = component.status.clone().unwrap_or_default();
    let all: BTreeSet<ObjectRef> = status.objects.iter().chain(wanted).cloned().collect();
    let all: Vec<ObjectRef> = all.into_iter().collect();
    if all.len() > status.objects.len() {
        status.objects.clone_from(&all);
        let namespace = component.namespace().unwrap_or_default();
        let components = Api::<Component>::namespaced(context.client.clone(), &namespace);
        status::write(&components, component, &status, manager::COMPONENT)
            .await
            .map_err(ActError::Inventory)?;
    }
    Ok(all)
}

/// Applies one object.
pub(super) async fn apply(
    component: &Component,
    wanted: &Object,
    context: &Context,
) -> Result<(), ApplyError> {
    let resource = kinds::resource(wanted.kind);
    let form = |source| ApplyError::Form {
        kind: resource.kind.clone(),
        source,
    };
    let object: DynamicObject = serde_json::from_value(wanted.object.clone()).map_err(form)?;
    let api = api(component, &resource, context);
    if is_data(wanted.kind) {
        return create(component, &api, &resource, &object).await;
    }
    let known = cached(wanted.kind, &object, context);
    let applied = context
        .applier
        .apply_by(
            &api,
            &resource,
            &object,
            manager::COMPONENT,
            known.as_deref(),
        )
        .await?;
    context.count("component", applied);
    Ok(())
}

fn api(component: &Component, resource: &ApiResource, context: &Context) -> Api<DynamicObject> {
    let namespace = component.namespace().unwrap_or_default();
    Api::namespaced_with(context.client.clone(), &namespace, resource)
}

/// The version in the cache, of the kinds that have one.
fn cached(kind: ObjectKind, object: &DynamicObject, context: &Context) -> Option<String> {
    let (name, namespace) = (object.name_any(), object.namespace());
    let feeds = &context.feeds;
    match kind {
        ObjectKind::Service => feeds
            .services
            .get(&name, namespace.as_deref())?
            .resource_version(),
        ObjectKind::ConfigMap => feeds
            .config_maps
            .get(&name, namespace.as_deref())?
            .resource_version(),
        _ => None,
    }
}

/// Data is made where it is missing, and never changed: a claim of an earlier App of the name is
/// taken again.
async fn create(
    component: &Component,
    api: &Api<DynamicObject>,
    resource: &ApiResource,
    wanted: &DynamicObject,
) -> Result<(), ApplyError> {
    let (kind, name) = (resource.kind.clone(), wanted.name_any());
    let failed = |source| ApplyError::Write {
        kind: kind.clone(),
        name: name.clone(),
        source: Box::new(source),
    };
    let live = match api.get_opt(&name).await.map_err(failed)? {
        Some(live) => live,
        None => {
            let params = PostParams {
                field_manager: Some(manager::COMPONENT.to_owned()),
                ..PostParams::default()
            };
            let made = api.create(&params, wanted).await.map_err(failed)?;
            tracing::info!(kind, name, "created");
            made
        }
    };
    let label = |key: &str| live.labels().get(key).map(String::as_str);
    let spec = &component.spec;
    let ours = label(labels::MANAGED_BY) == Some(labels::MANAGED_BY_PAAMESH)
        && label(labels::APP) == Some(spec.app.as_str())
        && label(labels::COMPONENT) == Some(spec.component.as_str());
    can_be_taken(&kind, &live, ours)
}

/// Deletes an object, if it is the Component's own.
pub(super) async fn delete(
    component: &Component,
    object: &ObjectRef,
    context: &Context,
) -> Result<(), ActError> {
    let ObjectRef { kind, name } = object;
    let Some(resource) = kinds::named(kind).map(kinds::resource) else {
        return Ok(());
    };
    let failed = |source| ActError::Delete {
        kind: kind.clone(),
        name: name.clone(),
        source: Box::new(source),
    };
    let api = api(component, &resource, context);
    // Of a kind that the cluster has no more, there is no object either.
    let live = match api.get_metadata_opt(name).await {
        Ok(live) => live,
        Err(error) if is_not_found(&error) => None,
        Err(error) => return Err(failed(error)),
    };
    let uid = component.uid().unwrap_or_default();
    let Some(live) = live.filter(|live| is_owned(&live.metadata, &uid)) else {
        return Ok(());
    };
    let params = DeleteParams::default().preconditions(Preconditions {
        uid: live.uid(),
        resource_version: None,
    });
    match api.delete(name, &params).await {
        Err(error) if !is_not_found(&error) && !is_conflict(&error) => Err(failed(error)),
        _ => {
            tracing::info!(kind, name, "deleted");
            Ok(())
        }
    }
}
