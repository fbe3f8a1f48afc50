//! What to do about a Component, from what was observed alone.

use super::{
    build::{
        BuildError,
        config_map::config_map,
        group::{Revisions, group, suspended_group},
        object::{inventory, object},
        service::services,
    },
    observe::{Observed, Rendering},
    render::{Object, Rendered, revision},
    rollup,
};
use crate::children::Place;
use api::{
    Group,
    conditions::{PLATFORM_OUTDATED, READY, RECONCILING, STALLED, Said},
    crd::{
        app::AppPhase,
        component::{ComponentReason as Reason, ObjectRef},
    },
    labels, names,
};
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::ResourceExt;
use package::manifest::Credential;
use serde::Serialize;

/// What is to be done.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The children, where they are to be looked at.
    pub children: Option<Children>,
    /// The Group as it is, but suspended.
    pub suspend: Option<Box<Group>>,
    /// What is to be said.
    pub verdict: Verdict,
    /// Whether to look again without being woken.
    pub look_again: bool,
}

/// The children as they are to be. The Group comes last: its pods mount ConfigMaps and Secret.
#[derive(Clone, Debug, Serialize)]
pub struct Children {
    /// Scripts and actions, and configuration.
    pub config_maps: Vec<ConfigMap>,
    /// The users that have a password in the Secret.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
    /// The Services.
    pub services: Vec<Service>,
    /// The Services that the version has no more.
    pub superfluous: Vec<String>,
    /// The addon's own objects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Object>,
    /// Those that it has no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forgotten: Vec<ObjectRef>,
    /// The Group.
    pub group: Box<Group>,
}

/// What is said of a Component.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// Where it stands.
    pub phase: AppPhase,
    /// Why, in one word.
    pub reason: &'static str,
    /// Why, in full.
    pub message: String,
    /// How many members are wanted.
    pub replicas: u32,
    /// How many of them are ready.
    pub ready: u32,
    /// The pods were composed by an older release.
    pub outdated: Option<String>,
}

impl Verdict {
    /// The conditions.
    pub fn said(&self) -> Vec<Said> {
        let (reason, message) = (self.reason, self.message.as_str());
        let mut said = match self.phase {
            AppPhase::Running => vec![Said::yes(READY, reason, message)],
            AppPhase::Failed => {
                vec![
                    Said::no(READY, reason, message),
                    Said::yes(STALLED, reason, message),
                ]
            }
            _ => vec![
                Said::no(READY, reason, message),
                Said::yes(RECONCILING, reason, message),
            ],
        };
        if let Some(message) = &self.outdated {
            said.push(Said::yes(
                PLATFORM_OUTDATED,
                Reason::OlderComposer.as_str(),
                message,
            ));
        }
        said
    }
}

/// The plan for one Component.
///
/// # Errors
/// A child has no JSON form.
pub fn plan(observed: &Observed) -> Result<Plan, BuildError> {
    let mut plan = Plan {
        children: None,
        suspend: None,
        verdict: verdict(observed),
        look_again: false,
    };
    let same = is_same(observed);
    if observed.suspended {
        return Ok(suspended(observed, plan));
    }
    if observed.component.spec.hold {
        return Ok(held(observed, plan));
    }
    match &observed.rendering {
        Rendering::Settled => {}
        Rendering::Done(rendered) => match lacks(observed, rendered) {
            None => plan.children = children(observed, rendered)?,
            Some(what) => {
                trouble(&mut plan.verdict, Reason::UnknownKind, &what);
                plan.verdict.phase = AppPhase::Failed;
                plan.look_again = true;
            }
        },
        Rendering::Waiting(missing) => {
            plan.verdict.message = format!("waits for the other components of the pin: {missing}");
        }
        // What runs was made from the same inputs: it needs no content.
        Rendering::Unavailable(_) if same => plan.look_again = true,
        Rendering::Unavailable(message) => {
            trouble(&mut plan.verdict, Reason::ContentUnavailable, message);
            plan.look_again = true;
        }
        Rendering::Failed(_) if same => {}
        Rendering::Failed(message) => {
            trouble(&mut plan.verdict, Reason::RenderFailed, message);
            plan.verdict.phase = AppPhase::Failed;
        }
    }
    Ok(plan)
}

/// The Group is told once, and everything else is left alone.
fn suspended(observed: &Observed, mut plan: Plan) -> Plan {
    plan.verdict.message = format!("the App is suspended; {}", plan.verdict.message);
    plan.verdict.reason = Reason::Suspended.as_str();
    plan.suspend = observed
        .group
        .as_ref()
        .filter(|group| !group.spec.suspend)
        .map(|group| Box::new(suspended_group(&observed.component, group)));
    plan
}

/// Another component goes first: everything stays as it is.
fn held(observed: &Observed, mut plan: Plan) -> Plan {
    if !is_same(observed) {
        plan.verdict.reason = Reason::Held.as_str();
        let waits = "waits for its turn: another component goes first";
        plan.verdict.message = match &observed.group {
            Some(_) => format!("{waits}; {}", plan.verdict.message),
            None => waits.to_owned(),
        };
    }
    plan
}

/// The objects that must be there, and whose kind the cluster does not know.
fn lacks(observed: &Observed, rendered: &Rendered) -> Option<String> {
    let objects = rendered.objects.iter().filter(|object| !object.optional);
    let lacking = objects.filter(|object| observed.unknown.contains(&object.kind));
    let lacking: Vec<String> = lacking
        .map(|object| {
            let ObjectRef { kind, name } = object.reference();
            format!("{kind} `{name}`")
        })
        .collect();
    (!lacking.is_empty()).then(|| {
        format!(
            "the addon needs {}, and this cluster does not know the kind; install what defines it, then this goes on by itself",
            lacking.join(", ")
        )
    })
}

/// Whether the Group was made from the same inputs.
fn is_same(observed: &Observed) -> bool {
    let made_from = observed
        .group
        .as_ref()
        .and_then(|g| g.annotations().get(labels::INPUTS));
    made_from == Some(&observed.inputs)
}

fn verdict(observed: &Observed) -> Verdict {
    let group = observed.group.as_ref();
    let before = observed
        .component
        .status
        .as_ref()
        .and_then(|status| status.phase);
    let mut phase = rollup::phase(group, before);
    if phase == AppPhase::Running && !is_same(observed) {
        phase = AppPhase::Updating;
    }
    let (replicas, ready) = rollup::members(group);
    Verdict {
        reason: reason(phase).as_str(),
        message: rollup::message(group),
        outdated: rollup::outdated(group),
        phase,
        replicas,
        ready,
    }
}

fn reason(phase: AppPhase) -> Reason {
    match phase {
        AppPhase::Running => Reason::Running,
        AppPhase::Pending | AppPhase::Creating => Reason::Creating,
        AppPhase::Updating | AppPhase::Upgrading => Reason::Updating,
        AppPhase::Degraded | AppPhase::Deleting => Reason::Degraded,
        AppPhase::Failed => Reason::Failed,
    }
}

fn trouble(verdict: &mut Verdict, reason: Reason, message: &str) {
    verdict.reason = reason.as_str();
    message.clone_into(&mut verdict.message);
    if verdict.phase == AppPhase::Running {
        verdict.phase = AppPhase::Updating;
    }
}

/// The children; `None` where the same inputs give other files than they gave an older release: then
/// what it made stays.
fn children(observed: &Observed, rendered: &Rendered) -> Result<Option<Children>, BuildError> {
    let component = &observed.component;
    let form = |source| BuildError::Form {
        what: "the action table",
        source,
    };
    let (content, config) = (rendered.content().map_err(form)?, rendered.config());
    let (content_revision, config_revision) = (revision(&content), revision(&config));
    let revisions = Revisions {
        content: &content_revision,
        config: &config_revision,
    };
    let live = observed.group.as_ref();
    let is_kept = |live: &Group| {
        live.spec.content_revision != content_revision
            || live.spec.config_revision != config_revision
    };
    if is_same(observed) && live.is_some_and(is_kept) {
        return Ok(None);
    }
    let mut in_use = observed.in_use.clone();
    in_use.extend(live.map(|live| live.spec.content_revision.clone()));
    in_use.extend(live.map(|live| live.spec.config_revision.clone()));
    let (name, spec) = (component.name_any(), &component.spec);
    let place = Place {
        app: &spec.app,
        plugin: &spec.plugin,
        component: Some(&spec.component),
        group: None,
    };
    let map = |name, revision, files, live| {
        config_map(
            component,
            name,
            place.labels(),
            (revision, files),
            live,
            &in_use,
        )
    };
    let config_maps = vec![
        map(
            names::content_config_map(&name),
            revisions.content,
            &content,
            observed.content.as_ref(),
        ),
        map(
            names::config_config_map(&name),
            revisions.config,
            &config,
            observed.config.as_ref(),
        ),
    ];
    let services = services(component, &place, &rendered.declared);
    let known = rendered.objects.iter();
    let known = known.filter(|object| !observed.unknown.contains(&object.kind));
    let objects: Vec<Object> = known.map(|o| object(component, &place, o)).collect();
    let inventory = inventory(&objects);
    let is_wanted = |name: &String| {
        let of_addon = |o: &ObjectRef| o.kind == "Service" && o.name == *name;
        services.iter().any(|service| service.name_any() == *name) || inventory.iter().any(of_addon)
    };
    let superfluous = observed.services.iter().filter(|name| !is_wanted(name));
    let status = component.status.as_ref();
    let made = status.iter().flat_map(|status| &status.objects);
    Ok(Some(Children {
        credentials: rendered.declared.credentials.clone(),
        forgotten: made.filter(|o| !inventory.contains(o)).cloned().collect(),
        group: Box::new(group(
            component,
            rendered,
            live,
            revisions,
            &observed.inputs,
        )?),
        superfluous: superfluous.cloned().collect(),
        config_maps,
        services,
        objects,
    }))
}

#[cfg(test)]
mod tests;
