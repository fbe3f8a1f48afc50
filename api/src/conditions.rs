//! Conditions by the rules of kstatus: `Ready`, `Reconciling`, `Stalled`, and others in positive
//! form; reasons as an enum per kind.

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// The whole object is as its spec asks.
pub const READY: &str = "Ready";
/// The controller is at work towards the spec. Present only while True.
pub const RECONCILING: &str = "Reconciling";
/// No progress without a person. Present only while True.
pub const STALLED: &str = "Stalled";
/// App: the spec's versions were accepted; False names the refusal, and the App stays what it was.
pub const PIN_ACCEPTED: &str = "PinAccepted";
/// Component, Group: the pods were composed by an older release of the platform.
pub const PLATFORM_OUTDATED: &str = "PlatformOutdated";
/// MiddlewareAddon, App: deletion waits; the message names for whom.
pub const DELETION_HELD: &str = "DeletionHeld";
/// AddonSource: every version that the source offers has the bytes that were published.
pub const VERSIONS_UNCHANGED: &str = "VersionsUnchanged";
/// AddonSource: what the source demands to be signed is, by whom it should be; absent where it demands
/// nothing.
pub const SOURCE_VERIFIED: &str = "SourceVerified";
/// MiddlewareAddon: no new App may pin it; present only while True.
pub const WITHDRAWN: &str = "Withdrawn";
/// MiddlewareAddon: it is better not used any more; present only while True.
pub const DEPRECATED: &str = "Deprecated";

/// The longest message that a condition holds, in bytes.
pub const MAX_MESSAGE: usize = 8192;

/// What is to be said of one aspect, before it is known since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The condition's type.
    pub type_: &'static str,
    /// `Some(true)` = True, `Some(false)` = False, `None` = Unknown.
    pub status: Option<bool>,
    /// CamelCase, from the kind's enum of reasons.
    pub reason: &'static str,
    /// For people.
    pub message: String,
}

impl Said {
    /// `type_` holds.
    pub fn yes(type_: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            type_,
            status: Some(true),
            reason,
            message: message.into(),
        }
    }

    /// `type_` does not hold.
    pub fn no(type_: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            type_,
            status: Some(false),
            reason,
            message: message.into(),
        }
    }
}

/// The conditions that `said` makes of `before`: exactly the types of `said`, in its order, with
/// `lastTransitionTime` kept where the status did not change, and messages cut at [`MAX_MESSAGE`].
pub fn merge(
    before: &[Condition],
    said: Vec<Said>,
    generation: Option<i64>,
    now: &Time,
) -> Vec<Condition> {
    said.into_iter()
        .map(|said| {
            let status = match said.status {
                Some(true) => "True",
                Some(false) => "False",
                None => "Unknown",
            };
            let since = before
                .iter()
                .find(|c| c.type_ == said.type_ && c.status == status)
                .map_or_else(|| now.clone(), |c| c.last_transition_time.clone());
            Condition {
                type_: said.type_.to_owned(),
                status: status.to_owned(),
                reason: said.reason.to_owned(),
                message: cut(said.message),
                observed_generation: generation,
                last_transition_time: since,
            }
        })
        .collect()
}

/// Whether the condition `type_` is True.
pub fn is_true(conditions: &[Condition], type_: &str) -> bool {
    conditions
        .iter()
        .any(|c| c.type_ == type_ && c.status == "True")
}

fn cut(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE - '…'.len_utf8()));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        serde_json::from_value(serde_json::json!(text)).unwrap()
    }

    #[test]
    fn the_time_of_transition_is_kept_until_the_status_changes() {
        let (first, later) = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
        let before = merge(
            &[],
            vec![Said::no(READY, "Creating", "1 of 3")],
            Some(1),
            &first,
        );
        let same = merge(
            &before,
            vec![Said::no(READY, "Creating", "2 of 3")],
            Some(1),
            &later,
        );
        assert_eq!(same[0].last_transition_time, first);
        let ready = merge(
            &same,
            vec![Said::yes(READY, "Running", "")],
            Some(1),
            &later,
        );
        assert_eq!(ready[0].last_transition_time, later);
        assert!(is_true(&ready, READY));
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let said = merge(
            &[],
            vec![Said::no(READY, "X", "é".repeat(9000))],
            None,
            &at("2026-01-01T00:00:00Z"),
        );
        assert!(said[0].message.len() <= MAX_MESSAGE && said[0].message.ends_with('…'));
    }
}
