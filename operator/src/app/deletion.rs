//! How an App goes: what its policy says becomes of its volumes, and in which order. No step
//! needs a living pod.

use super::observe::{Claim, Observed};
use api::crd::app::DeletionPolicy;
use serde::Serialize;

/// What is next on the way out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Step {
    /// Nothing: the App is not being deleted, or our part is done.
    None,
    /// The policy holds it; it runs on.
    Held,
    /// The Components go, and their pods with them; the volumes wait for that.
    DeleteComponents(Vec<String>),
    /// Pods are still ending.
    WaitForPods(usize),
    /// The volumes and the credentials go.
    DeleteData {
        /// The volume claims.
        claims: Vec<Claim>,
        /// The Secrets with credentials.
        secrets: Vec<Claim>,
    },
    /// It may go; so many claims are kept.
    Release {
        /// The claims that stay.
        kept: usize,
    },
}

/// The next step.
pub fn step(observed: &Observed) -> Step {
    if !observed.deleting || !observed.held {
        return Step::None;
    }
    let remains = observed.remains.clone().unwrap_or_default();
    match observed.spec.deletion_policy {
        DeletionPolicy::Protected => Step::Held,
        DeletionPolicy::KeepVolumes => Step::Release {
            kept: remains.claims.len(),
        },
        DeletionPolicy::Delete if !observed.components.is_empty() => {
            Step::DeleteComponents(observed.components.iter().map(|c| c.name.clone()).collect())
        }
        DeletionPolicy::Delete if remains.pods > 0 => Step::WaitForPods(remains.pods),
        DeletionPolicy::Delete if !(remains.claims.is_empty() && remains.secrets.is_empty()) => {
            Step::DeleteData {
                claims: remains.claims,
                secrets: remains.secrets,
            }
        }
        DeletionPolicy::Delete => Step::Release { kept: 0 },
    }
}
