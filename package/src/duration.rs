//! Durations as people write them: `30s`, `1m30s`, `250ms`.

use std::time::Duration;

/// The text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no duration: want a number with a unit, as in `500ms`, `2s`, `1m30s`, `1h`")]
pub struct InvalidDuration(String);

/// The longest duration that is accepted, a day: everything that a manifest times is shorter.
pub const MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The duration that `text` means: whole numbers with the units `ms`, `s`, `m`, `h`, one after the
/// other; above zero and at most [`MAX`].
///
/// # Errors
/// The text is nothing of that.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let refuse = || InvalidDuration(text.to_owned());
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let (part, after) = first_part(rest).ok_or_else(refuse)?;
        sum = sum.checked_add(part).ok_or_else(refuse)?;
        rest = after;
    }
    if sum.is_zero() || sum > MAX {
        Err(refuse())
    } else {
        Ok(sum)
    }
}

fn first_part(text: &str) -> Option<(Duration, &str)> {
    let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (unit, after) = rest.split_at(
        rest.find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len()),
    );
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let millis = number.parse::<u64>().ok()?.checked_mul(millis)?;
    Some((Duration::from_millis(millis), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write_and_refuses_the_rest() {
        for (text, millis) in [
            ("2s", 2_000),
            ("1m30s", 90_000),
            ("250ms", 250),
            ("1h", 3_600_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in [
            "",
            "2",
            "s",
            "0s",
            "2 s",
            "-1s",
            "1.5s",
            "25h",
            "99999999999999999999h",
            "1d",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
