//! What to do about an App, from what was observed alone.

mod events;
mod verdict;

pub use verdict::{Accepted, Verdict};

use super::{
    deletion::{self, Step},
    metadata,
    observe::{Judged, Observed},
    orders::{self, Waiting},
    phase::{self, phase_of},
    resolve::{self, Refused, Resolved},
};
use crate::{apply::covers, events::Happened, finalizer::Finalizer};
use api::{
    ComponentSpec,
    conditions::PIN_ACCEPTED,
    crd::app::{AppPhase, AppReason as Reason, Pin},
};
use events::{deprecated_event, describe, held_event, phase_event, pin_event, standing};
use package::manifest::Topology;
use serde::Serialize;
use std::collections::BTreeMap;
use verdict::{reason, verdict};

/// What is to be done.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// What becomes of our finalizer.
    pub finalizer: Finalizer,
    /// What is next on the way out.
    pub deletion: Step,
    /// What the Components are to be; those that are not here stay what they are.
    pub components: Vec<ComponentSpec>,
    /// The Components that the arrangement has no more.
    pub superfluous: Vec<String>,
    /// The data of `<app>-metadata`.
    pub metadata: Option<BTreeMap<String, String>>,
    /// What is to be said.
    pub verdict: Verdict,
    /// What changed, for people.
    pub events: Vec<Happened>,
    /// Whether to look again without being woken.
    pub look_again: bool,
}

/// The plan for one App.
pub fn plan(observed: &Observed) -> Plan {
    let deletion = deletion::step(observed);
    if observed.deleting && deletion != Step::Held {
        return leaving(observed, deletion);
    }
    let mut plan = match (resolve::resolve(observed), &observed.judged) {
        _ if observed.spec.suspend => suspended(observed),
        (Err(refusal), _) => refused(observed, &refusal),
        (Ok(_), Judged::Refused(violations)) => {
            let refusal = Refused::new(Reason::InvalidSettings, violations.join("; "));
            refused(observed, &refusal)
        }
        (Ok(_), Judged::Unavailable(why)) => unjudged(observed, why),
        (Ok(resolved), Judged::Fine) => accepted(observed, resolved),
    };
    plan.deletion = deletion;
    if plan.deletion == Step::Held {
        plan.verdict.held = Some(HELD.to_owned());
    } else if !observed.held {
        plan.finalizer = Finalizer::Add;
    }
    plan.events.extend(phase_event(observed, &plan.verdict));
    plan.events.extend(held_event(observed, &plan.verdict));
    plan
}

const HELD: &str = "the deletion policy is Protected: the App runs on; set spec.deletionPolicy to \
                    KeepVolumes or Delete to let it go";

/// A plan that leaves the children alone and says how they are.
fn still(observed: &Observed, pin: Option<Pin>) -> Plan {
    let rollup = phase::rollup(&observed.components);
    let phases: Vec<AppPhase> = observed.components.iter().map(phase_of).collect();
    let phase = match pin {
        Some(_) => phase::phase(observed.status.phase, &phases, false, true),
        None => AppPhase::Pending,
    };
    Plan {
        finalizer: Finalizer::Keep,
        deletion: Step::None,
        components: Vec::new(),
        superfluous: Vec::new(),
        metadata: pin.as_ref().map(|pin| metadata::data(observed, pin)),
        verdict: verdict(phase, pin, rollup),
        events: Vec::new(),
        look_again: false,
    }
}

fn suspended(observed: &Observed) -> Plan {
    let mut plan = still(observed, observed.present.clone());
    plan.metadata = None;
    plan.verdict.accepted = observed.present.as_ref().map(|pin| Accepted {
        yes: Some(true),
        reason: Reason::Suspended.as_str(),
        message: format!("the App is suspended and stays on {}", describe(pin)),
    });
    plan
}

fn refused(observed: &Observed, refusal: &Refused) -> Plan {
    let mut plan = still(observed, observed.present.clone());
    plan.components = orders::released(observed);
    let reason = refusal.reason.as_str();
    if observed.present.is_none() {
        plan.verdict.reason = reason;
        plan.verdict.message.clone_from(&refusal.message);
    }
    let before = observed
        .status
        .conditions
        .iter()
        .find(|c| c.type_ == PIN_ACCEPTED);
    if before.is_none_or(|c| c.status != "False" || c.reason != reason) {
        plan.events
            .push(Happened::warning(reason, "Pin", &refusal.message));
    }
    // Content comes back without a change of the App.
    plan.look_again = refusal.reason == Reason::ContentUnavailable;
    let message = refusal.message.clone();
    plan.verdict.accepted = Some(Accepted {
        yes: Some(false),
        reason,
        message,
    });
    plan
}

/// Nobody could say whether the parameters are allowed: nothing changes, and it is asked again.
fn unjudged(observed: &Observed, why: &str) -> Plan {
    let mut plan = still(observed, observed.present.clone());
    plan.components = orders::released(observed);
    plan.look_again = true;
    plan.verdict.accepted = Some(Accepted {
        yes: None,
        reason: Reason::NotJudged.as_str(),
        message: format!("the parameters were not checked yet: {why}"),
    });
    plan
}

fn accepted(observed: &Observed, resolved: Resolved) -> Plan {
    let Resolved { pin, topology } = resolved;
    let mut plan = still(observed, Some(pin.clone()));
    plan.verdict.accepted = Some(Accepted {
        yes: Some(true),
        reason: Reason::Accepted.as_str(),
        message: format!(
            "pinned to {} {}{}",
            observed.spec.plugin,
            describe(&pin),
            standing(observed, &pin)
        ),
    });
    plan.verdict.left = observed.present.clone().filter(|present| *present != pin);
    if let Some(topology) = topology {
        plan.components = components(observed, &pin, &topology);
        let waiting = orders::hold(observed, &pin, &mut plan.components);
        let wanted = |name| topology.components.contains_key(name);
        let superfluous = observed
            .components
            .iter()
            .filter(|c| !wanted(&c.spec.component));
        plan.superfluous = superfluous.map(|c| c.name.clone()).collect();
        move_on(observed, &mut plan);
        for Waiting { component, behind } in waiting {
            plan.verdict.message += &format!("; {component} waits for {behind}");
        }
    }
    plan.events.extend(pin_event(observed, &pin));
    plan.events.extend(deprecated_event(observed, &pin));
    plan
}

/// The phase, where Components are not yet what they are to be.
fn move_on(observed: &Observed, plan: &mut Plan) {
    let is = |spec: &ComponentSpec| {
        observed
            .components
            .iter()
            .any(|child| child.spec.component == spec.component && is_covered(&child.spec, spec))
    };
    let applied = plan.components.iter().all(is) && plan.superfluous.is_empty();
    let moved = plan.verdict.left.is_some();
    let phases: Vec<AppPhase> = observed.components.iter().map(phase_of).collect();
    let phase = phase::phase(observed.status.phase, &phases, moved, applied);
    plan.verdict.phase = phase;
    plan.verdict.reason = reason(phase).as_str();
}

/// Whether `live` has all that `wanted` sets; what somebody set below the App stays.
pub(super) fn is_covered(live: &ComponentSpec, wanted: &ComponentSpec) -> bool {
    match (serde_json::to_value(live), serde_json::to_value(wanted)) {
        (Ok(of_live), Ok(of_wanted)) => {
            let same = live.hold == wanted.hold
                && live.profile == wanted.profile
                && live.optional == wanted.optional;
            same && covers(&of_live, &of_wanted)
        }
        _ => false,
    }
}

fn components(observed: &Observed, pin: &Pin, topology: &Topology) -> Vec<ComponentSpec> {
    let optional = topology.components.iter().filter(|(_, m)| m.optional);
    let optional: Vec<_> = optional.map(|(name, _)| name.clone()).collect();
    let spec = |name: &api::names::ComponentName| ComponentSpec {
        app: observed.name.clone(),
        component: name.clone(),
        plugin: observed.spec.plugin.clone(),
        pin: pin.clone(),
        profile: observed.spec.profile.clone(),
        optional: optional.clone(),
        hold: false,
        settings: observed
            .spec
            .components
            .get(name)
            .cloned()
            .unwrap_or_default(),
    };
    topology.components.keys().map(spec).collect()
}

fn leaving(observed: &Observed, step: Step) -> Plan {
    let mut plan = still(observed, observed.present.clone());
    plan.metadata = None;
    // Which components there were says which credentials may be left.
    if plan.verdict.components.is_empty() {
        plan.verdict
            .components
            .clone_from(&observed.status.components);
        plan.verdict.components.iter_mut().for_each(|c| c.ready = 0);
    }
    plan.verdict.phase = AppPhase::Deleting;
    plan.verdict.reason = Reason::Deleting.as_str();
    plan.verdict.message = match &step {
        Step::DeleteComponents(_) => "the Components are being deleted".to_owned(),
        Step::WaitForPods(n) => {
            format!("waits for its pods to end ({n} left); the volumes go after them")
        }
        _ => "the App is being deleted".to_owned(),
    };
    let event = |reason: Reason, note: String| Happened::normal(reason.as_str(), "Delete", note);
    match &step {
        Step::Release { kept } if *kept > 0 => plan.events.push(event(
            Reason::VolumesKept,
            format!("{kept} volume claims stay; an App of the same name takes them again"),
        )),
        Step::DeleteData { claims, secrets } => {
            for (what, objects) in [("volume claims", claims), ("credentials", secrets)] {
                let names: Vec<&str> = objects.iter().map(|o| o.name.as_str()).collect();
                if !names.is_empty() {
                    let note = format!("{what} deleted with the App: {}", names.join(", "));
                    plan.events.push(event(Reason::VolumesDeleted, note));
                }
            }
        }
        _ => {}
    }
    if matches!(step, Step::Release { .. } | Step::DeleteData { .. }) {
        plan.finalizer = Finalizer::Remove;
    }
    // Nobody tells this controller of pods; they end once.
    plan.look_again = matches!(step, Step::WaitForPods(_));
    plan.deletion = step;
    plan
}

#[cfg(test)]
mod tests {
    crate::golden::golden!("app", super::super::observe::Observed, |observed| {
        super::plan(&observed)
    });
}
