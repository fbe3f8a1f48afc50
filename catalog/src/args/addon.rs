//! The commands of addon authors, and their flags.

use super::{
    CheckOutputArgs, EXIT_CODES, Output, OutputArgs, WayArgs,
    dev::{DEV, DevArgs},
    registry::{
        CopyArgs, DIFF, DiffArgs, PullArgs, PushArgs, REGISTRY, SIGNING, SignArgs, VerifyArgs,
    },
    values::{Setting, replicas, setting, volume_size},
};
use api::{
    Version,
    names::{
        AppName, ComponentName, CredentialName, PluginName, ProfileName, RoleName, TopologyName,
    },
};
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// What the help of `addon schema` ends with.
const SCHEMA: &str = "\
Editors with a YAML language server read it where the first line of addon.yaml
names it:
  kubectl middleware addon schema >addon.schema.json
  # yaml-language-server: $schema=../../addon.schema.json
Keep it outside of addons, or under a name that begins with a dot: in an addon
each file counts.";

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
    /// Bring each saved state of an addon to your App in a cluster, and tell what happens.
    #[command(
        after_help = DEV,
        mut_arg("namespace", |arg| arg.help("The App's namespace; the context's where absent")),
    )]
    Dev(DevArgs),
    /// Put an addon into an OCI registry, under its version as the tag, once and for all.
    #[command(after_help = SIGNING)]
    Push(PushArgs),
    /// Get an addon out of an OCI registry, into a directory or an archive.
    #[command(after_help = REGISTRY)]
    Pull(PullArgs),
    /// Copy versions with their signatures, and all that points at them, to another registry.
    #[command(after_help = REGISTRY)]
    Copy(CopyArgs),
    /// Sign a version in a registry, as cosign does.
    #[command(after_help = SIGNING)]
    Sign(SignArgs),
    /// Say whether versions in a registry are signed by whom you trust.
    #[command(after_help = REGISTRY)]
    Verify(VerifyArgs),
    /// Show what differs between two versions, wherever each of them is.
    #[command(after_help = DIFF)]
    Diff(DiffArgs),
    /// Print the JSON Schema of addon.yaml, by which editors complete and check it.
    #[command(after_help = SCHEMA)]
    Schema,
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
    #[command(flatten)]
    pub(crate) way: WayArgs,
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
