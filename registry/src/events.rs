//! Events: what a person sees under `kubectl describe`. Published on change only, with the reasons
//! of the conditions; losing one loses nothing but the story.
//!
//! Each is an object of its own. kube's `Recorder` is not used: it counts Events of one reason as a
//! series under the note of the first, and ours differ in nothing but the note.

use api::{AddonSource, crd::source::SourceReason};
use jiff::Timestamp;
use k8s_openapi::{
    api::events::v1::Event,
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, Client, Resource as _, ResourceExt as _, api::PostParams};

/// The most bytes of an Event's note that the API server takes.
const MAX_NOTE: usize = 1024;
/// Events of cluster-scoped objects stand here.
const NAMESPACE: &str = "default";

/// What happened to a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Whether a person should look at it.
    pub warning: bool,
    /// From the conditions' reasons.
    pub reason: SourceReason,
    /// For people.
    pub note: String,
}

/// Publishes Events as `paamesh-registry`.
#[derive(Clone)]
pub struct Events {
    api: Api<Event>,
}

impl Events {
    /// Publishes with `client`.
    pub fn new(client: Client) -> Self {
        Self {
            api: Api::namespaced(client, NAMESPACE),
        }
    }

    /// Publishes `happened` about `source`. A failure is logged and forgotten.
    pub async fn publish(&self, source: &AddonSource, happened: &Happened) {
        let event = event(source, happened, Timestamp::now());
        if let Err(error) = self.api.create(&PostParams::default(), &event).await {
            tracing::warn!(%error, reason = happened.reason.as_str(), "an Event was lost");
        }
    }
}

fn event(source: &AddonSource, happened: &Happened, now: Timestamp) -> Event {
    const US: &str = "paamesh-registry";
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{:x}", source.name_any(), now.as_nanosecond())),
            namespace: Some(NAMESPACE.to_owned()),
            ..ObjectMeta::default()
        },
        action: Some("Reconcile".to_owned()),
        event_time: Some(MicroTime(now)),
        note: Some(cut(&happened.note).to_owned()),
        reason: Some(happened.reason.as_str().to_owned()),
        regarding: Some(source.object_ref(&())),
        reporting_controller: Some(US.to_owned()),
        reporting_instance: Some(US.to_owned()),
        type_: Some(
            if happened.warning {
                "Warning"
            } else {
                "Normal"
            }
            .to_owned(),
        ),
        ..Event::default()
    }
}

fn cut(note: &str) -> &str {
    let mut end = note.len().min(MAX_NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    &note[..end]
}
