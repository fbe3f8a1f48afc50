//! Whether a Component needs no look at all.

use super::Observed;
use crate::{
    component::rollup,
    context::Context,
    watch::{Feed, Meta},
};
use api::{crd::component::ObjectRef, labels, names};
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;
use serde::de::DeserializeOwned;
use std::{fmt::Debug, sync::Arc};

/// Whether every child is as it was last applied, made from the same inputs, and holds no revision
/// that nobody uses any more.
pub(super) fn is_settled(
    observed: &Observed,
    services: &[Arc<Meta<Service>>],
    context: &Context,
) -> bool {
    let Some(group) = &observed.group else {
        return false;
    };
    let namespace = observed.component.namespace().unwrap_or_default();
    let name = observed.component.name_any();
    let is_applied = |kind: &str, name: &str, live: Option<String>| {
        live.is_some() && context.applier.version(kind, &namespace, name) == live
    };
    let maps = [
        (
            names::content_config_map(&name),
            &group.spec.content_revision,
        ),
        (names::config_config_map(&name), &group.spec.config_revision),
    ];
    let rolled_out = rollup::is_rolled_out(group);
    let objects = observed.component.status.iter().flat_map(|s| &s.objects);
    group.annotations().get(labels::INPUTS) == Some(&observed.inputs)
        && group.metadata.deletion_timestamp.is_none()
        && !group.spec.suspend
        && maps.iter().all(|(name, revision)| {
            let live = meta(&context.feeds.config_maps, name, &namespace);
            let held = live
                .as_ref()
                .and_then(|m| m.annotations().get(labels::REVISIONS).cloned());
            is_applied("ConfigMap", name, live.and_then(|m| m.resource_version()))
                && (!rolled_out || held.as_ref() == Some(*revision))
        })
        && context
            .applier
            .owned_by(&observed.component.uid().unwrap_or_default())
            == services.iter().map(|s| s.name_any()).collect()
        && services
            .iter()
            .all(|s| is_applied("Service", &s.name_any(), s.resource_version()))
        && objects
            .into_iter()
            .all(|ObjectRef { kind, name }| match kind.as_str() {
                "ConfigMap" => {
                    let live = meta(&context.feeds.config_maps, name, &namespace);
                    is_applied(kind, name, live.and_then(|m| m.resource_version()))
                }
                // Others are not watched: that they were right once since the start is what is known.
                _ => context.applier.version(kind, &namespace, name).is_some(),
            })
}

pub(super) fn meta<K>(feed: &Feed<Meta<K>>, name: &str, namespace: &str) -> Option<Arc<Meta<K>>>
where
    Meta<K>:
        kube::Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    feed.get(name, Some(namespace))
}
