//! The addon controller: a MiddlewareAddon becomes Active when its content is there, passes the
//! checks, keeps to every policy, and is entered in the ledger; it goes when nobody
//! uses it.
//!
//! In: MiddlewareAddons, their content objects, ledgers, policies, and the Apps that pin them. Out: ledger
//! entries and status. The ledger entry is the publication; a version that has one is never judged
//! again, and a version that is Active is not even read again.

pub mod act;
pub mod observe;
pub mod plan;
pub mod report;
pub mod triggers;
pub mod unseen;

use crate::{
    Settings, Shutdown,
    context::Context,
    controller::{Wiring, changed, drive},
    error::{self, Consequence, Failure},
};
use api::MiddlewareAddon;
use futures::{StreamExt as _, stream::select_all};
use kube::runtime::controller::Action;
use std::sync::Arc;

/// A reconcile of a MiddlewareAddon failed.
#[derive(Debug, thiserror::Error)]
pub enum AddonError {
    /// What there is could not be read.
    #[error(transparent)]
    Observe(#[from] observe::ObserveError),
    /// What was planned could not be done.
    #[error(transparent)]
    Act(#[from] act::ActError),
    /// The status could not be written.
    #[error("writing the status failed: {0}")]
    Report(#[source] Box<kube::Error>),
}

impl Failure for AddonError {
    fn consequence(&self) -> Consequence {
        match self {
            Self::Observe(error) => error.consequence(),
            Self::Act(error) => error.consequence(),
            Self::Report(error) => error::of_kube(error),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Observe(_) => "ObserveFailed",
            Self::Act(_) => "ActFailed",
            Self::Report(_) => "ReportFailed",
        }
    }
}

/// How many times as many versions are worked on at once as other objects: each waits for the API server
/// nearly all of its time, and a list of policies, which takes it up to a tenth of a second, is shared by
/// all that wait for one.
const WORKERS: u16 = 4;

/// Runs the controller until `shutdown`.
pub async fn run(context: Arc<Context>, shutdown: Shutdown) {
    let feeds = &context.feeds;
    let settings = Settings {
        workers: context.settings.workers.saturating_mul(WORKERS),
        ..context.settings.clone()
    };
    let queue = select_all([
        changed(&feeds.addons).boxed(),
        triggers::of_content(feeds).boxed(),
        triggers::of_policies(feeds).boxed(),
        triggers::of_apps(feeds).boxed(),
        triggers::of_groups(feeds).boxed(),
    ]);
    let wiring = Wiring {
        name: "addon",
        store: feeds.addons.store().clone(),
        queue: queue.boxed(),
        context: context.clone(),
    };
    drive(wiring, &settings, &context.metrics, shutdown, reconcile).await;
}

async fn reconcile(
    addon: Arc<MiddlewareAddon>,
    context: Arc<Context>,
) -> Result<Action, AddonError> {
    if context.unseen.is_before_its_status(&addon) {
        return Ok(Action::await_change());
    }
    let observed = observe::observe(&addon, &context).await?;
    let plan = plan::plan(&observed);
    let acted = act::act(&addon, plan, &context).await?;
    report::report(&addon, acted, &context).await
}
