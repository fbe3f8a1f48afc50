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

    /// How long the next read may wait: what is left, at most [`IDLE`], and never zero.
    pub(crate) fn idle(&self) -> Duration {
        let left = self.end.saturating_duration_since(Instant::now());
        left.min(IDLE).max(Duration::from_millis(1))
    }
}
