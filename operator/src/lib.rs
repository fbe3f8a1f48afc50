//! The operator: the controllers of MiddlewareAddon, App, Component and Group.
//!
//! In: a client of the cluster and a way to evaluate templates. Out: the objects that Apps ask for,
//! and what is to be said of them. It knows no Git and no OCI; it meets an addon only as the content
//! objects that a MiddlewareAddon names.
//!
//! Every controller is a module of four files, `observe → plan → act → report`; `plan` is pure. All
//! of them read from one set of caches ([`watch::Feeds`]): one watch per kind for the whole program,
//! and a cache is filled before anybody is told of a change, so that no controller acts on a cache
//! that is older than what woke it.
//!
//! # Permissions
//!
//! One ClusterRole, for Apps live in any namespace; the tests run the operator with the one of the
//! chart. What the Group controller needs besides stands in [`group`].
//!
//! | group | resources | verbs |
//! | --- | --- | --- |
//! | middleware.io | middlewareaddons | get, list, watch, patch |
//! | middleware.io | addonledgers | get, create, update |
//! | middleware.io | addonpolicies | get, list, watch |
//! | middleware.io | apps | get, list, watch, patch |
//! | middleware.io | components, groups | get, list, watch, create, patch, delete |
//! | middleware.io | middlewareaddons/status, apps/status, components/status | patch |
//! | middleware.io | apps/finalizers, components/finalizers, groups/finalizers | update |
//! | (core) | configmaps | get, list, watch, create, patch |
//! | (core) | services | get, list, watch, create, patch, delete |
//! | (core) | persistentvolumeclaims | get, list, create, delete |
//! | (core) | secrets | get, create, patch, delete |
//! | networking.k8s.io | ingresses, networkpolicies | get, create, patch, delete |
//! | policy | poddisruptionbudgets | get, create, patch, delete |
//! | monitoring.coreos.com | servicemonitors, podmonitors, prometheusrules | get, create, patch, delete |
//! | (core) | pods | list |
//! | events.k8s.io | events | create, patch |

pub mod addon;
pub mod app;
pub mod apply;
pub mod asked;
pub mod children;
pub mod cluster;
pub mod component;
pub mod content;
pub mod context;
pub mod controller;
pub mod error;
pub mod events;
pub mod finalizer;
#[cfg(test)]
mod golden;
pub mod group;
pub mod ledger;
pub mod lifecycle;
pub mod metrics;
pub mod policy;
pub mod provenance;
pub mod status;
pub mod watch;

use context::Context;
use futures::future::{BoxFuture, Shared};
pub use metrics::Metrics;
use package::Evaluate;
use std::{sync::Arc, time::Duration};

/// Resolves when the program is to end: controllers finish what they are at and take nothing new.
pub type Shutdown = Shared<BoxFuture<'static, ()>>;

/// What the person who installs the platform decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The platform's namespace, where content lies.
    pub namespace: String,
    /// The image of `paamesh-agent`, for the init container of every pod that is made.
    pub agent_image: String,
    /// How many objects each controller works on at once.
    pub workers: u16,
    /// How long one reconcile may take before it is given up and tried again.
    pub reconcile_timeout: Duration,
}

/// The operator could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A task ended that never ends by itself.
    #[error("the {0} ended unexpectedly")]
    Ended(&'static str),
}

/// Registers every metric of the operator with `registry`, whose prefix is `paamesh`.
pub fn register(registry: &mut prometheus_client::registry::Registry) -> Metrics {
    Metrics::register(registry)
}

/// Runs every controller until `shutdown`; `ready` becomes true when the caches are filled.
///
/// # Errors
/// Fails when a watch ends by itself, which the cluster never causes.
pub async fn run(
    client: kube::Client,
    settings: Settings,
    evaluate: Arc<dyn Evaluate>,
    metrics: Metrics,
    ready: tokio::sync::watch::Sender<bool>,
    shutdown: Shutdown,
) -> Result<(), RunError> {
    let (feeds, watches) = watch::start(&client, &settings.namespace);
    let context = Arc::new(Context::new(client, settings, evaluate, metrics, feeds));
    let controllers = async {
        // A controller that sees a part of the world would act on it.
        let filled = context.feeds.wait_until_ready();
        tokio::select! {
            () = filled => {}
            () = shutdown.clone() => return,
        }
        tracing::info!("caches are filled");
        let _ = ready.send(true);
        futures::join!(
            addon::run(context.clone(), shutdown.clone()),
            app::run(context.clone(), shutdown.clone()),
            component::run(context.clone(), shutdown.clone()),
            group::run(context.clone(), shutdown.clone()),
        );
    };
    tokio::select! {
        () = controllers => Ok(()),
        () = watches => Err(RunError::Ended("watch")),
    }
}
