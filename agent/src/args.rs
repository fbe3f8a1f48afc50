//! The command line and the environment of `paamesh-agent`, and what they mean.

use crate::action::command::Run;
use crate::install::Install;
use crate::pod::api_server::PodApi;
use crate::root::Root;
use crate::sidecar::Sidecar;
use crate::signal;
use crate::supervisor::Supervise;
use api::agent::{TOKEN_DIR, env};
use api::names::ComponentName;
use clap::{Parser, Subcommand};
use rustix::process::Signal;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "paamesh-agent", version = api::PLATFORM_VERSION, about = "Paamesh's agent in a pod")]
pub struct Args {
    /// The job.
    #[command(subcommand)]
    pub job: Job,
    /// What is logged: off, error, warn, info, debug or trace.
    #[arg(long, env = "PAAMESH_LOG_LEVEL", default_value = "info", global = true)]
    pub log_level: LevelFilter,
    /// The directory that stands for `/` of the pod.
    #[arg(long, default_value = "/", global = true, hide = true)]
    pub root: PathBuf,
}

/// The agent's jobs.
#[derive(Debug, Subcommand)]
pub enum Job {
    /// Bring the agent, the scripts and the configuration into the pod's volumes.
    Install(InstallArgs),
    /// Run the middleware's process as PID 1 of its container.
    Supervisor(SupervisorArgs),
    /// Probe the member and keep the pod's role label.
    Sidecar(SidecarArgs),
    /// Exit with 0 if the member was healthy when last probed.
    Ready,
    /// Exit with 0 if the supervisor answers.
    Live,
    /// Run one of the addon's actions, as the platform would, in the container that it is of.
    Run(RunArgs),
}

/// Arguments of `install`.
#[derive(Debug, clap::Args)]
pub struct InstallArgs {
    /// How long to wait for the kubelet to bring the pod's content.
    #[arg(long, default_value = "5m", value_parser = duration)]
    pub timeout: Duration,
}

/// Arguments of `supervisor`.
#[derive(Debug, clap::Args)]
pub struct SupervisorArgs {
    /// The process's name: that of the component.
    #[arg(long)]
    pub name: ComponentName,
    /// What asks the process to end.
    #[arg(long, default_value = "SIGTERM", value_parser = signal::parse)]
    pub stop_signal: Signal,
    /// How long the process may take to end before it is killed.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub stop_timeout: Duration,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

/// Arguments of `sidecar`.
#[derive(Debug, clap::Args)]
pub struct SidecarArgs {
    /// The pod's name.
    #[arg(long, env = env::POD)]
    pub pod: String,
    /// The pod's UID; where it is not given, that of the first pod seen by this name.
    #[arg(long, env = env::POD_UID)]
    pub pod_uid: Option<String>,
    /// The pod's namespace.
    #[arg(long, env = env::NAMESPACE)]
    pub namespace: String,
    /// The API server's host.
    #[arg(long, env = "KUBERNETES_SERVICE_HOST")]
    pub api_host: String,
    /// The API server's port.
    #[arg(long, env = "KUBERNETES_SERVICE_PORT", default_value_t = 443)]
    pub api_port: u16,
}

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What the action prints comes through, and its exit code is this command's; 124: its time was over; \
125: it was not run, and the message says why; 127: its command cannot be started. Interrupted, it \
ends the action.")]
pub struct RunArgs {
    /// The action's name; all are listed where it is left out.
    pub name: Option<String>,
}

impl RunArgs {
    /// What is meant.
    pub fn meant(self, root: Root) -> Run {
        Run {
            root,
            name: self.name,
        }
    }
}

impl InstallArgs {
    /// What is meant.
    pub fn meant(self, root: Root) -> Install {
        Install {
            root,
            timeout: self.timeout,
        }
    }
}

impl SupervisorArgs {
    /// What is meant.
    pub fn meant(self, root: Root) -> Supervise {
        let Self {
            name,
            stop_signal,
            stop_timeout,
            command,
        } = self;
        let name = name.as_str().to_owned();
        Supervise {
            root,
            name,
            stop_signal,
            stop_timeout,
            command,
        }
    }
}

impl SidecarArgs {
    /// What is meant.
    pub fn meant(self, root: Root) -> Sidecar {
        let Self {
            pod,
            pod_uid,
            namespace,
            api_host: host,
            api_port: port,
        } = self;
        let pod = PodApi {
            host,
            port,
            namespace,
            pod,
            uid: pod_uid.map_or_else(OnceLock::new, OnceLock::from),
            credentials: root.at(TOKEN_DIR),
        };
        Sidecar { root, pod }
    }
}

/// `500ms`, `30s`, `5m` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let millis: Option<u64> = match &text[digits.len()..] {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let length = digits
        .parse::<u64>()
        .ok()
        .zip(millis)
        .and_then(|(n, unit)| n.checked_mul(unit));
    let wrong =
        || format!("`{text}` is no duration: want a number with ms, s, m or h, such as 30s");
    length.map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_composers_command_is_understood() {
        let line = "paamesh-agent supervisor --name redis --stop-signal SIGINT --stop-timeout 90s \
                    -- redis-server --port 6379";
        let args = Args::try_parse_from(line.split_whitespace()).unwrap();
        let Job::Supervisor(supervisor) = args.job else {
            panic!("{:?}", args.job)
        };
        let meant = supervisor.meant(Root::under("/"));
        assert_eq!(
            (meant.name.as_str(), meant.stop_signal),
            ("redis", Signal::INT)
        );
        assert_eq!(meant.stop_timeout, Duration::from_secs(90));
        assert_eq!(meant.command, ["redis-server", "--port", "6379"]);
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for wrong in [
            "30",
            "s",
            "",
            "-1s",
            "1.5s",
            "99999999999999999999s",
            "9999999999999999999h",
        ] {
            assert!(
                duration(wrong).unwrap_err().contains("such as 30s"),
                "{wrong}"
            );
        }
    }
}
