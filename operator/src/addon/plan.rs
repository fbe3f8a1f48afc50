//! What to do about a version, from what was observed alone.

use super::observe::{Content, Facts, Observed};
use crate::{
    content::lines,
    events::Happened,
    finalizer::Finalizer,
    lifecycle::{Standing, standing},
};
use api::{
    AddonLedger, Digest,
    conditions::{
        DELETION_HELD, DEPRECATED, READY, RECONCILING, STALLED, Said, WITHDRAWN, is_true,
    },
    crd::addon::{AddonPhase, AddonReason as Reason},
};
use jiff::civil::Date;
use serde::Serialize;

/// What is to be done.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// What becomes of our finalizer.
    pub finalizer: Finalizer,
    /// What is to be entered in the ledger before anything is said.
    pub publish: Option<Publication>,
    /// What is to be said.
    pub verdict: Verdict,
    /// What changed, for people.
    pub events: Vec<Happened>,
    /// Whether to look again without being woken: something may come that nobody tells of.
    pub look_again: bool,
    /// The day on which other things are to be said, with nobody to tell of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look_on: Option<Date>,
}

/// An entry in the ledger.
#[derive(Clone, Debug, Serialize)]
pub struct Publication {
    /// The digest of the version.
    pub digest: Digest,
    /// The ledger as it was read; `None` where there is none yet.
    #[serde(skip)]
    pub into: Option<AddonLedger>,
}

/// What is said of a version.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Where it stands.
    pub phase: AddonPhase,
    /// What is known of it; `None` leaves what was said before.
    pub facts: Option<Facts>,
    /// How many Apps use it.
    pub users: usize,
    /// Why, in one word.
    pub reason: &'static str,
    /// Why, in full.
    pub message: String,
    /// Deletion waits, for these.
    pub held_for: Option<String>,
    /// Where it stands in its life.
    #[serde(skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
}

impl Verdict {
    /// The conditions.
    pub fn said(&self) -> Vec<Said> {
        let (reason, message) = (self.reason, self.message.as_str());
        let mut said = match self.phase {
            AddonPhase::Active => vec![Said::yes(READY, reason, message)],
            AddonPhase::Pending => vec![
                Said::no(READY, reason, message),
                Said::yes(RECONCILING, reason, message),
            ],
            AddonPhase::Failed => vec![
                Said::no(READY, reason, message),
                Said::yes(STALLED, reason, message),
            ],
        };
        if let Some(users) = &self.held_for {
            said.push(Said::yes(DELETION_HELD, Reason::InUse.as_str(), users));
        }
        if let Some(why) = &self.standing.withdrawn {
            let message = format!("no new App may pin it, and those that run by it stay: {why}");
            said.push(Said::yes(WITHDRAWN, Reason::Withdrawn.as_str(), message));
        }
        if let Some(why) = &self.standing.deprecated {
            said.push(Said::yes(DEPRECATED, Reason::Deprecated.as_str(), why));
        }
        said
    }
}

/// The plan for one version.
pub fn plan(observed: &Observed) -> Plan {
    let (phase, reason, message) = judged(observed);
    let facts = match &observed.content {
        Content::Good(facts) => Some(facts.clone()),
        _ => None,
    };
    let new = facts
        .as_ref()
        .filter(|facts| !facts.published && !observed.deleting);
    let publish = new.map(|facts| Publication {
        digest: facts.digest.clone(),
        into: observed.ledger.clone(),
    });
    let held_for = (observed.deleting && is_in_use(observed)).then(|| held(observed));
    let standing = standing(observed.lifecycle.as_ref(), observed.today);
    let verdict = Verdict {
        phase,
        facts,
        users: observed.users.len(),
        reason: reason.as_str(),
        message,
        held_for,
        standing,
    };
    Plan {
        finalizer: finalizer(observed),
        publish,
        events: events(observed, &verdict),
        look_again: match &observed.content {
            Content::Missing(_) | Content::NotJudged(_) => true,
            // A policy's change wakes it; that of the registry's key does not.
            Content::Unverified { may_be_proven, .. } => *may_be_proven,
            _ => false,
        },
        look_on: verdict.standing.changes_on,
        verdict,
    }
}

fn finalizer(observed: &Observed) -> Finalizer {
    match (observed.deleting, observed.held) {
        (false, false) => Finalizer::Add,
        (true, true) if !is_in_use(observed) => Finalizer::Remove,
        _ => Finalizer::Keep,
    }
}

fn is_in_use(observed: &Observed) -> bool {
    !(observed.users.is_empty() && observed.may_return.is_empty())
}

fn judged(observed: &Observed) -> (AddonPhase, Reason, String) {
    use AddonPhase::{Active, Failed, Pending};
    match &observed.content {
        Content::NotRead if observed.status.phase == Some(Active) => {
            let digest = observed.status.digest.as_ref();
            (
                Active,
                Reason::Published,
                digest.map(published).unwrap_or_default(),
            )
        }
        Content::NotRead => {
            let phase = observed.status.phase.unwrap_or(Pending);
            (phase, Reason::Terminating, "it is being deleted".to_owned())
        }
        Content::Missing(objects) => {
            let message = format!(
                "waits for {} in the platform's namespace",
                objects.join(", ")
            );
            (Pending, Reason::ContentMissing, message)
        }
        Content::PlatformTooOld(message) => (Pending, Reason::PlatformTooOld, message.clone()),
        Content::NotJudged(message) => (Pending, Reason::NotJudged, message.clone()),
        Content::Unverified { refusal, .. } => (Pending, Reason::Unverified, refusal.clone()),
        Content::Mismatch(message) => (Failed, Reason::DigestMismatch, message.clone()),
        Content::Invalid(findings) => (Failed, Reason::Invalid, lines(findings)),
        Content::Changed { published, offered } => {
            (Failed, Reason::VersionChanged, changed(published, offered))
        }
        Content::Good(facts) => (Active, Reason::Published, published(&facts.digest)),
    }
}

fn published(digest: &Digest) -> String {
    format!("published with digest {digest}")
}

/// What is said of other content under a published version.
pub fn changed(published: &Digest, offered: &Digest) -> String {
    format!(
        "this version is published with digest {published}, and this content has {offered}; \
         publish changed content under a new version"
    )
}

fn held(observed: &Observed) -> String {
    let users = counted(
        &observed.users,
        "App uses this version",
        "Apps use this version",
    );
    let may_return = counted(
        &observed.may_return,
        "App may go back to this version, from which it came",
        "Apps may go back to this version, from which they came",
    );
    let both: Vec<String> = users.into_iter().chain(may_return).collect();
    format!(
        "{}; it goes when the last of them moved to another version or is deleted, and takes no new \
         ones",
        both.join("; ")
    )
}

/// How many Apps do what, and which; nothing where none does.
fn counted(apps: &[String], one: &str, several: &str) -> Option<String> {
    let does = match apps.len() {
        0 => return None,
        1 => one,
        _ => several,
    };
    Some(format!("{} {does}: {}", apps.len(), first(apps)))
}

/// The first of the Apps, and how many more.
fn first(apps: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<&str> = apps.iter().take(SHOWN).map(String::as_str).collect();
    match apps.len() {
        n if n > SHOWN => format!("{} and {} more", shown.join(", "), n - SHOWN),
        _ => shown.join(", "),
    }
}

fn events(observed: &Observed, verdict: &Verdict) -> Vec<Happened> {
    let before = &observed.status;
    let mut events = Vec::new();
    let said_before = before.conditions.iter().find(|c| c.type_ == READY);
    let is_news = before.phase != Some(verdict.phase)
        || said_before.is_none_or(|c| c.reason != verdict.reason);
    // Of a version that it published, a source tells by itself.
    let is_told = verdict.facts.as_ref().is_some_and(|facts| facts.registered);
    if is_news && !observed.deleting && !is_told {
        events.push(match verdict.phase {
            AddonPhase::Pending if verdict.reason == Reason::Unverified.as_str() => {
                Happened::warning(verdict.reason, "Refuse", &verdict.message)
            }
            AddonPhase::Active => Happened::normal(verdict.reason, "Publish", &verdict.message),
            AddonPhase::Pending => Happened::normal(verdict.reason, "Wait", &verdict.message),
            AddonPhase::Failed => Happened::warning(verdict.reason, "Refuse", &verdict.message),
        });
    }
    if let Some(users) = verdict
        .held_for
        .as_ref()
        .filter(|_| !is_true(&before.conditions, DELETION_HELD))
    {
        events.push(Happened::warning(Reason::InUse.as_str(), "Delete", users));
    }
    events
}

#[cfg(test)]
mod tests {
    crate::golden::golden!("addon", super::super::observe::Observed, |observed| {
        super::plan(&observed)
    });
}
