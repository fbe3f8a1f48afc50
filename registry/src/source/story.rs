//! What happened to a source, as one Event: what was done since the last one, and the difference
//! between two statuses. Pure.

use super::{
    act::Acted,
    observed::{Look, Observed},
    plan::Plan,
    status::{changed_text, failed_text, named},
};
use api::{
    AddonSourceStatus,
    conditions::READY,
    crd::source::{ChangedVersion, FailedAddon, SourceReason},
    events::Happened,
};

/// What was done and not told of yet, as texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Untold {
    projected: Vec<String>,
    restored: Vec<String>,
    withdrawn: Vec<String>,
    reinstated: Vec<String>,
    pruned: Vec<String>,
}

impl Untold {
    /// Notes what was done.
    pub fn add(&mut self, acted: &Acted) {
        let made =
            |p: &super::plan::Projected| format!("{} {} ({})", p.plugin, p.version, p.digest);
        self.projected.extend(acted.projected.iter().map(made));
        self.restored.extend(acted.restored.iter().map(made));
        let withdrawn = acted.withdrawn.iter();
        self.withdrawn
            .extend(withdrawn.map(|w| format!("{}, {}", w.version, w.why)));
        let reinstated = acted.reinstated.iter();
        self.reinstated
            .extend(reinstated.map(|w| w.version.clone()));
        self.pruned.extend(acted.pruned.iter().cloned());
    }

    /// Whether something new was handed to the operator.
    pub fn has_projected(&self) -> bool {
        !self.projected.is_empty()
    }

    fn parts(&self) -> impl Iterator<Item = Part> {
        let part = |reason, intro: &str, texts: &[String]| {
            let text = format!("{intro} {}", named(texts.iter().cloned()));
            let warning = reason == SourceReason::Withdrawn;
            (!texts.is_empty()).then_some(Part {
                warning,
                of_revision: true,
                reason,
                text,
            })
        };
        [
            part(SourceReason::Withdrawn, "withdrawn", &self.withdrawn),
            part(SourceReason::Projected, "projected", &self.projected),
            part(
                SourceReason::Projected,
                "made the content anew of",
                &self.restored,
            ),
            part(SourceReason::Synced, "offered again", &self.reinstated),
            part(SourceReason::Pruned, "pruned", &self.pruned),
        ]
        .into_iter()
        .flatten()
    }
}

/// Something to be told.
struct Part {
    warning: bool,
    /// Whether it is about the revision that was found last.
    of_revision: bool,
    reason: SourceReason,
    text: String,
}

/// What happened, in the order in which it matters: the first part gives the reason. Nothing where
/// nothing did. `announced` is the revision that was told of before.
pub(crate) fn happened(
    observed: &Observed,
    after: &AddonSourceStatus,
    plan: &Plan,
    untold: &Untold,
    announced: Option<&str>,
) -> Option<Happened> {
    let before = &observed.status;
    let mut parts = refused(before, after, plan);
    parts.extend(turned(observed, after));
    parts.extend(untold.parts());
    if let Some(first) = parts.first() {
        let texts: Vec<_> = parts.iter().map(|part| part.text.as_str()).collect();
        let revision = after.revision.iter().filter(|_| first.of_revision);
        let note = revision.cloned().chain([texts.join("; ")]);
        return Some(told(
            parts.iter().any(|part| part.warning),
            first.reason,
            note.collect::<Vec<_>>().join(": "),
        ));
    }
    synced(before, after, announced)
}

/// What is newly refused of what is offered.
fn refused(before: &AddonSourceStatus, after: &AddonSourceStatus, plan: &Plan) -> Vec<Part> {
    let changed = new_changes(before, after).map(changed_text);
    let (unverified, failed) = new_failures(before, after, plan);
    let part = |reason, texts: Vec<String>| {
        let text = named(texts.into_iter());
        (!text.is_empty()).then_some(Part {
            warning: true,
            of_revision: true,
            reason,
            text,
        })
    };
    let texts = |failed: Vec<&FailedAddon>| failed.into_iter().map(failed_text).collect();
    [
        part(SourceReason::VersionChanged, changed.collect()),
        part(SourceReason::VerificationFailed, texts(unverified)),
        part(SourceReason::AddonsFailed, texts(failed)),
    ]
    .into_iter()
    .flatten()
    .collect()
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

/// The addons that are newly refused: those that are not signed as they should be, and the others.
pub(crate) fn new_failures<'a>(
    before: &AddonSourceStatus,
    after: &'a AddonSourceStatus,
    plan: &Plan,
) -> (Vec<&'a FailedAddon>, Vec<&'a FailedAddon>) {
    let new = after.failed.iter();
    let new = new.filter(|failed| !before.failed.contains(failed));
    let is_unverified = |failed: &&FailedAddon| {
        let mut unverified = plan.unverified.iter();
        unverified.any(|u| u.directory == failed.directory && u.plugin == failed.plugin)
    };
    new.partition(is_unverified)
}

/// Whether the revision itself turned out not to be signed as it should be: nothing of it was read.
pub(crate) fn is_newly_unsigned(observed: &Observed, after: &AddonSourceStatus) -> bool {
    let is_unsigned = matches!(observed.look.as_deref(), Some(Look::Unverified { .. }));
    is_unsigned && ready(&observed.status, after).is_some_and(|(_, is_new)| is_new)
}

/// What the condition Ready turned to, of what the other parts do not say.
fn turned(observed: &Observed, after: &AddonSourceStatus) -> Option<Part> {
    let (new, is_new) = ready(&observed.status, after)?;
    let alone = [
        SourceReason::FetchFailed,
        SourceReason::InvalidSpec,
        SourceReason::Conflict,
    ];
    let mut reasons = alone.into_iter();
    let reason = reasons.find(|reason| new.reason == reason.as_str());
    let unsigned = is_newly_unsigned(observed, after);
    let unsigned = unsigned.then_some(SourceReason::VerificationFailed);
    let reason = reason.or(unsigned).filter(|_| is_new)?;
    Some(Part {
        warning: true,
        of_revision: reason == SourceReason::Conflict,
        reason,
        text: new.message.clone(),
    })
}

/// The condition Ready, and whether it says something new.
fn ready<'a>(
    before: &AddonSourceStatus,
    after: &'a AddonSourceStatus,
) -> Option<(&'a api::conditions::Condition, bool)> {
    let new = after.conditions.iter().find(|c| c.type_ == READY)?;
    let old = before.conditions.iter().find(|c| c.type_ == READY);
    let same = old.is_some_and(|old| old.reason == new.reason && old.message == new.message);
    Some((new, !same))
}

/// That all is well, where nothing else told of the revision.
fn synced(
    before: &AddonSourceStatus,
    after: &AddonSourceStatus,
    announced: Option<&str>,
) -> Option<Happened> {
    let (new, is_new) = ready(before, after)?;
    let told_of = after.revision.as_deref() == announced;
    let is_synced = new.reason == SourceReason::Synced.as_str();
    (is_synced && is_new && !told_of)
        .then(|| told(false, SourceReason::Synced, new.message.clone()))
}

fn told(warning: bool, reason: SourceReason, note: String) -> Happened {
    const ACTION: &str = "Reconcile";
    match warning {
        true => Happened::warning(reason.as_str(), ACTION, note),
        false => Happened::normal(reason.as_str(), ACTION, note),
    }
}
