//! Where a source stands, from its spec and the registry's words. Pure.

use api::{
    AddonSource,
    conditions::{Condition, READY, RECONCILING, SOURCE_VERIFIED, STALLED},
    crd::source::{FailedAddon, SourceReason},
};
use serde::Serialize;

/// Where a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Standing {
    /// All that it offers is published.
    Ready,
    /// The registry is at it, or tries again by itself.
    AtWork,
    /// The source could not be read; tried again by itself, and perhaps in vain.
    Failing,
    /// A person is needed.
    Stalled,
    /// It is left alone.
    Suspended,
    /// The registry said nothing of it yet, or of what it was before the last edit.
    NotLooked,
}

impl Standing {
    /// In a word.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::AtWork => "Progressing",
            Self::Failing => "Failing",
            Self::Stalled => "Stalled",
            Self::Suspended => "Suspended",
            Self::NotLooked => "Waiting",
        }
    }
}

/// Where `source` stands.
pub(super) fn of(source: &AddonSource) -> Standing {
    let Some(status) = &source.status else {
        return match source.spec.suspend {
            true => Standing::Suspended,
            false => Standing::NotLooked,
        };
    };
    let is = |type_| api::conditions::is_true(&status.conditions, type_);
    let said = ready(source).map(|c| c.reason.as_str());
    match () {
        () if source.spec.suspend => Standing::Suspended,
        () if status.observed_generation != source.metadata.generation => Standing::NotLooked,
        () if said == Some(SourceReason::Suspended.as_str()) => Standing::NotLooked,
        () if is(STALLED) => Standing::Stalled,
        () if is(READY) => Standing::Ready,
        () if said == Some(SourceReason::FetchFailed.as_str()) => Standing::Failing,
        () if is(RECONCILING) || said.is_some() => Standing::AtWork,
        () => Standing::NotLooked,
    }
}

/// What the registry says of the whole.
pub(super) fn ready(source: &AddonSource) -> Option<&Condition> {
    let conditions = source.status.iter().flat_map(|status| &status.conditions);
    conditions.into_iter().find(|c| c.type_ == READY)
}

/// Where `source` stands with signatures.
pub(super) fn verified(source: &AddonSource) -> Option<&Condition> {
    let conditions = source.status.iter().flat_map(|status| &status.conditions);
    conditions.into_iter().find(|c| c.type_ == SOURCE_VERIFIED)
}

/// What of the failed is not signed by whom it should be: that was not read, so nothing is known of it.
pub(super) fn unsigned(source: &AddonSource) -> Vec<&FailedAddon> {
    if verified(source).is_none_or(|condition| condition.status != "False") {
        return Vec::new();
    }
    let failed = source.status.iter().flat_map(|status| &status.failed);
    let unread = |failed: &&FailedAddon| {
        let in_a_file = failed.findings.iter().any(|f| !f.file.is_empty());
        failed.plugin.is_none() && !in_a_file
    };
    failed.filter(unread).collect()
}

/// Whether the registry answered the request `asked`, where there was one.
pub(super) fn answered(source: &AddonSource, asked: Option<&str>) -> bool {
    let handled = source
        .status
        .as_ref()
        .and_then(|s| s.last_handled_reconcile_at.as_deref());
    // Who asked by Flux' annotation stands beside who asked by ours.
    let mut handled = handled.into_iter().flat_map(str::split_whitespace);
    asked.is_none_or(|asked| handled.any(|request| request == asked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn source(suspend: bool, observed: i64, conditions: &serde_json::Value) -> AddonSource {
        serde_json::from_value(json!({
            "apiVersion": api::API_VERSION, "kind": "AddonSource",
            "metadata": {"name": "a", "generation": 2},
            "spec": {"directory": {"path": "a"}, "suspend": suspend},
            "status": {
                "observedGeneration": observed, "conditions": conditions,
                "lastHandledReconcileAt": "then 1767225600",
            },
        }))
        .unwrap()
    }

    fn condition(type_: &str, status: &str, reason: &str) -> serde_json::Value {
        json!({
            "type": type_, "status": status, "reason": reason, "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    }

    #[test]
    fn a_source_stands_where_the_registry_says() {
        let ready = json!([condition("Ready", "True", "Synced")]);
        let failing = json!([
            condition("Ready", "False", "FetchFailed"),
            condition("Reconciling", "True", "Progressing")
        ]);
        let work = json!([
            condition("Ready", "False", "Progressing"),
            condition("Reconciling", "True", "Progressing")
        ]);
        let stalled = json!([
            condition("Ready", "False", "AddonsFailed"),
            condition("Stalled", "True", "AddonsFailed")
        ]);
        let paused = json!([condition("Ready", "True", "Suspended")]);
        let cases = [
            (source(false, 2, &ready), Standing::Ready),
            (source(false, 1, &ready), Standing::NotLooked),
            (source(true, 2, &ready), Standing::Suspended),
            (source(false, 2, &failing), Standing::Failing),
            (source(false, 2, &work), Standing::AtWork),
            (source(false, 2, &stalled), Standing::Stalled),
            (source(false, 2, &paused), Standing::NotLooked),
            (source(false, 2, &json!([])), Standing::NotLooked),
        ];
        for (source, wanted) in cases {
            assert_eq!(of(&source), wanted, "{:?}", source.status);
        }
    }

    #[test]
    fn a_request_is_answered_where_its_time_stands() {
        let source = source(false, 2, &json!([]));
        assert!(answered(&source, None) && answered(&source, Some("then")));
        assert!(answered(&source, Some("1767225600")));
        assert!(!answered(&source, Some("now")));
    }
}
