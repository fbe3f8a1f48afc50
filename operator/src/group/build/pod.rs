//! A member's pod: the Group's template and what differs between members.
//!
//! Beyond the template: name, host name, subdomain, account, ordinal, environment, claims, the image
//! of the agent (outside template and revision: a newer platform changes no pod), and the annotations
//! that say what the pod was made from.

use crate::{
    children::{Labels, metadata},
    group::place,
};
use api::{Group, agent, labels, names};
use k8s_openapi::api::core::v1::{
    Container, EnvVar, EnvVarSource, ObjectFieldSelector, PersistentVolumeClaimVolumeSource, Pod,
    PodSpec, PodTemplateSpec, Volume,
};
use kube::ResourceExt as _;
use serde_json::json;

/// The Group's template is no pod.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It does not parse.
    #[error("spec.template is no pod template: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It has no spec.
    #[error("spec.template has no spec")]
    NoSpec,
}

/// The pod of the member `ordinal`.
///
/// # Errors
/// Fails where the Group's template is no pod template.
pub fn pod(group: &Group, ordinal: u32, agent_image: &str) -> Result<Pod, TemplateError> {
    let template: PodTemplateSpec = serde_json::from_value(group.spec.template.clone())?;
    let given = template.metadata.unwrap_or_default();
    let name = names::pod(&group.name_any(), ordinal);
    let mut all = given.labels.unwrap_or_default();
    all.extend(place(group).labels());
    all.extend(versions(group));
    all.insert(labels::ORDINAL.to_owned(), ordinal.to_string());
    let mut annotations = given.annotations.unwrap_or_default();
    annotations.extend(revisions(group));
    let mut metadata = metadata(group, name.clone(), all);
    metadata.annotations = Some(annotations);
    let mut spec = template.spec.ok_or(TemplateError::NoSpec)?;
    place_member(&mut spec, group, ordinal, agent_image);
    Ok(Pod {
        metadata,
        spec: Some(spec),
        ..Pod::default()
    })
}

/// The merge patch that brings a pod of the wanted revision up to date without a restart, if it is
/// still the one that was seen.
pub fn patch(group: &Group, uid: &str, resource_version: &str) -> serde_json::Value {
    json!({"metadata": {
        "uid": uid,
        "resourceVersion": resource_version,
        "labels": versions(group),
        "annotations": {
            labels::CONTENT_REVISION: group.spec.content_revision,
            labels::CONFIG_REVISION: group.spec.config_revision,
        },
    }})
}

fn versions(group: &Group) -> Labels {
    let pin = &group.spec.pin;
    Labels::from([
        (labels::VERSION.to_owned(), pin.plugin_version.to_string()),
        (
            labels::K8S_VERSION.to_owned(),
            pin.runtime_version.to_string(),
        ),
    ])
}

fn revisions(group: &Group) -> Labels {
    let spec = &group.spec;
    let revisions = [
        (labels::REVISION, &spec.revision),
        (labels::CONTENT_REVISION, &spec.content_revision),
        (labels::CONFIG_REVISION, &spec.config_revision),
    ];
    let owned = revisions.into_iter();
    owned
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect()
}

fn place_member(spec: &mut PodSpec, group: &Group, ordinal: u32, agent_image: &str) {
    let name = group.name_any();
    let pod = names::pod(&name, ordinal);
    let env = environment(group, ordinal);
    let inits = spec.init_containers.iter_mut().flatten();
    for container in inits.chain(&mut spec.containers) {
        if container.name == agent::INSTALL_CONTAINER {
            container.image = Some(agent_image.to_owned());
        }
        prepend(container, &env);
    }
    let volumes = group.spec.volumes.iter();
    let claims = volumes.map(|volume| Volume {
        name: volume.name.to_string(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: names::claim(&volume.name, &pod),
            ..PersistentVolumeClaimVolumeSource::default()
        }),
        ..Volume::default()
    });
    spec.volumes.get_or_insert_default().extend(claims);
    spec.subdomain = Some(names::headless_service(&name));
    spec.service_account_name = Some(name);
    spec.hostname = Some(pod);
}

fn environment(group: &Group, ordinal: u32) -> Vec<EnvVar> {
    let name = group.name_any();
    let leader = format!(
        "{}.{}",
        names::pod(&name, 0),
        names::headless_service(&name)
    );
    let all = [
        (agent::env::POD, names::pod(&name, ordinal)),
        (agent::env::NAMESPACE, group.namespace().unwrap_or_default()),
        (agent::env::ORDINAL, ordinal.to_string()),
        (agent::env::APP, group.spec.app.to_string()),
        (agent::env::COMPONENT, group.spec.component.to_string()),
        (agent::env::GROUP, name),
        (agent::env::LEADER, leader),
    ];
    let variables = all.into_iter().map(|(name, value)| EnvVar {
        name: name.to_owned(),
        value: Some(value),
        ..EnvVar::default()
    });
    variables.chain([uid()]).collect()
}

/// The agent compares it with the pod that it reads: an agent that outlived its pod must not speak
/// for the next pod of that name.
fn uid() -> EnvVar {
    let field = ObjectFieldSelector {
        field_path: "metadata.uid".to_owned(),
        ..ObjectFieldSelector::default()
    };
    EnvVar {
        name: agent::env::POD_UID.to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            field_ref: Some(field),
            ..EnvVarSource::default()
        }),
    }
}

/// Puts `env` first, so that the template's own variables can refer to it; what the template sets
/// itself is left to it.
fn prepend(container: &mut Container, env: &[EnvVar]) {
    let given = container.env.take().unwrap_or_default();
    let missing = env
        .iter()
        .filter(|e| !given.iter().any(|g| g.name == e.name));
    container.env = Some(missing.cloned().chain(given.iter().cloned()).collect());
}
