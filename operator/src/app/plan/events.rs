//! What changed for an App, for people.

use super::Verdict;
use crate::{app::observe::Observed, events::Happened};
use api::{
    conditions::{DELETION_HELD, is_true},
    crd::app::{AppPhase, AppReason as Reason, Pin},
};

pub(super) fn describe(pin: &Pin) -> String {
    format!(
        "{} (digest {}), runtime {}, topology {}",
        pin.plugin_version,
        pin.digest.short(12),
        pin.runtime_version,
        pin.topology
    )
}

pub(super) fn pin_event(observed: &Observed, pin: &Pin) -> Option<Happened> {
    match &observed.present {
        None => {
            let note = format!("pinned to {} {}", observed.spec.plugin, describe(pin));
            Some(Happened::normal(Reason::Accepted.as_str(), "Pin", note))
        }
        Some(present) if present != pin => {
            let note = format!("from {} to {}", describe(present), describe(pin));
            Some(Happened::normal(Reason::Upgrading.as_str(), "Pin", note))
        }
        Some(_) => None,
    }
}

/// What is said of the version, for those that use it.
pub(super) fn standing(observed: &Observed, pin: &Pin) -> String {
    let Some(known) = observed
        .versions
        .iter()
        .find(|known| known.version == pin.plugin_version)
    else {
        return String::new();
    };
    let withdrawn = known
        .withdrawn
        .iter()
        .map(|why| format!("; the version is withdrawn: {why}"));
    let deprecated = known
        .deprecated
        .iter()
        .map(|why| format!("; the version is deprecated: {why}"));
    withdrawn.chain(deprecated).collect()
}

/// That the version is deprecated, once: when it is pinned.
pub(super) fn deprecated_event(observed: &Observed, pin: &Pin) -> Option<Happened> {
    let present = observed.present.as_ref();
    let is_new = present.is_none_or(|present| present.plugin_version != pin.plugin_version);
    let known = observed
        .versions
        .iter()
        .find(|known| known.version == pin.plugin_version)?;
    let why = known.deprecated.as_ref().filter(|_| is_new)?;
    let note = format!(
        "{} {} is deprecated: {why}",
        observed.spec.plugin, pin.plugin_version
    );
    Some(Happened::warning(Reason::Deprecated.as_str(), "Use", note))
}

pub(super) fn phase_event(observed: &Observed, verdict: &Verdict) -> Option<Happened> {
    let before = observed.status.phase;
    let (reason, message) = (verdict.reason, verdict.message.as_str());
    match verdict.phase {
        phase if before == Some(phase) => None,
        AppPhase::Running => Some(Happened::normal(reason, "Run", message)),
        AppPhase::Degraded | AppPhase::Failed => Some(Happened::warning(reason, "Run", message)),
        _ => None,
    }
}

pub(super) fn held_event(observed: &Observed, verdict: &Verdict) -> Option<Happened> {
    let why = verdict.held.as_ref()?;
    let news = !is_true(&observed.status.conditions, DELETION_HELD);
    news.then(|| Happened::warning(Reason::Protected.as_str(), "Delete", why))
}
