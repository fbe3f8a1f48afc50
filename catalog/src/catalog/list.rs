//! `catalog list`: each plugin in a line.

use super::{
    content::{self, ContentError},
    model::{self, AddonVersion, Plugin},
};
use crate::{
    args::ListArgs,
    cluster::{Cluster, Hidden, Seen},
    output::{self, Listed, Paint, count},
    table::{Cell, Table, Tone},
};
use api::{
    Version,
    names::{PluginName, TopologyName},
};
use futures::{StreamExt as _, stream};
use package::Package;
use serde::Serialize;

/// How many contents are read at once.
const READS: usize = 16;

/// What is in the catalog.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    plugins: Vec<Entry>,
    /// Why no descriptions are here, where that is a matter of rights.
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<Hidden>,
}

/// One plugin.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) plugin: PluginName,
    /// What somebody new should take.
    pub(super) version: Version,
    /// Where that stands.
    pub(super) state: &'static str,
    /// What it is, where that can be seen.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) keywords: Vec<String>,
    pub(super) runtimes: Vec<Version>,
    pub(super) topologies: Vec<TopologyName>,
    /// All versions, newest first.
    pub(super) versions: Vec<Version>,
    /// How many Apps use any of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) users: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signer: Option<String>,
}

/// The catalog.
///
/// # Errors
/// The versions cannot be listed.
pub(super) async fn list(args: &ListArgs) -> anyhow::Result<Report> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let catalog = model::load(&cluster, None).await?;
    let roots = roots(&cluster, &catalog.plugins).await;
    let hidden = roots.hidden().cloned();
    let mut roots = roots.into_iter();
    let plugins = catalog.plugins.iter().filter_map(|plugin| {
        let root = roots.next().and_then(Result::ok);
        Entry::of(plugin, root.as_ref())
    });
    Ok(Report {
        plugins: plugins.collect(),
        hidden,
    })
}

/// The root of the version that each of `plugins` recommends, in their order; nothing where they may
/// not be seen.
pub(super) async fn roots(
    cluster: &Cluster,
    plugins: &[Plugin],
) -> Seen<Vec<Result<Package, ContentError>>> {
    let mut versions = plugins.iter().filter_map(Plugin::recommended);
    let Some(first) = versions.next() else {
        return Seen::Is(Vec::new());
    };
    // Whoever may not see the first may see none.
    let first = content::root(cluster, first).await;
    if let Err(ContentError::Cluster(error)) = &first
        && let Some(hidden) = error.hidden()
    {
        return Seen::Not(hidden.clone());
    }
    let read = |version: &AddonVersion| {
        let (cluster, version) = (cluster.clone(), version.clone());
        async move { content::root(&cluster, &version).await }
    };
    let rest: Vec<_> = versions.map(read).collect();
    let rest = stream::iter(rest).buffered(READS);
    let all = stream::iter([first]).chain(rest);
    Seen::Is(all.collect().await)
}

impl Entry {
    /// The line of `plugin`, with what the root of the recommended version says.
    pub(super) fn of(plugin: &Plugin, root: Option<&Package>) -> Option<Self> {
        let version = plugin.recommended()?;
        let manifest = root.map(|package| &package.manifest);
        Some(Self {
            plugin: plugin.plugin.clone(),
            version: version.version.clone(),
            state: version.state(),
            description: manifest.map(|m| m.description.clone()).unwrap_or_default(),
            keywords: manifest.map(|m| m.keywords.clone()).unwrap_or_default(),
            runtimes: version.runtimes.clone(),
            topologies: version.topologies.clone(),
            versions: plugin.versions.iter().map(|v| v.version.clone()).collect(),
            users: plugin.users(),
            source: version.origin.as_ref().map(|origin| origin.source.clone()),
            signer: version.signer.clone(),
        })
    }
}

/// Several of them in a cell.
pub(super) fn listed<T: ToString>(all: &[T]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// A number in a cell, where there is one.
pub(super) fn number(number: Option<usize>) -> String {
    number.map(|n| n.to_string()).unwrap_or_default()
}

impl Report {
    fn notes(&self) -> String {
        match &self.hidden {
            Some(hidden) => {
                output::wrapped(&format!("what they are is {hidden}"), output::WIDTH, "  ")
            }
            None => String::new(),
        }
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        if self.plugins.is_empty() {
            return "the catalog is empty; `kubectl middleware source add` brings addons into it\n"
                .to_owned();
        }
        let mut table = Table::new(&["PLUGIN", "VERSION", "STATE", "USERS", "WHAT IT IS"]);
        for entry in &self.plugins {
            table.row(vec![
                Cell::toned(&entry.plugin, Tone::Bold),
                Cell::new(&entry.version),
                Cell::toned(entry.state, Tone::of_state(entry.state)),
                Cell::new(number(entry.users)),
                Cell::new(&entry.description),
            ]);
        }
        let notes = self.notes();
        let mut text = table.text(paint);
        if paint.on_terminal() {
            let versions = self.plugins.iter().map(|entry| entry.versions.len()).sum();
            let (plugins, versions) = (
                count(self.plugins.len(), "plugin"),
                count(versions, "version"),
            );
            text.push_str(&format!(
                "\n{plugins}, {versions}; `catalog show PLUGIN` tells more\n"
            ));
        }
        text + &notes
    }
}

impl Listed for Report {
    fn wide(&self, paint: Paint) -> String {
        let mut table = Table::new(&[
            "PLUGIN",
            "VERSION",
            "STATE",
            "USERS",
            "VERSIONS",
            "RUNTIMES",
            "TOPOLOGIES",
            "SOURCE",
            "SIGNER",
            "KEYWORDS",
            "WHAT IT IS",
        ]);
        for entry in &self.plugins {
            table.row(vec![
                Cell::toned(&entry.plugin, Tone::Bold),
                Cell::new(&entry.version),
                Cell::toned(entry.state, Tone::of_state(entry.state)),
                Cell::new(number(entry.users)),
                Cell::new(entry.versions.len().to_string()),
                Cell::new(listed(&entry.runtimes)),
                Cell::new(listed(&entry.topologies)),
                Cell::new(entry.source.as_deref().unwrap_or("by hand")),
                Cell::new(entry.signer.as_deref().unwrap_or_default()),
                Cell::new(listed(&entry.keywords)),
                Cell::new(&entry.description),
            ]);
        }
        table.wide(paint) + &self.notes()
    }

    fn names(&self) -> Vec<String> {
        self.plugins
            .iter()
            .map(|entry| entry.plugin.to_string())
            .collect()
    }
}
