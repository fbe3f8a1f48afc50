//! Says what was done for a Component: the status, on change only.

use super::{ComponentError, act::Acted, plan::Verdict};
use crate::{context::Context, status};
use api::{
    Component, ComponentStatus,
    conditions::{self, Time},
    crd::component::ObjectRef,
    labels::manager,
};
use jiff::Timestamp;
use kube::{Api, ResourceExt as _, runtime::controller::Action};
use std::time::Duration;

/// How often a Component is looked at that waits for something of which nobody tells: content that
/// comes back, a name that becomes free.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// Writes the status where it changed.
///
/// # Errors
/// The status could not be written.
pub async fn report(
    component: &Component,
    acted: Acted,
    context: &Context,
) -> Result<Action, ComponentError> {
    let Acted {
        verdict,
        objects,
        look_again,
    } = acted;
    let before = component.status.clone().unwrap_or_default();
    let generation = component.metadata.generation;
    let now = Time(Timestamp::now());
    let status = status_of(&before, &verdict, objects, generation, &now);
    if status != before {
        let namespace = component.namespace().unwrap_or_default();
        let components = Api::<Component>::namespaced(context.client.clone(), &namespace);
        let written = status::write(&components, component, &status, manager::COMPONENT).await;
        written.map_err(ComponentError::Report)?;
    }
    Ok(match look_again {
        true => Action::requeue(LOOK_AGAIN),
        false => Action::await_change(),
    })
}

fn status_of(
    before: &ComponentStatus,
    verdict: &Verdict,
    objects: Option<Vec<ObjectRef>>,
    generation: Option<i64>,
    now: &Time,
) -> ComponentStatus {
    ComponentStatus {
        observed_generation: generation,
        phase: Some(verdict.phase),
        replicas: Some(verdict.replicas),
        ready: Some(verdict.ready),
        members: Some(format!("{}/{}", verdict.ready, verdict.replicas)),
        objects: objects.unwrap_or_else(|| before.objects.clone()),
        conditions: conditions::merge(&before.conditions, verdict.said(), generation, now),
    }
}
