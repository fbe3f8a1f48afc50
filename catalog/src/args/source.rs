//! The commands about sources, and their flags.

use super::{
    CLUSTER_EXIT_CODES, ClusterArgs, ListArgs, OutputArgs,
    values::{Identity, commit, identity, kubernetes_name, period},
};
use api::{
    Digest, Range,
    crd::source::{GitVerificationMode, History, WebhookKind},
};
use clap::{Args, Subcommand, ValueEnum};
use std::time::Duration;

const ADD: &str = "\
The kind follows from where it is:
  https://… ssh://…  a Git repository (http://… with --insecure)
  oci://…            a repository of an OCI registry, each tag a version
  a path             a directory that the registry sees; each saved state is a
                     pre-release
Secrets lie in the platform's namespace, with the keys that Flux uses.

Examples:
  kubectl middleware source add platform \\
    https://git.example.com/platform/addons.git --branch main --dir addons
  kubectl middleware source add redis oci://registry.example.com/addons/redis \\
    --semver '>=1.0.0' --verify-secret cosign-keys
  kubectl middleware source add mine redis/1.0.0
  kubectl middleware source add platform https://… --export >source.yaml

Exit codes:
  0  the source is Ready, or was made and --no-wait or --suspend was given
  1  it is not Ready; the answer says why, and what to do
  2  the work could not be done: usage, cluster, rights
Ctrl-C ends the watching alone (130): the registry goes on.";

const SYNC: &str = "\
Examples:
  kubectl middleware source sync platform

Exit codes:
  0  it was looked at, and is Ready
  1  it is not Ready, or was not looked at in time; the answer says why, and
     what to do
  2  the work could not be done: usage, cluster, rights
Ctrl-C ends the watching alone (130): the registry goes on.";

const SHOW: &str = "\
Examples:
  kubectl middleware source show platform
  kubectl middleware source show platform -o json

Exit codes:
  0  the source is Ready
  1  it is not; the answer says why, and what to do
  2  the work could not be done: usage, cluster, rights";

#[derive(Debug, Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one value in a process's life"
)]
pub(crate) enum SourceCommand {
    /// Add a place that addons come from, and show how the first look at it goes.
    #[command(after_help = ADD)]
    Add(AddArgs),
    /// List the sources: where they are, whether they are Ready, what they brought.
    #[command(after_help = CLUSTER_EXIT_CODES, visible_alias = "ls")]
    List(ListArgs),
    /// Tell all about a source: why it is not Ready and what to do, what it offers.
    #[command(after_help = SHOW)]
    Show(SourceShowArgs),
    /// Have a source looked at now, and show how that goes.
    #[command(after_help = SYNC)]
    Sync(SyncArgs),
    /// Leave a source alone until it is resumed. What it brought stays.
    #[command(after_help = CLUSTER_EXIT_CODES)]
    Suspend(NamesArgs),
    /// Look at a source again.
    #[command(after_help = CLUSTER_EXIT_CODES)]
    Resume(NamesArgs),
    /// Remove a source. Every version that it brought stays in the catalog.
    #[command(after_help = CLUSTER_EXIT_CODES, visible_alias = "rm")]
    Remove(RemoveArgs),
}

/// `source add`.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The source's name.
    #[arg(value_parser = kubernetes_name)]
    pub(crate) name: String,
    /// Where it is: a URL, or a directory below the registry's root of directories.
    #[arg(value_name = "URL|DIR")]
    pub(crate) place: String,
    #[command(flatten)]
    pub(crate) reference: ReferenceArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
    #[command(flatten)]
    pub(crate) verify: VerifyArgs,
    #[command(flatten)]
    pub(crate) images: ImagesArgs,
    #[command(flatten)]
    pub(crate) upkeep: UpkeepArgs,
    /// Print the AddonSource as YAML, for your Git repository, and ask no cluster.
    #[arg(long, conflicts_with_all = ["no_wait", "output"])]
    pub(crate) export: bool,
    /// Make it, and do not wait for the first look.
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) wait: WaitArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// What of the source is meant.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What of it")]
pub(crate) struct ReferenceArgs {
    /// Git: a branch; the default branch where nothing is said.
    #[arg(long, value_name = "NAME", group = "which")]
    pub(crate) branch: Option<String>,
    /// Git, OCI: one tag.
    #[arg(long, value_name = "TAG", group = "which")]
    pub(crate) tag: Option<String>,
    /// Git: the newest tag in a range of versions. OCI: every tag in it.
    #[arg(long, value_name = "RANGE", group = "which")]
    pub(crate) semver: Option<Range>,
    /// Git: a commit's full hash.
    #[arg(long, value_name = "HASH", group = "which", value_parser = commit)]
    pub(crate) commit: Option<String>,
    /// OCI: one artifact, by its digest.
    #[arg(long, value_name = "sha256:…", group = "which")]
    pub(crate) digest: Option<Digest>,
    /// Git: how the tags of one addon among several begin, such as `redis/`.
    #[arg(long, value_name = "PREFIX", conflicts_with_all = ["branch", "tag", "commit"])]
    pub(crate) tag_prefix: Option<String>,
    /// OCI: a regular expression that tags must match beside --semver.
    #[arg(long, value_name = "REGEX", requires = "semver")]
    pub(crate) semver_filter: Option<String>,
    /// Git: a directory that holds an addon, addons, or versions of one; may be given several times.
    /// The whole repository where absent.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Vec<String>,
    /// Git: what stands in the revision, or every version that ever stood in its history.
    #[arg(long, value_enum)]
    pub(crate) history: Option<HistoryArg>,
}

/// How the source is reached.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Access")]
pub(crate) struct AccessArgs {
    /// The Secret with credentials.
    #[arg(long, value_name = "NAME", value_parser = kubernetes_name)]
    pub(crate) secret: Option<String>,
    /// OCI: the Secret with `ca.crt`, and `tls.crt` with `tls.key`. Git has them in --secret.
    #[arg(long, value_name = "NAME", value_parser = kubernetes_name)]
    pub(crate) cert_secret: Option<String>,
    /// The Secret with `address` of a proxy.
    #[arg(long, value_name = "NAME", value_parser = kubernetes_name)]
    pub(crate) proxy_secret: Option<String>,
    /// Speak plain HTTP.
    #[arg(long)]
    pub(crate) insecure: bool,
}

/// Who must have signed.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Signatures")]
pub(crate) struct VerifyArgs {
    /// The Secret with public keys, any of which may have signed: of OpenPGP or SSH for Git, of cosign
    /// for OCI.
    #[arg(long, value_name = "NAME", value_parser = kubernetes_name)]
    pub(crate) verify_secret: Option<String>,
    /// Git: what must be signed.
    #[arg(long, value_enum, requires = "verify_secret")]
    pub(crate) verify_mode: Option<VerifyModeArg>,
    /// OCI: who may have signed without a key, as regular expressions; may be given several times.
    #[arg(long, value_name = "ISSUER,SUBJECT", value_parser = identity, requires = "trusted_root_secret")]
    pub(crate) verify_identity: Vec<Identity>,
    /// OCI: the Secret with `trusted_root.json`, which --verify-identity needs.
    #[arg(long, value_name = "NAME", value_parser = kubernetes_name, requires = "verify_identity")]
    pub(crate) trusted_root_secret: Option<String>,
}

/// What the images that addons name must be.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Images that addons name")]
pub(crate) struct ImagesArgs {
    /// Each must be named with its digest.
    #[arg(long)]
    pub(crate) images_require_digest: bool,
    /// Each must be signed with one of the cosign keys in this Secret.
    #[arg(long, value_name = "NAME", value_parser = kubernetes_name)]
    pub(crate) images_verify_secret: Option<String>,
    /// Who may have signed them without a key; may be given several times.
    #[arg(long, value_name = "ISSUER,SUBJECT", value_parser = identity, requires = "images_trusted_root_secret")]
    pub(crate) images_verify_identity: Vec<Identity>,
    /// The Secret with `trusted_root.json`, which --images-verify-identity needs.
    #[arg(long, value_name = "NAME", value_parser = kubernetes_name, requires = "images_verify_identity")]
    pub(crate) images_trusted_root_secret: Option<String>,
    /// The Secret with `.dockerconfigjson` for their registries.
    #[arg(long, value_name = "NAME", value_parser = kubernetes_name)]
    pub(crate) images_secret: Option<String>,
    /// Speak plain HTTP with their registries.
    #[arg(long)]
    pub(crate) images_insecure: bool,
}

/// When the source is looked at, and what is kept.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Upkeep")]
pub(crate) struct UpkeepArgs {
    /// How often it is looked at, such as `10m`; 1m where absent.
    #[arg(long, value_name = "PERIOD", value_parser = period)]
    pub(crate) interval: Option<String>,
    /// How long one look may take, such as `2m`; 60s where absent.
    #[arg(long, value_name = "PERIOD", value_parser = period)]
    pub(crate) timeout: Option<String>,
    /// Keep this many of the newest versions of each addon, and what is in use; all where absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub(crate) keep: Option<u32>,
    /// Whose form the requests have that say there is something new, at `/hook/<name>`.
    #[arg(long, value_enum, requires = "webhook_secret")]
    pub(crate) webhook: Option<WebhookArg>,
    /// The Secret with `token`, which --webhook needs.
    #[arg(long, value_name = "NAME", value_parser = kubernetes_name, requires = "webhook")]
    pub(crate) webhook_secret: Option<String>,
    /// Make it and leave it alone until it is resumed.
    #[arg(long)]
    pub(crate) suspend: bool,
}

/// How long a person waits.
#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    /// How long to wait for the registry's answer, such as `30s`.
    #[arg(long, value_name = "PERIOD", default_value = "2m", value_parser = super::values::duration)]
    pub(crate) wait: Duration,
}

/// `source show`.
#[derive(Debug, Args)]
pub(crate) struct SourceShowArgs {
    /// The source.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// `source sync`.
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// The source.
    pub(crate) name: String,
    /// Ask, and do not wait for the answer.
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) wait: WaitArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// `source suspend`, `source resume`.
#[derive(Debug, Args)]
pub(crate) struct NamesArgs {
    /// The sources.
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// `source remove`.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The sources.
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Do not ask first. Where nobody can answer, it is not asked for.
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// How much of a repository's history is published.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum HistoryArg {
    /// What stands in the revision.
    Head,
    /// Every version that ever stood in its first-parent history.
    Full,
}

/// What of a Git repository must be signed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum VerifyModeArg {
    /// The commit.
    Head,
    /// The tag.
    Tag,
    /// The tag and the commit that it points at.
    TagAndHead,
}

/// Whose form the requests of a webhook have.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum WebhookArg {
    /// GitHub.
    Github,
    /// GitLab.
    Gitlab,
    /// Gitea and Forgejo.
    Gitea,
    /// `X-Signature: sha256=…` over the body.
    Generic,
    /// Notifications of an OCI registry.
    Oci,
}

impl From<HistoryArg> for History {
    fn from(arg: HistoryArg) -> Self {
        match arg {
            HistoryArg::Head => Self::Head,
            HistoryArg::Full => Self::Full,
        }
    }
}

impl From<VerifyModeArg> for GitVerificationMode {
    fn from(arg: VerifyModeArg) -> Self {
        match arg {
            VerifyModeArg::Head => Self::Head,
            VerifyModeArg::Tag => Self::Tag,
            VerifyModeArg::TagAndHead => Self::TagAndHead,
        }
    }
}

impl From<WebhookArg> for WebhookKind {
    fn from(arg: WebhookArg) -> Self {
        match arg {
            WebhookArg::Github => Self::Github,
            WebhookArg::Gitlab => Self::Gitlab,
            WebhookArg::Gitea => Self::Gitea,
            WebhookArg::Generic => Self::Generic,
            WebhookArg::Oci => Self::Oci,
        }
    }
}
