//! What the program is told: flags and environment variables, and nothing about what they do.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Registry and operator of middleware on Kubernetes.
#[derive(Debug, Parser)]
#[command(
    name = "paamesh",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the operator: publish addon versions, run Apps.
    Operator {
        /// What every service takes.
        #[command(flatten)]
        service: ServiceFlags,
        /// What the operator alone takes.
        #[command(flatten)]
        operator: OperatorFlags,
    },
    /// Run the registry: bring addons from their sources into the catalog.
    Registry {
        /// What every service takes.
        #[command(flatten)]
        service: ServiceFlags,
        /// What the registry alone takes.
        #[command(flatten)]
        registry: RegistryFlags,
    },
    /// Run all services in one process, for a small cluster.
    All {
        /// What every service takes.
        #[command(flatten)]
        service: ServiceFlags,
        /// What the operator alone takes.
        #[command(flatten)]
        operator: OperatorFlags,
        /// What the registry alone takes.
        #[command(flatten)]
        registry: RegistryFlags,
    },
    /// Print the CustomResourceDefinitions as YAML.
    Crds,
    /// Evaluate templates and schemas for the process that started this one.
    #[command(hide = true)]
    Evaluate {
        /// Leave the compiled evaluators in this directory instead.
        #[arg(long)]
        precompile: Option<PathBuf>,
    },
    /// Print the version.
    Version {
        /// For people or for programs.
        #[arg(short, long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// Print the completion script of a shell.
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What every service takes.
#[derive(Args, Clone, Debug)]
pub struct ServiceFlags {
    /// The platform's namespace: content, the leader Lease, Secrets of sources.
    #[arg(long, env = "PAAMESH_NAMESPACE", default_value = api::PLATFORM_NAMESPACE)]
    pub namespace: String,
    /// Where /livez, /readyz and /metrics are served.
    #[arg(long, env = "PAAMESH_LISTEN", default_value = "[::]:8080")]
    pub listen: SocketAddr,
    /// This replica's name in the leader Lease; the pod's name in a cluster.
    #[arg(long, env = "PAAMESH_IDENTITY", default_value = "paamesh")]
    pub identity: String,
    /// How many objects of one kind are worked on at once.
    #[arg(long, env = "PAAMESH_WORKERS", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: u16,
    /// After how long one reconcile is given up and tried again, for example 5m.
    #[arg(long, env = "PAAMESH_RECONCILE_TIMEOUT", default_value = "5m", value_parser = duration)]
    pub reconcile_timeout: Duration,
    /// How many requests a second the API server is asked at most.
    #[arg(long, env = "PAAMESH_API_QPS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub api_qps: u32,
    /// How logs look.
    #[arg(long, env = "PAAMESH_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// What is logged, in the syntax of tracing's EnvFilter, for example `info,operator=debug`.
    // The spans of kube's controllers say what ours say, and are entered at every poll of what is under way.
    #[arg(long, env = "PAAMESH_LOG", default_value = "info,kube_runtime=warn")]
    pub log: String,
}

/// What the operator alone takes.
#[derive(Args, Clone, Debug)]
pub struct OperatorFlags {
    /// The agent's image, which an init container brings into each pod.
    #[arg(long, env = "PAAMESH_AGENT_IMAGE")]
    pub agent_image: String,
}

/// What the registry alone takes.
#[derive(Args, Clone, Debug)]
pub struct RegistryFlags {
    /// Where mirrors of repositories are kept; may be lost.
    #[arg(long, env = "PAAMESH_DATA_DIR", default_value = "/var/lib/paamesh")]
    pub data_dir: PathBuf,
    /// The root of directory sources; without one, none is served.
    #[arg(long, env = "PAAMESH_DIRECTORIES")]
    pub directories: Option<PathBuf>,
    /// Where webhooks are served, at /hook/<source>; empty: nowhere.
    #[arg(long, env = "PAAMESH_WEBHOOK_LISTEN", default_value = "[::]:9292", value_parser = listen)]
    pub webhook_listen: Listen,
}

/// An address that may be left empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub Option<SocketAddr>);

/// How logs look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For a terminal.
    Text,
}

/// For whom output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

fn listen(text: &str) -> Result<Listen, String> {
    if text.is_empty() {
        return Ok(Listen(None));
    }
    let address = text
        .parse()
        .map_err(|e| format!("want an address such as `[::]:9292`, or nothing: {e}"))?;
    Ok(Listen(Some(address)))
}

fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text
        .parse()
        .map_err(|e| format!("want a duration such as `90s` or `5m`: {e}"))?;
    Duration::try_from(span)
        .ok()
        .filter(|d| !d.is_zero())
        .ok_or_else(|| "want a duration longer than zero".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn an_empty_address_means_nowhere() {
        assert_eq!(listen(""), Ok(Listen(None)));
        let address = listen("[::]:9292").unwrap().0;
        assert_eq!(address.map(|a| a.port()), Some(9292));
        assert!(listen("9292").is_err());
    }

    #[test]
    fn durations_are_written_as_people_write_them() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert!(duration("0s").is_err() && duration("soon").is_err() && duration("-1s").is_err());
    }
}
