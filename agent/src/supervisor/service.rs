//! The gRPC services of the supervisor, on a unix socket that only this pod's containers see.

use super::SuperviseError;
use super::plan::{Phase, Process};
use crate::action::service::{self, Here};
use crate::configuration;
use crate::reaper::Reaper;
use crate::root::Root;
use crate::rpc::supervisor_server::{Supervisor, SupervisorServer};
use crate::socket::{self, Incoming};
use api::agent::{
    self, HelloReply, HelloRequest, ProcessState, SUPERVISOR_SOCKET, StatusReply, StatusRequest,
};
use std::sync::Arc;
use std::time::Instant;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// What is served beyond Hello and Status.
const CAPABILITIES: [&str; 1] = ["run"];

/// Who answers, and what for.
pub struct Answering {
    /// Where the pod's places are.
    pub root: Root,
    /// The process's name.
    pub name: String,
    /// What is known of it.
    pub process: watch::Receiver<Process>,
    /// For the actions that run beside it.
    pub reaper: Arc<Reaper>,
}

/// Listens where the pod's other containers look. A socket there is of a supervisor that is gone.
///
/// # Errors
/// [`SuperviseError::Socket`].
pub fn listen(root: &Root) -> Result<UnixListener, SuperviseError> {
    let path = root.at(SUPERVISOR_SOCKET);
    socket::listen(&path).map_err(|source| SuperviseError::Socket { path, source })
}

/// Answers until the supervisor ends.
pub async fn serve(listener: UnixListener, answering: Answering) {
    let Answering {
        root,
        name,
        process,
        reaper,
    } = answering;
    let actions = service::service(&root, &reaper, Here::Main(process.clone()));
    let supervisor = SupervisorServer::new(Service {
        root,
        name,
        process,
    });
    let served = Server::builder()
        .add_service(supervisor)
        .add_service(actions)
        .serve_with_incoming(Incoming(listener))
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "no longer answers");
    }
}

struct Service {
    root: Root,
    name: String,
    process: watch::Receiver<Process>,
}

#[tonic::async_trait]
impl Supervisor for Service {
    async fn hello(&self, _: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let version = api::PLATFORM_VERSION.to_owned();
        Ok(Response::new(HelloReply {
            version,
            capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
        }))
    }

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusReply>, Status> {
        let process = describe(&self.name, &self.process.borrow(), Instant::now());
        Ok(Response::new(StatusReply {
            processes: vec![process],
            configuration: configuration::known(&self.root).map(Into::into),
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
        Phase::Stopped { since, .. } | Phase::Unprepared { since, .. } => {
            (ProcessState::Stopped, None, since)
        }
        Phase::Preparing { pid, since, .. } => (ProcessState::Preparing, Some(pid), since),
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
