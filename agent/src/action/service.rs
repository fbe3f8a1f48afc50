//! The gRPC service of actions, on the socket of the supervisor and on that of the sidecar. Each runs
//! those that are its own container's, one run of each at a time.

use super::{run, told};
use crate::log::with_causes;
use crate::reaper::Reaper;
use crate::root::Root;
use crate::rpc::actions_server::{Actions, ActionsServer};
use crate::signal;
use crate::supervisor::plan::{Phase, Process};
use crate::table;
use api::agent::run_reply::Part;
use api::agent::{Action, ActionPlace, PREPARE, RunEnd, RunReply, RunRequest};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::watch;
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status};

/// Parts that wait for a slow reader; then the command waits.
const QUEUE: usize = 4;

/// In which container the service runs actions.
pub enum Here {
    /// The main container, beside this process.
    Main(watch::Receiver<Process>),
    /// The sidecar.
    Sidecar,
}

/// Runs the actions of one container.
pub struct Service {
    root: Root,
    reaper: Arc<Reaper>,
    here: Here,
    running: Arc<Running>,
}

/// The names of the actions that run now.
#[derive(Default)]
struct Running(Mutex<BTreeSet<String>>);

/// One run of an action; the next one may begin when it is gone.
struct Turn {
    running: Arc<Running>,
    name: String,
}

/// What a run tells, as it comes.
pub struct Told(Receiver<Part>);

/// The service, ready to be served.
pub fn service(root: &Root, reaper: &Arc<Reaper>, here: Here) -> ActionsServer<Service> {
    ActionsServer::new(Service {
        root: root.clone(),
        reaper: Arc::clone(reaper),
        here,
        running: Arc::default(),
    })
}

#[tonic::async_trait]
impl Actions for Service {
    type RunStream = Told;

    async fn run(&self, request: Request<RunRequest>) -> Result<Response<Told>, Status> {
        let name = request.into_inner().name;
        let table = table::in_use(&self.root)
            .map_err(|error| Status::failed_precondition(with_causes(&error)))?;
        let action =
            table::find(&table, &name).map_err(|unknown| Status::not_found(unknown.to_string()))?;
        self.here.admit(&name, action)?;
        let turn = Running::enter(&self.running, &name)
            .ok_or_else(|| Status::aborted(format!("action `{name}` already runs")))?;
        let (tell, told) = mpsc::channel(QUEUE);
        match &action.signal {
            Some(signal) => drop(tell.try_send(Part::End(self.signal(signal)?))),
            None => self.start(action, turn, tell),
        }
        Ok(Response::new(Told(told)))
    }
}

impl Here {
    /// Whether the action is this container's, and may run now.
    fn admit(&self, name: &str, action: &Action) -> Result<(), Status> {
        if name == PREPARE {
            return Err(Status::failed_precondition(
                "`prepare` runs by itself, before the process starts for the first time",
            ));
        }
        let in_main = action.signal.is_some() || action.place == ActionPlace::Main;
        match self {
            Self::Main(process) if in_main => may_run_beside(process.borrow().phase),
            Self::Sidecar if !in_main => Ok(()),
            Self::Main(_) => Err(elsewhere(name, "the sidecar")),
            Self::Sidecar => Err(elsewhere(name, "the main container")),
        }
    }
}

fn elsewhere(name: &str, place: &str) -> Status {
    Status::failed_precondition(format!("action `{name}` runs in {place}"))
}

/// What `prepare` makes is not to be touched before it is made, and what stops is not to be held up.
fn may_run_beside(phase: Phase) -> Result<(), Status> {
    match phase {
        Phase::Starting { .. } | Phase::Running { .. } | Phase::BackingOff { .. } => Ok(()),
        Phase::Preparing { .. } => Err(Status::unavailable("the process is being prepared")),
        Phase::Stopping { .. } | Phase::Stopped { .. } | Phase::Unprepared { .. } => {
            Err(Status::unavailable("the process is being stopped"))
        }
    }
}

impl Service {
    fn signal(&self, name: &str) -> Result<RunEnd, Status> {
        let signal = signal::parse(name)
            .map_err(|unknown| Status::failed_precondition(unknown.to_string()))?;
        let phase = match &self.here {
            Here::Main(process) => Some(process.borrow().phase),
            Here::Sidecar => None,
        };
        let Some(Phase::Running { pid, .. }) = phase else {
            return Err(Status::unavailable("the process does not run"));
        };
        self.reaper
            .signal(pid, signal)
            .map_err(|error| Status::internal(format!("cannot send {name}: {error}")))?;
        Ok(RunEnd {
            code: 0,
            description: format!("sent {name}"),
        })
    }

    /// Runs beside whoever asked, and ends with them.
    fn start(&self, action: &Action, turn: Turn, tell: Sender<Part>) {
        let reaper = Arc::clone(&self.reaper);
        let command = action.command.clone();
        let time = Duration::from_millis(action.timeout_millis);
        tokio::spawn(async move {
            let name = turn.name.clone();
            let end = tokio::select! {
                end = run(&reaper, &command, time, tell.clone()) => told(&end),
                () = tell.closed() => {
                    tracing::warn!(action = name, "nobody waits for it any more, killed");
                    return;
                }
            };
            tracing::info!(action = name, code = end.code, end = end.description, "ran");
            // The next one may begin before this one's end is known.
            drop(turn);
            let _ = tell.send(Part::End(end)).await;
        });
    }
}

impl Running {
    fn enter(running: &Arc<Self>, name: &str) -> Option<Turn> {
        let mut names = running.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(name.to_owned()).then(|| Turn {
            running: Arc::clone(running),
            name: name.to_owned(),
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let names = &self.running.0;
        let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
        names.remove(&self.name);
    }
}

impl Stream for Told {
    type Item = Result<RunReply, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let part = self.0.poll_recv(context);
        part.map(|part| part.map(|part| Ok(RunReply { part: Some(part) })))
    }
}
