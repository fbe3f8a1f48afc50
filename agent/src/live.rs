//! The main container's liveness: whether the supervisor answers. What it supervises may be down;
//! that is the supervisor's to mend, and the kubelet's restart would not help.

use crate::root::Root;
use crate::rpc::supervisor_client::SupervisorClient;
use crate::socket;
use api::agent::{HelloRequest, SUPERVISOR_SOCKET};
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};

/// The supervisor answers in microseconds unless its loop hangs.
const DEADLINE: Duration = Duration::from_secs(1);

/// The supervisor is not alive.
#[derive(Debug, thiserror::Error)]
pub enum NotLive {
    /// Nobody listens on the socket.
    #[error("cannot reach the supervisor on {SUPERVISOR_SOCKET}")]
    Connect(#[source] tonic::transport::Error),
    /// Somebody listens and refuses.
    #[error("the supervisor answers {}: {}", .0.code(), .0.message())]
    Refused(Box<tonic::Status>),
    /// Somebody listens and is silent.
    #[error("the supervisor does not answer within {} s", DEADLINE.as_secs())]
    Silent,
}

/// Says Hello to the supervisor.
///
/// # Errors
/// [`NotLive`].
pub async fn check(root: &Root) -> Result<(), NotLive> {
    tokio::time::timeout(DEADLINE, hello(root))
        .await
        .unwrap_or(Err(NotLive::Silent))
}

/// Where the supervisor of the pod under `root` listens.
///
/// # Errors
/// The path is no URI.
pub fn supervisor(root: &Root) -> Result<Endpoint, tonic::transport::Error> {
    socket::endpoint(&root.at(SUPERVISOR_SOCKET))
}

async fn hello(root: &Root) -> Result<(), NotLive> {
    let channel: Channel = supervisor(root)
        .map_err(NotLive::Connect)?
        .connect()
        .await
        .map_err(NotLive::Connect)?;
    let answer = SupervisorClient::new(channel).hello(HelloRequest {}).await;
    answer
        .map(drop)
        .map_err(|status| NotLive::Refused(Box::new(status)))
}
