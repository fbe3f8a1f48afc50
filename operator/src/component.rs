//! The Component controller: renders the configuration of one component, composes its pod template,
//! and has its Group run by both.
//!
//! In: Components, the content of the version that they are pinned to, their Groups. Out: the
//! ConfigMaps `<Component>-content` and `<Component>-config`, the Secret `<Component>-credentials`,
//! Services, the addon's own objects, and the Group. What was
//! rendered and composed stays until its inputs change, whatever this release would make of them: a
//! newer platform restarts nothing (design.md, invariant 3).

pub mod act;
pub mod build;
pub mod inputs;
pub mod kinds;
pub mod observe;
pub mod plan;
pub mod render;
pub mod report;
pub mod rollup;

use crate::{
    Shutdown,
    children::is_owned,
    context::Context,
    controller::{Wiring, changed, drive, owners},
    error::{self, Consequence, Failure},
    watch::Feeds,
};
use api::Component;
use futures::{Stream, StreamExt as _, stream, stream::select_all};
use kube::{
    ResourceExt as _,
    runtime::{controller::Action, reflector::ObjectRef},
};
use std::{collections::HashSet, sync::Arc};

/// The number of the composer of this release. A change of what it composes is another number.
pub const COMPOSER: u32 = 1;

/// A reconcile of a Component failed.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// What there is could not be read.
    #[error(transparent)]
    Observe(#[from] observe::ObserveError),
    /// The children could not be put into words.
    #[error(transparent)]
    Plan(#[from] build::BuildError),
    /// What was planned could not be done.
    #[error(transparent)]
    Act(#[from] act::ActError),
    /// The status could not be written.
    #[error("writing the status failed: {0}")]
    Report(#[source] Box<kube::Error>),
}

impl Failure for ComponentError {
    fn consequence(&self) -> Consequence {
        match self {
            Self::Observe(error) => error.consequence(),
            Self::Plan(_) => Consequence::Terminal,
            Self::Act(error) => error.consequence(),
            Self::Report(error) => error::of_kube(error),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Observe(_) => "ObserveFailed",
            Self::Plan(_) => "ComposeFailed",
            Self::Act(error) => error.reason(),
            Self::Report(_) => "ReportFailed",
        }
    }
}

/// Runs the controller until `shutdown`.
pub async fn run(context: Arc<Context>, shutdown: Shutdown) {
    let feeds = &context.feeds;
    let queue = select_all([
        changed(&feeds.components).boxed(),
        siblings(feeds).boxed(),
        of_apps(feeds).boxed(),
        owners(&feeds.groups).boxed(),
        owners(&feeds.config_maps).boxed(),
        owners(&feeds.services).boxed(),
    ]);
    let wiring = Wiring {
        name: "component",
        store: feeds.components.store().clone(),
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

/// The Components of an App that is suspended, or goes on.
fn of_apps(feeds: &Feeds) -> impl Stream<Item = ObjectRef<Component>> + Send + use<> {
    let components = feeds.components.store().clone();
    let mut suspended = HashSet::new();
    feeds.apps.subscribe().flat_map(move |app| {
        let uid = app.uid().unwrap_or_default();
        let turned = match app.spec.suspend && app.metadata.deletion_timestamp.is_none() {
            true => suspended.insert(uid.clone()),
            false => suspended.remove(&uid),
        };
        let found = match turned {
            true => components.state_filter(|c| is_owned(&c.metadata, &uid)),
            false => Vec::new(),
        };
        stream::iter(
            found
                .iter()
                .map(|c| ObjectRef::from_obj(&**c))
                .collect::<Vec<_>>(),
        )
    })
}

/// The other Components of the App: what is rendered for one may name the others.
fn siblings(feeds: &Feeds) -> impl Stream<Item = ObjectRef<Component>> + Send + use<> {
    let components = feeds.components.store().clone();
    feeds.components.subscribe().flat_map(move |changed| {
        let is_sibling = |other: &Component| {
            other.namespace() == changed.namespace()
                && other.spec.app == changed.spec.app
                && other.spec.component != changed.spec.component
        };
        let found: Vec<_> = components
            .state_filter(is_sibling)
            .iter()
            .map(|c| ObjectRef::from_obj(&**c))
            .collect();
        stream::iter(found)
    })
}

async fn reconcile(
    component: Arc<Component>,
    context: Arc<Context>,
) -> Result<Action, ComponentError> {
    let observed = observe::observe(&component, &context).await?;
    let plan = plan::plan(&observed)?;
    let acted = act::act(&component, plan, &context).await?;
    report::report(&component, acted, &context).await
}
