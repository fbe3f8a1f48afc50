//! The record of who leads: a Lease that is created once, before any pod, and then written by the
//! holder alone, by compare-and-swap (leadership.md, rule 1).

use crate::{children::metadata, group::place};
use api::{Group, labels, names};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::ResourceExt as _;

/// The ordinal that leads while an addon declares no leadership.
const LEADER: u32 = 0;

/// The first record: ordinal 0 holds term 1, alone. `bootstrap` says that it may initialise the data.
pub fn record(group: &Group, bootstrap: bool) -> Lease {
    let leader = LEADER.to_string();
    let mut metadata = metadata(group, group.name_any(), place(group).labels());
    let mut said = vec![
        (labels::RECORD_VOTERS, leader.clone()),
        (labels::RECORD_IN_SYNC, leader.clone()),
        (labels::RECORD_QUORUM, "0".to_owned()),
    ];
    if bootstrap {
        said.push((labels::RECORD_BOOTSTRAP, leader));
    }
    let said = said.into_iter().map(|(key, value)| (key.to_owned(), value));
    metadata.annotations = Some(said.collect());
    Lease {
        metadata,
        spec: Some(LeaseSpec {
            holder_identity: Some(names::pod(&group.name_any(), LEADER)),
            lease_transitions: Some(1),
            ..LeaseSpec::default()
        }),
    }
}
