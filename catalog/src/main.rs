//! `kubectl middleware`: the reading side for people. So far it tells its version and completes
//! commands; the catalog and the author's tools join it here.

use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};
use std::io::Write as _;

/// Middleware on Kubernetes: catalog, instances, addons.
#[derive(Debug, Parser)]
#[command(name = "kubectl-middleware", bin_name = "kubectl middleware", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the version of this plugin and the API that it speaks.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

fn main() -> anyhow::Result<()> {
    let text = match Arguments::parse().command {
        Command::Version { output } => version(output).into_bytes(),
        Command::Completion { shell } => {
            let mut script = Vec::new();
            let name = "kubectl-middleware";
            clap_complete::generate(shell, &mut Arguments::command(), name, &mut script);
            script
        }
    };
    match std::io::stdout().write_all(&text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn version(output: Output) -> String {
    let (version, api) = (api::PLATFORM_VERSION, api::API_VERSION);
    match output {
        Output::Text => format!("kubectl middleware {version} ({api})\n"),
        Output::Json => format!("{{\"version\":\"{version}\",\"api\":\"{api}\"}}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
