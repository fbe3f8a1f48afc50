//! Does what the plan says: prepares, starts and signals the process.

use super::Supervise;
use super::errors::{self, Errors};
use super::plan::{Event, Step};
use super::prepare;
use crate::reaper::{Child, Reaper};
use api::agent::Action;
use rustix::process::{Pid, Signal};
use std::io;
use std::process::{Command, Stdio};

/// Holds the process that was started last: the middleware's, or `prepare`.
pub(super) struct Actor<'a> {
    supervise: &'a Supervise,
    prepare: Option<&'a Action>,
    reaper: &'a Reaper,
    child: Option<Started>,
}

/// A process that was started.
pub(super) struct Started {
    pub(super) child: Child,
    /// What `prepare` says; the middleware's own output is nobody's business.
    pub(super) errors: Option<Errors>,
}

impl<'a> Actor<'a> {
    pub(super) fn new(
        supervise: &'a Supervise,
        prepare: Option<&'a Action>,
        reaper: &'a Reaper,
    ) -> Self {
        Self {
            supervise,
            prepare,
            reaper,
            child: None,
        }
    }

    /// Takes one step; what came of it at once is the next event.
    pub(super) fn act(&mut self, step: Option<Step>) -> Option<Event> {
        let signalled = match step? {
            Step::Prepare => return Some(self.prepare()),
            Step::Settle(pid) => return Some(self.settle(pid)),
            Step::Start => return Some(self.start()),
            Step::Signal(pid, signal) => self.reaper.signal(pid, signal),
            Step::Abandon(pid) => self.reaper.signal_group(pid, Signal::TERM),
            Step::Stop(pid) => self.reaper.signal_group(pid, self.supervise.stop_signal),
            Step::Kill(pid) => self.reaper.signal_group(pid, Signal::KILL),
        };
        if let Err(error) = signalled {
            tracing::error!(process = self.supervise.name, ?step, %error, "cannot signal");
        }
        None
    }

    pub(super) fn child(&mut self) -> Option<&mut Started> {
        self.child.as_mut()
    }

    fn prepare(&mut self) -> Event {
        let command = self.prepare.map_or(&[][..], |action| &action.command);
        let Some((program, arguments)) = command.split_first() else {
            return Event::NotPrepared("prepare has no command".to_owned());
        };
        let mut command = Command::new(program);
        command.args(arguments).stderr(Stdio::piped());
        match self.spawn(&mut command) {
            Ok(pid) => Event::Preparing(pid),
            Err(error) => Event::NotPrepared(format!("cannot start prepare `{program}`: {error}")),
        }
    }

    /// What `prepare` left running would be beside the process.
    fn settle(&mut self, pid: Pid) -> Event {
        let settled = self.reaper.signal_group(pid, Signal::KILL);
        match settled.and_then(|()| prepare::done(&self.supervise.root)) {
            Ok(()) => Event::Prepared,
            Err(error) => {
                Event::NotPrepared(format!("cannot write down that prepare succeeded: {error}"))
            }
        }
    }

    fn start(&mut self) -> Event {
        let Some((program, arguments)) = self.supervise.command.split_first() else {
            return Event::NotStarted("no command was given".to_owned());
        };
        let mut command = Command::new(program);
        command.args(arguments);
        match self.spawn(&mut command) {
            Ok(pid) => Event::Started(pid),
            Err(error) => {
                Event::NotStarted(format!("cannot start `{}`: {error}", program.display()))
            }
        }
    }

    fn spawn(&mut self, command: &mut Command) -> io::Result<Pid> {
        let mut child = self.reaper.spawn(command.stdin(Stdio::null()))?;
        let errors = child.stderr.take().map(errors::hand_on).transpose()?;
        Ok(self.child.insert(Started { child, errors }).child.pid)
    }
}
