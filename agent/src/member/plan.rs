//! What one look at the member means. Pure.

use super::observe::Seen;
use api::agent::{Process, ProcessState};
use api::probe::Observed;

/// As `api::probe::Observed` bounds it.
const MOST_MESSAGE: usize = 512;

/// The member after `seen`. What a failed probe does not tell stays as it was last told.
pub fn plan(last: &Observed, seen: &Seen) -> Observed {
    let trouble = processes_trouble(&seen.processes).or_else(|| probe_trouble(seen));
    let told = match &seen.probe {
        Some(Ok(reading)) => Observed {
            role: Some(reading.role.as_str().to_owned()),
            writable: reading.writable,
            lineage: reading.lineage.clone(),
            ..Observed::default()
        },
        Some(Err(_)) | None => last.clone(),
    };
    let healthy = trouble.is_none();
    Observed {
        healthy,
        message: bounded(trouble.unwrap_or_default()),
        ..told
    }
}

/// The member after its last look.
pub fn closed(last: &Observed) -> Observed {
    let message = "the sidecar was asked to end".to_owned();
    Observed {
        healthy: false,
        message,
        ..last.clone()
    }
}

fn probe_trouble(seen: &Seen) -> Option<String> {
    seen.probe.as_ref()?.as_ref().err().cloned()
}

/// A process that does not run is the cause of a probe that fails, so it is named first.
fn processes_trouble(processes: &Result<Vec<Process>, String>) -> Option<String> {
    match processes {
        Err(trouble) => Some(trouble.clone()),
        Ok(processes) if processes.is_empty() => Some("the supervisor has no process".to_owned()),
        Ok(processes) => processes.iter().find_map(process_trouble),
    }
}

/// No seconds and no process ids: the message goes to the API server whenever it changes.
fn process_trouble(process: &Process) -> Option<String> {
    let Process {
        name,
        last_end,
        restarts,
        ..
    } = process;
    match process.state() {
        ProcessState::Running => None,
        ProcessState::BackingOff => Some(format!(
            "process {name} ended with {last_end} and starts again later (restarts: {restarts})"
        )),
        ProcessState::Stopping => Some(format!("process {name} is stopping")),
        ProcessState::Stopped => Some(format!("process {name} is stopped")),
        ProcessState::Preparing => Some(format!("process {name} is being prepared")),
        ProcessState::Starting | ProcessState::Unspecified => {
            Some(format!("process {name} has not started"))
        }
    }
}

fn bounded(mut message: String) -> String {
    message.truncate(message.floor_char_boundary(MOST_MESSAGE));
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Reading;

    fn process(state: ProcessState) -> Process {
        let last_end = "exit code 1".to_owned();
        Process {
            name: "redis".to_owned(),
            state: state.into(),
            restarts: 2,
            last_end,
            ..Process::default()
        }
    }

    fn reading(role: &str) -> Reading {
        let lineage = "8f3a".to_owned();
        Reading {
            role: role.parse().unwrap(),
            writable: true,
            position: 7,
            lineage,
        }
    }

    fn seen(probe: Option<Result<Reading, String>>, state: ProcessState) -> Seen {
        Seen {
            probe,
            processes: Ok(vec![process(state)]),
        }
    }

    #[test]
    fn a_member_is_healthy_when_its_probe_answers_and_its_process_runs() {
        let seen = seen(Some(Ok(reading("primary"))), ProcessState::Running);
        let observed = plan(&Observed::default(), &seen);
        let role = Some("primary".to_owned());
        let lineage = "8f3a".to_owned();
        let message = String::new();
        assert_eq!(
            observed,
            Observed {
                healthy: true,
                role,
                writable: true,
                lineage,
                message
            }
        );
    }

    #[test]
    fn a_failed_probe_keeps_what_the_last_one_said() {
        let last = plan(
            &Observed::default(),
            &seen(Some(Ok(reading("primary"))), ProcessState::Running),
        );
        let failed = seen(
            Some(Err("probe timed out".to_owned())),
            ProcessState::Running,
        );
        let observed = plan(&last, &failed);
        assert_eq!(
            (observed.healthy, observed.role),
            (false, Some("primary".to_owned()))
        );
        assert_eq!(observed.message, "probe timed out");
    }

    #[test]
    fn without_a_probe_the_process_alone_counts() {
        assert!(plan(&Observed::default(), &seen(None, ProcessState::Running)).healthy);
        let down = plan(&Observed::default(), &seen(None, ProcessState::BackingOff));
        assert_eq!(
            (down.healthy, down.message.as_str()),
            (
                false,
                "process redis ended with exit code 1 and starts again later (restarts: 2)"
            )
        );
    }

    #[test]
    fn a_probe_that_answers_does_not_make_up_for_a_process_that_is_down() {
        for state in [
            ProcessState::BackingOff,
            ProcessState::Stopping,
            ProcessState::Starting,
            ProcessState::Preparing,
        ] {
            let seen = seen(Some(Ok(reading("primary"))), state);
            assert!(!plan(&Observed::default(), &seen).healthy, "{state:?}");
        }
        let silent = Seen {
            processes: Err("gone".to_owned()),
            probe: Some(Ok(reading("primary"))),
        };
        assert_eq!(plan(&Observed::default(), &silent).message, "gone");
    }

    #[test]
    fn a_message_is_cut_between_characters() {
        let long = seen(Some(Err("ü".repeat(400))), ProcessState::Running);
        assert_eq!(plan(&Observed::default(), &long).message, "ü".repeat(256));
        let odd = seen(
            Some(Err(format!("x{}", "ü".repeat(400)))),
            ProcessState::Running,
        );
        assert_eq!(plan(&Observed::default(), &odd).message.len(), 511);
    }
}
