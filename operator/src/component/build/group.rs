//! The Group of a Component, with the pod template in it.

use super::{BuildError, pod};
use crate::{
    apply::hash,
    children::{Place, metadata},
    component::{COMPOSER, inputs, render::Rendered},
};
use api::{
    Component, Group, GroupSpec,
    crd::{app::Storage, group::GroupVolume},
    labels,
    names::{self, GroupName},
};
use kube::ResourceExt as _;
use package::manifest::Volume;
use serde_json::{Value, json};

/// The revisions that the Group's pods are to run.
#[derive(Clone, Copy, Debug)]
pub struct Revisions<'a> {
    /// Of scripts and actions.
    pub content: &'a str,
    /// Of the configuration files.
    pub config: &'a str,
}

/// The Group `0` of `owner`. The live template stays while its inputs are the same, whoever composed
/// it.
///
/// # Errors
/// The template has no JSON form.
pub fn group(
    owner: &Component,
    rendered: &Rendered,
    live: Option<&Group>,
    revisions: Revisions<'_>,
    all_inputs: &str,
) -> Result<Group, BuildError> {
    let (spec, name) = (&owner.spec, GroupName::sole());
    let template_inputs = inputs::template(owner, revisions.config);
    let kept =
        live.filter(|l| l.annotations().get(labels::TEMPLATE_INPUTS) == Some(&template_inputs));
    let (template, composer) = match kept {
        Some(live) => (live.spec.template.clone(), live.spec.composer),
        None => (pod::template(owner, rendered)?, COMPOSER),
    };
    let volumes: Vec<GroupVolume> = rendered
        .declared
        .volumes
        .iter()
        .map(|volume| group_volume(owner, volume))
        .collect();
    let place = Place {
        app: &spec.app,
        plugin: &spec.plugin,
        component: Some(&spec.component),
        group: Some(&name),
    };
    let mut meta = metadata(
        owner,
        names::group(&spec.app, &spec.component, &name),
        place.labels(),
    );
    meta.annotations = Some(
        [
            (labels::INPUTS.to_owned(), all_inputs.to_owned()),
            (labels::TEMPLATE_INPUTS.to_owned(), template_inputs),
        ]
        .into(),
    );
    let spec = GroupSpec {
        app: spec.app.clone(),
        component: spec.component.clone(),
        plugin: spec.plugin.clone(),
        pin: spec.pin.clone(),
        replicas: replicas(owner, rendered, live),
        reserved_ordinals: live
            .map(|l| l.spec.reserved_ordinals.clone())
            .unwrap_or_default(),
        revision: revision(&template, revisions.config, &volumes),
        content_revision: revisions.content.to_owned(),
        config_revision: revisions.config.to_owned(),
        composer,
        template,
        volumes,
        roles: rendered
            .declared
            .roles
            .iter()
            .map(|role| role.name.clone())
            .collect(),
        start: rendered.declared.start,
        suspend: false,
        group: name,
    };
    Ok(Group {
        metadata: meta,
        spec,
        status: None,
    })
}

/// The Group as it is, but suspended.
pub fn suspended_group(owner: &Component, live: &Group) -> Group {
    let annotations = live.annotations().iter();
    let ours = annotations
        .filter(|(key, _)| [labels::INPUTS, labels::TEMPLATE_INPUTS].contains(&key.as_str()));
    let mut meta = metadata(owner, live.name_any(), live.labels().clone());
    meta.annotations = Some(
        ours.map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    );
    Group {
        metadata: meta,
        spec: GroupSpec {
            suspend: true,
            ..live.spec.clone()
        },
        status: None,
    }
}

/// As set, else as it is, else the topology's: what `kubectl scale` set on the Group stays.
fn replicas(owner: &Component, rendered: &Rendered, live: Option<&Group>) -> u32 {
    let set = owner.spec.settings.replicas;
    set.or(live.map(|live| live.spec.replicas))
        .unwrap_or_else(|| rendered.members.replicas())
}

fn group_volume(owner: &Component, volume: &Volume) -> GroupVolume {
    let set = owner
        .spec
        .settings
        .storage
        .get(&volume.name)
        .cloned()
        .unwrap_or_default();
    GroupVolume {
        name: volume.name.clone(),
        storage: Storage {
            size: set.size.or_else(|| Some(volume.size.clone())),
            ..set
        },
    }
}

/// The hash of what a pod is made from: template, configuration and the names of volumes. Not the
/// agent's image, labels that follow the version, scripts, nor sizes: changing those makes no pod
/// again.
fn revision(template: &Value, config: &str, volumes: &[GroupVolume]) -> String {
    let names: Vec<&str> = volumes.iter().map(|volume| volume.name.as_str()).collect();
    let hash = hash(&json!({"template": template, "config": config, "volumes": names}));
    hash.chars().take(8).collect()
}
