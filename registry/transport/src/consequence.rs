//! What follows from an error for who asked, whatever kind of source it was.

use std::time::Duration;

/// What follows from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Only an edit of the source can mend it: trying again is of no use.
    Terminal,
    /// It may mend itself: try again, later each time.
    Retry,
    /// The server says when to come back; at most [`LONGEST`], at least a second.
    RetryAfter(Duration),
}

/// The longest that a server can send us away for.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The header `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.
pub(crate) fn retry_after(value: &str, now: std::time::SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value)
            .ok()?
            .duration_since(now)
            .unwrap_or_default(),
    };
    Some(wait.clamp(Duration::from_secs(1), LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_bounded() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (value, want) in [
            ("120", Some(120)),
            (" 0 ", Some(1)),
            ("99999999999999999999", None),
            ("86400", Some(900)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(1)),
            ("Sat, 06 Nov 2094 08:00:00 GMT", Some(900)),
            ("soon", None),
            ("-1", None),
        ] {
            let got = retry_after(value, now).map(|wait| wait.as_secs());
            assert_eq!(got, want, "{value}");
        }
    }
}
