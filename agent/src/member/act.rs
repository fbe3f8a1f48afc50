//! Writes what was observed where `ready` reads it.

use crate::atomic;
use crate::root::Root;
use api::agent::OBSERVED_FILE;
use api::probe::Observed;
use std::io;

const MODE: u32 = 0o644;

/// What was observed, after the attempt to write it.
pub(super) struct Written {
    pub(super) observed: Observed,
    pub(super) written: io::Result<()>,
}

/// Writes it also when it is the same: its age tells that the sidecar lives.
pub(super) fn write(root: &Root, observed: Observed) -> Written {
    let written = serde_json::to_vec(&observed)
        .map_err(io::Error::from)
        .and_then(|bytes| atomic::replace(&root.at(OBSERVED_FILE), &bytes, MODE));
    Written { observed, written }
}
