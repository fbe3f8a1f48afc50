//! The time that one call has left.

use std::time::{Duration, Instant};

/// The longest that nothing may arrive: a server that is alive sends progress every few seconds.
const IDLE: Duration = Duration::from_secs(20);

/// When a call must have ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    end: Instant,
    /// The whole of the time, for messages.
    pub(crate) timeout: Duration,
}

impl Deadline {
    /// `timeout` from now.
    pub(crate) fn after(timeout: Duration) -> Self {
        Self {
            end: Instant::now() + timeout,
            timeout,
        }
    }

    /// Whether it has passed.
    pub(crate) fn passed(&self) -> bool {
        Instant::now() >= self.end
    }

    /// What is left, never zero.
    pub(crate) fn left(&self) -> Duration {
        let left = self.end.saturating_duration_since(Instant::now());
        left.max(Duration::from_millis(1))
    }

    /// How long the next read may wait: what is left, at most [`IDLE`], and never zero.
    pub(crate) fn idle(&self) -> Duration {
        self.left().min(IDLE)
    }

    /// What was waited for when a wait ended: `what` until the end, or a shorter one for silence.
    pub(crate) fn waited(&self, what: &'static str) -> &'static str {
        if self.passed() {
            what
        } else {
            "after 20 s without a byte"
        }
    }
}
