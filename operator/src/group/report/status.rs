//! The status of a Group, made of what was observed and the verdict: a pure function.

use crate::group::{
    observe::{Member as Seen, Observed},
    place,
    plan::{Verdict, ordinals},
};
use api::{
    Group, GroupStatus,
    conditions::{self, Said, Time, merge},
    crd::group::Member,
};
use std::collections::{BTreeMap, BTreeSet};

/// The most members that a status lists.
const MAX_MEMBERS: usize = 1000;
/// The longest line of roles.
const MAX_ROLES: usize = 1024;

/// What is to be said of the Group.
pub fn of(group: &Group, observed: &Observed, verdict: &Verdict, now: &Time) -> GroupStatus {
    let before = group.status.as_ref();
    let conditions = before.map_or(&[][..], |s| &s.conditions);
    let wanted = ordinals::wanted(&observed.wanted);
    let seen = || observed.members.iter();
    let current = |m: &&Seen| m.revision == observed.wanted.revision;
    let ready_wanted = seen().filter(|m| m.is_ready() && wanted.contains(&m.ordinal));
    GroupStatus {
        observed_generation: group.metadata.generation,
        phase: Some(verdict.phase),
        replicas: Some(number(seen().count())),
        ready_replicas: Some(number(seen().filter(|m| m.is_ready()).count())),
        updated_replicas: Some(number(seen().filter(current).count())),
        members_ready: Some(format!("{}/{}", ready_wanted.count(), wanted.len())),
        roles: roles(observed),
        selector: Some(selector(group)),
        members: members(observed, &wanted),
        conditions: merge(conditions, said(verdict), group.metadata.generation, now),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn said(verdict: &Verdict) -> Vec<Said> {
    let reason = verdict.reason.as_str();
    let message = || verdict.message.clone();
    let ready = Said {
        type_: conditions::READY,
        status: Some(verdict.ready),
        reason,
        message: message(),
    };
    let others = [
        (conditions::RECONCILING, verdict.reconciling),
        (conditions::STALLED, verdict.stalled),
    ];
    let others = others.into_iter().filter(|(_, holds)| *holds);
    let others = others.map(|(type_, _)| Said::yes(type_, reason, message()));
    std::iter::once(ready).chain(others).collect()
}

fn selector(group: &Group) -> String {
    let labels = place(group).selector();
    let pairs: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    pairs.join(",")
}

/// Roles in the order of the addon, each with its ordinals: `primary:0 replica:1,2`. Pods on their
/// way out have no role any more.
fn roles(observed: &Observed) -> Option<String> {
    let mut by_role: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for member in observed.members.iter().filter(|m| m.is_alive()) {
        if let Some(role) = &member.role {
            let ordinals = by_role.entry(role.as_str()).or_default();
            ordinals.push(member.ordinal.to_string());
        }
    }
    let known = observed.wanted.roles.iter();
    let mut parts: Vec<String> = known
        .filter_map(|role| by_role.remove_entry(role.as_str()))
        .map(|(role, ordinals)| format!("{role}:{}", ordinals.join(",")))
        .collect();
    let others = by_role.iter();
    parts.extend(others.map(|(role, ordinals)| format!("{role}:{}", ordinals.join(","))));
    let mut text = parts.join(" ");
    if text.len() > MAX_ROLES {
        // Roles and ordinals are ASCII.
        text.truncate(MAX_ROLES - 3);
        text.push_str("...");
    }
    (!text.is_empty()).then_some(text)
}

/// The members that are there, and the wanted ones that were: the list says which ordinals had a pod.
fn members(observed: &Observed, wanted: &BTreeSet<u32>) -> Vec<Member> {
    let there = observed.members.iter().map(|m| (m.ordinal, told(m)));
    let mut all: BTreeMap<u32, Member> = there.collect();
    for ordinal in observed.before.started.intersection(wanted) {
        all.entry(*ordinal).or_insert_with(|| Member {
            ordinal: *ordinal,
            role: None,
            ready: false,
            revision: String::new(),
            message: Some("the pod is missing and is made again".to_owned()),
        });
    }
    all.into_values().take(MAX_MEMBERS).collect()
}

fn told(member: &Seen) -> Member {
    Member {
        ordinal: member.ordinal,
        role: member.role.clone(),
        ready: member.is_ready(),
        revision: member.revision.chars().take(16).collect(),
        message: Some(member.message.clone()).filter(|m| !m.is_empty()),
    }
}
