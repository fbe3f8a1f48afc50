//! Children, and the one place that waits for them.
//!
//! PID 1 must reap whatever ends below it, so `waitpid(-1)` is called here and nowhere else:
//! `std`'s and tokio's own ways to wait would find their child already gone. A child is started
//! under the same lock under which children are reaped, so its end can neither be missed nor be
//! taken for an orphan's, and a signal never goes to a process id that was given to another.
//!
//! Every child leads a process group. `std` already gives it an empty signal mask and the default
//! SIGPIPE; the agent ignores no other signal.

use crate::signal;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group,
    set_child_subreaper, test_kill_process_group, wait,
};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStderr, ChildStdout, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Signaled(i32),
}

impl End {
    /// The code as a shell gives it: 128 + n for signal n.
    pub fn code(self) -> u8 {
        let code = match self {
            Self::Exited(code) => code,
            Self::Signaled(signal) => 128 + signal,
        };
        u8::try_from(code).unwrap_or(u8::MAX)
    }

    fn of(status: WaitStatus) -> Option<Self> {
        let exited = status.exit_status().map(Self::Exited);
        exited.or_else(|| status.terminating_signal().map(Self::Signaled))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit code {code}"),
            Self::Signaled(raw) => write!(f, "signal {}", signal::describe(*raw)),
        }
    }
}

/// Owns `waitpid` of this process.
pub struct Reaper {
    running: Mutex<HashMap<Pid, oneshot::Sender<End>>>,
}

/// A running child.
pub struct Child {
    /// Its process id, which is also that of its process group.
    pub pid: Pid,
    end: Ending,
    /// Its standard output, if it was piped.
    pub stdout: Option<ChildStdout>,
    /// Its standard error, if it was piped.
    pub stderr: Option<ChildStderr>,
}

/// A process group that is killed when nobody needs it any more.
pub struct Group<'a> {
    reaper: &'a Reaper,
    pid: Pid,
}

impl Group<'_> {
    /// Kills whoever is left in it.
    pub fn kill(&self) {
        if let Err(error) = self.reaper.signal_group(self.pid, Signal::KILL) {
            tracing::warn!(pid = self.pid.as_raw_pid(), %error, "cannot kill a process group");
        }
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        self.kill();
    }
}

enum Ending {
    Awaited(oneshot::Receiver<End>),
    Known(End),
}

impl Child {
    /// How it ended, once it ended and was reaped; may be asked again, and dropped while waiting.
    pub async fn end(&mut self) -> End {
        let end = match &mut self.end {
            Ending::Known(end) => return *end,
            Ending::Awaited(end) => end.await,
        };
        match end {
            Ok(end) => {
                self.end = Ending::Known(end);
                end
            }
            // The reaper holds the other half until it reaps.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Reaper {
    /// Takes over the reaping for this process, and with it all orphans below; one per process.
    /// Runs on the current tokio runtime.
    ///
    /// # Errors
    /// SIGCHLD cannot be watched, or orphans cannot be adopted.
    pub fn start() -> io::Result<Arc<Self>> {
        if getpid() != Pid::INIT {
            set_child_subreaper(Some(getpid()))?;
        }
        let mut ended = signal(SignalKind::child())?;
        let reaper = Arc::new(Self {
            running: Mutex::default(),
        });
        let reaping = Arc::clone(&reaper);
        tokio::spawn(async move {
            while ended.recv().await.is_some() {
                reaping.reap();
            }
        });
        Ok(reaper)
    }

    /// Starts `command` as the leader of a new process group.
    ///
    /// # Errors
    /// The command cannot be started; nothing is left of it.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        command.process_group(0);
        let mut running = self.running();
        let mut child = command.spawn()?;
        let pid = Pid::from_child(&child);
        let (ended, end) = oneshot::channel();
        running.insert(pid, ended);
        let end = Ending::Awaited(end);
        Ok(Child {
            pid,
            end,
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
        })
    }

    /// Signals the child itself. One that ended is not signalled, and that is no error.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn signal(&self, pid: Pid, signal: Signal) -> io::Result<()> {
        match self.running().contains_key(&pid) {
            true => gone_is_fine(kill_process(pid, signal)),
            false => Ok(()),
        }
    }

    /// Signals all that is in the child's process group, also after the child itself ended. Do so
    /// only soon after its end: an empty group's number is given out again after the process ids
    /// have gone round once.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn signal_group(&self, pid: Pid, signal: Signal) -> io::Result<()> {
        let _running = self.running();
        gone_is_fine(kill_process_group(pid, signal))
    }

    /// Whether nobody is left in the process group.
    pub fn group_is_empty(&self, pid: Pid) -> bool {
        let _running = self.running();
        test_kill_process_group(pid) == Err(rustix::io::Errno::SRCH)
    }

    /// The group of the child `pid`, which is killed when nobody holds it any more.
    pub fn group(&self, pid: Pid) -> Group<'_> {
        Group { reaper: self, pid }
    }

    fn reap(&self) {
        let mut running = self.running();
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            let Some(end) = End::of(status) else { continue };
            match running.remove(&pid) {
                Some(ended) => drop(ended.send(end)),
                None => tracing::debug!(pid = pid.as_raw_pid(), %end, "reaped an orphan"),
            }
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Pid, oneshot::Sender<End>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gone_is_fine(sent: rustix::io::Result<()>) -> io::Result<()> {
    match sent {
        Err(rustix::io::Errno::SRCH) => Ok(()),
        sent => Ok(sent?),
    }
}
