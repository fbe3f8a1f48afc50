//! What probes and Prometheus ask: `/livez`, `/readyz`, `/metrics`.

use anyhow::Context as _;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use prometheus_client::registry::Registry;
use std::{future::Future, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::watch};

/// What the endpoints answer from.
#[derive(Clone)]
pub struct Health {
    /// One handle for each service of the process: name, and whether its caches are in sync (or it
    /// stands by).
    pub services: Arc<Vec<(&'static str, watch::Receiver<bool>)>>,
    /// Every metric of the process.
    pub metrics: Arc<Registry>,
}

/// Serves until `shutdown` ends.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(
    listen: SocketAddr,
    health: Health,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("--listen {listen}: is the port taken by another process?"))?;
    let router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(health);
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
        .context("serving health")
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    let mut text = String::new();
    let mut status = StatusCode::OK;
    for (name, ready) in health.services.iter() {
        let ready = *ready.borrow();
        if !ready {
            status = StatusCode::SERVICE_UNAVAILABLE;
        }
        text.push_str(&format!(
            "{name} {}\n",
            if ready { "ok" } else { "waits for its caches" }
        ));
    }
    (status, text)
}

async fn metrics(
    State(health): State<Health>,
) -> Result<([(&'static str, &'static str); 1], String), StatusCode> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &health.metrics)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok((
        [(
            "content-type",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )],
        text,
    ))
}
