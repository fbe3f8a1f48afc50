//! Events: what a person sees under `kubectl describe`. Published on change only, with the reasons
//! of the conditions; losing one loses nothing but the story.
//!
//! Each is an object of its own. kube's `Recorder` is not used: it counts Events of one reason as a
//! series under the note of the first, and ours differ in nothing but the note.

use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
    jiff::Timestamp,
};

/// The most bytes of an Event's note that the API server takes.
const MAX_NOTE: usize = 1024;
/// Where Events of cluster-scoped objects stand.
const CLUSTER_NAMESPACE: &str = "default";

/// What happened to an object.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Happened {
    /// Whether a person should look at it.
    pub warning: bool,
    /// CamelCase, from the kind's enum of reasons.
    pub reason: &'static str,
    /// What the controller was doing, CamelCase: `Publish`, `Resolve`, `Delete`.
    pub action: &'static str,
    /// For people; cut at 1024 bytes.
    pub note: String,
}

impl Happened {
    /// Something went as it should.
    pub fn normal(reason: &'static str, action: &'static str, note: impl Into<String>) -> Self {
        Self {
            warning: false,
            reason,
            action,
            note: note.into(),
        }
    }

    /// Something that a person should look at.
    pub fn warning(reason: &'static str, action: &'static str, note: impl Into<String>) -> Self {
        Self {
            warning: true,
            reason,
            action,
            note: note.into(),
        }
    }
}

/// The Event that says `happened` of `regarding` in the name of `controller`, at `now`, in the
/// namespace of the object.
pub fn event(
    controller: &str,
    regarding: ObjectReference,
    happened: &Happened,
    now: Timestamp,
) -> Event {
    let name = regarding.name.as_deref().unwrap_or_default();
    let namespace = regarding
        .namespace
        .clone()
        .unwrap_or_else(|| CLUSTER_NAMESPACE.to_owned());
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{name}.{:x}", now.as_nanosecond())),
            namespace: Some(namespace),
            ..ObjectMeta::default()
        },
        action: Some(happened.action.to_owned()),
        event_time: Some(MicroTime(now)),
        note: Some(cut(&happened.note).to_owned()),
        reason: Some(happened.reason.to_owned()),
        regarding: Some(regarding),
        reporting_controller: Some(controller.to_owned()),
        reporting_instance: Some(controller.to_owned()),
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
    &note[..note.floor_char_boundary(MAX_NOTE)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_note_is_cut_at_a_character_and_the_namespace_is_that_of_the_object() {
        let regarding = ObjectReference {
            name: Some("cache".to_owned()),
            namespace: Some("shop".to_owned()),
            ..ObjectReference::default()
        };
        let happened = Happened::warning("Refused", "Pin", "é".repeat(600));
        let event = event(
            "paamesh-operator",
            regarding,
            &happened,
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(event.metadata.namespace.as_deref(), Some("shop"));
        assert_eq!(event.note.map(|n| n.len()), Some(MAX_NOTE));
        assert_eq!(event.type_.as_deref(), Some("Warning"));
    }
}
