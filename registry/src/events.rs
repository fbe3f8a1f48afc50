//! Publishing Events as the registry.

use api::{AddonSource, events::Happened};
use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use kube::{Api, Client, Resource as _, api::PostParams};

/// Publishes Events as `paamesh-registry`.
#[derive(Clone)]
pub struct Events {
    client: Client,
}

impl Events {
    /// Publishes with `client`.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Publishes `happened` about `source`. A failure is logged and forgotten.
    pub async fn publish(&self, source: &AddonSource, happened: &Happened) {
        let now = Timestamp::now();
        let event = api::events::event("paamesh-registry", source.object_ref(&()), happened, now);
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        if let Err(error) = api.create(&PostParams::default(), &event).await {
            tracing::warn!(%error, reason = happened.reason, "an Event was lost");
        }
    }
}
