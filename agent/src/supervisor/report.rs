//! Logs what changed about the process; where it was the container's last change, tells the kubelet.

use super::plan::{Phase, Process};
use crate::root::Root;
use std::fs;
use std::io::{self, Write as _};
use std::time::Instant;
use tracing::{debug, error, info, warn};

/// What stands in it when the container ends is its termination message. The kubelet makes it, and
/// anybody may write it.
const TERMINATION_LOG: &str = "/dev/termination-log";

/// One line for each change of phase; none while nothing changes.
pub(super) fn report(root: &Root, name: &str, before: &Process, after: &Process) {
    if before.phase == after.phase {
        return;
    }
    let Process {
        restarts, last_end, ..
    } = after;
    match after.phase {
        Phase::Starting { .. } => {}
        Phase::Preparing { deadline: None, .. } => {
            warn!(process = name, "prepare did not end in time, killed");
        }
        Phase::Preparing { pid, .. } => {
            info!(process = name, pid = pid.as_raw_pid(), "being prepared");
        }
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
        Phase::Unprepared { code, .. } => {
            if let Err(error) = last_word(root, last_end) {
                debug!(%error, "cannot write {TERMINATION_LOG}");
            }
            error!(process = name, code, error = last_end, "cannot be started");
        }
    }
}

/// Where there is no such file, the kubelet shows the end of the log.
fn last_word(root: &Root, word: &str) -> io::Result<()> {
    let mut log = fs::OpenOptions::new();
    let mut log = log
        .write(true)
        .truncate(true)
        .open(root.at(TERMINATION_LOG))?;
    log.write_all(word.as_bytes())
}
