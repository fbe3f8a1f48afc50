//! Stories of one process: events in, phases and steps out, on a clock of their own.

use super::*;

const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// A process and a clock that only [`Story::after`] moves.
struct Story {
    process: Process,
    now: Instant,
    pid: Pid,
}

impl Story {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            process: Process::new(now),
            now,
            pid: Pid::from_raw(42).unwrap(),
        }
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

    fn code(&self) -> Option<u8> {
        match self.process.phase {
            Phase::Stopped { code, .. } => Some(code),
            _ => None,
        }
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
