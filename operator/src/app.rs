//! The App controller: binds an App to one version of an addon, and has its Components run by that
//! pin alone.
//!
//! In: Apps, the catalog, and what Components and Groups say. Out: Components, the ConfigMap
//! `<app>-metadata`, and status. It never writes App.spec, and it never looks at a version that the
//! App does not ask for: a new version changes nothing until a person names it.

pub mod act;
pub mod deletion;
pub mod metadata;
pub mod observe;
pub mod orders;
pub mod phase;
pub mod plan;
pub mod report;
pub mod resolve;
pub mod settings;
pub mod triggers;

use crate::{
    Shutdown,
    context::Context,
    controller::{Wiring, changed, drive, owners},
    error::{self, Consequence, Failure},
};
use api::App;
use futures::{StreamExt as _, stream::select_all};
use kube::runtime::controller::Action;
use std::sync::Arc;

/// A reconcile of an App failed.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
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

impl Failure for AppError {
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
            Self::Act(error) => error.reason(),
            Self::Report(_) => "ReportFailed",
        }
    }
}

/// Runs the controller until `shutdown`.
pub async fn run(context: Arc<Context>, shutdown: Shutdown) {
    let feeds = &context.feeds;
    let queue = select_all([
        changed(&feeds.apps).boxed(),
        owners(&feeds.components).boxed(),
        owners(&feeds.config_maps).boxed(),
        triggers::of_groups(feeds).boxed(),
        triggers::of_addons(feeds).boxed(),
        triggers::of_policies(feeds).boxed(),
    ]);
    let wiring = Wiring {
        name: "app",
        store: feeds.apps.store().clone(),
        queue: queue.boxed(),
        context: context.clone(),
    };
    drive(
        wiring,
        &context.settings,
        &context.metrics,
        shutdown,
        reconcile,
    )
    .await;
}

async fn reconcile(app: Arc<App>, context: Arc<Context>) -> Result<Action, AppError> {
    let observed = observe::observe(&app, &context).await?;
    let plan = plan::plan(&observed);
    let acted = act::act(&app, plan, &context).await?;
    report::report(&app, acted, &context).await
}
