//! Events: what a person sees under `kubectl describe`. Published on change only, with the reasons
//! of the conditions; losing one loses nothing but the story.

use kube::{
    Client, Resource,
    runtime::events::{Event, EventType, Recorder, Reporter},
};

/// The most bytes of an Event's note that the API server takes.
const MAX_NOTE: usize = 1024;

/// What happened to an object.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Happened {
    /// Whether a person should look at it.
    pub warning: bool,
    /// CamelCase, from the kind's enum of reasons.
    pub reason: &'static str,
    /// What the controller was doing, CamelCase: `Publish`, `Resolve`, `Delete`.
    pub action: &'static str,
    /// For people.
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

/// Publishes Events; repeated ones become a series.
#[derive(Clone)]
pub struct Events {
    recorder: Recorder,
}

impl Events {
    /// Publishes as `paamesh-operator`.
    pub fn new(client: Client) -> Self {
        let reporter = Reporter {
            controller: "paamesh-operator".to_owned(),
            instance: None,
        };
        Self {
            recorder: Recorder::new(client, reporter),
        }
    }

    /// Publishes `happened` about `object`. A failure is logged and forgotten.
    pub async fn publish<K: Resource<DynamicType = ()>>(&self, object: &K, happened: &Happened) {
        let event = Event {
            type_: if happened.warning {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: happened.reason.to_owned(),
            note: Some(cut(&happened.note).to_owned()),
            action: happened.action.to_owned(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, &object.object_ref(&())).await {
            tracing::warn!(%error, reason = happened.reason, "an Event was lost");
        }
    }
}

fn cut(note: &str) -> &str {
    let mut end = note.len().min(MAX_NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    &note[..end]
}
