//! The command line and the environment of `kubectl middleware`: every flag stands here.

use api::{
    Version,
    names::{AppName, ComponentName, PluginName, RoleName, TopologyName},
};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use package::quantity::Quantity;
use std::{io::IsTerminal as _, path::PathBuf};

/// What every command's help ends with.
const EXIT_CODES: &str = "\
Exit codes:
  0  everything is right
  1  something was found; the answer says what
  2  the work could not be done: usage, files, Git

Colours are used on a terminal only, and not where NO_COLOR is set.";

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
    /// The tools of addon authors. None of them needs a cluster.
    #[command(after_help = EXIT_CODES)]
    Addon {
        #[command(subcommand)]
        command: AddonCommand,
    },
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

#[derive(Debug, Subcommand)]
pub(crate) enum AddonCommand {
    /// Write the skeleton of a new addon, which passes `lint` at once.
    #[command(after_help = EXIT_CODES)]
    Init(InitArgs),
    /// Say everything that is wrong with addons, as the registry would.
    #[command(after_help = EXIT_CODES)]
    Lint(LintArgs),
    /// Print the digest of an addon, as the registry computes it.
    #[command(after_help = EXIT_CODES)]
    Digest(DigestArgs),
    /// Show what an App of this addon would be: objects by name, configuration files.
    #[command(after_help = EXIT_CODES)]
    Render(RenderArgs),
    /// Draw the upgrade graph of all versions found, or the way from one to another.
    #[command(after_help = EXIT_CODES)]
    Explain(ExplainArgs),
    /// Put an addon into an archive; the same addon gives the same bytes everywhere.
    #[command(after_help = EXIT_CODES)]
    Package(PackageArgs),
    /// Give the registry's verdict on a whole set before it is merged: validity, versions that
    /// changed since a Git reference, the upgrade graph.
    #[command(after_help = EXIT_CODES)]
    Check(CheckArgs),
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

/// The flag `--output`, of every command that has no other `-o`.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// For people or for programs.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

/// `addon init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The plugin's name.
    pub(crate) name: PluginName,
    /// Where to write it; `<NAME>/1.0.0` where absent. Nothing there is overwritten.
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,
    /// The image of the middleware, with tag or digest. Asked for on a terminal.
    #[arg(long, value_name = "IMAGE:TAG")]
    pub(crate) image: Option<String>,
    /// The version of the middleware, `MAJOR.MINOR.PATCH`; the image's tag where that is one. Asked
    /// for on a terminal.
    #[arg(long, value_name = "VERSION")]
    pub(crate) runtime: Option<Version>,
    /// The port that it listens on. Asked for on a terminal.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// The size of a volume `data` at /data, such as 1Gi; no volume where absent.
    #[arg(long, value_name = "SIZE", value_parser = volume_size)]
    pub(crate) volume: Option<String>,
    /// A role that members have, the leading one first; may be given several times.
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Vec<RoleName>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `addon lint`.
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// An addon, a folder of addons, or of versions; `addon.yaml` at most two folders below.
    #[arg(required = true, value_hint = ValueHint::DirPath)]
    pub(crate) dir: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `addon digest`.
#[derive(Debug, Args)]
pub(crate) struct DigestArgs {
    /// The addon's directory.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `addon render`.
#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// The addon's directory.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
    /// The topology; the first that the addon declares where absent.
    #[arg(long)]
    pub(crate) topology: Option<TopologyName>,
    /// The version of the middleware; the newest that the addon runs where absent.
    #[arg(long, value_name = "VERSION")]
    pub(crate) runtime: Option<Version>,
    /// The App's name; `app` where absent.
    #[arg(long)]
    pub(crate) app: Option<AppName>,
    /// The App's namespace; `default` where absent.
    #[arg(long)]
    pub(crate) namespace: Option<String>,
    /// The number of members of a component; may be given several times.
    #[arg(long, value_name = "COMPONENT=N", value_parser = replicas)]
    pub(crate) replicas: Vec<(ComponentName, u32)>,
    /// An App as YAML; the other flags go before what it says, and its `pluginVersion` is not read.
    #[arg(short, long, value_name = "APP.YAML", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    /// Another version's directory: show what differs from there to here.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) diff: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `addon explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// An addon, a folder of addons, or of versions; `addon.yaml` at most two folders below.
    #[arg(required = true, value_hint = ValueHint::DirPath)]
    pub(crate) dir: Vec<PathBuf>,
    /// Where the way begins: an addon version, and the middleware's after `@` where it matters.
    #[arg(long, value_name = "VERSION[@RUNTIME]", requires = "to", value_parser = place)]
    pub(crate) from: Option<Place>,
    /// Where the way ends.
    #[arg(long, value_name = "VERSION[@RUNTIME]", requires = "from", value_parser = place)]
    pub(crate) to: Option<Place>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `addon package`.
#[derive(Debug, Args)]
pub(crate) struct PackageArgs {
    /// The addon's directory.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
    /// The archive; `<plugin>-<version>.tar.gz` in the current directory where absent.
    #[arg(short = 'o', long, value_name = "FILE.tar.gz", value_hint = ValueHint::FilePath)]
    pub(crate) archive: Option<PathBuf>,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

/// `addon check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// An addon, a folder of addons, or of versions, inside a Git repository.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
    /// What is published already: a branch, tag or commit, such as `origin/main`.
    #[arg(long, value_name = "GIT_REF")]
    pub(crate) against: String,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// A version, and perhaps the middleware's.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The addon's version.
    pub(crate) addon: Version,
    /// The middleware's version, where it was said.
    pub(crate) runtime: Option<Version>,
}

/// Whether colours are wanted: stdout is a terminal that has them, and nobody said no
/// (<https://no-color.org>).
pub(crate) fn colours() -> bool {
    let said_no = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    !said_no && !dumb && std::io::stdout().is_terminal()
}

fn place(text: &str) -> Result<Place, String> {
    let (addon, runtime) = match text.split_once('@') {
        Some((addon, runtime)) => (addon, Some(runtime)),
        None => (text, None),
    };
    let version = |text: &str| text.parse::<Version>().map_err(|error| error.to_string());
    Ok(Place {
        addon: version(addon)?,
        runtime: runtime.map(version).transpose()?,
    })
}

fn replicas(text: &str) -> Result<(ComponentName, u32), String> {
    let (component, number) = text
        .split_once('=')
        .ok_or("want COMPONENT=N, such as `redis=3`")?;
    let name = component.parse::<ComponentName>();
    let name = name.map_err(|error| error.to_string())?;
    let number = number.parse();
    let number = number.map_err(|_| "want a whole number of members after `=`")?;
    Ok((name, number))
}

fn volume_size(text: &str) -> Result<String, String> {
    match text.parse::<Quantity>() {
        Ok(size) if size.is_zero() => Err("a volume of size 0 holds nothing".to_owned()),
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
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
    fn a_place_may_name_the_runtime() {
        let both = place("1.0.0@7.2.4").unwrap();
        assert_eq!(both.addon, "1.0.0".parse().unwrap());
        assert_eq!(both.runtime, Some("7.2.4".parse().unwrap()));
        assert_eq!(place("1.0.0").unwrap().runtime, None);
        assert!(place("1.0").is_err() && place("1.0.0@").is_err());
    }
}
