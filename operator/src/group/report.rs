//! Says how a Group is: its status where it changed, and Events on change.
//!
//! In: what was observed, and what [`act`](super::act) returned. Out: the status, written by
//! server-side apply, and Events with the reasons of the conditions. A status that would say the same
//! is not written.

mod status;

use super::{
    Room,
    act::{ActError, Acted, Done},
    observe::Observed,
    plan::{Purpose, Verdict},
};
use crate::error::Failure as _;
use api::{
    Group,
    conditions::Time,
    crd::{app::AppPhase, group::GroupReason},
    events::Happened,
    labels::manager,
};
use jiff::Timestamp;
use k8s_openapi::{
    api::core::v1::{ObjectReference, Pod},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{Api, Resource as _, ResourceExt as _};

/// Writes status and Events, and hands on when to look again.
///
/// # Errors
/// Fails with what failed before, or where the status is not written.
pub(super) async fn report(
    room: &Room,
    group: &Group,
    observed: &Observed,
    acted: Acted,
    now: Timestamp,
) -> Result<Option<Timestamp>, ActError> {
    let Acted {
        done,
        failed,
        verdict,
        look_again,
    } = acted;
    for done in &done {
        let (happened, pod) = event_of(done);
        room.context
            .events
            .publish_with(group, &happened, Some(pod))
            .await;
    }
    let verdict = match &failed {
        None => Some(verdict),
        Some(error) if error.is_refusal() => Some(refused(&verdict, error)),
        // What failed says nothing of the Group: its status stays.
        Some(_) => None,
    };
    if let Some(verdict) = verdict {
        tell_of_blocked(room, group, observed, &verdict).await;
        write(room, group, observed, &verdict, now).await?;
    }
    failed.map_or(Ok(look_again), Err)
}

/// The verdict where the cluster refused something.
fn refused(verdict: &Verdict, error: &ActError) -> Verdict {
    let reason = match error.reason() {
        "NameTaken" => GroupReason::NameTaken,
        _ => GroupReason::Refused,
    };
    Verdict {
        phase: match verdict.ready {
            true => verdict.phase,
            false => AppPhase::Failed,
        },
        ready: false,
        reconciling: false,
        stalled: true,
        reason,
        message: error.to_string(),
    }
}

async fn write(
    room: &Room,
    group: &Group,
    observed: &Observed,
    verdict: &Verdict,
    now: Timestamp,
) -> Result<(), ActError> {
    let status = status::of(group, observed, verdict, &Time(now));
    if group.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let namespace = group.namespace().unwrap_or_default();
    let api = Api::<Group>::namespaced(room.context.client.clone(), &namespace);
    crate::status::write(&api, group, &status, manager::GROUP)
        .await
        .map_err(ActError::Status)?;
    Ok(())
}

fn event_of(done: &Done) -> (Happened, ObjectReference) {
    let name = |pod: &ObjectMeta| pod.name.clone().unwrap_or_default();
    match done {
        Done::Created { pod } => {
            let (reason, note) = (
                GroupReason::MemberCreated,
                format!("made pod {}", name(pod)),
            );
            (
                Happened::normal(reason.as_str(), "Create", note),
                reference(pod),
            )
        }
        Done::Deleted {
            pod,
            purpose,
            because,
        } => {
            let reason = match purpose {
                Purpose::Replace => GroupReason::MemberReplaced,
                Purpose::Remove => GroupReason::MemberRemoved,
            };
            let note = format!("deleted pod {}: {because}", name(pod));
            (
                Happened::normal(reason.as_str(), "Delete", note),
                reference(pod),
            )
        }
    }
}

fn reference(pod: &ObjectMeta) -> ObjectReference {
    ObjectReference {
        api_version: Some(Pod::api_version(&()).into_owned()),
        kind: Some(Pod::kind(&()).into_owned()),
        namespace: pod.namespace.clone(),
        name: pod.name.clone(),
        uid: pod.uid.clone(),
        ..ObjectReference::default()
    }
}

/// Says once that a rollout stands: when it did not stand before.
async fn tell_of_blocked(room: &Room, group: &Group, observed: &Observed, verdict: &Verdict) {
    let blocked = GroupReason::RolloutBlocked;
    if verdict.reason == blocked && !observed.before.was(blocked) {
        let said = Happened::warning(blocked.as_str(), "RollOut", &verdict.message);
        room.context.events.publish(group, &said).await;
    }
}
