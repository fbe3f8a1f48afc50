//! Waiting for a condition, never for a time: a test that fails says what it last saw.

use anyhow::{Result, anyhow};
use std::time::{Duration, Instant};

/// Between two looks. Short, because a look costs a millisecond and tests wait in sequence.
const INTERVAL: Duration = Duration::from_millis(100);

/// Looks until `look` returns `Ok`, and returns that; `what` names the condition, and an `Err` of
/// `look` says what is seen instead.
///
/// # Errors
/// The condition did not hold within `timeout`; the message has `what` and what was last seen.
pub async fn eventually<T>(
    timeout: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        let left = timeout.saturating_sub(start.elapsed()).max(INTERVAL);
        let seen = match tokio::time::timeout(left, look()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(seen)) => seen,
            Err(_) => anyhow!("a look that did not end"),
        };
        if start.elapsed() >= timeout {
            return Err(overdue(timeout, what, &seen));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The same as [`eventually`] for code that blocks. A look that hangs is not interrupted.
///
/// # Errors
/// As for [`eventually`].
pub fn until<T>(timeout: Duration, what: &str, mut look: impl FnMut() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    loop {
        match look() {
            Ok(value) => return Ok(value),
            Err(seen) if start.elapsed() >= timeout => return Err(overdue(timeout, what, &seen)),
            Err(_) => std::thread::sleep(INTERVAL),
        }
    }
}

fn overdue(timeout: Duration, what: &str, seen: &anyhow::Error) -> anyhow::Error {
    anyhow!(
        "not within {} s: {what}; last seen: {seen:#}",
        timeout.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_last_seen_stands_in_the_error() {
        let mut looks = 0;
        let error = until(Duration::from_millis(150), "three", || {
            looks += 1;
            anyhow::bail!("look {looks}") as Result<()>
        });
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("three") && text.ends_with(&format!("look {looks}")),
            "{text}"
        );
        assert!(looks >= 2);
    }

    #[tokio::test]
    async fn a_look_that_hangs_is_overdue() {
        let hang = async || -> Result<()> { std::future::pending().await };
        let error = eventually(Duration::from_millis(50), "an answer", hang).await;
        assert!(error.unwrap_err().to_string().contains("did not end"));
    }
}
