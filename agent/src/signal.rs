//! The signals that people name, by name.

use rustix::process::Signal;

/// Those that end, stop or inform a process, as `kill -l` writes them without `SIG`.
const NAMES: [(&str, Signal); 20] = [
    ("HUP", Signal::HUP),
    ("INT", Signal::INT),
    ("QUIT", Signal::QUIT),
    ("ILL", Signal::ILL),
    ("TRAP", Signal::TRAP),
    ("ABRT", Signal::ABORT),
    ("BUS", Signal::BUS),
    ("FPE", Signal::FPE),
    ("KILL", Signal::KILL),
    ("USR1", Signal::USR1),
    ("SEGV", Signal::SEGV),
    ("USR2", Signal::USR2),
    ("PIPE", Signal::PIPE),
    ("ALRM", Signal::ALARM),
    ("TERM", Signal::TERM),
    ("CONT", Signal::CONT),
    ("WINCH", Signal::WINCH),
    ("XCPU", Signal::XCPU),
    ("XFSZ", Signal::XFSZ),
    ("SYS", Signal::SYS),
];

/// No signal has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no signal: want a name such as SIGTERM, SIGINT or SIGQUIT")]
pub struct UnknownSignal(String);

/// The signal named `text`, with or without `SIG`.
///
/// # Errors
/// [`UnknownSignal`]: a number or a real-time signal is not taken.
pub fn parse(text: &str) -> Result<Signal, UnknownSignal> {
    let wanted = text.strip_prefix("SIG").unwrap_or(text);
    let found = NAMES.iter().find(|(name, _)| *name == wanted);
    found
        .map(|(_, signal)| *signal)
        .ok_or_else(|| UnknownSignal(text.to_owned()))
}

/// A signal's number and, where it has one, its name: `9 (SIGKILL)`.
pub fn describe(raw: i32) -> String {
    match NAMES.iter().find(|(_, signal)| signal.as_raw() == raw) {
        Some((name, _)) => format!("{raw} (SIG{name})"),
        None => raw.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_and_without_their_prefix() {
        assert_eq!(parse("SIGTERM"), Ok(Signal::TERM));
        assert_eq!(parse("INT"), Ok(Signal::INT));
        assert!(
            parse("15")
                .unwrap_err()
                .to_string()
                .contains("`15` is no signal")
        );
    }

    #[test]
    fn a_signal_is_described_by_number_and_name() {
        assert_eq!(describe(9), "9 (SIGKILL)");
        assert_eq!(describe(40), "40");
    }
}
