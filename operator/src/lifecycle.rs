//! What is said of a version without changing it: withdrawn, deprecated, end of support.
//!
//! In: `spec.lifecycle` and the day. Out: a [`Standing`]: one word for a print column, the messages of
//! the conditions, and the day on which that changes by itself.

use api::crd::addon::{Advisory, Lifecycle, Severity};
use jiff::civil::Date;
use serde::Serialize;

/// Where a version stands in its life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// `Withdrawn`, `EndOfSupport` or `Deprecated`: the first that holds.
    pub word: Option<&'static str>,
    /// Why no new App may pin it.
    pub withdrawn: Option<String>,
    /// Why it is better not used any more.
    pub deprecated: Option<String>,
    /// The first day that finds it otherwise.
    pub changes_on: Option<Date>,
}

impl Standing {
    /// Whether nothing is said of it.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a version stands on the day `today` (UTC). It is supported throughout the day that is named.
pub fn standing(lifecycle: Option<&Lifecycle>, today: Date) -> Standing {
    let Some(lifecycle) = lifecycle else {
        return Standing::default();
    };
    let end = lifecycle
        .end_of_support
        .as_deref()
        .map(|text| (text, text.parse::<Date>()));
    let (ended, wrong, changes_on) = match end {
        Some((_, Ok(end))) if end < today => {
            (Some(format!("its support ended on {end}")), None, None)
        }
        Some((_, Ok(end))) => (None, None, end.tomorrow().ok()),
        Some((text, Err(_))) => (None, Some(no_day(text)), None),
        None => (None, None, None),
    };
    let is_over = ended.is_some();
    let said = lifecycle.deprecated.clone().into_iter();
    let said = said
        .chain(ended)
        .chain(lifecycle.advisories.iter().map(advisory))
        .chain(wrong);
    let said: Vec<String> = said.collect();
    let word = match (&lifecycle.withdrawn, is_over, said.is_empty()) {
        (Some(_), _, _) => Some("Withdrawn"),
        (None, true, _) => Some("EndOfSupport"),
        (None, false, false) => Some("Deprecated"),
        (None, false, true) => None,
    };
    Standing {
        word,
        withdrawn: lifecycle.withdrawn.clone(),
        deprecated: (!said.is_empty()).then(|| said.join("; ")),
        changes_on,
    }
}

fn no_day(text: &str) -> String {
    format!("spec.lifecycle.endOfSupport `{text}` is no day; write it as 2027-03-31")
}

fn advisory(advisory: &Advisory) -> String {
    let Advisory {
        id,
        severity,
        summary,
        url,
    } = advisory;
    let severity = match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    };
    let mut text = format!("{id} ({severity})");
    if !summary.is_empty() {
        text += &format!(": {summary}");
    }
    if let Some(url) = url {
        text += &format!(" {url}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_weighs_most_is_the_word() {
        let advisory = json!({"id": "CVE-2026-1", "severity": "high", "summary": "it leaks", "url": "https://x"});
        let cases = [
            (json!({}), None, None, None),
            (
                json!({"deprecated": "use 2.x"}),
                Some("Deprecated"),
                Some("use 2.x"),
                None,
            ),
            (
                json!({"endOfSupport": "2027-03-31"}),
                None,
                None,
                Some("2027-04-01"),
            ),
            (
                json!({"endOfSupport": "2027-03-30"}),
                Some("EndOfSupport"),
                Some("its support ended on 2027-03-30"),
                None,
            ),
            (
                json!({"deprecated": "use 2.x", "endOfSupport": "2026-12-31", "advisories": [advisory]}),
                Some("EndOfSupport"),
                Some(
                    "use 2.x; its support ended on 2026-12-31; CVE-2026-1 (high): it leaks https://x",
                ),
                None,
            ),
            (
                json!({"withdrawn": "loses data", "endOfSupport": "2026-12-31"}),
                Some("Withdrawn"),
                Some("its support ended on 2026-12-31"),
                None,
            ),
            (
                json!({"endOfSupport": "2027-02-31"}),
                Some("Deprecated"),
                Some("spec.lifecycle.endOfSupport `2027-02-31` is no day; write it as 2027-03-31"),
                None,
            ),
        ];
        for (lifecycle, word, deprecated, changes) in cases {
            let lifecycle: Lifecycle = serde_json::from_value(lifecycle).unwrap();
            let found = standing(Some(&lifecycle), "2027-03-31".parse().unwrap());
            assert_eq!(found.word, word, "{lifecycle:?}");
            assert_eq!(found.deprecated.as_deref(), deprecated, "{lifecycle:?}");
            assert_eq!(found.withdrawn, lifecycle.withdrawn);
            let changes: Option<Date> = changes.map(|day| day.parse().unwrap());
            assert_eq!(found.changes_on, changes, "{lifecycle:?}");
        }
        assert!(standing(None, Date::MAX).is_plain());
    }
}
