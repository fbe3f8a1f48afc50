//! Stories of one process: events in, phases and steps out, on a clock of their own.

use super::*;

const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const PREPARE_TIMEOUT: Duration = Duration::from_secs(60);

/// A process and a clock that only [`Story::after`] moves.
struct Story {
    process: Process,
    now: Instant,
    pid: Pid,
}

impl Story {
    fn new() -> Self {
        Self::of(true)
    }

    fn of(prepared: bool) -> Self {
        let now = Instant::now();
        Self {
            process: Process::new(prepared, now),
            now,
            pid: Pid::from_raw(42).unwrap(),
        }
    }

    fn preparing() -> Self {
        let mut story = Self::of(false);
        assert_eq!(story.on(&Event::Due), Some(Step::Prepare));
        assert_eq!(story.on(&Event::Preparing(story.pid)), None);
        story
    }

    fn started() -> Self {
        let mut story = Self::new();
        assert_eq!(story.on(&Event::Due), Some(Step::Start));
        story.on(&Event::Started(story.pid));
        story
    }

    fn on(&mut self, event: &Event) -> Option<Step> {
        let rules = Rules {
            stop_timeout: STOP_TIMEOUT,
            prepare_timeout: PREPARE_TIMEOUT,
        };
        let plan = plan(&self.process, event, &rules, self.now);
        self.process = plan.process;
        plan.step
    }

    fn after(&mut self, wait: Duration) -> &mut Self {
        self.now += wait;
        self
    }

    /// Ends with `end`, waits as long as it is to wait, and is started again: how long it waited.
    fn ends_and_is_started_again(&mut self, end: End) -> Duration {
        assert_eq!(self.on(&Event::Ended(end)), Some(Step::Kill(self.pid)));
        let wait = self.process.due().unwrap() - self.now;
        assert_eq!(self.after(wait).on(&Event::Due), Some(Step::Start));
        self.on(&Event::Started(self.pid));
        wait
    }

    fn prepare_ends(&mut self, end: End, errors: &str) -> Option<Step> {
        self.on(&Event::PrepareEnded(end, errors.to_owned()))
    }

    fn code(&self) -> Option<u8> {
        self.process.code()
    }

    fn is_unprepared(&self) -> bool {
        matches!(self.process.phase, Phase::Unprepared { .. })
    }
}

#[test]
fn waits_double_up_to_a_minute_and_start_anew_after_a_steady_run() {
    let mut story = Story::started();
    let waits: Vec<u64> = (0..8)
        .map(|_| story.ends_and_is_started_again(End::Exited(1)).as_secs())
        .collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(story.process.restarts, 8);
    story.after(STEADY);
    assert_eq!(
        story.ends_and_is_started_again(End::Exited(1)),
        FIRST_BACK_OFF
    );
    assert_eq!(
        story.ends_and_is_started_again(End::Exited(1)),
        FIRST_BACK_OFF * 2
    );
}

#[test]
fn an_end_with_code_0_that_nobody_asked_for_is_relaunched_too() {
    let mut story = Story::started();
    story.ends_and_is_started_again(End::Exited(0));
    assert_eq!(
        (story.process.restarts, story.process.last_end.as_str()),
        (1, "exit code 0")
    );
}

#[test]
fn a_command_that_cannot_be_started_backs_off_and_says_why() {
    let mut story = Story::new();
    story.on(&Event::Due);
    story.on(&Event::NotStarted(
        "cannot start `redis`: not found".to_owned(),
    ));
    assert_eq!(story.process.last_end, "cannot start `redis`: not found");
    story.on(&Event::StopAsked);
    assert_eq!(story.code(), Some(127));
}

#[test]
fn a_graceful_stop_waits_for_the_group_and_keeps_the_code() {
    let mut story = Story::started();
    assert_eq!(story.on(&Event::StopAsked), Some(Step::Stop(story.pid)));
    assert_eq!(story.on(&Event::StopAsked), None, "asked once is enough");
    story.on(&Event::Ended(End::Exited(7)));
    assert_eq!(story.code(), None, "others of the group may still write");
    assert_eq!(story.on(&Event::GroupEmpty), None);
    assert_eq!(story.code(), Some(7));
}

#[test]
fn what_has_not_ended_at_the_deadline_is_killed() {
    let mut story = Story::started();
    story.on(&Event::StopAsked);
    assert_eq!(story.process.due(), Some(story.now + STOP_TIMEOUT));
    assert_eq!(
        story.after(STOP_TIMEOUT).on(&Event::Due),
        Some(Step::Kill(story.pid))
    );
    assert_eq!((story.process.due(), story.code()), (None, None));
    story.on(&Event::Ended(End::Signaled(9)));
    assert_eq!(
        (story.code(), story.process.last_end.as_str()),
        (Some(137), "signal 9 (SIGKILL)")
    );
}

#[test]
fn a_group_that_outlives_its_leader_is_killed_at_the_deadline() {
    let mut story = Story::started();
    story.on(&Event::StopAsked);
    story.on(&Event::Ended(End::Signaled(15)));
    assert_eq!(
        story.after(STOP_TIMEOUT).on(&Event::Due),
        Some(Step::Kill(story.pid))
    );
    assert_eq!(story.code(), Some(143));
}

#[test]
fn asked_to_stop_between_two_runs_it_ends_with_the_last_code() {
    let mut story = Story::started();
    story.on(&Event::Ended(End::Exited(3)));
    assert_eq!(story.on(&Event::StopAsked), None);
    assert_eq!(story.code(), Some(3));
}

#[test]
fn signals_are_handed_on_to_the_running_process_alone() {
    let mut story = Story::started();
    let handed_on = story.on(&Event::HandOn(Signal::HUP));
    assert_eq!(handed_on, Some(Step::Signal(story.pid, Signal::HUP)));
    story.on(&Event::Ended(End::Exited(1)));
    assert_eq!(story.on(&Event::HandOn(Signal::HUP)), None);
}

#[test]
fn a_process_that_was_not_prepared_is_prepared_and_then_started() {
    let mut story = Story::preparing();
    assert_eq!(story.process.due(), Some(story.now + PREPARE_TIMEOUT));
    let settle = story.prepare_ends(End::Exited(0), "warning: no locale");
    assert_eq!(settle, Some(Step::Settle(story.pid)));
    assert_eq!(story.on(&Event::Prepared), Some(Step::Start));
    assert!(story.process.prepared);
    story.on(&Event::Started(story.pid));
    assert!(matches!(story.process.phase, Phase::Running { .. }));
    // It crashes: started again, not prepared again.
    story.ends_and_is_started_again(End::Exited(1));
}

#[test]
fn a_prepare_that_fails_ends_the_supervisor_and_says_why() {
    let mut story = Story::preparing();
    let step = story.prepare_ends(End::Exited(3), "initdb: error: no space left");
    assert_eq!(step, Some(Step::Kill(story.pid)), "its helpers too");
    assert!(story.is_unprepared());
    assert_eq!(story.code(), Some(3));
    assert_eq!(
        story.process.last_end,
        "prepare failed with exit code 3: initdb: error: no space left"
    );

    let mut silent = Story::preparing();
    silent.prepare_ends(End::Signaled(9), "");
    assert_eq!(silent.code(), Some(137));
    let said = "prepare failed with signal 9 (SIGKILL)";
    assert_eq!(silent.process.last_end, said);
}

#[test]
fn a_prepare_whose_time_is_over_is_killed_and_its_end_waited_for() {
    let mut story = Story::preparing();
    let step = story.after(PREPARE_TIMEOUT).on(&Event::Due);
    assert_eq!(step, Some(Step::Kill(story.pid)));
    assert_eq!((story.code(), story.process.due()), (None, None));
    // It was just about to succeed: what it did after its time is not believed.
    story.prepare_ends(End::Exited(0), "copying");
    assert_eq!(story.code(), Some(124));
    let said = "prepare timed out after 60000 ms: copying";
    assert_eq!(story.process.last_end, said);
}

#[test]
fn a_prepare_that_cannot_be_started_or_written_down_ends_the_supervisor() {
    let mut story = Story::of(false);
    story.on(&Event::Due);
    story.on(&Event::NotPrepared("cannot start prepare `x`".to_owned()));
    assert!(story.is_unprepared());
    assert_eq!(story.code(), Some(127));

    let mut story = Story::preparing();
    story.prepare_ends(End::Exited(0), "");
    assert_eq!(story.on(&Event::NotPrepared("disk full".to_owned())), None);
    assert!(story.is_unprepared());
    assert_eq!(story.code(), Some(125));
}

#[test]
fn asked_to_stop_a_prepare_gets_the_stop_time_and_nothing_is_started_after_it() {
    let mut story = Story::preparing();
    assert_eq!(story.on(&Event::StopAsked), Some(Step::Abandon(story.pid)));
    assert_eq!(story.process.due(), Some(story.now + STOP_TIMEOUT));
    assert_eq!(story.on(&Event::Ended(End::Signaled(15))), None);
    assert_eq!(story.on(&Event::GroupEmpty), None);
    assert_eq!(story.code(), Some(143));
    assert!(!story.process.prepared, "the next container begins anew");
}

#[test]
fn a_signal_of_the_process_is_not_handed_to_its_prepare() {
    let mut story = Story::preparing();
    assert_eq!(story.on(&Event::HandOn(Signal::HUP)), None);
}

/// Every sequence of six events: the process is started only when it is prepared, nothing runs
/// twice at once, and after the last phase nothing is done.
#[test]
fn no_sequence_of_events_starts_what_is_not_prepared_or_runs_already() {
    let pid = Pid::from_raw(42).unwrap();
    let events = [
        Event::Due,
        Event::Started(pid),
        Event::NotStarted("no".to_owned()),
        Event::Preparing(pid),
        Event::PrepareEnded(End::Exited(0), String::new()),
        Event::PrepareEnded(End::Exited(1), String::new()),
        Event::Prepared,
        Event::NotPrepared("no".to_owned()),
        Event::Ended(End::Exited(0)),
        Event::GroupEmpty,
        Event::StopAsked,
    ];
    let mut seen = 0;
    let mut begun = vec![(Story::of(false).process, 0)];
    let now = Instant::now();
    let rules = Rules {
        stop_timeout: STOP_TIMEOUT,
        prepare_timeout: PREPARE_TIMEOUT,
    };
    while let Some((process, depth)) = begun.pop() {
        for event in &events {
            let plan = plan(&process, event, &rules, now);
            seen += 1;
            let is_over = process.code().is_some();
            assert!(!is_over || (plan.step.is_none() && plan.process == process));
            let runs = |process: &Process| {
                use Phase::{Preparing, Running, Stopping};
                matches!(
                    process.phase,
                    Running { .. } | Preparing { .. } | Stopping { ended: None, .. }
                )
            };
            match plan.step {
                Some(Step::Start) => {
                    assert!(plan.process.prepared, "{event:?} {process:?}");
                    assert!(!runs(&plan.process), "{event:?} {process:?}");
                }
                Some(Step::Prepare) => {
                    assert!(
                        !process.prepared && !runs(&process),
                        "{event:?} {process:?}"
                    );
                }
                _ => {}
            }
            if plan.process.prepared && !process.prepared {
                assert_eq!(*event, Event::Prepared);
            }
            if depth < 5 {
                begun.push((plan.process, depth + 1));
            }
        }
    }
    assert_eq!(seen, (1..=6).map(|n| 11_u32.pow(n)).sum::<u32>());
}
