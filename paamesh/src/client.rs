//! The client of the Kubernetes API: whose name it bears, and how fast it asks.

use anyhow::Context as _;
use kube::{
    Client, Config,
    client::{Body, ClientBuilder},
};
use std::time::Duration;
use tower::{BoxError, ServiceBuilder};

/// Requests that may wait for their turn; more wait at the caller.
const QUEUE: usize = 1024;

/// A client whose requests bear the user agent `paamesh-<service>/<version>` and are at most
/// `qps` a second.
///
/// # Errors
/// There is no configuration, or it cannot be used.
pub async fn limited(service: &str, qps: u32) -> anyhow::Result<Client> {
    let builder =
        ClientBuilder::try_from(config(service).await?).context("using the configuration")?;
    let limit = ServiceBuilder::new()
        .buffer::<http::Request<Body>>(QUEUE)
        .rate_limit(u64::from(qps), Duration::from_secs(1))
        .map_err(BoxError::from)
        .into_inner();
    Ok(builder.with_layer(&limit).build())
}

/// A client for the leader Lease alone, which no queue may delay.
///
/// # Errors
/// As [`limited`].
pub async fn unlimited(service: &str) -> anyhow::Result<Client> {
    Client::try_from(config(service).await?).context("using the configuration")
}

async fn config(service: &str) -> anyhow::Result<Config> {
    let mut config = Config::infer().await.context(
        "finding the Kubernetes API: neither KUBECONFIG nor a pod's service account leads to one",
    )?;
    let agent = format!("paamesh-{service}/{}", api::PLATFORM_VERSION);
    config
        .headers
        .push((http::header::USER_AGENT, agent.parse()?));
    Ok(config)
}
