//! Logs what came of an attempt to write the pod.

use super::api_server::{ApiError, Patched};
use crate::log::with_causes;
use api::probe::Observed;
use std::time::Duration;
use tracing::{debug, info, warn};

/// Whether the pod now says `wanted`.
pub(super) fn patched(wanted: &Observed, patched: Patched) -> bool {
    match patched {
        Patched::Done => info!(healthy = wanted.healthy, role = wanted.role, "pod written"),
        Patched::Conflict => debug!("somebody else wrote the pod, comparing again"),
    }
    patched == Patched::Done
}

/// The attempt failed and is repeated after `wait`.
pub(super) fn failed(error: &ApiError, wait: Duration) {
    let error = with_causes(error);
    warn!(
        error,
        wait_seconds = wait.as_secs_f32(),
        "cannot write the pod, trying again"
    );
}
