//! The command line and the environment of `kubectl middleware`: every flag stands here.

use api::{
    Version,
    names::{
        AppName, ComponentName, CredentialName, PluginName, ProfileName, RoleName, TopologyName,
    },
};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use package::quantity::Quantity;
use serde_json::Value;
use std::path::PathBuf;

/// What every command's help ends with.
const EXIT_CODES: &str = "\
Exit codes:
  0  everything is right
  1  something was found; the answer says what
  2  the work could not be done: usage, files, Git

Colours are used on a terminal only, and not where NO_COLOR is set.";

/// What the help of `completion` ends with.
const COMPLETION: &str = "\
For `kubectl middleware` kubectl asks an executable of this name on the PATH:
  kubectl-middleware completion kubectl >~/.local/bin/kubectl_complete-middleware
  chmod +x ~/.local/bin/kubectl_complete-middleware

For `kubectl-middleware` itself:
  bash  source <(kubectl-middleware completion bash)
  zsh   source <(kubectl-middleware completion zsh), after compinit
  fish  kubectl-middleware completion fish | source";

/// What the help of `addon schema` ends with.
const SCHEMA: &str = "\
Editors with a YAML language server read it where the first line of addon.yaml names it:
  kubectl middleware addon schema >addon.schema.json
  # yaml-language-server: $schema=../../addon.schema.json
Keep it outside of addons, or under a name that begins with a dot: in an addon each file counts.";

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
    /// Print the JSON Schema of addon.yaml, by which editors complete and check it.
    #[command(after_help = SCHEMA)]
    Schema,
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

/// `addon init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The plugin's name. Asked for on a terminal.
    pub(crate) name: Option<PluginName>,
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
    /// The size of a volume `data` at /data, such as 1Gi; no volume where absent. Asked for on a
    /// terminal where image or port is.
    #[arg(long, value_name = "SIZE", value_parser = volume_size)]
    pub(crate) volume: Option<String>,
    /// A role that members have, the leading one first; may be given several times.
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Vec<RoleName>,
    /// A user and a password that are generated for each App; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) credential: Vec<CredentialName>,
    /// Begin a schema too: two parameters that an App may set, and a template that has them.
    #[arg(long)]
    pub(crate) schema: bool,
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
    pub(crate) output: CheckOutputArgs,
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
    /// An App as YAML; the other flags go before what it says, and its `pluginVersion` is not read.
    #[arg(short, long, value_name = "APP.YAML", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// List the parameters: the value in force, how another takes effect, what is allowed.
    #[arg(long, conflicts_with = "diff")]
    pub(crate) parameters: bool,
    /// Show what differs from there to here: from another version's directory, with the same
    /// settings, or from an App as YAML, of this version and without the flags.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) diff: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What an App would say.
#[derive(Debug, Default, Args)]
pub(crate) struct Settings {
    /// The topology; the first that the addon declares where absent.
    #[arg(long)]
    pub(crate) topology: Option<TopologyName>,
    /// The profile; the addon's plain defaults where absent.
    #[arg(long)]
    pub(crate) profile: Option<ProfileName>,
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
    /// A component that is optional and shall run; may be given several times.
    #[arg(long, value_name = "COMPONENT")]
    pub(crate) enable: Vec<ComponentName>,
    /// A parameter's value, read as YAML, such as `redis.timeout=60`; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<Setting>,
}

/// `addon explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// An addon, a folder of addons, or of versions; `addon.yaml` at most two folders below.
    #[arg(required = true, value_hint = ValueHint::DirPath)]
    pub(crate) dir: Vec<PathBuf>,
    /// Where the way begins: an addon version, and the middleware's after `@` where it matters. Alone,
    /// it shows all that can be reached from there, and why the rest cannot.
    #[arg(long, value_name = "VERSION[@RUNTIME]", value_parser = place)]
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
    pub(crate) output: CheckOutputArgs,
}

/// A version, and perhaps the middleware's.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The addon's version.
    pub(crate) addon: Version,
    /// The middleware's version, where it was said.
    pub(crate) runtime: Option<Version>,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setting {
    /// The component that has the parameter.
    pub(crate) component: ComponentName,
    /// The parameter's name.
    pub(crate) parameter: String,
    /// Text, a number or a boolean.
    pub(crate) value: Value,
}

/// Whether a terminal has colours, and nobody said no (<https://no-color.org>).
pub(crate) fn colours() -> bool {
    let said_no = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    !said_no && !dumb
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

fn setting(text: &str) -> Result<Setting, String> {
    let want = "want COMPONENT.PARAMETER=VALUE, such as `redis.timeout=60`";
    let (name, value) = text.split_once('=').ok_or(want)?;
    let (component, parameter) = name.split_once('.').ok_or(want)?;
    let component = component.parse::<ComponentName>();
    if parameter.is_empty() {
        return Err(want.to_owned());
    }
    Ok(Setting {
        component: component.map_err(|error| error.to_string())?,
        parameter: parameter.to_owned(),
        value: scalar(value)?,
    })
}

/// What the text is where it stands as a value in YAML.
fn scalar(text: &str) -> Result<Value, String> {
    let quotes = format!("as text it needs quotes for YAML: `'{text}'`");
    let digits = text.trim_start_matches(['+', '-']);
    let octal = digits.len() > 1 && digits.starts_with('0') && !digits.contains('.');
    match serde_saphyr::from_str::<Value>(text) {
        Ok(Value::Number(_)) if octal && digits.bytes().all(|b| b.is_ascii_digit()) => {
            Err(format!(
                "`{text}` is an octal number to some readers; write it without the leading 0; {quotes}"
            ))
        }
        Ok(value @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => Ok(value),
        Ok(Value::Null) if text.trim().is_empty() => {
            Err("want a value after `=`; an empty text is `''`".to_owned())
        }
        Ok(Value::Null) => Err(format!("nothing is no value; {quotes}")),
        Ok(_) => Err(format!(
            "want text, a number, true or false, no list and no map; {quotes}"
        )),
        Err(_) => Err(format!("`{text}` is no YAML; {quotes}")),
    }
}

/// A size of a volume.
///
/// # Errors
/// It is no quantity, or 0.
pub(crate) fn volume_size(text: &str) -> Result<String, String> {
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
    fn values_are_read_as_in_an_app() {
        let value = |text: &str| setting(&format!("redis.a.b={text}")).map(|s| s.value);
        assert_eq!(value("60"), Ok(60.into()));
        assert_eq!(value("-1"), Ok((-1).into()));
        assert_eq!(value("0.5"), Ok(0.5.into()));
        assert_eq!(value("0"), Ok(0.into()));
        assert_eq!(value("on"), Ok(true.into()));
        assert_eq!(value("'60'"), Ok("60".into()));
        assert_eq!(value("16MB"), Ok("16MB".into()));
        assert_eq!(value("a=b c"), Ok("a=b c".into()));
        assert_eq!(value("''"), Ok("".into()));
        for wrong in ["", "~", "[1]", "{a: 1}", "014", "'"] {
            assert!(value(wrong).is_err(), "{wrong}");
        }
        let set = setting("redis.a.b=1").unwrap();
        assert_eq!(
            (set.component.as_str(), set.parameter.as_str()),
            ("redis", "a.b")
        );
        for wrong in ["redis", "redis=1", "redis.=1", "Redis.a=1"] {
            assert!(setting(wrong).is_err(), "{wrong}");
        }
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
