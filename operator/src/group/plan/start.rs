//! Which members are made now.
//!
//! A member that had a pod before is made again at once. One that never had is made when its turn
//! comes: with `Ordered`, when every member below it is ready; with `Parallel`, at once.

use super::{Step, View};
use crate::group::observe::Claim;
use api::crd::group::StartOrder;

/// The claims and pods that are made now, by ordinal.
pub(super) fn missing(view: &View<'_>) -> Vec<Step> {
    let missing = view.wanted.iter().copied();
    missing
        .filter(|ordinal| !view.members.contains_key(ordinal))
        .filter(|ordinal| view.in_the_way(*ordinal).is_none() && is_due(view, *ordinal))
        .filter_map(|ordinal| member(view, ordinal))
        .flatten()
        .collect()
}

/// Whether it is the member's turn.
fn is_due(view: &View<'_>, ordinal: u32) -> bool {
    let parallel = view.observed.wanted.start == StartOrder::Parallel;
    parallel || had_a_pod(view, ordinal) || view.wanted.range(..ordinal).all(|o| view.is_ready(*o))
}

/// Whether the ordinal had a pod: its status says so, or a later one of the same order has one.
fn had_a_pod(view: &View<'_>, ordinal: u32) -> bool {
    let later = view.wanted.range(ordinal + 1..);
    view.observed.before.started.contains(&ordinal)
        || later.into_iter().any(|o| view.members.contains_key(o))
}

/// The steps that make a member; `None` while one of its claims is another's or on its way out.
fn member(view: &View<'_>, ordinal: u32) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for (volume, _, claim) in view.claims(ordinal) {
        match claim {
            Some(Claim::Ours) => {}
            Some(Claim::Foreign | Claim::Terminating) => return None,
            None => steps.push(Step::CreateClaim {
                ordinal,
                volume: volume.clone(),
            }),
        }
    }
    steps.push(Step::CreateMember { ordinal });
    Some(steps)
}
