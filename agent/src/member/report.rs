//! Tells what changed about the member: the log, and the half that writes to the API server.

use super::act::Written;
use api::agent::OBSERVED_FILE;
use api::probe::Observed;
use tokio::sync::watch;
use tracing::{info, warn};

/// Silent while nothing changes.
pub(super) fn report(
    told: &watch::Sender<Option<Observed>>,
    Written { observed, written }: Written,
) {
    if let Err(error) = written {
        warn!(%error, "cannot write {OBSERVED_FILE}, so the member is not ready");
    }
    told.send_if_modified(|last| {
        let changed = last.as_ref() != Some(&observed);
        if changed {
            let Observed {
                healthy,
                role,
                writable,
                message,
                ..
            } = &observed;
            info!(healthy, role, writable, message, "member");
            *last = Some(observed);
        }
        changed
    });
}
