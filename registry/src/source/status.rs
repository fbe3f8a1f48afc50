//! The status of a source, from what was planned and done. Pure.

mod verified;

use super::{
    act::Acted,
    observed::{Look, Observed},
    plan::Plan,
};
use api::{
    AddonSourceStatus,
    conditions::{READY, RECONCILING, STALLED, Said, Time, VERSIONS_UNCHANGED, merge},
    crd::source::{ChangedVersion, FailedAddon, SourceReason},
};
use jiff::Timestamp;

/// The most entries of a list in the status.
const MAX_LISTED: usize = 100;
/// The most findings of one addon there.
const MAX_FINDINGS: usize = 20;
/// The most versions, addons or files that one message names.
const MAX_NAMED: usize = 5;

/// The status of the source after `acted`.
pub(crate) fn status(
    observed: &Observed,
    plan: &Plan,
    acted: &Acted,
    now: Timestamp,
) -> AddonSourceStatus {
    let mut status = observed.status.clone();
    status.observed_generation = observed.generation;
    status.url = (!observed.url.is_empty()).then(|| observed.url.clone());
    let found = match observed.look.as_deref() {
        _ if observed.suspended => None,
        Some(Look::Found { revision, .. }) => Some(revision),
        _ => None,
    };
    if !observed.suspended && observed.look.is_some() {
        status
            .last_handled_reconcile_at
            .clone_from(&observed.requested);
    }
    if let Some(revision) = found {
        status.revision = Some(revision.clone());
        status.versions = i32::try_from(plan.published).ok();
        let mut failed: Vec<_> = plan.unverified.iter().chain(&plan.failed).collect();
        failed.sort_by(|a, b| a.directory.cmp(&b.directory));
        status.failed = failed.into_iter().take(MAX_LISTED).map(bounded).collect();
        let changed = plan.changed.iter().take(MAX_LISTED);
        status.changed = changed.map(|changed| acted.compared(changed)).collect();
        status.withdrawn = plan.withdrawn.iter().take(MAX_LISTED).cloned().collect();
    }
    let mut said = said(observed, plan, acted, &status);
    said.extend(verified::verified(observed, plan));
    let conditions = &observed.status.conditions;
    status.conditions = merge(conditions, said, observed.generation, &Time(now));
    status
}

/// As much of it as the schema takes.
fn bounded(failed: &FailedAddon) -> FailedAddon {
    let mut failed = failed.clone();
    failed.directory = failed.directory.chars().take(512).collect();
    failed.findings.truncate(MAX_FINDINGS);
    for finding in &mut failed.findings {
        finding.file = finding.file.chars().take(512).collect();
        finding.message = finding.message.chars().take(2048).collect();
    }
    failed
}

fn said(observed: &Observed, plan: &Plan, acted: &Acted, status: &AddonSourceStatus) -> Vec<Said> {
    if observed.suspended {
        return suspended(observed);
    }
    let as_before = || {
        let looked = status.revision.is_some();
        looked.then(|| unchanged(&status.changed))
    };
    match observed.look.as_deref() {
        None => Vec::new(),
        Some(Look::Failed { terminal, message }) => {
            let mut said = unreachable(*terminal, message);
            said.extend(as_before());
            said
        }
        Some(Look::Unverified { revision, message }) => {
            let reason = SourceReason::VerificationFailed.as_str();
            let text = format!("{revision}: {message}");
            let ready = Said::no(READY, reason, text.clone());
            let mut said = vec![ready, Said::yes(STALLED, reason, text)];
            said.extend(as_before());
            said
        }
        Some(Look::Found { revision, .. }) => {
            let mut said = found(plan, acted, status, revision);
            said.push(unchanged(&status.changed));
            said
        }
    }
}

/// What was said last stays said, under another reason.
fn suspended(observed: &Observed) -> Vec<Said> {
    let before = observed.status.conditions.iter().find(|c| c.type_ == READY);
    let mut said = vec![Said {
        type_: READY,
        status: before.and_then(|ready| match ready.status.as_str() {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        }),
        reason: SourceReason::Suspended.as_str(),
        message: "suspended; set spec.suspend to false to go on".to_owned(),
    }];
    let looked = observed.status.revision.is_some();
    said.extend(looked.then(|| unchanged(&observed.status.changed)));
    said
}

fn unreachable(terminal: bool, message: &str) -> Vec<Said> {
    let reason = Look::failure(terminal).as_str();
    let ready = Said::no(READY, reason, message);
    let other = if terminal {
        Said::yes(STALLED, reason, message)
    } else {
        let progressing = SourceReason::Progressing.as_str();
        Said::yes(RECONCILING, progressing, "the repository is tried again")
    };
    vec![ready, other]
}

fn unchanged(changed: &[ChangedVersion]) -> Said {
    if changed.is_empty() {
        let all = "every version that is offered has the bytes that were published";
        return Said::yes(VERSIONS_UNCHANGED, SourceReason::Unchanged.as_str(), all);
    }
    let text = named(changed.iter().map(changed_text));
    Said::no(
        VERSIONS_UNCHANGED,
        SourceReason::VersionChanged.as_str(),
        text,
    )
}

pub(super) fn changed_text(changed: &ChangedVersion) -> String {
    let ChangedVersion {
        plugin,
        version,
        directory,
        published,
        published_by,
        offered,
        files,
    } = changed;
    let by = published_by.as_ref();
    let by = by.map_or_else(String::new, |source| format!(" by source {source}"));
    let files = if files.is_empty() {
        String::new()
    } else {
        format!(" ({} differ)", named(files.iter().cloned()))
    };
    format!(
        "{plugin} {version} is published{by} as {published} and stays so; {directory} offers {offered}\
         {files}: publish the change under a new version"
    )
}

pub(super) fn failed_text(failed: &FailedAddon) -> String {
    let first = match failed.findings.first() {
        Some(finding) if finding.file.is_empty() => format!(": {}", finding.message),
        Some(finding) => format!("/{finding}"),
        None => String::new(),
    };
    let more = match failed.findings.len() {
        0 | 1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    format!("{}{first}{more}", failed.directory)
}

pub(super) fn named(texts: impl ExactSizeIterator<Item = String>) -> String {
    let all = texts.len();
    let mut text = texts.take(MAX_NAMED).collect::<Vec<_>>().join("; ");
    if all > MAX_NAMED {
        text.push_str(&format!("; and {} more", all - MAX_NAMED));
    }
    text
}

fn found(plan: &Plan, acted: &Acted, status: &AddonSourceStatus, revision: &str) -> Vec<Said> {
    let stalled = stalled(plan, status);
    let pending = pending(plan, acted);
    let ready = match (&stalled, &pending) {
        (Some((reason, text)), _) => Said::no(READY, reason.as_str(), text.clone()),
        (None, Some(text)) => Said::no(READY, SourceReason::Progressing.as_str(), text.clone()),
        (None, None) => {
            let mut text = format!("{revision}: {} published", versions(plan.published));
            if !plan.withdrawn.is_empty() {
                text += &format!("; withdrawn: {}", named(plan.withdrawn.iter().cloned()));
            }
            Said::yes(READY, SourceReason::Synced.as_str(), text)
        }
    };
    let mut said = vec![ready];
    said.extend(
        pending.map(|text| Said::yes(RECONCILING, SourceReason::Progressing.as_str(), text)),
    );
    said.extend(stalled.map(|(reason, text)| Said::yes(STALLED, reason.as_str(), text)));
    said
}

fn versions(n: usize) -> String {
    match n {
        1 => "1 version".to_owned(),
        n => format!("{n} versions"),
    }
}

/// What needs a person: the first reason, and the text of all.
fn stalled(plan: &Plan, status: &AddonSourceStatus) -> Option<(SourceReason, String)> {
    let changed = named(status.changed.iter().map(changed_text));
    let unverified = named(plan.unverified.iter().map(failed_text));
    let failed = named(plan.failed.iter().map(failed_text));
    let conflicts = named(plan.conflicts.iter().cloned());
    let said: Vec<_> = [
        (SourceReason::VersionChanged, changed),
        (SourceReason::VerificationFailed, unverified),
        (SourceReason::AddonsFailed, failed),
        (SourceReason::Conflict, conflicts),
    ]
    .into_iter()
    .filter(|(_, text)| !text.is_empty())
    .collect();
    let (reason, _) = said.first()?;
    let texts: Vec<_> = said.iter().map(|(_, text)| text.as_str()).collect();
    Some((*reason, texts.join("; ")))
}

/// What is on its way, or is tried again.
fn pending(plan: &Plan, acted: &Acted) -> Option<String> {
    let errors = acted.errors.iter().map(ToString::to_string);
    let projected = acted.projected.iter();
    let projected = projected.map(|p| format!("{} {}: projected", p.plugin, p.version));
    let texts: Vec<_> = errors
        .chain(plan.unjudged.iter().cloned())
        .chain(plan.waiting.iter().cloned())
        .chain(projected)
        .collect();
    (!texts.is_empty()).then(|| named(texts.into_iter()))
}
