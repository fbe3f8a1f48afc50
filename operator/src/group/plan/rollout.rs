//! Which member is made again at the wanted revision, and in which order.
//!
//! One at a time: the last role of the addon first, the leading role last, ordinal 0 (the holder of
//! the record) after all others. Each must be ready again before the next; the first that is not
//! stops the rollout. A member of an older revision that is not ready is no loss and goes first, the
//! leader before all others: that is how a broken rollout is mended.

use super::{Purpose, Step, View};
use crate::group::observe::Member;
use std::cmp::Reverse;

/// Changes of metadata on members that are of the wanted revision: scripts, configuration that is
/// read again without a restart, labels. Another one's files are never changed under it: a
/// half-rolled upgrade does not mix.
pub(super) fn patches(view: &View<'_>) -> impl Iterator<Item = Step> {
    let wanted = &view.observed.wanted;
    let current = view
        .present()
        .filter(|m| m.is_alive() && !view.is_outdated(m));
    current
        .filter(|m| {
            m.content_revision != wanted.content_revision
                || m.config_revision != wanted.config_revision
                || m.versions != wanted.versions
        })
        .map(|member| Step::PatchMember {
            ordinal: member.ordinal,
            uid: member.uid.clone(),
            resource_version: member.resource_version.clone(),
        })
}

/// The next member to be made again, if any may go now.
pub(super) fn replacement(view: &View<'_>) -> Option<Step> {
    if view.is_any_terminating() {
        return None;
    }
    let outdated = view
        .present()
        .filter(|m| m.is_alive() && view.is_outdated(m));
    let mut outdated: Vec<&Member> = outdated.collect();
    outdated.sort_by_key(|member| turn(view, member));
    let broken = || outdated.iter().filter(|m| !m.is_ready());
    let leader = broken().find(|m| view.leads(m));
    let next = match leader.or_else(|| broken().next()) {
        Some(member) if is_mendable(view, member) => member,
        _ if view.are_all_ready() => outdated.first()?,
        _ => return None,
    };
    let because = format!(
        "is of revision {}, wanted is {}",
        next.revision, view.observed.wanted.revision
    );
    Some(Step::delete(next, Purpose::Replace, because))
}

/// Whether a member that is not ready may be replaced: no member of the wanted revision is on its
/// way to ready, or nothing of the Group serves, so that there is nothing to lose. A leader that does
/// not come back by itself may go in any case: the others become ready only behind it.
fn is_mendable(view: &View<'_>, member: &Member) -> bool {
    let waits = |m: &Member| !view.is_outdated(m) && !m.is_ready();
    !view.present().any(waits)
        || !view.present().any(Member::is_ready)
        || (view.leads(member) && view.is_stuck(member))
}

/// When it is a member's turn; less is earlier. A member whose role is unknown comes before the
/// leading role, among equals the highest ordinal first.
fn turn(view: &View<'_>, member: &Member) -> (bool, Reverse<usize>, Reverse<u32>) {
    let roles = &view.observed.wanted.roles;
    let role = member.role.as_ref();
    let place = role.and_then(|role| roles.iter().position(|r| r == role));
    // Twice the place leaves room for «unknown» between the leading role and the next.
    let place = place.map_or(1, |place| 2 * place);
    (member.ordinal == 0, Reverse(place), Reverse(member.ordinal))
}
