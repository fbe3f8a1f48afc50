//! The registry: addons come from their sources into the catalog.
//!
//! In: AddonSources. Out: content ConfigMaps and MiddlewareAddons, which the operator publishes, and
//! what is to be said of each source. It knows no workload, and it publishes nothing itself: an entry
//! of the ledger, which the operator writes, is the publication.
//!
//! The controller ([`source`]) is a module of four files, `observe → plan → act → report`; `plan` is
//! pure. From a push to what the operator needs are two API requests one after another: all content
//! at once, then the MiddlewareAddon.
//!
//! # Permissions
//!
//! Cluster-wide (a ClusterRole):
//!
//! | group | resources | verbs |
//! | --- | --- | --- |
//! | middleware.io | addonsources | list, watch |
//! | middleware.io | addonsources/status | patch |
//! | middleware.io | middlewareaddons | list, watch, create, patch, delete |
//! | middleware.io | addonledgers | list, watch |
//! | events.k8s.io | events | create |
//!
//! In the platform's namespace (a Role):
//!
//! | group | resources | verbs |
//! | --- | --- | --- |
//! | (core) | configmaps | get, list, watch, create, delete |
//! | (core) | secrets | get, create |

mod content;
mod context;
mod events;
mod index;
mod metrics;
mod projection;
mod provenance;
pub mod source;
mod sweep;
mod watch;
pub mod webhooks;

pub use metrics::{Metrics, register};
pub use projection::{Projection, projection};
pub use webhooks::Webhooks;

use context::{Context, Means};
use futures::{
    StreamExt as _,
    future::{BoxFuture, Shared},
};
use package::Evaluate;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Resolves when the program is to end: the controller finishes what it is at and takes nothing new.
pub type Shutdown = Shared<BoxFuture<'static, ()>>;

/// What the person who installs the platform decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The platform's namespace: content goes there, Secrets of sources lie there.
    pub namespace: String,
    /// Where mirrors of repositories are kept; a cache that may be lost at any time.
    pub data_dir: PathBuf,
    /// The root of directory sources; without one, none is served.
    pub directories: Option<PathBuf>,
    /// How many sources are worked on at once; looking at repositories is not counted.
    pub workers: u16,
    /// How long one reconcile may take before it is given up and tried again.
    pub reconcile_timeout: Duration,
}

/// The registry could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The directory of mirrors cannot be used.
    #[error(transparent)]
    DataDir(#[from] transport::Error),
    /// A task ended that never ends by itself.
    #[error("the {0} ended unexpectedly")]
    Ended(&'static str),
}

/// [`run_with_webhooks`] without a server of webhooks.
///
/// # Errors
/// As for [`run_with_webhooks`].
pub async fn run(
    client: kube::Client,
    settings: Settings,
    evaluate: Arc<dyn Evaluate>,
    metrics: Metrics,
    ready: tokio::sync::watch::Sender<bool>,
    shutdown: Shutdown,
) -> Result<(), RunError> {
    let closed = Webhooks::new(&metrics);
    run_with_webhooks(client, settings, evaluate, metrics, closed, ready, shutdown).await
}

/// Runs the controller until `shutdown`; `ready` becomes true when the caches are filled, and until the
/// end `webhooks` wakes its sources.
///
/// # Errors
/// Fails when the data directory cannot be used, or when a watch ends by itself, which the cluster
/// never causes.
pub async fn run_with_webhooks(
    client: kube::Client,
    settings: Settings,
    evaluate: Arc<dyn Evaluate>,
    metrics: Metrics,
    webhooks: Webhooks,
    ready: tokio::sync::watch::Sender<bool>,
    shutdown: Shutdown,
) -> Result<(), RunError> {
    let mirrors = transport::Mirrors::open(settings.data_dir.join("mirrors"))?;
    let secrets = kube::Api::namespaced(client.clone(), &settings.namespace);
    let key = tokio::select! {
        key = provenance::Key::obtain(&secrets) => key,
        () = shutdown.clone() => return Ok(()),
    };
    let (caches, queue) = watch::start(&client, &settings.namespace);
    let means = Means {
        evaluate,
        metrics,
        caches,
        key,
        mirrors,
    };
    let context = Context::new(client, settings, means, shutdown.clone());
    let context = Arc::new(context);
    let (asking, asked) = futures::channel::mpsc::unbounded();
    let queue = futures::stream::select(queue, asked).boxed();
    let directories = source::directory::watch::run(context.clone(), asking.clone());
    let filled = async {
        context.caches.wait_until_ready().await;
        let _open = webhooks.open(context.clone(), asking);
        tracing::info!("caches are filled");
        let _ = ready.send(true);
        futures::future::pending::<()>().await;
    };
    tokio::select! {
        () = source::run(context.clone(), queue, shutdown.clone()) => Ok(()),
        () = sweep::run(context.clone(), shutdown) => Ok(()),
        () = directories => Err(RunError::Ended("watch of directories")),
        () = filled => Err(RunError::Ended("readiness")),
    }
}
