//! What an event means before the process was prepared. Pure.

use super::{
    Event, Phase, Plan, Process, Rules, Step, asked_to_end, never_started, only, unchanged,
};
use crate::action::{NOT_RUN, NOT_STARTED, TIMED_OUT};
use crate::reaper::End;
use rustix::process::Pid;
use std::time::Instant;

/// `prepare` is to be started.
pub(super) fn begin(process: &Process, event: &Event, rules: &Rules, now: Instant) -> Plan {
    match event {
        Event::Due => Plan {
            process: process.clone(),
            step: Some(Step::Prepare),
        },
        Event::Preparing(pid) => only(process.with(Phase::Preparing {
            pid: *pid,
            since: now,
            deadline: Some(now + rules.prepare_timeout),
        })),
        Event::NotPrepared(why) => only(process.unprepared(NOT_STARTED, why.clone(), now)),
        Event::StopAsked => only(never_started(process, now)),
        _ => unchanged(process),
    }
}

/// `prepare` runs.
pub(super) fn plan(
    process: &Process,
    event: &Event,
    rules: &Rules,
    pid: Pid,
    now: Instant,
) -> Plan {
    match event {
        Event::PrepareEnded(end, errors) => ended(process, rules, pid, *end, errors, now),
        Event::Prepared => started(process, now),
        // What it made may be half of what it was to make, or nobody would know that it is whole.
        Event::NotPrepared(why) => only(process.unprepared(NOT_RUN, why.clone(), now)),
        Event::Due => killed(process, pid),
        Event::StopAsked => Plan {
            process: asked_to_end(process, rules, pid, now),
            step: Some(Step::Abandon(pid)),
        },
        _ => unchanged(process),
    }
}

/// A success that came too late is none: its group was killed already.
fn ended(process: &Process, rules: &Rules, pid: Pid, end: End, errors: &str, now: Instant) -> Plan {
    let in_time = process.due().is_some();
    if in_time && end == End::Exited(0) {
        return Plan {
            process: process.clone(),
            step: Some(Step::Settle(pid)),
        };
    }
    let (code, how) = match in_time {
        true => (end.code(), format!("failed with {end}")),
        false => {
            let millis = rules.prepare_timeout.as_millis();
            (TIMED_OUT, format!("timed out after {millis} ms"))
        }
    };
    let colon = if errors.is_empty() { "" } else { ": " };
    Plan {
        process: process.unprepared(code, format!("prepare {how}{colon}{errors}"), now),
        step: Some(Step::Kill(pid)),
    }
}

fn started(process: &Process, now: Instant) -> Plan {
    let starting = process.with(Phase::Starting { since: now });
    Plan {
        process: Process {
            prepared: true,
            ..starting
        },
        step: Some(Step::Start),
    }
}

/// All of it; its end is waited for, as no second one may run beside it.
fn killed(process: &Process, pid: Pid) -> Plan {
    let Phase::Preparing { since, .. } = process.phase else {
        return unchanged(process);
    };
    Plan {
        process: process.with(Phase::Preparing {
            pid,
            since,
            deadline: None,
        }),
        step: Some(Step::Kill(pid)),
    }
}
