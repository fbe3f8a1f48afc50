//! What every reconcile is handed.

use crate::{
    Metrics, Settings, Shutdown,
    events::Events,
    provenance::Key,
    source::{
        directory::Numbers,
        look::{Slots, Stores, proofs::Proofs},
        memory::{Memories, Verdicts},
    },
    watch::Caches,
};
use api::{AddonSource, MiddlewareAddon};
use futures::FutureExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client};
use package::Evaluate;
use std::sync::Arc;
use tokio::sync::{RwLock, Semaphore};
use transport::Mirrors;

/// What a context is made of.
pub struct Means {
    /// Renders templates for the checks.
    pub evaluate: Arc<dyn Evaluate>,
    /// What is counted.
    pub metrics: Metrics,
    /// What is known of the cluster.
    pub caches: Caches,
    /// Signs where versions come from.
    pub key: Key,
    /// What is kept of repositories.
    pub mirrors: Mirrors,
}

/// What every reconcile is handed.
pub struct Context {
    /// What the person who installed the platform decided.
    pub settings: Settings,
    /// Renders templates for the checks.
    pub evaluate: Arc<dyn Evaluate>,
    /// What is counted.
    pub metrics: Metrics,
    /// What is known of the cluster.
    pub caches: Caches,
    /// Signs where versions come from.
    pub key: Key,
    /// What is kept of repositories, and how registries are reached.
    pub stores: Stores,
    /// What was found to be signed.
    pub proofs: Proofs,
    /// The numbers of saved states.
    pub numbers: Numbers,
    /// What was judged already.
    pub verdicts: Arc<Verdicts>,
    /// What is remembered of each source.
    pub memories: Memories,
    /// Publishes Events.
    pub events: Events,
    /// A look holds one.
    pub looks: Slots,
    /// Computing and API requests hold one; looks do not.
    pub workers: Semaphore,
    /// Resolves when the program is to end.
    pub shutdown: Shutdown,
    /// Projections read, the sweep writes: it deletes nothing that is just being named.
    pub projecting: RwLock<()>,
    client: Client,
}

impl Context {
    /// The context of a registry that begins.
    pub fn new(client: Client, settings: Settings, means: Means, shutdown: Shutdown) -> Self {
        let Means {
            evaluate,
            metrics,
            caches,
            key,
            mirrors,
        } = means;
        Self {
            workers: Semaphore::new(usize::from(settings.workers.max(1))),
            settings,
            evaluate,
            metrics,
            caches,
            key,
            stores: Stores::new(mirrors),
            proofs: Proofs::default(),
            numbers: Numbers::default(),
            verdicts: Arc::default(),
            memories: Memories::default(),
            events: Events::new(client.clone()),
            looks: Slots::default(),
            shutdown,
            projecting: RwLock::new(()),
            client,
        }
    }

    /// Whether the program is ending.
    pub fn is_ending(&self) -> bool {
        self.shutdown.clone().now_or_never().is_some()
    }

    /// The sources.
    pub fn sources(&self) -> Api<AddonSource> {
        Api::all(self.client.clone())
    }

    /// The versions.
    pub fn addons(&self) -> Api<MiddlewareAddon> {
        Api::all(self.client.clone())
    }

    /// Content, in the platform's namespace.
    pub fn content(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &self.settings.namespace)
    }

    /// Secrets, in the platform's namespace.
    pub fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.settings.namespace)
    }
}
