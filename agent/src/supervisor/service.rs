//! The gRPC service of the supervisor, on a unix socket that only this pod's containers see.

use super::SuperviseError;
use super::plan::{Phase, Process};
use crate::atomic;
use crate::root::Root;
use crate::rpc::supervisor_server::{Supervisor, SupervisorServer};
use api::agent::{
    self, HelloReply, HelloRequest, ProcessState, SUPERVISOR_SOCKET, StatusReply, StatusRequest,
};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tonic::codegen::tokio_stream::Stream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// The other containers may run as another user of the pod's group.
const SOCKET_MODE: u32 = 0o660;

/// Listens where the pod's other containers look. A socket there is of a supervisor that is gone.
///
/// # Errors
/// [`SuperviseError::Socket`].
pub fn listen(root: &Root) -> Result<UnixListener, SuperviseError> {
    let path = root.at(SUPERVISOR_SOCKET);
    let listener = atomic::remove(&path).and_then(|()| UnixListener::bind(&path));
    listener
        .and_then(|listener| {
            fs::set_permissions(&path, Permissions::from_mode(SOCKET_MODE))?;
            Ok(listener)
        })
        .map_err(|source| SuperviseError::Socket { path, source })
}

/// Answers for the process named `name` until the supervisor ends.
pub async fn serve(listener: UnixListener, name: String, process: watch::Receiver<Process>) {
    let service = SupervisorServer::new(Service { name, process });
    let served = Server::builder()
        .add_service(service)
        .serve_with_incoming(Incoming(listener))
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "no longer answers");
    }
}

struct Service {
    name: String,
    process: watch::Receiver<Process>,
}

#[tonic::async_trait]
impl Supervisor for Service {
    async fn hello(&self, _: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let version = api::PLATFORM_VERSION.to_owned();
        Ok(Response::new(HelloReply {
            version,
            capabilities: Vec::new(),
        }))
    }

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusReply>, Status> {
        let process = describe(&self.name, &self.process.borrow(), Instant::now());
        Ok(Response::new(StatusReply {
            processes: vec![process],
        }))
    }
}

/// The process as it is told to others at `now`.
fn describe(name: &str, process: &Process, now: Instant) -> agent::Process {
    let (state, pid, since) = match process.phase {
        Phase::Starting { since } => (ProcessState::Starting, None, since),
        Phase::Running { pid, since } => (ProcessState::Running, Some(pid), since),
        Phase::BackingOff { since, .. } => (ProcessState::BackingOff, None, since),
        Phase::Stopping { pid, since, .. } => (ProcessState::Stopping, Some(pid), since),
        Phase::Stopped { since, .. } => (ProcessState::Stopped, None, since),
    };
    agent::Process {
        name: name.to_owned(),
        state: state.into(),
        pid: pid.map_or(0, |pid| pid.as_raw_pid().unsigned_abs()),
        restarts: process.restarts,
        since_seconds: now.saturating_duration_since(since).as_secs(),
        last_end: process.last_end.clone(),
    }
}

/// Connections as they come.
struct Incoming(UnixListener);

impl Stream for Incoming {
    type Item = io::Result<UnixStream>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepted = ready!(self.0.poll_accept(context));
        Poll::Ready(Some(accepted.map(|(stream, _)| stream)))
    }
}
