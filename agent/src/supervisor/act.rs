//! Does what the plan says: starts and signals the process.

use super::Supervise;
use super::plan::{Event, Step};
use crate::reaper::{Child, Reaper};
use std::process::{Command, Stdio};

/// Holds the process that was started last.
pub(super) struct Actor<'a> {
    supervise: &'a Supervise,
    reaper: &'a Reaper,
    child: Option<Child>,
}

impl<'a> Actor<'a> {
    pub(super) fn new(supervise: &'a Supervise, reaper: &'a Reaper) -> Self {
        Self {
            supervise,
            reaper,
            child: None,
        }
    }

    /// Takes one step; what came of it at once is the next event.
    pub(super) fn act(&mut self, step: Option<Step>) -> Option<Event> {
        let signalled = match step? {
            Step::Start => return Some(self.start()),
            Step::Signal(pid, signal) => self.reaper.signal(pid, signal),
            Step::Stop(pid) => self.reaper.signal_group(pid, self.supervise.stop_signal),
            Step::Kill(pid) => self.reaper.signal_group(pid, rustix::process::Signal::KILL),
        };
        if let Err(error) = signalled {
            tracing::error!(process = self.supervise.name, ?step, %error, "cannot signal");
        }
        None
    }

    pub(super) fn child(&mut self) -> Option<&mut Child> {
        self.child.as_mut()
    }

    fn start(&mut self) -> Event {
        let Some((program, arguments)) = self.supervise.command.split_first() else {
            return Event::NotStarted("no command was given".to_owned());
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        match self.reaper.spawn(&mut command) {
            Ok(child) => Event::Started(self.child.insert(child).pid),
            Err(error) => {
                Event::NotStarted(format!("cannot start `{}`: {error}", program.display()))
            }
        }
    }
}
