//! Waits for the next event: a signal, the process's end, or a time that has come.

use super::act::Started;
use super::plan::{Event, Phase, Process};
use crate::reaper::Reaper;
use rustix::process::{Pid, Signal};
use std::future::pending;
use std::io;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::time::{sleep, sleep_until};

/// While the rest of a group ends; nothing tells when a group is empty.
const GROUP_POLL: Duration = Duration::from_millis(50);

/// The signals that the supervisor takes. All others are as the kernel has them for PID 1.
pub struct Signals {
    terminate: Stream,
    interrupt: Stream,
    hang_up: Stream,
    user_1: Stream,
    user_2: Stream,
}

impl Signals {
    /// Takes the signals from now on.
    ///
    /// # Errors
    /// The runtime has no signal driver, or the kernel refuses.
    pub fn watch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            user_1: signal(SignalKind::user_defined1())?,
            user_2: signal(SignalKind::user_defined2())?,
        })
    }

    async fn next(&mut self) -> Event {
        tokio::select! {
            _ = self.terminate.recv() => Event::StopAsked,
            _ = self.interrupt.recv() => Event::StopAsked,
            _ = self.hang_up.recv() => Event::HandOn(Signal::HUP),
            _ = self.user_1.recv() => Event::HandOn(Signal::USR1),
            _ = self.user_2.recv() => Event::HandOn(Signal::USR2),
        }
    }
}

/// The next event of `process`. May be dropped while waiting; nothing is lost then.
pub(super) async fn next(
    process: &Process,
    signals: &mut Signals,
    child: Option<&mut Started>,
    reaper: &Reaper,
) -> Event {
    tokio::select! {
        event = signals.next() => event,
        event = end(process.phase, child, reaper) => event,
        () = at(process.due()) => Event::Due,
    }
}

async fn end(phase: Phase, child: Option<&mut Started>, reaper: &Reaper) -> Event {
    match (phase, child) {
        (
            Phase::Stopping {
                pid,
                ended: Some(_),
                ..
            },
            _,
        ) => emptied(pid, reaper).await,
        (Phase::Running { .. } | Phase::Stopping { .. }, Some(started)) => {
            Event::Ended(started.child.end().await)
        }
        (Phase::Preparing { .. }, Some(started)) => prepare_ended(started).await,
        _ => pending().await,
    }
}

async fn prepare_ended(started: &mut Started) -> Event {
    let end = started.child.end().await;
    let errors = match &mut started.errors {
        Some(errors) => errors.last_line().await,
        None => String::new(),
    };
    Event::PrepareEnded(end, errors)
}

async fn emptied(pid: Pid, reaper: &Reaper) -> Event {
    while !reaper.group_is_empty(pid) {
        sleep(GROUP_POLL).await;
    }
    Event::GroupEmpty
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant.into()).await,
        None => pending().await,
    }
}
