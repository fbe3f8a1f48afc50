//! What every controller is handed: the client, the settings, the caches, and what they share.

use crate::{
    Settings,
    addon::unseen::Unseen,
    app::observe::Verdicts,
    apply::{Applied, Applier},
    cluster::Cluster,
    content,
    events::Events,
    ledger::Ledgers,
    metrics::{Controller, Metrics},
    policy::Policies,
    provenance::Keys,
    watch::Feeds,
};
use package::Evaluate;
use std::sync::Arc;

/// Shared by all controllers.
pub struct Context {
    /// The cluster.
    pub client: kube::Client,
    /// What the person who installs the platform decided.
    pub settings: Settings,
    /// How untrusted templates are evaluated.
    pub evaluate: Arc<dyn Evaluate>,
    /// What is counted.
    pub metrics: Metrics,
    /// One cache per kind, and who is told of changes.
    pub feeds: Feeds,
    /// The packages that were read lately, by digest.
    pub packages: content::Cache,
    /// The key by which the registry vouches for versions.
    pub keys: Keys,
    /// What versions must show.
    pub policies: Policies,
    /// The ledgers, and who waits to be entered in one.
    pub ledgers: Ledgers,
    /// Versions whose status is on its way to the cache.
    pub unseen: Unseen,
    /// What the schemas said lately.
    pub verdicts: Verdicts,
    /// What the cluster is.
    pub cluster: Cluster,
    /// The Events of all controllers, aggregated where they repeat.
    pub events: Events,
    /// What was applied lately, so that the unchanged is not applied again.
    pub applier: Applier,
}

impl Context {
    /// Puts together what the controllers share.
    pub fn new(
        client: kube::Client,
        settings: Settings,
        evaluate: Arc<dyn Evaluate>,
        metrics: Metrics,
        feeds: Feeds,
    ) -> Self {
        Self {
            packages: content::Cache::new(
                client.clone(),
                &settings.namespace,
                feeds.recent.clone(),
            ),
            keys: Keys::new(client.clone(), &settings.namespace),
            policies: Policies::new(client.clone()),
            ledgers: Ledgers::new(client.clone()),
            unseen: Unseen::default(),
            verdicts: Verdicts::default(),
            cluster: Cluster::new(client.clone()),
            events: Events::new(client.clone()),
            applier: Applier::new(client.clone()),
            client,
            settings,
            evaluate,
            metrics,
            feeds,
        }
    }

    /// Counts what was written by `controller`.
    pub fn count(&self, controller: &'static str, applied: Applied) {
        if applied == Applied::Written {
            self.metrics
                .applied
                .get_or_create(&Controller { controller })
                .inc();
        }
    }
}
