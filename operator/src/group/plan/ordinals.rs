//! Which ordinals a Group has: a pure function of its spec.

use crate::group::observe::Wanted;
use std::collections::BTreeSet;

/// The first `replicas` ordinals that are not reserved.
pub fn first(replicas: u32, reserved: &[u32]) -> BTreeSet<u32> {
    let reserved: BTreeSet<u32> = reserved.iter().copied().collect();
    let free = (0..).filter(|ordinal| !reserved.contains(ordinal));
    free.take(usize::try_from(replicas).unwrap_or(usize::MAX))
        .collect()
}

/// The ordinals that `wanted` asks for. A reservation of ordinal 0 in a Group with roles is refused
/// ([`is_leader_reserved`]): it counts as not made, and what runs stays.
pub fn wanted(wanted: &Wanted) -> BTreeSet<u32> {
    let reserved: Vec<u32> = wanted
        .reserved
        .iter()
        .copied()
        .filter(|ordinal| *ordinal != 0 || !is_leader_reserved(wanted))
        .collect();
    first(wanted.replicas, &reserved)
}

/// Whether ordinal 0, which leads in a Group with roles, is reserved.
pub fn is_leader_reserved(wanted: &Wanted) -> bool {
    !wanted.roles.is_empty() && wanted.reserved.contains(&0)
}
