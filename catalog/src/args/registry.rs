//! The commands that move addons to and from OCI registries, and what they have in common.

use super::{Output, OutputArgs};
use crate::addon::OciReference;
use api::Range;
use clap::{ArgGroup, Args, ValueEnum, ValueHint};
use std::{path::PathBuf, time::Duration};
use transport::cosign::Identity;

/// What the help of each of them ends with.
pub(super) const REGISTRY: &str = "\
Credentials are those of docker and oras: $DOCKER_CONFIG/config.json, or
~/.docker/config.json, with its credential helpers. HTTPS_PROXY, HTTP_PROXY and
NO_PROXY are heeded.

Exit codes:
  0  everything is right
  1  something was found; the answer says what
  2  the work could not be done: usage, files, registry, rights";

/// What the help of `addon sign` ends with, and that of `push`.
pub(super) const SIGNING: &str = "\
FILE is PEM: a private key of ECDSA P-256 or P-384, Ed25519 or RSA, or one that
`cosign generate-key-pair` made, whose password stands in $COSIGN_PASSWORD.

Credentials are those of docker and oras: $DOCKER_CONFIG/config.json, or
~/.docker/config.json, with its credential helpers. HTTPS_PROXY, HTTP_PROXY and
NO_PROXY are heeded.

Exit codes:
  0  everything is right
  1  something was found; the answer says what
  2  the work could not be done: usage, files, registry, rights";

/// What the help of `addon diff` ends with.
pub(super) const DIFF: &str = "\
Each side is one of:
  DIR            an addon's directory
  FILE.tar.gz    an archive that `addon package` made
  oci://…:TAG    a version in a registry, or oci://…@sha256:…
  REV:PATH       the directory PATH at a Git revision, such as main:redis/1.0.0

Exit codes:
  0  the answer says what differs, or that nothing does
  2  the work could not be done: usage, files, registry, rights";

/// The password of a private key that cosign encrypted; none where the environment has none.
pub(crate) fn cosign_password() -> Option<String> {
    std::env::var("COSIGN_PASSWORD").ok()
}

/// Where docker's `config.json` would be.
pub(crate) fn docker_config() -> Option<PathBuf> {
    let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let directory = match given("DOCKER_CONFIG") {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(given("HOME")?).join(".docker"),
    };
    Some(directory.join("config.json"))
}

/// How a registry is reached.
#[derive(Clone, Debug, Args)]
pub(crate) struct RegistryArgs {
    /// Speak plain HTTP.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Who asks, instead of what docker's config says.
    #[arg(long, value_name = "USER", requires = "password_stdin")]
    pub(crate) username: Option<String>,
    /// Read the password, or a token, from standard input.
    #[arg(long, requires = "username")]
    pub(crate) password_stdin: bool,
    /// Certificates of authorities (PEM) to trust beside the system's.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<PathBuf>,
    /// How long each step may take, such as `30s`.
    #[arg(long, value_name = "PERIOD", default_value = "5m", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// Who must have signed.
#[derive(Clone, Debug, Args)]
pub(crate) struct TrustArgs {
    /// Public keys (PEM), any of which may have signed; may be given several times.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: Vec<PathBuf>,
    /// Who may have signed without a key, as two regular expressions that match the whole text; may be
    /// given several times.
    #[arg(long, value_name = "ISSUER,SUBJECT", value_parser = identity, requires = "trusted_root")]
    pub(crate) identity: Vec<Identity>,
    /// The trust root of sigstore under which identities are believed: `trusted_root.json`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "identity")]
    pub(crate) trusted_root: Option<PathBuf>,
}

/// `addon push`.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// The addon's directory, or an archive that `addon package` made.
    #[arg(value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) addon: PathBuf,
    /// The repository; the addon's version becomes the tag.
    #[arg(value_name = "oci://HOST/PATH", value_parser = reference)]
    pub(crate) to: OciReference,
    /// Sign it with this private key, once it is there.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) sign: Option<PathBuf>,
    /// Leave out the copies of README and icon that registries show.
    #[arg(long)]
    pub(crate) no_referrers: bool,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `addon pull`.
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// The version: by tag, or by digest.
    #[arg(value_name = "oci://HOST/PATH:TAG", value_parser = reference)]
    pub(crate) from: OciReference,
    /// Where to put it: a directory that is not there yet, or a file that ends in `.tar.gz`;
    /// `<plugin>-<version>` where absent.
    #[arg(short = 'o', long, value_name = "DIR|FILE.tar.gz", value_hint = ValueHint::AnyPath)]
    pub(crate) to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

/// `addon copy`.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The repository to copy from; with a tag or a digest, that version alone.
    #[arg(value_name = "oci://HOST/PATH[:TAG]", value_parser = reference)]
    pub(crate) from: OciReference,
    /// The repository to copy to.
    #[arg(value_name = "oci://HOST/PATH", value_parser = reference)]
    pub(crate) to: OciReference,
    /// Which versions, such as `>=1.2.0 <2`; every release where absent.
    #[arg(long, value_name = "RANGE")]
    pub(crate) versions: Option<Range>,
    /// Speak plain HTTP with the registry that is copied from.
    #[arg(long)]
    pub(crate) from_insecure: bool,
    /// Speak plain HTTP with the registry that is copied to.
    #[arg(long)]
    pub(crate) to_insecure: bool,
    /// How the registries are reached; user and password count where it is copied to.
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `addon sign`.
#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    /// The version: by digest, or by the tag that names it now.
    #[arg(value_name = "oci://HOST/PATH@DIGEST", value_parser = reference)]
    pub(crate) version: OciReference,
    /// The private key.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) key: PathBuf,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = SignatureFormat::Tag)]
    pub(crate) format: SignatureFormat,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignatureFormat {
    /// Under the tag `sha256-….sig`: what cosign 2 and 3 verify.
    Tag,
    /// As a bundle that points at the version: what cosign 3 verifies.
    Bundle,
    /// Both; cosign 2 then wants a trust root.
    Both,
}

/// `addon verify`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("who").args(["key", "identity"]).required(true).multiple(true))]
pub(crate) struct VerifyArgs {
    /// The version, by tag or by digest; every release of the repository where neither is said.
    #[arg(value_name = "oci://HOST/PATH[:TAG]", value_parser = reference)]
    pub(crate) version: OciReference,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `addon diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// What was.
    #[arg(value_name = "BEFORE", value_hint = ValueHint::AnyPath)]
    pub(crate) before: String,
    /// What is.
    #[arg(value_name = "AFTER", value_hint = ValueHint::AnyPath)]
    pub(crate) after: String,
    /// Show the changed lines of each file too.
    #[arg(short, long)]
    pub(crate) unified: bool,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

fn duration(text: &str) -> Result<Duration, String> {
    package::duration::parse(text).map_err(|error| error.to_string())
}

fn reference(text: &str) -> Result<OciReference, String> {
    text.parse()
}

fn identity(text: &str) -> Result<Identity, String> {
    let (issuer, subject) = text.split_once(',').ok_or(
        "want ISSUER,SUBJECT as two regular expressions, such as \
         `https://accounts\\.example\\.com,.*@example\\.com`",
    )?;
    Identity::parse(issuer, subject).map_err(|error| error.to_string())
}
