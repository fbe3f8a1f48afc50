//! The commands that read the catalog, and their flags.

use super::{
    CLUSTER_EXIT_CODES, ClusterArgs, ListOutput, OutputArgs, WayArgs,
    browse::{BROWSE, BrowseArgs},
    values::{VersionOf, plugin_and_version},
};
use api::names::PluginName;
use clap::{Args, Subcommand};

const LIST: &str = "\
Examples:
  kubectl middleware catalog list
  kubectl middleware catalog list -o wide
  for plugin in $(kubectl middleware catalog list -o name); do …; done

Exit codes:
  0  everything is right
  2  the work could not be done: usage, cluster, rights";

const SEARCH: &str = "\
Every word must be found, in name, keywords, description or README, in any case.

Examples:
  kubectl middleware catalog search cache
  kubectl middleware catalog search replicated database

Exit codes:
  0  something was found
  1  nothing was
  2  the work could not be done: usage, cluster, rights";

const SHOW: &str = "\
Examples:
  kubectl middleware catalog show redis
  kubectl middleware catalog show redis@1.1.0 --parameters
  kubectl middleware catalog show redis --readme
  kubectl middleware catalog show redis -o json";

const VERSIONS: &str = "\
Examples:
  kubectl middleware catalog versions redis
  kubectl middleware catalog versions redis -o wide
  kubectl get $(kubectl middleware catalog versions redis -o name)";

const GRAPH: &str = "\
Examples:
  kubectl middleware catalog graph redis
  kubectl middleware catalog graph redis --from 1.0.0
  kubectl middleware catalog graph redis --from 1.0.0@7.0.15 --to 2.0.0

Exit codes:
  0  everything is right
  1  there is no such way, or the graph is broken
  2  the work could not be done: usage, cluster, rights";

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// List what there is: each plugin, what it is, the version to take, how many Apps use it.
    #[command(after_help = LIST, visible_alias = "ls")]
    List(ListArgs),
    /// Find plugins by words in name, keywords, description and README.
    #[command(after_help = SEARCH)]
    Search(SearchArgs),
    /// Tell all about one version: runtimes, topologies, parameters, users, README.
    #[command(after_help = format!("{SHOW}\n\n{CLUSTER_EXIT_CODES}"))]
    Show(ShowArgs),
    /// List the versions of a plugin: state, runtimes, who may come to them, who uses them.
    #[command(after_help = format!("{VERSIONS}\n\n{CLUSTER_EXIT_CODES}"))]
    Versions(VersionsArgs),
    /// Draw which version may follow which, or the way from one to another.
    #[command(after_help = GRAPH)]
    Graph(GraphArgs),
    /// Browse it all on the terminal: search as you type, READMEs, versions, parameters, users.
    #[command(after_help = BROWSE)]
    Browse(BrowseArgs),
}

/// `catalog list`, `source list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) output: ListOutputArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// `catalog search`.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// What to look for.
    #[arg(required = true, value_name = "TERM")]
    pub(crate) terms: Vec<String>,
    #[command(flatten)]
    pub(crate) output: ListOutputArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// `catalog show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The plugin; the version that somebody new should take where none is named.
    #[arg(value_name = "PLUGIN[@VERSION]", value_parser = plugin_and_version)]
    pub(crate) addon: VersionOf,
    /// List the parameters alone: default, how another value takes effect, what is allowed.
    #[arg(long, conflicts_with = "readme")]
    pub(crate) parameters: bool,
    /// Print the README alone, as it is.
    #[arg(long)]
    pub(crate) readme: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// `catalog versions`.
#[derive(Debug, Args)]
pub(crate) struct VersionsArgs {
    /// The plugin.
    pub(crate) plugin: PluginName,
    #[command(flatten)]
    pub(crate) output: ListOutputArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// `catalog graph`.
#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// The plugin.
    pub(crate) plugin: PluginName,
    #[command(flatten)]
    pub(crate) way: WayArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// The flag `--output`, of lists.
#[derive(Debug, Args)]
pub(crate) struct ListOutputArgs {
    /// For people, for people with wide terminals, for programs, or names alone.
    #[arg(short, long, value_enum, default_value_t = ListOutput::Text)]
    pub(crate) output: ListOutput,
}
