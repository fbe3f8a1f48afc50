//! Publishing Events as the operator.

pub use api::events::Happened;
use jiff::Timestamp;
use k8s_openapi::api::{core::v1::ObjectReference, events::v1::Event};
use kube::{Api, Client, Resource, api::PostParams};

/// Publishes Events as `paamesh-operator`.
#[derive(Clone)]
pub struct Events {
    client: Client,
}

impl Events {
    /// Publishes with `client`.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Publishes `happened` about `object`. A failure is logged and forgotten.
    pub async fn publish<K: Resource<DynamicType = ()>>(&self, object: &K, happened: &Happened) {
        self.publish_with(object, happened, None).await;
    }

    /// As [`Events::publish`], naming a second object that it is about.
    pub async fn publish_with<K: Resource<DynamicType = ()>>(
        &self,
        object: &K,
        happened: &Happened,
        related: Option<ObjectReference>,
    ) {
        let now = Timestamp::now();
        let regarding = object.object_ref(&());
        let mut event = api::events::event("paamesh-operator", regarding, happened, now);
        event.related = related;
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        if let Err(error) = api.create(&PostParams::default(), &event).await {
            tracing::warn!(%error, reason = happened.reason, "an Event was lost");
        }
    }
}
