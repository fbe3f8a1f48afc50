//! What is to be done before the process starts for the first time in the pod's life: the addon's
//! action `prepare`, unless it has succeeded in this pod already (`api::agent::PREPARE`).

use super::SuperviseError;
use crate::atomic;
use crate::root::Root;
use crate::table;
use api::agent::{Action, PREPARE, PREPARED_FILE};
use std::io;

const MODE: u32 = 0o644;

/// The action, if it is to run. What cannot be known is an error: a process that starts on volumes
/// that are not prepared may harm them.
///
/// # Errors
/// [`SuperviseError::Table`], [`SuperviseError::Prepared`].
pub(super) fn wanted(root: &Root) -> Result<Option<Action>, SuperviseError> {
    let table = table::in_use(root).map_err(SuperviseError::Table)?;
    let done = root.at(PREPARED_FILE).try_exists();
    if done.map_err(SuperviseError::Prepared)? {
        return Ok(None);
    }
    Ok(table.actions.get(PREPARE).cloned())
}

/// Writes down that it succeeded.
///
/// # Errors
/// Whatever the file system says.
pub(super) fn done(root: &Root) -> io::Result<()> {
    atomic::settle(&root.at(PREPARED_FILE), b"", MODE).map(drop)
}
