//! What this pod's member is: its role and health, as the middleware and the supervisor say it.
//!
//! Each round is observe → plan → act → report: [`observe`] runs the probe and asks the supervisor,
//! [`plan`] makes one [`Observed`] of it, `act` writes it where `ready` reads
//! it, `report` tells the half of the sidecar that writes to the API server.

mod act;
pub mod observe;
pub mod plan;
mod report;

use crate::root::Root;
use api::probe::Observed;
use observe::Sources;
use std::time::Duration;
use tokio::sync::watch;

/// Between two rounds where the addon has no probe: only the supervisor is asked then.
const WITHOUT_PROBE: Duration = Duration::from_secs(1);

/// What was last observed, and who is told.
pub struct Member {
    root: Root,
    told: watch::Sender<Option<Observed>>,
}

impl Member {
    /// A member of which nothing is known yet, and where to hear of it.
    pub fn new(root: &Root) -> (Self, watch::Receiver<Option<Observed>>) {
        let (told, hear) = watch::channel(None);
        (
            Self {
                root: root.clone(),
                told,
            },
            hear,
        )
    }

    /// Round after round; never returns.
    pub async fn watch(&self, sources: &mut Sources) {
        loop {
            let seen = observe::observe(sources).await;
            self.conclude(plan::plan(&self.last(), &seen));
            tokio::time::sleep(sources.interval().unwrap_or(WITHOUT_PROBE)).await;
        }
    }

    /// From now on nobody probes: the member is not healthy any more.
    pub fn close(&self) -> Observed {
        let closed = plan::closed(&self.last());
        self.conclude(closed.clone());
        closed
    }

    fn last(&self) -> Observed {
        self.told.borrow().clone().unwrap_or_default()
    }

    fn conclude(&self, observed: Observed) {
        let written = act::write(&self.root, observed);
        report::report(&self.told, written);
    }
}
