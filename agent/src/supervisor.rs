//! PID 1 of the main container: has the middleware's process prepared once in the pod's life
//! (`prepare`), and keeps it running until it is told to stop.
//!
//! In: SIGTERM (or SIGINT) to stop, SIGHUP, SIGUSR1 and SIGUSR2 to hand on, and actions to run beside
//! the process. Out: the process, its state by gRPC on a unix socket, and the process's exit code as
//! its own (128 + n for signal n), or that of a `prepare` that failed.
//! The process inherits standard output and error, so the agent is not in their way: a slow reader
//! blocks the writer when the kernel's pipe is full, as it would without an agent.
//!
//! Each turn is observe → plan → act → report: `observe` waits for the next event, [`plan`] says
//! what it means, `act` does it, `report` tells.

mod act;
mod errors;
mod observe;
pub mod plan;
mod prepare;
mod report;
pub mod service;

use crate::reaper::Reaper;
use crate::root::Root;
use crate::table::TableError;
use plan::{Event, Process};
use rustix::process::Signal;
use service::Answering;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What `paamesh-agent supervisor` was asked for.
#[derive(Clone, Debug)]
pub struct Supervise {
    /// Where the pod's places are.
    pub root: Root,
    /// The process's name in the addon.
    pub name: String,
    /// What asks the process to end.
    pub stop_signal: Signal,
    /// How long it may take to end before it is killed.
    pub stop_timeout: Duration,
    /// The program and its arguments.
    pub command: Vec<OsString>,
}

/// The supervisor cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SuperviseError {
    /// Signals cannot be watched or orphans not adopted.
    #[error("cannot watch signals")]
    Signals(#[source] io::Error),
    /// Whether the process is to be prepared cannot be known.
    #[error("cannot tell whether the process is to be prepared")]
    Table(#[source] TableError),
    /// Whether the process was prepared cannot be known.
    #[error("cannot tell whether the process was prepared")]
    Prepared(#[source] io::Error),
    /// The socket cannot be made.
    #[error("cannot listen on {}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Supervises until asked to stop, or until `prepare` failed; answers the exit code.
///
/// # Errors
/// [`SuperviseError`], before anything is started.
pub async fn run(supervise: &Supervise) -> Result<u8, SuperviseError> {
    let reaper = Reaper::start().map_err(SuperviseError::Signals)?;
    let mut signals = observe::Signals::watch().map_err(SuperviseError::Signals)?;
    let prepare = prepare::wanted(&supervise.root)?;
    let new = Process::new(prepare.is_none(), Instant::now());
    let (told, told_to) = watch::channel(new.clone());
    let listener = service::listen(&supervise.root)?;
    tokio::spawn(service::serve(
        listener,
        Answering {
            root: supervise.root.clone(),
            name: supervise.name.clone(),
            process: told_to,
            reaper: Arc::clone(&reaper),
        },
    ));

    let prepare_millis = prepare.as_ref().map_or(0, |action| action.timeout_millis);
    let rules = plan::Rules {
        stop_timeout: supervise.stop_timeout,
        prepare_timeout: Duration::from_millis(prepare_millis),
    };
    let mut actor = act::Actor::new(supervise, prepare.as_ref(), &reaper);
    let mut process = new;
    let mut event = Event::Due;
    loop {
        let plan = plan::plan(&process, &event, &rules, Instant::now());
        let outcome = actor.act(plan.step);
        report::report(&supervise.root, &supervise.name, &process, &plan.process);
        process = plan.process;
        told.send_replace(process.clone());
        if let Some(code) = process.code() {
            return Ok(code);
        }
        event = match outcome {
            Some(outcome) => outcome,
            None => observe::next(&process, &mut signals, actor.child(), &reaper).await,
        };
    }
}
