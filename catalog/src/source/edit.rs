//! `source suspend`, `source resume`, `source remove`.

use super::{all, one, show, writing};
use crate::{
    args::{NamesArgs, RemoveArgs},
    cluster::{Cluster, Seen},
    output::{Outcome, WIDTH, count, wrapped},
};
use anyhow::bail;
use kube::api::{DeleteParams, Patch, Preconditions};
use serde_json::json;
use std::io::{IsTerminal as _, Write as _};

/// Sets `spec.suspend` of every source that is named.
///
/// # Errors
/// There is no such source, or the cluster refuses.
pub(super) async fn suspend(args: &NamesArgs, suspend: bool) -> anyhow::Result<Outcome> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let mut text = String::new();
    for name in &args.names {
        let source = one(&cluster, name).await?;
        let already = source.spec.suspend == suspend;
        if !already {
            let patch = Patch::Merge(json!({"spec": {"suspend": suspend}}));
            let patched = all(&cluster).patch(name, &writing(), &patch).await;
            patched.map_err(|error| cluster.error(error))?;
        }
        let said = match (suspend, already) {
            (true, false) => "is suspended now; what it brought stays, and nothing new comes",
            (true, true) => "is suspended already",
            (false, false) => "is looked at again; `kubectl middleware source show` says how it is",
            (false, true) => "is not suspended",
        };
        text.push_str(&wrapped(&format!("{name} {said}"), WIDTH, "  "));
    }
    Ok(Outcome::clean(text))
}

/// Deletes every source that is named, and says what stays.
///
/// # Errors
/// There is no such source, the person thinks better of it, or the cluster refuses.
pub(super) async fn remove(args: &RemoveArgs) -> anyhow::Result<Outcome> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let mut text = String::new();
    for name in &args.names {
        let source = one(&cluster, name).await?;
        let stays = stays(&show::brought(&cluster, name).await?);
        if !args.yes && !agreed(name, &stays)? {
            bail!("`{name}` was not removed");
        }
        // The one that was looked at, and no other that took its name meanwhile.
        let this = DeleteParams::default().preconditions(Preconditions {
            uid: source.metadata.uid,
            resource_version: None,
        });
        let deleted = all(&cluster).delete(name, &this).await;
        deleted.map_err(|error| cluster.error(error))?;
        text.push_str(&wrapped(
            &format!("{name} was removed; {stays}"),
            WIDTH,
            "  ",
        ));
    }
    Ok(Outcome::clean(text))
}

/// What the removal of a source leaves in the catalog.
fn stays(brought: &Seen<Vec<crate::catalog::model::Plugin>>) -> String {
    let plugins = match brought {
        Seen::Is(plugins) => plugins,
        Seen::Not(hidden) => {
            return format!("every version that it brought stays; which is {hidden}");
        }
    };
    let versions = || plugins.iter().flat_map(|plugin| &plugin.versions);
    let used = versions()
        .filter(|version| version.users.number() > 0)
        .count();
    match versions().count() {
        0 => "it had brought nothing".to_owned(),
        all => format!(
            "{} of {} that it brought, {used} in use, stay in the catalog; nothing new comes",
            count(all, "version"),
            count(plugins.len(), "plugin"),
        ),
    }
}

/// Whether the person agrees; where there is nobody to ask, it is meant.
fn agreed(name: &str, stays: &str) -> anyhow::Result<bool> {
    let (input, output) = (std::io::stdin(), std::io::stderr());
    if !input.is_terminal() || !output.is_terminal() {
        return Ok(true);
    }
    write!(output.lock(), "remove `{name}`? {stays} [y/N] ")?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
