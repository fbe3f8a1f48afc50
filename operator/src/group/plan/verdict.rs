//! What is to be said of a Group: phase, and the conditions Ready, Reconciling, Stalled by kstatus.
//!
//! In: the view of a plan and the time. Out: one [`Verdict`]; the same words stand in conditions and
//! Events. What was said before decides only between «made for the first time» and «was lost».

use super::{PATIENCE, View, ordinals};
use crate::group::observe::{Claim, Life, Member, Whose};
use api::crd::{app::AppPhase, group::GroupReason};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// How long after its grace a pod may still be there before its node is suspected.
const NODE_PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// The most members that a message names.
const NAMED: usize = 5;

/// What is said of a Group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Where it stands in its life.
    pub phase: AppPhase,
    /// Whether everything is as asked.
    pub ready: bool,
    /// Whether the controller is at work.
    pub reconciling: bool,
    /// Whether it goes on only when a person does something.
    pub stalled: bool,
    /// Why, in one word.
    #[serde(serialize_with = "as_text")]
    pub reason: GroupReason,
    /// Why, for people.
    pub message: String,
}

fn as_text<S: serde::Serializer>(reason: &GroupReason, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(reason.as_str())
}

/// How a verdict stands to its goal.
enum Way {
    There,
    Going,
    Stuck,
    Left,
}

impl Verdict {
    fn new(phase: AppPhase, way: &Way, reason: GroupReason, message: String) -> Self {
        Self {
            phase,
            ready: matches!(way, Way::There),
            reconciling: matches!(way, Way::Going),
            stalled: matches!(way, Way::Stuck),
            reason,
            message,
        }
    }
}

/// The verdict, and when it changes by the passing of time alone.
pub(super) fn of(view: &View<'_>) -> (Verdict, Option<Timestamp>) {
    let mut verdict = outside(view).unwrap_or_else(|| at_work(view));
    if ordinals::is_leader_reserved(&view.observed.wanted) && !verdict.stalled {
        verdict.stalled = true;
        verdict.reason = GroupReason::LeaderReserved;
        verdict.message = format!(
            "ordinal 0 leads and cannot be reserved: the reservation is ignored; {}",
            verdict.message
        );
    }
    (verdict, overdue(view))
}

/// What holds whatever the members are.
fn outside(view: &View<'_>) -> Option<Verdict> {
    let before = view.observed.before.phase.unwrap_or_default();
    if view.observed.wanted.deleting {
        let message = "is being deleted; volume claims stay".to_owned();
        let (phase, reason) = (AppPhase::Deleting, GroupReason::Deleting);
        return Some(Verdict::new(phase, &Way::Left, reason, message));
    }
    if view.observed.wanted.suspend {
        let way = if is_done(view) { Way::There } else { Way::Left };
        let message = format!("is suspended and left alone; {}", count(view));
        return Some(Verdict::new(before, &way, GroupReason::Suspended, message));
    }
    let (name, whose) = view.obstacle().or_else(|| taken(view))?;
    Some(match whose {
        Whose::Foreign => {
            let message = format!("{name} exists and is not of this Group: delete or rename it");
            let reason = GroupReason::NameTaken;
            Verdict::new(AppPhase::Failed, &Way::Stuck, reason, message)
        }
        Whose::Leftover | Whose::Ours => {
            let message = format!("waits until {name} of an earlier Group of this name is gone");
            let phase = AppPhase::Creating.max(before);
            Verdict::new(phase, &Way::Going, GroupReason::Creating, message)
        }
    })
}

/// A pod that is not ours under the name of a wanted member.
fn taken(view: &View<'_>) -> Option<(String, Whose)> {
    let all = view.observed.in_the_way.iter();
    let ours = |name: &str| {
        view.wanted
            .iter()
            .any(|o| name == format!("Pod {}", view.pod(*o)))
    };
    let mut pods = all.filter(|(name, _)| ours(name));
    pods.next().map(|(name, whose)| (name.clone(), *whose))
}

fn at_work(view: &View<'_>) -> Verdict {
    if let Some(message) = foreign_claim(view) {
        let reason = GroupReason::NameTaken;
        return Verdict::new(AppPhase::Failed, &Way::Stuck, reason, message);
    }
    let going = |phase, reason| Verdict::new(phase, &Way::Going, reason, progress(view));
    match stage(view) {
        Stage::Done => {
            let phase = AppPhase::Running;
            Verdict::new(phase, &Way::There, GroupReason::Running, count(view))
        }
        Stage::Creating => going(AppPhase::Creating, GroupReason::Creating),
        Stage::ScalingIn => going(AppPhase::Updating, GroupReason::ScalingIn),
        Stage::ScalingOut => going(AppPhase::Updating, GroupReason::ScalingOut),
        Stage::Degraded => going(AppPhase::Degraded, GroupReason::Degraded),
        Stage::RollingOut(phase) => match blocker(view) {
            None => going(phase, GroupReason::RollingOut),
            Some(member) => blocked(view, member),
        },
    }
}

enum Stage {
    Done,
    Creating,
    ScalingIn,
    RollingOut(AppPhase),
    ScalingOut,
    Degraded,
}

fn stage(view: &View<'_>) -> Stage {
    let before = &view.observed.before;
    let early = match before.phase {
        None | Some(AppPhase::Pending | AppPhase::Creating) => true,
        // What was refused from the start is still being made.
        Some(AppPhase::Failed) => !view.present().any(Member::is_ready),
        Some(_) => false,
    };
    let rolled = before.was(GroupReason::RollingOut) || before.was(GroupReason::RolloutBlocked);
    let new = |o: &u32| !view.members.contains_key(o) && !before.started.contains(o);
    if is_done(view) {
        Stage::Done
    } else if early {
        Stage::Creating
    } else if view.unwanted().next().is_some() {
        Stage::ScalingIn
    } else if rolled || view.present().any(|m| view.is_outdated(m)) {
        Stage::RollingOut(rollout_phase(view))
    } else if before.was(GroupReason::ScalingOut) || view.wanted.iter().any(new) {
        Stage::ScalingOut
    } else {
        Stage::Degraded
    }
}

/// An upgrade where another version is asked for, until it is done; an update otherwise.
fn rollout_phase(view: &View<'_>) -> AppPhase {
    let wanted = &view.observed.wanted.versions;
    let was = view.observed.before.phase == Some(AppPhase::Upgrading);
    let continues = view.observed.before.was(GroupReason::RollingOut) && was;
    match continues || view.present().any(|m| m.versions != *wanted) {
        true => AppPhase::Upgrading,
        false => AppPhase::Updating,
    }
}

/// Whether every wanted member is ready and of the wanted revision, and no other is there.
fn is_done(view: &View<'_>) -> bool {
    view.are_all_ready()
        && view.unwanted().next().is_none()
        && !view.present().any(|m| view.is_outdated(m))
}

/// The member of the wanted revision at which the rollout stands.
fn blocker<'v>(view: &View<'v>) -> Option<&'v Member> {
    let mut current = view.present().filter(|m| !view.is_outdated(m));
    current.find(|member| view.is_stuck(member))
}

fn blocked(view: &View<'_>, member: &Member) -> Verdict {
    let message = format!(
        "the rollout stands: {} was made again at revision {} and is not ready: {}; {}",
        view.pod(member.ordinal),
        member.revision,
        member.message,
        count(view)
    );
    let reason = GroupReason::RolloutBlocked;
    Verdict::new(AppPhase::Degraded, &Way::Stuck, reason, message)
}

fn foreign_claim(view: &View<'_>) -> Option<String> {
    let absent = view.wanted.iter();
    let absent = absent.filter(|ordinal| !view.members.contains_key(ordinal));
    let mut claims = absent.flat_map(|ordinal| view.claims(*ordinal));
    let (_, name, _) = claims.find(|(_, _, claim)| *claim == Some(Claim::Foreign))?;
    Some(format!(
        "PersistentVolumeClaim {name} exists and is not of this Group: delete or rename it"
    ))
}

fn count(view: &View<'_>) -> String {
    let wanted = view.wanted.len();
    let ready = view.present().filter(|m| m.is_ready()).count();
    match wanted {
        0 => "no member is wanted".to_owned(),
        1 => format!("{ready} of 1 member ready"),
        _ => format!("{ready} of {wanted} members ready"),
    }
}

/// How many are ready, and what is with the others.
fn progress(view: &View<'_>) -> String {
    let others: Vec<String> = view
        .wanted
        .iter()
        .filter_map(|o| wanted_says(view, *o))
        .collect();
    let unwanted = view.unwanted().map(|m| unwanted_says(view, m));
    let mut parts = vec![count(view)];
    let rest = others.len().saturating_sub(NAMED);
    parts.extend(others.into_iter().take(NAMED));
    if rest > 0 {
        parts.push(format!("and {rest} more"));
    }
    parts.extend(unwanted.take(NAMED));
    let outdated = view.present().filter(|m| view.is_outdated(m)).count();
    if outdated > 0 {
        let wanted = view.wanted.len();
        parts.push(format!("{outdated} of {wanted} are still to be made again"));
    }
    parts.join("; ")
}

fn wanted_says(view: &View<'_>, ordinal: u32) -> Option<String> {
    let pod = view.pod(ordinal);
    match view.members.get(&ordinal) {
        None => Some(format!("{pod} is to be made")),
        Some(member) if member.is_ready() => None,
        Some(member) => Some(format!("{pod}: {}", says(member, view.now))),
    }
}

fn unwanted_says(view: &View<'_>, member: &Member) -> String {
    let pod = view.pod(member.ordinal);
    match member.is_terminating() {
        true => format!("{pod}: {}", says(member, view.now)),
        false => format!("{pod} is to be removed"),
    }
}

/// What is with a member; a pod that should be gone is never deleted by force, and that is said.
fn says(member: &Member, now: Timestamp) -> String {
    match member.life {
        Life::Terminating { until } if now.duration_since(until) >= NODE_PATIENCE => format!(
            "{} and should be gone: is its node lost? It is never deleted by force, because it may still run",
            member.message
        ),
        _ => member.message.clone(),
    }
}

/// When a member that is awaited becomes overdue.
fn overdue(view: &View<'_>) -> Option<Timestamp> {
    let members = view.observed.members.iter();
    let times = members.filter_map(|member| match member.life {
        Life::NotReady { since, stuck } if !stuck => {
            let matters = !view.is_outdated(member) || view.leads(member);
            matters.then(|| since.checked_add(PATIENCE).ok()).flatten()
        }
        Life::Terminating { until } => until.checked_add(NODE_PATIENCE).ok(),
        Life::Finished { .. } => super::finish(member),
        _ => None,
    });
    times.filter(|time| *time > view.now).min()
}
