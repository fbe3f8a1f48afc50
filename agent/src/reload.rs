//! The configuration of a pod that lives: when the pod is to run another revision, its files are put
//! where the middleware sees them, and the addon's `reload` makes the process read them.
//!
//! In: the pod's annotation by downward API, the mounted ConfigMap, and how far the last attempt
//! came. Out: `/middleware/config`, and what `Status` tells. Each round is observe → plan → act →
//! report: [`observe`] reads the mounts, [`plan`] says what they mean, `act` writes the files and has
//! the action run, `report` writes down how it went.
//!
//! What fails is tried again; the process goes on as it is meanwhile. An attempt that succeeded and
//! of which that could not be written down is made again, so a process may reload once too often, and
//! never once too seldom.

mod act;
pub mod observe;
pub mod plan;
mod report;

use crate::configuration::{self, Configuration};
use crate::content::Revision;
use crate::root::Root;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Between two looks at the pod's annotation, which is a small file.
const POLL: Duration = Duration::from_secs(1);

/// How far it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// What was written down, or is to be.
    pub configuration: Configuration,
    /// Before this time nothing is tried again.
    pub until: Option<Instant>,
}

/// Follows the configuration; never returns. `followed` is the content revision whose scripts and
/// actions are in place.
pub async fn follow(root: &Root, followed: watch::Receiver<Option<Revision>>) {
    let mut state = State {
        configuration: configuration::known(root).unwrap_or_default(),
        until: None,
    };
    let mut waited = None;
    loop {
        let seen = observe::observe(root, &state.configuration, &followed);
        let plan = plan::plan(&seen, &state, Instant::now());
        report::waiting(&plan, &mut waited);
        if let plan::Plan::Apply { revision, files } = plan {
            let outcome = act::act(root, &files).await;
            state = plan::concluded(&state, &revision, outcome, Instant::now());
            report::concluded(root, &state);
        }
        tokio::time::sleep(POLL).await;
    }
}
