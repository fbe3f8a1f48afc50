//! What is to be done for a Group next: a pure function of what there is.
//!
//! In: [`Observed`] and the time. Out: [`Plan`], a plain value that explains the reconcile when it is
//! printed as YAML. All state lies in the pods, so an operator that is killed at any point goes on
//! from what is there.
//!
//! **Invariants.** A plan deletes at most one member that is ready, and none while another member is
//! missing, going or not ready, scale-in aside, which waits for members that are going only. A plan
//! that makes something takes nothing down. A plan for a Group as it should be has no step.

pub mod ordinals;
mod rollout;
mod start;
mod verdict;

pub use verdict::Verdict;

use super::observe::{Claim, Life, Member, Observed, Whose};
use api::names::{self, VolumeName};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How long after it was made a pod that ended is replaced at the earliest: one that every node
/// refuses is not made again and again without a pause.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_secs(10);

/// How long a member may take to become ready before it counts as stuck: longer than pulling an
/// image and loading data usually takes. A rollout waits from the first moment; this is about what is
/// said of it, and about a leader of an older revision that is in the way of all others.
const PATIENCE: SignedDuration = SignedDuration::from_secs(120);

/// What is done, in this order, and what is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Whether account, Role, binding and headless Service are held as they should be. Where they
    /// are so already, nothing is written.
    pub supports: bool,
    /// What is made, changed and removed.
    pub steps: Vec<Step>,
    /// What is said of the Group.
    pub verdict: Verdict,
    /// When to look again without a change: something that is awaited becomes overdue then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look_again: Option<Timestamp>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Step {
    /// Make the record.
    CreateRecord {
        /// Whether ordinal 0 may initialise the data: never where a member or a claim was there.
        bootstrap: bool,
    },
    /// Make a volume claim.
    CreateClaim {
        /// Of which member.
        ordinal: u32,
        /// For which volume.
        volume: VolumeName,
    },
    /// Make a pod.
    CreateMember {
        /// Its ordinal.
        ordinal: u32,
    },
    /// Change a pod's annotations and labels; nothing restarts.
    PatchMember {
        /// Its ordinal.
        ordinal: u32,
        /// Which pod is meant.
        uid: String,
        /// At which version it was seen.
        resource_version: String,
    },
    /// Delete a pod, if it still is as it was seen.
    DeleteMember {
        /// Its ordinal.
        ordinal: u32,
        /// Which pod is meant.
        uid: String,
        /// At which version it was seen.
        resource_version: String,
        /// What for.
        purpose: Purpose,
        /// Why, for people.
        because: String,
    },
}

/// What a pod is deleted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Purpose {
    /// To be made again.
    Replace,
    /// For good; its volumes stay.
    Remove,
}

impl Step {
    fn delete(member: &Member, purpose: Purpose, because: impl Into<String>) -> Self {
        Self::DeleteMember {
            ordinal: member.ordinal,
            uid: member.uid.clone(),
            resource_version: member.resource_version.clone(),
            purpose,
            because: because.into(),
        }
    }
}

/// The plan for what was observed, at `now`.
pub fn plan(observed: &Observed, now: Timestamp) -> Plan {
    let view = View::of(observed, now);
    let works = view.works();
    let steps = if works { steps(&view) } else { Vec::new() };
    let (verdict, look_again) = verdict::of(&view);
    Plan {
        supports: works,
        steps,
        verdict,
        look_again,
    }
}

fn steps(view: &View<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = view.record().into_iter().collect();
    steps.extend(start::missing(view));
    steps.extend(rollout::patches(view));
    steps.extend(finished(view));
    if !steps.iter().any(|s| matches!(s, Step::CreateMember { .. })) {
        steps.extend(removal(view).or_else(|| rollout::replacement(view)));
    }
    steps
}

/// Pods that ended and do not start again, whatever their revision.
fn finished(view: &View<'_>) -> impl Iterator<Item = Step> {
    let ended = view.observed.members.iter();
    let due = ended.filter(|m| finish(m).is_some_and(|time| time <= view.now));
    due.map(|member| {
        let purpose = match view.wanted.contains(&member.ordinal) {
            true => Purpose::Replace,
            false => Purpose::Remove,
        };
        Step::delete(member, purpose, member.message.clone())
    })
}

/// When a pod that ended is replaced.
fn finish(member: &Member) -> Option<Timestamp> {
    match member.life {
        Life::Finished { made } => made.checked_add(SHORTEST_LIFE).ok(),
        _ => None,
    }
}

/// The next member that is no longer wanted: one at a time, the highest ordinal first.
fn removal(view: &View<'_>) -> Option<Step> {
    if view.is_any_terminating() {
        return None;
    }
    let mut unwanted = view.unwanted().filter(|m| m.is_alive());
    let last = unwanted.next_back()?;
    Some(Step::delete(last, Purpose::Remove, "is no longer wanted"))
}

/// What was observed, with what is asked of it again and again.
pub(super) struct View<'a> {
    observed: &'a Observed,
    now: Timestamp,
    wanted: BTreeSet<u32>,
    members: BTreeMap<u32, &'a Member>,
}

impl<'a> View<'a> {
    fn of(observed: &'a Observed, now: Timestamp) -> Self {
        let wanted = ordinals::wanted(&observed.wanted);
        let members = observed.members.iter().map(|m| (m.ordinal, m)).collect();
        Self {
            observed,
            now,
            wanted,
            members,
        }
    }

    /// Whether the Group is to be worked on at all.
    fn works(&self) -> bool {
        let wanted = &self.observed.wanted;
        !wanted.suspend && !wanted.deleting && self.obstacle().is_none()
    }

    /// A supporting object in whose way nothing can be made: kind and name. A pod or a claim is in
    /// the way of its own member only.
    fn obstacle(&self) -> Option<(String, Whose)> {
        let record = self.observed.record.filter(|whose| *whose != Whose::Ours);
        if let Some(whose) = record {
            return Some((format!("Lease {}", self.observed.wanted.name), whose));
        }
        let mut supports = self.observed.in_the_way.iter();
        let (name, whose) = supports.find(|(name, _)| !name.starts_with("Pod "))?;
        Some((name.clone(), *whose))
    }

    /// The record, where one is needed and missing.
    fn record(&self) -> Option<Step> {
        let needed = self.has_roles() && self.observed.record.is_none();
        let untouched = self.members.is_empty() && self.observed.claims.is_empty();
        needed.then_some(Step::CreateRecord {
            bootstrap: untouched,
        })
    }

    fn has_roles(&self) -> bool {
        !self.observed.wanted.roles.is_empty()
    }

    fn pod(&self, ordinal: u32) -> String {
        names::pod(&self.observed.wanted.name, ordinal)
    }

    /// Whether a pod that is not ours has the name of that ordinal.
    fn in_the_way(&self, ordinal: u32) -> Option<Whose> {
        let key = format!("Pod {}", self.pod(ordinal));
        self.observed.in_the_way.get(&key).copied()
    }

    /// Each volume of a member with the name of its claim and the claim, where there is one.
    fn claims(&self, ordinal: u32) -> impl Iterator<Item = (&VolumeName, String, Option<Claim>)> {
        let pod = self.pod(ordinal);
        self.observed.wanted.volumes.iter().map(move |volume| {
            let name = names::claim(volume, &pod);
            let claim = self.observed.claims.get(&name).copied();
            (volume, name, claim)
        })
    }

    /// The wanted members that are there, by ordinal.
    fn present(&self) -> impl DoubleEndedIterator<Item = &'a Member> {
        let wanted = self.wanted.iter();
        wanted.filter_map(|ordinal| self.members.get(ordinal).copied())
    }

    /// The members that are there and not wanted, by ordinal.
    fn unwanted(&self) -> impl DoubleEndedIterator<Item = &'a Member> {
        let members = self.members.iter();
        members.filter_map(|(ordinal, m)| (!self.wanted.contains(ordinal)).then_some(*m))
    }

    fn is_ready(&self, ordinal: u32) -> bool {
        self.members.get(&ordinal).is_some_and(|m| m.is_ready())
    }

    fn are_all_ready(&self) -> bool {
        self.wanted.iter().all(|ordinal| self.is_ready(*ordinal))
    }

    fn is_any_terminating(&self) -> bool {
        self.members.values().any(|m| m.is_terminating())
    }

    /// Whether the others depend on the member: ordinal 0, the holder of the record.
    fn leads(&self, member: &Member) -> bool {
        self.has_roles() && member.ordinal == 0
    }

    /// Whether the member does not become ready by itself, as far as can be seen.
    fn is_stuck(&self, member: &Member) -> bool {
        match member.life {
            Life::NotReady { since, stuck } => stuck || self.now.duration_since(since) >= PATIENCE,
            _ => false,
        }
    }

    fn is_outdated(&self, member: &Member) -> bool {
        member.revision != self.observed.wanted.revision
    }
}
