//! Puts the files in place and has the action run.

use crate::action::client::{self, NotRun};
use crate::content::{self, Files};
use crate::log::with_causes;
use crate::root::Root;
use api::agent::RELOAD;
use api::agent::run_reply::Part;

/// Of what the action prints only the last line of its standard error is told.
const MOST_ERRORS: usize = 4096;

/// One attempt. Why it failed, for people.
pub(super) async fn act(root: &Root, files: &Files) -> Result<(), String> {
    content::place_configuration(root, files).map_err(|error| with_causes(&error))?;
    let mut errors = Vec::new();
    let end = client::run(root, RELOAD, |part| {
        if let Part::Stderr(bytes) = part {
            keep_last(&mut errors, &bytes);
        }
    })
    .await;
    match end {
        Ok(end) if end.code == 0 => Ok(()),
        Ok(end) => Err(format!(
            "`{RELOAD}` failed with {}{}",
            end.description,
            last_line(&errors)
        )),
        // The process finds the files at its next start.
        Err(NotRun::Unknown(_)) => {
            tracing::warn!("the addon has no `{RELOAD}`: the files are read at the next start");
            Ok(())
        }
        Err(error) => Err(format!("`{RELOAD}` did not run: {}", with_causes(&error))),
    }
}

fn keep_last(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.extend_from_slice(bytes);
    let surplus = kept.len().saturating_sub(MOST_ERRORS);
    kept.drain(..surplus);
}

fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    line.map_or_else(String::new, |line| format!(": {line}"))
}
