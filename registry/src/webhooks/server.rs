//! The HTTP server: so many connections at once, so much time for each, one request in each. Plain HTTP;
//! an Ingress ends TLS.

use super::{Webhooks, hook};
use axum::{Router, http::StatusCode, routing::post};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// Connections at once; others wait in the kernel.
const CONNECTIONS: u32 = 256;
/// How long headers may take.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may last: headers, body, reading the token, and the answer.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(20);
/// How long answers under way may take when the program ends.
const END_TIMEOUT: Duration = Duration::from_secs(2);
/// The most that is kept of a connection: headers, or one chunk of a body.
const MAX_BUFFER: usize = 16 * 1024;
/// After an `accept` that failed: the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`.
pub async fn serve(listener: TcpListener, webhooks: Webhooks, shutdown: impl Future<Output = ()>) {
    let router = Router::new()
        .route("/hook/{source}", post(hook))
        .fallback(async || (StatusCode::NOT_FOUND, "want POST /hook/<source>\n"))
        .with_state(webhooks);
    let places = Arc::new(Semaphore::new(CONNECTIONS as usize));
    tokio::select! {
        () = accept(&listener, &router, &places) => {}
        () = shutdown => {}
    }
    drop(listener);
    let _ = tokio::time::timeout(END_TIMEOUT, places.acquire_many(CONNECTIONS)).await;
}

async fn accept(listener: &TcpListener, router: &Router, places: &Arc<Semaphore>) {
    while let Ok(place) = places.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(CONNECTION_TIMEOUT, one(stream, router)).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the webhooks was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One request on `stream`. What breaks is the sender's.
async fn one(stream: TcpStream, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .keep_alive(false)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the webhooks broke");
    }
}
