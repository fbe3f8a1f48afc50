//! `source suspend`, `source resume`, `source remove`.

use super::{all, one, show, writing};
use crate::{
    args::{NamesArgs, RemoveArgs},
    cluster::{Cluster, Hidden, Seen},
    output::{self, Outcome, Paint, WIDTH, count, wrapped},
};
use anyhow::bail;
use api::AddonSource;
use kube::{
    ResourceExt as _,
    api::{DeleteParams, Patch, Preconditions},
};
use serde::Serialize;
use serde_json::json;
use std::io::{IsTerminal as _, Write as _};

/// What became of each source.
#[derive(Debug, Serialize)]
struct Report<T> {
    sources: Vec<T>,
}

/// A source that is left alone, or is not any more.
#[derive(Debug, Serialize)]
struct Suspended {
    name: String,
    suspended: bool,
    /// Whether it was not so before.
    changed: bool,
}

/// A source that is gone.
#[derive(Debug, Serialize)]
struct Removed {
    name: String,
    removed: bool,
    /// What it leaves in the catalog.
    stays: Seen<Stays>,
}

/// How much stays in the catalog.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stays {
    plugins: usize,
    versions: usize,
    versions_in_use: usize,
}

/// Sets `spec.suspend` of every source that is named.
///
/// # Errors
/// There is no such source, and then none is changed; or the cluster refuses.
pub(super) async fn suspend(args: &NamesArgs, suspend: bool) -> anyhow::Result<Outcome> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let mut sources = Vec::new();
    for source in named(&cluster, &args.names).await? {
        let name = source.name_any();
        let changed = source.spec.suspend != suspend;
        if changed {
            let patch = Patch::Merge(json!({"spec": {"suspend": suspend}}));
            let patched = all(&cluster).patch(&name, &writing(), &patch).await;
            patched.map_err(|error| cluster.error(error))?;
        }
        sources.push(Suspended {
            name,
            suspended: suspend,
            changed,
        });
    }
    output::show(&Report { sources }, args.output.output)
}

/// Deletes every source that is named, and says what stays.
///
/// # Errors
/// There is no such source, and then none is deleted; the person thinks better of it, or the cluster
/// refuses.
pub(super) async fn remove(args: &RemoveArgs) -> anyhow::Result<Outcome> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let mut sources = Vec::new();
    for source in named(&cluster, &args.names).await? {
        let name = source.name_any();
        let stays = stays(&cluster, &name).await?;
        if !args.yes && !agreed(&name, &told(&stays))? {
            bail!("`{name}` was not removed");
        }
        // The one that was looked at, and no other that took its name meanwhile.
        let this = DeleteParams::default().preconditions(Preconditions {
            uid: source.metadata.uid,
            resource_version: None,
        });
        let deleted = all(&cluster).delete(&name, &this).await;
        deleted.map_err(|error| cluster.error(error))?;
        sources.push(Removed {
            name,
            removed: true,
            stays,
        });
    }
    output::show(&Report { sources }, args.output.output)
}

/// All of them, or an error before anything is done to one.
async fn named(cluster: &Cluster, names: &[String]) -> anyhow::Result<Vec<AddonSource>> {
    let mut sources = Vec::new();
    for name in names {
        sources.push(one(cluster, name).await?);
    }
    Ok(sources)
}

/// What the removal of a source leaves in the catalog.
async fn stays(cluster: &Cluster, name: &str) -> anyhow::Result<Seen<Stays>> {
    let plugins = match show::brought(cluster, name).await? {
        Seen::Is(plugins) => plugins,
        Seen::Not(Hidden { needs }) => return Ok(Seen::Not(Hidden { needs })),
    };
    let versions = || plugins.iter().flat_map(|plugin| &plugin.versions);
    let used = versions().filter(|version| version.users.number() > 0);
    Ok(Seen::Is(Stays {
        plugins: plugins.len(),
        versions: versions().count(),
        versions_in_use: used.count(),
    }))
}

fn told(stays: &Seen<Stays>) -> String {
    match stays {
        Seen::Not(hidden) => format!("every version that it brought stays; which is {hidden}"),
        Seen::Is(Stays { versions: 0, .. }) => "it had brought nothing".to_owned(),
        Seen::Is(stays) => format!(
            "{} of {} that it brought, {} in use, stay in the catalog; nothing new comes",
            count(stays.versions, "version"),
            count(stays.plugins, "plugin"),
            stays.versions_in_use,
        ),
    }
}

/// Whether the person agrees; where there is nobody to ask, it is meant.
fn agreed(name: &str, stays: &str) -> anyhow::Result<bool> {
    let (input, output) = (std::io::stdin(), std::io::stderr());
    if !input.is_terminal() || !output.is_terminal() {
        return Ok(true);
    }
    let question = format!("remove `{name}`? {stays} [y/N]");
    let question = wrapped(&question, WIDTH - 1, "  ");
    write!(output.lock(), "{} ", question.trim_end())?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

impl output::Report for Report<Suspended> {
    fn text(&self, _: Paint) -> String {
        let lines = self.sources.iter().map(|source| {
            let said = match (source.suspended, source.changed) {
                (true, true) => "is suspended now; what it brought stays, and nothing new comes",
                (true, false) => "is suspended already",
                (false, true) => {
                    "is looked at again; `kubectl middleware source show` says how it is"
                }
                (false, false) => "is not suspended",
            };
            wrapped(&format!("{} {said}", source.name), WIDTH, "  ")
        });
        lines.collect()
    }
}

impl output::Report for Report<Removed> {
    fn text(&self, _: Paint) -> String {
        let lines = self.sources.iter().map(|source| {
            let line = format!("{} was removed; {}", source.name, told(&source.stays));
            wrapped(&line, WIDTH, "  ")
        });
        lines.collect()
    }
}
