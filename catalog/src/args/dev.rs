//! `addon dev`: its flags.

use super::ClusterArgs;
use api::names::AppName;
use clap::{Args, ValueHint};
use std::path::PathBuf;

pub(super) const DEV: &str = "\
Each state of DIR that is saved and passes the checks is published as
<version>-dev.<n>, and the App is moved to it. It needs your own rights: to
create configmaps in the platform's namespace and middlewareaddons, to get
addonledgers, to get and patch the App and list its pods; to delete
middlewareaddons and configmaps where old states are to be cleared away.

Examples:
  kubectl middleware addon dev addons/redis/1.2.0 --app cache --create
  kubectl middleware addon dev addons/redis/1.2.0 --app cache -n team-a --once

Exit codes:
  0  you ended it, or with --once: the App is Ready on the state
  1  with --once: the checks or the cluster refuse the state
  2  the work could not be begun: usage, cluster, rights, the App";

/// `addon dev`.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// The addon's directory.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
    /// The App that is moved to each state.
    #[arg(long, value_name = "NAME")]
    pub(crate) app: AppName,
    /// Create the App where it is not there, with nothing but the version and a topology.
    #[arg(long)]
    pub(crate) create: bool,
    /// Bring the present state alone to the App, wait until it is Ready, and end.
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}
