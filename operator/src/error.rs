//! What an error means for the object that it happened to: the one place that back-off, condition,
//! Event and metric read.

use kube::core::response::Status;
use std::time::Duration;

/// The back-off after the first failure.
const FIRST: Duration = Duration::from_millis(200);
/// The longest back-off: a person who mended something does not wait longer.
const LONGEST: Duration = Duration::from_secs(60);

/// What happens after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Trying again changes nothing: wait for a change of the object.
    Terminal,
    /// Try again with growing pauses.
    Retry,
    /// Try again after so long.
    RetryAfter(Duration),
}

/// An error of a reconcile.
pub trait Failure: std::error::Error + Send + Sync + 'static {
    /// What happens next.
    fn consequence(&self) -> Consequence;
    /// In one word of a closed set, for condition, Event and metric.
    fn reason(&self) -> &'static str;
}

/// What an error of the API server means.
pub fn of_kube(error: &kube::Error) -> Consequence {
    match error {
        kube::Error::Api(status) => of_status(status),
        _ => Consequence::Retry,
    }
}

fn of_status(status: &Status) -> Consequence {
    let asked = status.details.as_ref().map_or(0, |d| d.retry_after_seconds);
    match (status.code, asked) {
        (_, seconds) if seconds > 0 => {
            Consequence::RetryAfter(Duration::from_secs(u64::from(seconds)))
        }
        (400 | 422, _) => Consequence::Terminal,
        _ => Consequence::Retry,
    }
}

/// Whether the API server says that the object is not there.
pub fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// Whether the API server says that the object is another by now, or there already.
pub fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// The pause after the `failures`-th failure in a row, from 1: doubles up to a minute.
pub fn backoff(failures: u32) -> Duration {
    FIRST
        .saturating_mul(
            1_u32
                .checked_shl(failures.saturating_sub(1))
                .unwrap_or(u32::MAX),
        )
        .min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let pauses: Vec<u128> = [1, 2, 3, 9, 40, 400]
            .map(|n| backoff(n).as_millis())
            .to_vec();
        assert_eq!(pauses, [200, 400, 800, 51_200, 60_000, 60_000]);
    }
}
