//! `kubectl middleware source`: where addons come from, read and written with the person's own rights.
//!
//! In: AddonSources and what the registry says of them. Out: what they are, why one is not Ready, and
//! what to do. Nothing is fetched here: the registry does that.

mod add;
mod advice;
mod edit;
mod list;
mod live;
mod show;
mod spec;
mod standing;

use crate::{
    args::SourceCommand,
    cluster::{self, Cluster, ClusterError},
    output::{self, Outcome},
    suggest,
};
use anyhow::bail;
use api::AddonSource;
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, PatchParams},
};

/// Who writes, in the objects' managed fields.
const MANAGER: &str = "kubectl-middleware";

/// Does what `command` says.
///
/// # Errors
/// The work could not be done.
pub(crate) fn run(command: SourceCommand) -> anyhow::Result<Outcome> {
    match command {
        SourceCommand::Add(args) => add::run(&args),
        SourceCommand::List(args) => {
            let report = cluster::wait(list::list(&args))?;
            output::list(&report, args.output.output)
        }
        SourceCommand::Show(args) => {
            let report = cluster::wait(show::show(&args))?;
            output::show(&report, args.output.output)
        }
        SourceCommand::Sync(args) => live::sync(&args),
        SourceCommand::Suspend(args) => cluster::wait(edit::suspend(&args, true)),
        SourceCommand::Resume(args) => cluster::wait(edit::suspend(&args, false)),
        SourceCommand::Remove(args) => cluster::wait(edit::remove(&args)),
    }
}

/// Every source, by name.
fn all(cluster: &Cluster) -> Api<AddonSource> {
    Api::all(cluster.client.clone())
}

/// How this program writes.
fn writing() -> PatchParams {
    PatchParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PatchParams::default()
    }
}

/// The source `name`.
///
/// # Errors
/// There is none, and perhaps another one was meant; or the cluster does not give it.
async fn one(cluster: &Cluster, name: &str) -> anyhow::Result<AddonSource> {
    match all(cluster).get(name).await.map_err(|e| cluster.error(e)) {
        Ok(source) => Ok(source),
        Err(ClusterError::NotFound { .. }) => missing(cluster, name).await,
        Err(error) => Err(error.into()),
    }
}

async fn missing(cluster: &Cluster, name: &str) -> anyhow::Result<AddonSource> {
    let there = cluster.list(&all(cluster), ListParams::default()).await;
    let names: Vec<String> = there
        .unwrap_or_default()
        .iter()
        .map(AddonSource::name_any)
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let instead = suggest::instead(name, &names);
    let how = match names.is_empty() {
        true => "`kubectl middleware source add` makes one",
        false => "`kubectl middleware source list` shows them",
    };
    let said = format!("there is no source `{name}`{instead}");
    bail!(suggest::and_then(&said, how))
}

/// The names of all sources, for completion.
///
/// # Errors
/// The cluster does not say.
pub(crate) async fn names(cluster: &Cluster) -> Result<Vec<(String, String)>, ClusterError> {
    let sources = cluster.list(&all(cluster), ListParams::default()).await?;
    let named = sources.iter().map(|source| {
        let (_, place) = spec::place(&source.spec);
        (source.name_any(), place.to_owned())
    });
    Ok(named.collect())
}
