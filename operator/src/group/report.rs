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
    labels::manager,
};
use jiff::Timestamp;
use k8s_openapi::{
    api::core::v1::{ObjectReference, Pod},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use serde_json::json;

/// The most bytes of an Event's note that the API server takes.
const MAX_NOTE: usize = 1024;

/// Publishes Events as the operator; each names the pod that it is about, so that Events of
/// different pods do not count as one that repeats.
pub(super) fn recorder(client: Client) -> Recorder {
    let reporter = Reporter {
        controller: "paamesh-operator".to_owned(),
        instance: None,
    };
    Recorder::new(client, reporter)
}

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
    for done in done {
        publish(room, group, event_of(done)).await;
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
    let patch = json!({
        "apiVersion": Group::api_version(&()),
        "kind": Group::kind(&()),
        // Another Group of this name is never written to.
        "metadata": {"uid": group.uid()},
        "status": status,
    });
    let params = PatchParams::apply(manager::GROUP).force();
    match api
        .patch_status(&group.name_any(), &params, &Patch::Apply(&patch))
        .await
    {
        Ok(_) => Ok(()),
        Err(error) if crate::error::is_not_found(&error) || crate::error::is_conflict(&error) => {
            tracing::debug!("the Group is gone");
            Ok(())
        }
        Err(error) => Err(ActError::Status(Box::new(error))),
    }
}

struct Said {
    about: Option<ObjectMeta>,
    type_: EventType,
    reason: GroupReason,
    action: &'static str,
    note: String,
}

fn event_of(done: Done) -> Said {
    let name = |pod: &ObjectMeta| pod.name.clone().unwrap_or_default();
    match done {
        Done::Created { pod } => Said {
            note: format!("made pod {}", name(&pod)),
            about: Some(pod),
            type_: EventType::Normal,
            reason: GroupReason::MemberCreated,
            action: "Create",
        },
        Done::Deleted {
            pod,
            purpose,
            because,
        } => Said {
            note: format!("deleted pod {}: {because}", name(&pod)),
            about: Some(pod),
            type_: EventType::Normal,
            reason: match purpose {
                Purpose::Replace => GroupReason::MemberReplaced,
                Purpose::Remove => GroupReason::MemberRemoved,
            },
            action: "Delete",
        },
    }
}

/// Says once that a rollout stands: when it did not stand before.
async fn tell_of_blocked(room: &Room, group: &Group, observed: &Observed, verdict: &Verdict) {
    let blocked = GroupReason::RolloutBlocked;
    if verdict.reason == blocked && !observed.before.was(blocked) {
        let said = Said {
            about: None,
            type_: EventType::Warning,
            reason: blocked,
            action: "RollOut",
            note: verdict.message.clone(),
        };
        publish(room, group, said).await;
    }
}

/// Publishes an Event. Losing one loses nothing but the story.
async fn publish(room: &Room, group: &Group, said: Said) {
    let event = Event {
        type_: said.type_,
        reason: said.reason.as_str().to_owned(),
        note: Some(cut(&said.note).to_owned()),
        action: said.action.to_owned(),
        secondary: said.about.map(|pod| ObjectReference {
            api_version: Some(Pod::api_version(&()).into_owned()),
            kind: Some(Pod::kind(&()).into_owned()),
            namespace: group.namespace(),
            name: pod.name,
            uid: pod.uid,
            ..ObjectReference::default()
        }),
    };
    if let Err(error) = room.events.publish(&event, &group.object_ref(&())).await {
        tracing::warn!(%error, reason = said.reason.as_str(), "an Event was lost");
    }
}

fn cut(note: &str) -> &str {
    let mut end = note.len().min(MAX_NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    &note[..end]
}
