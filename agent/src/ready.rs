//! The sidecar's readiness, which is the pod's: what the last probe said, if it is recent enough.
//! The kubelet runs this every second, so it starts no runtime and asks nobody.

use crate::root::Root;
use crate::table;
use api::agent::{ActionTable, OBSERVED_FILE};
use api::probe::Observed;
use std::fs;
use std::io;
use std::time::{Duration, SystemTime};

/// A sidecar that is merely slow to be scheduled takes no member out of its Service.
const LEAST_PATIENCE: Duration = Duration::from_secs(10);

/// Why the member is not ready, for people: the kubelet shows it.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The sidecar has not said anything yet.
    #[error("nothing was probed yet")]
    NotProbed,
    /// What the sidecar said cannot be read.
    #[error("cannot read {OBSERVED_FILE}")]
    Read(#[source] io::Error),
    /// What the sidecar said is no observation.
    #[error("{OBSERVED_FILE} is no observation")]
    Parse(#[source] serde_json::Error),
    /// The sidecar has been silent for too long.
    #[error("the last probe ended {} s ago, more than {} s", age.as_secs(), patience.as_secs())]
    Stale {
        /// How long ago.
        age: Duration,
        /// How long it may be.
        patience: Duration,
    },
    /// The last probe failed, or a process does not run.
    #[error("{0}")]
    Unhealthy(String),
}

/// Whether the member is ready at `now`.
///
/// # Errors
/// [`NotReady`].
pub fn check(root: &Root, now: SystemTime) -> Result<(), NotReady> {
    let (observed, written) = read(root)?;
    // A clock that was set back makes no observation old.
    let age = now.duration_since(written).unwrap_or_default();
    let patience = patience(&table::in_use(root).unwrap_or_default());
    match observed {
        _ if age > patience => Err(NotReady::Stale { age, patience }),
        Observed {
            healthy: false,
            message,
            ..
        } => Err(NotReady::Unhealthy(message)),
        Observed { healthy: true, .. } => Ok(()),
    }
}

fn read(root: &Root) -> Result<(Observed, SystemTime), NotReady> {
    let path = root.at(OBSERVED_FILE);
    let bytes = fs::read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => NotReady::NotProbed,
        _ => NotReady::Read(error),
    })?;
    let written = fs::metadata(&path)
        .and_then(|file| file.modified())
        .map_err(NotReady::Read)?;
    Ok((
        serde_json::from_slice(&bytes).map_err(NotReady::Parse)?,
        written,
    ))
}

/// Three probes may be missed, the last one up to its time-out.
fn patience(table: &ActionTable) -> Duration {
    let probes = table.probe.as_ref().map(|probe| {
        Duration::from_millis(probe.interval_millis.saturating_mul(3))
            .saturating_add(Duration::from_millis(probe.timeout_millis))
    });
    probes.unwrap_or_default().max(LEAST_PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::agent::{AGENT_DIR, ProbeAction, ProbeOutput};

    fn pod(observed: &str, interval_millis: u64) -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::under(dir.path());
        fs::create_dir(root.at(AGENT_DIR)).unwrap();
        fs::write(root.at(OBSERVED_FILE), observed).unwrap();
        let command = vec!["probe".to_owned()];
        let output = ProbeOutput::Json;
        let probe = ProbeAction {
            command,
            interval_millis,
            timeout_millis: 1000,
            output,
        };
        let table = ActionTable {
            probe: Some(probe),
            ..ActionTable::default()
        };
        table::place(&root, &table).unwrap();
        (dir, root)
    }

    fn after(seconds: u64) -> SystemTime {
        SystemTime::now() + Duration::from_secs(seconds)
    }

    #[test]
    fn a_healthy_member_is_ready_while_its_observation_is_fresh() {
        let (_dir, root) = pod(r#"{"healthy":true,"role":"primary"}"#, 1000);
        check(&root, SystemTime::now()).unwrap();
        check(&root, after(9)).unwrap();
        let stale = check(&root, after(12)).unwrap_err().to_string();
        assert!(stale.contains("more than 10 s"), "{stale}");
    }

    #[test]
    fn a_slow_probe_is_given_three_intervals_and_a_time_out() {
        let (_dir, root) = pod(r#"{"healthy":true}"#, 20_000);
        check(&root, after(60)).unwrap();
        assert!(matches!(
            check(&root, after(62)),
            Err(NotReady::Stale { .. })
        ));
    }

    #[test]
    fn an_unhealthy_member_says_why() {
        let (_dir, root) = pod(r#"{"healthy":false,"message":"LOADING"}"#, 1000);
        assert_eq!(
            check(&root, SystemTime::now()).unwrap_err().to_string(),
            "LOADING"
        );
    }

    #[test]
    fn a_member_that_was_never_probed_is_not_ready() {
        let dir = tempfile::tempdir().unwrap();
        let nothing = check(&Root::under(dir.path()), SystemTime::now());
        assert!(matches!(nothing, Err(NotReady::NotProbed)));
    }
}
