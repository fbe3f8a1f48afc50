//! `catalog browse`: its flags, and what the environment says of the terminal.

use super::ClusterArgs;
use clap::Args;

pub(super) const BROWSE: &str = "\
The line at the bottom has the keys that matter; ? shows all of them. Nothing in
the cluster is changed.
Without colours: NO_COLOR=1. Without signs beyond ASCII: LC_ALL=C.

Examples:
  kubectl middleware catalog browse
  kubectl middleware catalog browse redis
  kubectl middleware catalog browse --namespace team-a

Exit codes:
  0  you left it
  2  there is no terminal, or no cluster to ask";

/// `catalog browse`.
#[derive(Debug, Args)]
pub(crate) struct BrowseArgs {
    /// What to search for at first.
    #[arg(value_name = "TERM")]
    pub(crate) terms: Vec<String>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// The kind of terminal, where one that can move its cursor is named.
pub(crate) fn terminal() -> Option<String> {
    let name = std::env::var("TERM").ok()?;
    (!name.is_empty() && name != "dumb").then_some(name)
}

/// Whether the terminal shows signs beyond ASCII: unless the locale says another encoding.
pub(crate) fn unicode() -> bool {
    let said = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
    let mut said = said.filter_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    said.next().is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
