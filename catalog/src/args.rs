//! The command line and the environment of `kubectl middleware`: every flag stands here.

mod addon;
mod browse;
mod catalog;
mod cluster;
mod dev;
pub(crate) mod registry;
mod source;
mod values;

pub(crate) use addon::{
    AddonCommand, CheckArgs, ExplainArgs, InitArgs, PackageArgs, RenderArgs, Settings,
};
pub(crate) use browse::{BrowseArgs, terminal, unicode};
pub(crate) use catalog::{CatalogCommand, GraphArgs, ListArgs, SearchArgs, ShowArgs, VersionsArgs};
pub(crate) use cluster::{ClusterArgs, no_proxy, proxy};
pub(crate) use dev::DevArgs;
pub(crate) use source::{AddArgs, NamesArgs, RemoveArgs, SourceCommand, SourceShowArgs, SyncArgs};
pub(crate) use values::{Identity, Place, volume_size};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What every command's help ends with.
const EXIT_CODES: &str = "\
Exit codes:
  0  everything is right
  1  something was found; the answer says what
  2  the work could not be done: usage, files, Git

Colours are used on a terminal only, and not where NO_COLOR is set.";

/// What the help of commands that ask a cluster ends with.
const CLUSTER_EXIT_CODES: &str = "\
Exit codes:
  0  everything is right
  1  something was found; the answer says what
  2  the work could not be done: usage, cluster, rights";

/// What the help of `completion` ends with.
const COMPLETION: &str = "\
For `kubectl middleware` kubectl asks an executable of this name on the PATH:
  kubectl-middleware completion kubectl \\
    >~/.local/bin/kubectl_complete-middleware
  chmod +x ~/.local/bin/kubectl_complete-middleware

For `kubectl-middleware` itself:
  bash  source <(kubectl-middleware completion bash)
  zsh   source <(kubectl-middleware completion zsh), after compinit
  fish  kubectl-middleware completion fish | source";

/// The subcommand that kubectl's completion runs.
pub(crate) const COMPLETE: &str = "__complete";

/// Middleware on Kubernetes: catalog, instances, addons.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-middleware",
    bin_name = "kubectl middleware",
    version,
    max_term_width = 100,
    after_help = EXIT_CODES,
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one value in a process's life"
)]
pub(crate) enum Command {
    /// The tools of addon authors. `dev` alone needs a cluster.
    #[command(after_help = EXIT_CODES)]
    Addon {
        #[command(subcommand)]
        command: AddonCommand,
    },
    /// What the cluster offers: plugins, versions, parameters, who uses what.
    #[command(after_help = CLUSTER_EXIT_CODES)]
    Catalog {
        #[command(subcommand)]
        command: CatalogCommand,
    },
    /// Where addons come from: Git repositories, OCI repositories, directories.
    #[command(after_help = CLUSTER_EXIT_CODES)]
    Source {
        #[command(subcommand)]
        command: SourceCommand,
    },
    /// Print the version of this plugin and the API that it speaks.
    Version {
        /// For people or for programs.
        #[arg(short, long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// Print the completion script of a shell, or of kubectl.
    #[command(after_help = COMPLETION)]
    Completion {
        /// The shell; `kubectl` for what kubectl runs when it completes `kubectl middleware`.
        shell: CompletionFor,
    },
    /// Evaluate templates and schemas for the process that started this one.
    #[command(hide = true)]
    Evaluate {
        /// Leave the compiled evaluators in this directory instead.
        #[arg(long)]
        precompile: Option<PathBuf>,
    },
    /// Answer kubectl: the words that may follow.
    #[command(hide = true, name = COMPLETE, disable_help_flag = true)]
    Complete {
        /// What was typed after `kubectl middleware`; the last word is not finished.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

/// A way through the upgrade graph.
#[derive(Debug, Args)]
pub(crate) struct WayArgs {
    /// Where the way begins: an addon version, and the middleware's after `@` where it matters. Alone,
    /// it shows all that can be reached from there, and why the rest cannot.
    #[arg(long, value_name = "VERSION[@RUNTIME]", value_parser = values::place)]
    pub(crate) from: Option<Place>,
    /// Where the way ends.
    #[arg(long, value_name = "VERSION[@RUNTIME]", requires = "from", value_parser = values::place)]
    pub(crate) to: Option<Place>,
}

/// Who completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompletionFor {
    /// `kubectl-middleware` in Bash.
    Bash,
    /// `kubectl-middleware` in Elvish.
    Elvish,
    /// `kubectl-middleware` in fish.
    Fish,
    /// `kubectl middleware`, in every shell that kubectl completes in.
    Kubectl,
    /// `kubectl-middleware` in PowerShell.
    Powershell,
    /// `kubectl-middleware` in Zsh.
    Zsh,
}

/// For people or for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For programs.
    Yaml,
}

/// For people or for programs, where the answer is a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListOutput {
    /// For people.
    Text,
    /// For people with wide terminals.
    Wide,
    /// For programs.
    Json,
    /// For programs.
    Yaml,
    /// Names alone, for other commands.
    Name,
}

/// For people, for programs, or for a forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckOutput {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For programs.
    Yaml,
    /// For GitHub Actions, which shows each finding at its line.
    Github,
}

/// The flag `--output`, of commands that judge addons.
#[derive(Debug, Args)]
pub(crate) struct CheckOutputArgs {
    /// For people, for programs, or for GitHub Actions, which shows each finding at its line.
    #[arg(short, long, value_enum, default_value_t = CheckOutput::Text)]
    pub(crate) output: CheckOutput,
}

/// The flag `--output`, of every command that has no other `-o`.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// For people or for programs.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

/// Whether a terminal has colours, and nobody said no (<https://no-color.org>).
pub(crate) fn colours() -> bool {
    let said_no = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    !said_no && !dumb
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_help_ends_with_fits_a_terminal() {
        let mut commands = vec![Arguments::command()];
        let mut lines = 0;
        while let Some(command) = commands.pop() {
            let help = command.get_after_help().map(ToString::to_string);
            for line in help.unwrap_or_default().lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
                lines += 1;
            }
            commands.extend(command.get_subcommands().cloned());
        }
        assert!(lines > 50, "{lines}");
    }
}
