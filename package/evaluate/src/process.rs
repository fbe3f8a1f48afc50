//! The sandbox in child processes: what evaluates for long, grows, or dies is not this process.
//!
//! In: a program and a request. Out: the answer of a child that is started on demand, ends when nobody
//! asks it, is killed when it takes too long, and is replaced when it dies. A child evaluates one request
//! at a time; a few run side by side.

mod worker;

use crate::program::{Program, Run, Stopped};
use std::{
    env,
    ffi::OsString,
    fmt,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use worker::{Lost, Worker};

/// How children are started and ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The program and its arguments that make a child: one that calls [`crate::child::main`].
    pub command: Vec<OsString>,
    /// The most children at a time; further requests wait.
    pub most: usize,
    /// How long a child without a request lives.
    pub idle: Duration,
    /// How long a child may take to compile or load a program.
    pub preparation: Duration,
    /// How long one request may take, waiting for a child included. The limits of a run are counted and
    /// end it long before on a machine that has time for it.
    pub deadline: Duration,
}

impl Default for Settings {
    /// This program with the subcommand `evaluate`, even when another one has taken its place on disk.
    fn default() -> Self {
        let own = PathBuf::from("/proc/self/exe");
        let own = if own.exists() {
            Some(own)
        } else {
            env::current_exe().ok()
        };
        let own = own.map(PathBuf::into_os_string).unwrap_or_default();
        Self {
            command: vec![own, "evaluate".into()],
            most: 2,
            idle: Duration::from_secs(30),
            preparation: Duration::from_secs(300),
            deadline: Duration::from_secs(60),
        }
    }
}

/// Runs programs in child processes. Clones share them.
#[derive(Clone, Default)]
pub struct Process {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    settings: Settings,
    children: Mutex<Children>,
    /// A child came free, or one is no more.
    changed: Condvar,
}

#[derive(Default)]
struct Children {
    free: Vec<Worker>,
    /// Free ones and those at work.
    all: usize,
}

impl Process {
    /// Children of this program.
    pub fn new() -> Self {
        Self::default()
    }

    /// Children by other settings.
    pub fn with(settings: Settings) -> Self {
        Self {
            shared: Arc::new(Shared {
                settings,
                ..Shared::default()
            }),
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

impl Run for Process {
    fn run(&self, program: Program, request: &[u8]) -> Result<Vec<u8>, Stopped> {
        let until = Instant::now() + self.shared.settings.deadline;
        loop {
            let worker = self.shared.take(until)?;
            match worker.run(program, request, &self.shared.settings) {
                Ok(answer) => {
                    self.shared.give_back(worker);
                    return answer;
                }
                // It ended for want of work just now, and has not seen the request.
                Err(Lost::Ended) => self.shared.gone(),
                Err(Lost::Broken(reason)) => {
                    self.shared.gone();
                    return Err(Stopped::Unavailable(reason));
                }
            }
        }
    }
}

impl Shared {
    /// A free child, or a new one.
    fn take(&self, until: Instant) -> Result<Worker, Stopped> {
        let mut children = self.children();
        loop {
            if let Some(worker) = children.free.pop() {
                return Ok(worker);
            }
            if children.all < self.settings.most {
                let worker = Worker::start(&self.settings).map_err(|error| {
                    Stopped::Unavailable(format!("the evaluator cannot be started: {error}"))
                })?;
                children.all += 1;
                return Ok(worker);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let reason = "every evaluator is busy for too long".to_owned();
                return Err(Stopped::Unavailable(reason));
            }
            let waited = self.changed.wait_timeout(children, left);
            children = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn give_back(&self, worker: Worker) {
        self.children().free.push(worker);
        self.changed.notify_one();
    }

    fn gone(&self) {
        self.children().all -= 1;
        self.changed.notify_one();
    }

    fn children(&self) -> MutexGuard<'_, Children> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
