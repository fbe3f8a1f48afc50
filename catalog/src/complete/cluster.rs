//! What the cluster offers for a word: sources, plugins, versions, contexts, namespaces. It is asked
//! with the person's own rights and little patience: whoever presses Tab waits for it.

use super::choices::Candidate;
use crate::{
    args::ClusterArgs,
    catalog::model::{self, Catalog, Plugin},
    cluster::{self, Cluster},
    source,
};
use api::{Version, names::PluginName};
use clap::Parser;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, ResourceExt as _, api::ListParams};
use std::time::Duration;

/// How long somebody waits after Tab.
const PATIENCE: Duration = Duration::from_secs(2);
/// The flags that say which cluster, each with a value.
const FLAGS: [&str; 6] = [
    "--kubeconfig",
    "--context",
    "--namespace",
    "-n",
    "--platform-namespace",
    "--as",
];

/// The flags of a cluster alone.
#[derive(Debug, Parser)]
struct Only {
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// What the argument `arg` of the command `path` may be; `None` where no cluster knows. `words` are
/// all words before, `positional` those of them that are no flags, `last` is not finished.
pub(super) fn of(
    path: &[&str],
    arg: &str,
    positional: &[&str],
    words: &[String],
    last: &str,
) -> Option<Vec<Candidate>> {
    let asked = asked(path, arg, positional, last)?;
    let args = cluster_args(words);
    let answer = cluster::wait(async {
        let answer = tokio::time::timeout(PATIENCE, answer(&asked, &args)).await;
        answer.unwrap_or_else(|_| Ok(Vec::new()))
    });
    Some(answer.unwrap_or_default())
}

/// What is asked for.
enum Asked {
    Contexts,
    Namespaces,
    Sources,
    Plugins,
    /// The versions of a plugin, each written after it and `@`, or alone.
    Versions {
        plugin: PluginName,
        after: bool,
    },
}

fn asked(path: &[&str], arg: &str, positional: &[&str], last: &str) -> Option<Asked> {
    let versions = |plugin: &str, after| {
        let plugin = plugin.parse().ok()?;
        Some(Asked::Versions { plugin, after })
    };
    match (path, arg) {
        (_, "context") => Some(Asked::Contexts),
        (["catalog" | "source", ..], "namespace" | "platform_namespace") => Some(Asked::Namespaces),
        (["source", command], "name" | "names") if *command != "add" => Some(Asked::Sources),
        (["catalog", _], "addon") => match last.split_once('@') {
            Some((plugin, _)) => versions(plugin, true),
            None => Some(Asked::Plugins),
        },
        (["catalog", _], "plugin") => Some(Asked::Plugins),
        (["catalog", "graph"], "from" | "to") => versions(positional.first()?, false),
        _ => None,
    }
}

/// The flags among `words` that say which cluster.
fn cluster_args(words: &[String]) -> ClusterArgs {
    let mut given = vec![String::new()];
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        if FLAGS.contains(&flag)
            && let Some(value) = value.or_else(|| words.next().cloned())
        {
            given.extend([flag.to_owned(), value]);
        }
    }
    Only::try_parse_from(given)
        .map(|only| only.cluster)
        .unwrap_or_default()
}

async fn answer(asked: &Asked, args: &ClusterArgs) -> anyhow::Result<Vec<Candidate>> {
    if let Asked::Contexts = asked {
        let contexts = Cluster::contexts(args)?.into_iter();
        return Ok(contexts.map(|name| (name, String::new())).collect());
    }
    let cluster = Cluster::connect(args).await?;
    Ok(match asked {
        Asked::Contexts => Vec::new(),
        Asked::Namespaces => {
            let all = Api::<Namespace>::all(cluster.client.clone());
            let all = cluster.list(&all, ListParams::default()).await?;
            all.iter().map(|n| (n.name_any(), String::new())).collect()
        }
        Asked::Sources => source::names(&cluster).await?,
        Asked::Plugins => {
            let Catalog { plugins, .. } = model::load(&cluster, None).await?;
            plugins.iter().map(plugin).collect()
        }
        Asked::Versions { plugin, after } => {
            let Catalog { plugins, .. } = model::load(&cluster, Some(plugin)).await?;
            plugins.iter().flat_map(|p| versions(p, *after)).collect()
        }
    })
}

fn plugin(plugin: &Plugin) -> Candidate {
    let version = plugin
        .recommended()
        .map(|version| version.version.to_string());
    (plugin.plugin.to_string(), version.unwrap_or_default())
}

fn versions(plugin: &Plugin, after: bool) -> Vec<Candidate> {
    let name = |version: &Version| match after {
        true => format!("{}@{version}", plugin.plugin),
        false => version.to_string(),
    };
    let versions = plugin.versions.iter();
    versions
        .map(|version| (name(&version.version), version.state().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_is_the_one_that_the_line_names() {
        let words = [
            "catalog",
            "show",
            "--context",
            "prod",
            "--kubeconfig=/k",
            "-o",
            "json",
        ];
        let args = cluster_args(&words.map(str::to_owned));
        assert_eq!(args.context.as_deref(), Some("prod"));
        assert_eq!(args.kubeconfig.unwrap(), std::path::Path::new("/k"));
        assert!(args.namespace.is_none());
    }
}
