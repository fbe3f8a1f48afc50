//! `kubectl middleware catalog`: what the cluster offers, read with the person's own rights.
//!
//! In: the lists and the content that the API server gives to this person. Out: answers for people and
//! programs. What one may not see is said, with the right that is missing, and hides nothing else.

pub(crate) mod content;
mod graph;
mod list;
pub(crate) mod model;
mod names;
mod search;
mod show;
mod versions;

pub(crate) use versions::in_short as versions_in_short;

use crate::{
    args::CatalogCommand,
    cluster,
    output::{self, Outcome},
};

/// Does what `command` says.
///
/// # Errors
/// The work could not be done.
pub(crate) fn run(command: CatalogCommand) -> anyhow::Result<Outcome> {
    match command {
        CatalogCommand::List(args) => {
            let report = cluster::wait(list::list(&args))?;
            output::list(&report, args.output.output)
        }
        CatalogCommand::Search(args) => {
            let report = cluster::wait(search::search(&args))?;
            output::list(&report, args.output.output)
        }
        CatalogCommand::Show(args) => show::run(&args),
        CatalogCommand::Versions(args) => {
            let report = cluster::wait(versions::versions(&args))?;
            output::list(&report, args.output.output)
        }
        CatalogCommand::Browse(args) => crate::browse::run(&args),
        CatalogCommand::Graph(args) => {
            let report = cluster::wait(graph::graph(&args))?;
            output::show(&report, args.output.output)
        }
    }
}
