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
    names::{self, GroupName, ProfileName},
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

/// The annotations that are ours.
const ANNOTATIONS: [&str; 5] = [
    labels::INPUTS,
    labels::TEMPLATE_INPUTS,
    labels::RESTART_INPUTS,
    labels::RESTART_REVISION,
    labels::PROFILE,
];

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
    let restart_revision = restart_revision(rendered, live, revisions.config);
    let resources = rendered.in_force.resources.as_ref();
    let template_inputs = inputs::template(owner, restart_revision, resources);
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
        .map(|volume| group_volume(rendered, volume))
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
    let reloaded = (restart_revision != revisions.config).then_some(restart_revision);
    let annotations = [
        (labels::INPUTS, Some(all_inputs)),
        (labels::TEMPLATE_INPUTS, Some(&template_inputs)),
        (labels::RESTART_INPUTS, rendered.restart_inputs.as_deref()),
        (labels::RESTART_REVISION, reloaded),
        (
            labels::PROFILE,
            spec.profile.as_ref().map(ProfileName::as_str),
        ),
    ];
    let annotations = annotations
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
    meta.annotations = Some(annotations.collect());
    let spec = GroupSpec {
        app: spec.app.clone(),
        component: spec.component.clone(),
        plugin: spec.plugin.clone(),
        pin: spec.pin.clone(),
        replicas: replicas(
            spec.settings.replicas,
            live.map(|live| live.spec.replicas),
            rendered.in_force.replicas,
            rendered.replicas_before,
        ),
        reserved_ordinals: live
            .map(|l| l.spec.reserved_ordinals.clone())
            .unwrap_or_default(),
        revision: revision(&template, restart_revision, &volumes),
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
    let ours = annotations.filter(|(key, _)| ANNOTATIONS.contains(&key.as_str()));
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

/// As set, else as it is, else the default in force: what `kubectl scale` set on the Group stays. A
/// number that was the default of the profile `before` follows the profile.
pub fn replicas(
    set: Option<u32>,
    live: Option<u32>,
    default: Option<u32>,
    before: Option<u32>,
) -> u32 {
    let scaled = live.filter(|live| before != Some(*live));
    set.or(scaled).or(default).or(live).unwrap_or(1)
}

/// The configuration revision that pods restart for. It stays where the configuration is the same,
/// and where it differs only through parameters that take effect without a restart: then pods of
/// the same revision are told of it in place.
fn restart_revision<'a>(rendered: &Rendered, live: Option<&'a Group>, config: &'a str) -> &'a str {
    let Some(live) = live else {
        return config;
    };
    let annotation = |key| live.annotations().get(key).map(String::as_str);
    let before = annotation(labels::RESTART_REVISION).unwrap_or(&live.spec.config_revision);
    let inputs = rendered.restart_inputs.as_deref();
    let reloads = inputs.is_some() && annotation(labels::RESTART_INPUTS) == inputs;
    match reloads || live.spec.config_revision == config {
        true => before,
        false => config,
    }
}

fn group_volume(rendered: &Rendered, volume: &Volume) -> GroupVolume {
    let in_force = rendered.in_force.storage.get(&volume.name);
    let in_force = in_force.cloned().unwrap_or_default();
    GroupVolume {
        name: volume.name.clone(),
        storage: Storage {
            size: in_force.size.or_else(|| Some(volume.size.clone())),
            ..in_force
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

#[cfg(test)]
mod tests {
    use super::replicas;

    #[test]
    fn what_was_scaled_by_hand_stays_and_what_follows_a_profile_follows_it() {
        let cases = [
            // (set, live, default, the default of the profile before) → members
            (None, None, Some(3), None, 3),
            (Some(2), Some(5), Some(3), Some(5), 2),
            (None, Some(5), Some(3), None, 5),
            (None, Some(1), Some(3), Some(1), 3),
            (None, Some(2), Some(3), Some(1), 2),
            (None, Some(4), None, None, 4),
        ];
        for (set, live, default, before, want) in cases {
            let case = (set, live, default, before);
            assert_eq!(replicas(set, live, default, before), want, "{case:?}");
        }
    }
}
