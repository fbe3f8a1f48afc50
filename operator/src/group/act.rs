//! Does what a plan says.
//!
//! In: a [`Plan`]. Out: [`Acted`]: what was done, and the first failure. What cannot be done for one
//! member holds up neither another one's repair nor the report, but after a failure nothing is taken
//! down (design.md, invariant 7).
//!
//! A plan may be older than the world. Creation fails where the name is there by now, patch and
//! deletion carry uid and resourceVersion; a change that comes too late changes nothing, and the
//! cache wakes the controller with the newer state.

mod error;
mod hands;

pub use error::ActError;

use super::{
    Room,
    observe::Observed,
    plan::{Plan, Purpose, Step, Verdict},
};
use api::Group;
use hands::Hands;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::BTreeSet;

/// What was done.
pub struct Acted {
    /// The pods that came and went.
    pub done: Vec<Done>,
    /// What did not work, first.
    pub failed: Option<ActError>,
    /// What the plan says of the Group.
    pub verdict: Verdict,
    /// When to look again.
    pub look_again: Option<Timestamp>,
}

/// A change that a person may want to know of.
#[derive(Clone, Debug)]
pub enum Done {
    /// A pod was made.
    Created {
        /// The pod's metadata.
        pod: ObjectMeta,
    },
    /// A pod was deleted.
    Deleted {
        /// The pod's metadata.
        pod: ObjectMeta,
        /// What for.
        purpose: Purpose,
        /// Why.
        because: String,
    },
}

/// Does what `plan` says, as far as it goes.
pub(super) async fn act(room: &Room, group: &Group, observed: &Observed, plan: Plan) -> Acted {
    let Plan {
        supports,
        steps,
        verdict,
        look_again,
    } = plan;
    let hands = Hands { room, group };
    let (done, failed) = match supports {
        true => match hands.hold_supports(observed).await {
            Ok(()) => take_all(&hands, steps).await,
            Err(error) => (Vec::new(), Some(error)),
        },
        false => take_all(&hands, steps).await,
    };
    Acted {
        done,
        failed,
        verdict,
        look_again,
    }
}

/// Takes the steps; what failed for a member ends the steps of that member, and a failed record ends
/// all.
async fn take_all(hands: &Hands<'_>, steps: Vec<Step>) -> (Vec<Done>, Option<ActError>) {
    let (mut done, mut failed) = (Vec::new(), None);
    let mut without = BTreeSet::new();
    for step in steps {
        let deletes = matches!(step, Step::DeleteMember { .. });
        let ordinal = ordinal(&step);
        if ordinal.is_some_and(|o| without.contains(&o)) || (deletes && failed.is_some()) {
            continue;
        }
        match hands.take(step).await {
            Ok(change) => done.extend(change),
            Err(error) => {
                failed.get_or_insert(error);
                let Some(ordinal) = ordinal else { break };
                without.insert(ordinal);
            }
        }
    }
    (done, failed)
}

/// The member that a step is about.
fn ordinal(step: &Step) -> Option<u32> {
    match step {
        Step::CreateRecord { .. } => None,
        Step::CreateClaim { ordinal, .. }
        | Step::CreateMember { ordinal }
        | Step::PatchMember { ordinal, .. }
        | Step::DeleteMember { ordinal, .. } => Some(*ordinal),
    }
}
