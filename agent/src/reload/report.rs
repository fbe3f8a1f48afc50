//! Writes down how an attempt went, and logs it.

use super::State;
use super::plan::Plan;
use crate::configuration::{self, Configuration};
use crate::root::Root;
use api::agent::CONFIGURATION_FILE;
use tracing::{info, warn};

/// One line when it begins to wait for something else.
pub(super) fn waiting(plan: &Plan, waited: &mut Option<String>) {
    let waits = match plan {
        Plan::Wait(what) => Some(what.clone()),
        Plan::Nothing | Plan::Apply { .. } => None,
    };
    if let (Some(missing), true) = (&waits, waits != *waited) {
        info!(missing, "waiting");
    }
    *waited = waits;
}

/// The state goes where `Status` and the next sidecar find it.
pub(super) fn concluded(root: &Root, state: &State) {
    let Configuration {
        revision,
        wanted,
        attempts,
        trouble,
    } = &state.configuration;
    match trouble.is_empty() {
        true => info!(revision, "configuration in force"),
        false => warn!(
            revision,
            wanted, attempts, trouble, "configuration not in force"
        ),
    }
    if let Err(error) = configuration::note(root, &state.configuration) {
        warn!(%error, "cannot write {CONFIGURATION_FILE}");
    }
}
