//! Whether the configuration is to be applied now. Pure: no IO, no clock.

use super::State;
use super::observe::Seen;
use crate::configuration::Configuration;
use crate::content::{ContentError, Files, Revision};
use crate::log::with_causes;
use std::time::{Duration, Instant};

/// The first wait after a failed attempt; it doubles.
pub const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
/// The longest wait after a failed attempt.
pub const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);
/// `Status` is for a glance.
const MOST_TROUBLE: usize = 512;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: the process has read what it is to read, or it is too early to try again.
    Nothing,
    /// Nothing yet: what is missing, for people.
    Wait(String),
    /// Put the files in place and have them read.
    Apply {
        /// The revision that they are of.
        revision: Revision,
        /// All of them.
        files: Files,
    },
}

/// What is to be done about what was `seen`, after what was done before.
pub fn plan(seen: &Result<Seen, ContentError>, state: &State, now: Instant) -> Plan {
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => return Plan::Wait(with_causes(error)),
    };
    let Some(revision) = seen.wanted.clone() else {
        return Plan::Nothing;
    };
    let known = &state.configuration;
    let is_early =
        known.wanted == revision.as_str() && state.until.is_some_and(|until| now < until);
    if known.has_read(&revision) || is_early {
        return Plan::Nothing;
    }
    if !seen.content_in_place {
        return Plan::Wait("the scripts of the pod's content revision".to_owned());
    }
    if seen.files.is_empty() && !revision.is_empty() {
        return Plan::Wait(format!("the files of configuration revision {revision}"));
    }
    Plan::Apply {
        revision,
        files: seen.files.clone(),
    }
}

/// The state after an attempt at `revision`. What is in the way of it is gone once it succeeded, and
/// another revision begins anew.
pub fn concluded(
    state: &State,
    revision: &Revision,
    outcome: Result<(), String>,
    now: Instant,
) -> State {
    let revision = revision.to_string();
    let Err(mut trouble) = outcome else {
        return State {
            configuration: Configuration::in_force(revision),
            until: None,
        };
    };
    trouble.truncate(trouble.floor_char_boundary(MOST_TROUBLE));
    let before = &state.configuration;
    let attempts = match before.wanted == revision {
        true => before.attempts.saturating_add(1),
        false => 1,
    };
    State {
        configuration: Configuration {
            revision: before.revision.clone(),
            wanted: revision,
            attempts,
            trouble,
        },
        until: Some(now + back_off(attempts)),
    }
}

/// The wait after so many failed attempts.
pub fn back_off(attempts: u32) -> Duration {
    let doubled = attempts.saturating_sub(1).min(16);
    (FIRST_BACK_OFF * (1 << doubled)).min(LONGEST_BACK_OFF)
}

#[cfg(test)]
mod tests;
