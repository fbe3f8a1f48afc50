//! Logs what changed about the process.

use super::plan::{Phase, Process};
use std::time::Instant;
use tracing::{info, warn};

/// One line for each change of phase; none while nothing changes.
pub(super) fn report(name: &str, before: &Process, after: &Process) {
    if before.phase == after.phase {
        return;
    }
    let Process {
        restarts, last_end, ..
    } = after;
    match after.phase {
        Phase::Starting { .. } => {}
        Phase::Running { pid, .. } => {
            info!(process = name, pid = pid.as_raw_pid(), restarts, "started");
        }
        Phase::BackingOff { until, .. } => {
            let wait_seconds = (until - Instant::now()).as_secs_f32().ceil();
            warn!(
                process = name,
                restarts,
                end = last_end,
                wait_seconds,
                "ended, starts again"
            );
        }
        Phase::Stopping { deadline: None, .. } => {
            warn!(process = name, "did not end in time, killed");
        }
        Phase::Stopping { ended: None, .. } => info!(process = name, "asked to end"),
        Phase::Stopping { .. } => info!(process = name, end = last_end, "ended"),
        Phase::Stopped { code, .. } => info!(process = name, code, end = last_end, "stopped"),
    }
}
