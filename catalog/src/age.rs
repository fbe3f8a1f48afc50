//! How long ago something was, as kubectl says it.

use api::conditions::Time;
use jiff::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `5s`, `3m`, `7h`, `12d`; never less than nothing.
pub(crate) fn age(since: &Time, now: Timestamp) -> String {
    let seconds = (now.as_second() - since.0.as_second()).max(0);
    match seconds {
        s if s < 2 * MINUTE => format!("{s}s"),
        s if s < 2 * HOUR => format!("{}m", s / MINUTE),
        s if s < 2 * DAY => format!("{}h", s / HOUR),
        s => format!("{}d", s / DAY),
    }
}

/// The same until now; empty where it is not known since when.
pub(crate) fn until_now(since: Option<&Time>) -> String {
    since
        .map(|since| age(since, Timestamp::now()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_one_unit() {
        let since = Time(Timestamp::UNIX_EPOCH);
        let at = |seconds| age(&since, Timestamp::from_second(seconds).unwrap());
        let said = [0, 119, 120, 7199, 7200, 172_799, 172_800, -5].map(at);
        assert_eq!(said, ["0s", "119s", "2m", "119m", "2h", "47h", "2d", "0s"]);
    }
}
