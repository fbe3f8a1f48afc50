//! What happened to a source, for Events and counters: the difference between two statuses. Pure.

use super::{
    act::Acted,
    status::{MAX_NAMED, changed_text, failed_text, named},
};
use api::{
    AddonSourceStatus,
    conditions::READY,
    crd::source::{ChangedVersion, SourceReason},
    events::Happened,
};

/// What happened between two statuses, and which revision it tells of. `announced` is the revision
/// that was told of before; a status that was not written tells nothing yet.
pub(crate) fn happened(
    before: &AddonSourceStatus,
    after: Option<&AddonSourceStatus>,
    acted: &Acted,
    revision: &str,
    announced: Option<&str>,
) -> Vec<Happened> {
    let mut happened = Vec::new();
    if !acted.projected.is_empty() {
        let projected = acted.projected.iter();
        let texts = projected.map(|p| format!("{} {} ({})", p.plugin, p.version, p.digest));
        let note = format!("{revision}: projected {}", named(texts));
        happened.push(told(false, SourceReason::Projected, note));
    }
    let Some(after) = after else { return happened };
    for changed in new_changes(before, after).take(MAX_NAMED) {
        let note = format!("{revision}: {}", changed_text(changed));
        happened.push(told(true, SourceReason::VersionChanged, note));
    }
    if !after.failed.is_empty() && after.failed != before.failed {
        let note = format!(
            "{revision}: {}",
            named(after.failed.iter().map(failed_text))
        );
        happened.push(told(true, SourceReason::AddonsFailed, note));
    }
    happened.extend(turned(before, after, announced));
    happened
}

/// The published versions that are newly offered with other bytes.
pub(crate) fn new_changes<'a>(
    before: &'a AddonSourceStatus,
    after: &'a AddonSourceStatus,
) -> impl Iterator<Item = &'a ChangedVersion> {
    let known = |new: &ChangedVersion| {
        let same = |old: &ChangedVersion| {
            (&old.plugin, &old.version, &old.offered) == (&new.plugin, &new.version, &new.offered)
        };
        before.changed.iter().any(same)
    };
    after.changed.iter().filter(move |new| !known(new))
}

/// What the condition Ready turned to.
fn turned(
    before: &AddonSourceStatus,
    after: &AddonSourceStatus,
    announced: Option<&str>,
) -> Option<Happened> {
    let ready =
        |status: &AddonSourceStatus| status.conditions.iter().find(|c| c.type_ == READY).cloned();
    let (old, new) = (ready(before), ready(after)?);
    let same = old.is_some_and(|old| old.reason == new.reason && old.message == new.message);
    if same {
        return None;
    }
    let reason = |reason: SourceReason| (new.reason == reason.as_str()).then_some(reason);
    if let Some(reason) = reason(SourceReason::Synced) {
        let told_of = after.revision.as_deref() == announced;
        return (!told_of).then(|| told(false, reason, new.message.clone()));
    }
    let warned = [
        SourceReason::FetchFailed,
        SourceReason::InvalidSpec,
        SourceReason::Conflict,
    ];
    let reason = warned.into_iter().find_map(reason)?;
    Some(told(true, reason, new.message.clone()))
}

fn told(warning: bool, reason: SourceReason, note: String) -> Happened {
    const ACTION: &str = "Reconcile";
    match warning {
        true => Happened::warning(reason.as_str(), ACTION, note),
        false => Happened::normal(reason.as_str(), ACTION, note),
    }
}
