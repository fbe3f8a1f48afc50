//! What an event means for the process. Pure: no IO, no clock.

mod preparing;

use crate::action::NOT_STARTED;
use crate::reaper::End;
use rustix::process::{Pid, Signal};
use std::time::{Duration, Instant};

/// The first wait before a relaunch; it doubles with each further end.
pub const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
/// The longest wait before a relaunch.
pub const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);
/// A process that ran for so long has recovered: the next wait is the first one again.
pub const STEADY: Duration = Duration::from_secs(300);

/// What the manifest says about the process.
#[derive(Clone, Debug)]
pub struct Rules {
    /// From the stop signal to the kill.
    pub stop_timeout: Duration,
    /// What `prepare` may take.
    pub prepare_timeout: Duration,
}

/// All that is known about the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// What it is doing.
    pub phase: Phase,
    /// Whether nothing is left to do before it is started.
    pub prepared: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// The wait after the next end.
    pub back_off: Duration,
    /// The last end, for people; empty before the first.
    pub last_end: String,
}

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is to be started now, or prepared where it is not.
    Starting {
        /// Since when.
        since: Instant,
    },
    /// The addon's `prepare` runs; the process was not started yet.
    Preparing {
        /// As this process, which leads its group.
        pid: Pid,
        /// Since when.
        since: Instant,
        /// When it is killed; `None` once that was done.
        deadline: Option<Instant>,
    },
    /// It runs.
    Running {
        /// As this process, which leads its group.
        pid: Pid,
        /// Since when.
        since: Instant,
    },
    /// It ended by itself and is started again later.
    BackingOff {
        /// When it ended.
        since: Instant,
        /// When it is started again.
        until: Instant,
        /// What it ended with.
        code: u8,
    },
    /// It was asked to end.
    Stopping {
        /// As this process.
        pid: Pid,
        /// When it was asked.
        since: Instant,
        /// When all that is left is killed; `None` once that was done.
        deadline: Option<Instant>,
        /// What the process ended with; others of its group may still run.
        ended: Option<u8>,
    },
    /// It ended and is not started again.
    Stopped {
        /// When.
        since: Instant,
        /// What the supervisor exits with.
        code: u8,
    },
    /// `prepare` failed, so it is not started: the kubelet starts the container anew.
    Unprepared {
        /// When.
        since: Instant,
        /// What the supervisor exits with; never 0.
        code: u8,
    },
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The time has come that [`Process::due`] names.
    Due,
    /// The step [`Step::Start`] succeeded.
    Started(Pid),
    /// The step [`Step::Start`] failed: why, for people.
    NotStarted(String),
    /// The step [`Step::Prepare`] succeeded: `prepare` runs.
    Preparing(Pid),
    /// `prepare` ended, and the last line of its standard error.
    PrepareEnded(End, String),
    /// The step [`Step::Settle`] succeeded.
    Prepared,
    /// The step [`Step::Prepare`] or [`Step::Settle`] failed: why, for people.
    NotPrepared(String),
    /// The process ended.
    Ended(End),
    /// The process ended before, and nobody of its group is left either.
    GroupEmpty,
    /// Somebody wants the process to end.
    StopAsked,
    /// A signal that is the process's own affair.
    HandOn(Signal),
}

/// What is to be done. What `Start` and the signals lead to comes back as an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Start `prepare`.
    Prepare,
    /// Kill what `prepare` left running, and write down that it succeeded.
    Settle(Pid),
    /// Ask the group of `prepare` to end.
    Abandon(Pid),
    /// Start the command.
    Start,
    /// Hand a signal to the process alone: for a helper of its group it may be deadly.
    Signal(Pid, Signal),
    /// Ask the whole group to end, as a shell in front of the middleware would not pass it on.
    Stop(Pid),
    /// Kill the whole group.
    Kill(Pid),
}

/// The process as it is after the event, and what is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The process after the event.
    pub process: Process,
    /// What is to be done.
    pub step: Option<Step>,
}

impl Process {
    /// One that is to be started, after it was prepared where it is not `prepared`.
    pub fn new(prepared: bool, now: Instant) -> Self {
        let phase = Phase::Starting { since: now };
        Self {
            phase,
            prepared,
            restarts: 0,
            back_off: FIRST_BACK_OFF,
            last_end: String::new(),
        }
    }

    /// When [`Event::Due`] is to come, if nothing else happens.
    pub fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Starting { since } => Some(since),
            Phase::BackingOff { until, .. } => Some(until),
            Phase::Preparing { deadline, .. } | Phase::Stopping { deadline, .. } => deadline,
            Phase::Running { .. } | Phase::Stopped { .. } | Phase::Unprepared { .. } => None,
        }
    }

    /// The exit code of the supervisor, once nothing is left to do.
    pub fn code(&self) -> Option<u8> {
        match self.phase {
            Phase::Stopped { code, .. } | Phase::Unprepared { code, .. } => Some(code),
            _ => None,
        }
    }

    fn with(&self, phase: Phase) -> Self {
        Self {
            phase,
            ..self.clone()
        }
    }

    /// `prepare` failed for good.
    fn unprepared(&self, code: u8, last_end: String, now: Instant) -> Self {
        Self {
            phase: Phase::Unprepared { since: now, code },
            last_end,
            ..self.clone()
        }
    }

    /// Ended by itself: a wait, longer each time unless it had run steadily.
    fn backing_off(&self, ran: Duration, code: u8, last_end: String, now: Instant) -> Self {
        let wait = if ran >= STEADY {
            FIRST_BACK_OFF
        } else {
            self.back_off
        };
        Self {
            phase: Phase::BackingOff {
                since: now,
                until: now + wait,
                code,
            },
            back_off: (wait * 2).min(LONGEST_BACK_OFF),
            last_end,
            ..self.clone()
        }
    }
}

/// What `event` means for `process` at `now`. An event that does not fit the phase changes nothing.
pub fn plan(process: &Process, event: &Event, rules: &Rules, now: Instant) -> Plan {
    match process.phase {
        Phase::Starting { .. } if process.prepared => starting(process, event, now),
        Phase::Starting { .. } => preparing::begin(process, event, rules, now),
        Phase::Preparing { pid, .. } => preparing::plan(process, event, rules, pid, now),
        Phase::Running { pid, since } => running(process, event, rules, pid, since, now),
        Phase::BackingOff { code, .. } => backing_off(process, event, code, now),
        Phase::Stopping { pid, .. } => stopping(process, event, pid, now),
        Phase::Stopped { .. } | Phase::Unprepared { .. } => unchanged(process),
    }
}

fn starting(process: &Process, event: &Event, now: Instant) -> Plan {
    match event {
        Event::Due => Plan {
            process: process.clone(),
            step: Some(Step::Start),
        },
        Event::Started(pid) => only(process.with(Phase::Running {
            pid: *pid,
            since: now,
        })),
        Event::NotStarted(why) => {
            only(process.backing_off(Duration::ZERO, NOT_STARTED, why.clone(), now))
        }
        Event::StopAsked => only(never_started(process, now)),
        _ => unchanged(process),
    }
}

fn never_started(process: &Process, now: Instant) -> Process {
    process.with(Phase::Stopped {
        since: now,
        code: 0,
    })
}

fn running(
    process: &Process,
    event: &Event,
    rules: &Rules,
    pid: Pid,
    since: Instant,
    now: Instant,
) -> Plan {
    match event {
        // Even with code 0: nobody asked it to end. What it left behind would be in the way of the
        // next one.
        Event::Ended(end) => Plan {
            process: process.backing_off(now - since, end.code(), end.to_string(), now),
            step: Some(Step::Kill(pid)),
        },
        Event::StopAsked => Plan {
            process: asked_to_end(process, rules, pid, now),
            step: Some(Step::Stop(pid)),
        },
        Event::HandOn(signal) => Plan {
            process: process.clone(),
            step: Some(Step::Signal(pid, *signal)),
        },
        _ => unchanged(process),
    }
}

fn asked_to_end(process: &Process, rules: &Rules, pid: Pid, now: Instant) -> Process {
    process.with(Phase::Stopping {
        pid,
        since: now,
        deadline: Some(now + rules.stop_timeout),
        ended: None,
    })
}

fn backing_off(process: &Process, event: &Event, code: u8, now: Instant) -> Plan {
    match event {
        Event::Due => {
            let starting = process.with(Phase::Starting { since: now });
            let restarts = process.restarts.saturating_add(1);
            Plan {
                process: Process {
                    restarts,
                    ..starting
                },
                step: Some(Step::Start),
            }
        }
        Event::StopAsked => only(process.with(Phase::Stopped { since: now, code })),
        _ => unchanged(process),
    }
}

fn stopping(process: &Process, event: &Event, pid: Pid, now: Instant) -> Plan {
    let Phase::Stopping {
        since,
        deadline,
        ended,
        ..
    } = process.phase
    else {
        return unchanged(process);
    };
    let stopped = |process: Process, code| process.with(Phase::Stopped { since: now, code });
    match (event, ended) {
        (Event::Ended(end), None) => {
            let process = Process {
                last_end: end.to_string(),
                ..process.clone()
            };
            let ended = Some(end.code());
            only(match deadline {
                None => stopped(process, end.code()),
                Some(_) => process.with(Phase::Stopping {
                    pid,
                    since,
                    deadline,
                    ended,
                }),
            })
        }
        (Event::GroupEmpty, Some(code)) => only(stopped(process.clone(), code)),
        (Event::Due, Some(code)) => Plan {
            process: stopped(process.clone(), code),
            step: Some(Step::Kill(pid)),
        },
        (Event::Due, None) => {
            let phase = Phase::Stopping {
                pid,
                since,
                deadline: None,
                ended,
            };
            Plan {
                process: process.with(phase),
                step: Some(Step::Kill(pid)),
            }
        }
        _ => unchanged(process),
    }
}

fn only(process: Process) -> Plan {
    Plan {
        process,
        step: None,
    }
}

fn unchanged(process: &Process) -> Plan {
    only(process.clone())
}

#[cfg(test)]
mod tests;
