//! The upgrade graph of one plugin as an author sees it: who may follow whom, and what looks wrong.
//! What a step is, and what looks wrong, is `package::graph`'s matter.

use super::checked::Checked;
use api::{Range, Version, names::PluginName};
use package::{
    Manifest,
    graph::{Graph, Node, Note, Predecessors},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The versions of one plugin, and the way between them.
#[derive(Debug, Serialize)]
pub(crate) struct Plugin {
    /// Its name.
    pub(crate) plugin: PluginName,
    /// Its versions, newest first.
    pub(crate) versions: Vec<Row>,
    /// What looks wrong, in the order of kinds.
    pub(crate) notes: Vec<Note>,
    /// The graph itself.
    #[serde(skip)]
    pub(crate) graph: Graph,
}

/// One version.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    /// The version.
    pub(crate) version: Version,
    /// What it runs, newest first.
    pub(crate) runtimes: Vec<Version>,
    /// What it lists.
    pub(crate) upgrade_from: Vec<Range>,
    /// For a runtime version, what may move to it.
    pub(crate) migrate_from: BTreeMap<Version, Vec<Range>>,
    /// The versions here that may move to it, newest first.
    pub(crate) from: Vec<Version>,
    /// The versions here that it lists and from which nobody can come.
    pub(crate) closed_from: Vec<Version>,
    /// What else is to be said of it in a drawing; nothing where it is empty.
    #[serde(skip)]
    pub(crate) remark: String,
}

/// The graphs of all plugins among `addons`, of their valid versions.
pub(super) fn plugins(addons: &[Checked]) -> Vec<Plugin> {
    let mut by_name = BTreeMap::<&PluginName, Vec<&Manifest>>::new();
    for package in addons
        .iter()
        .filter_map(|addon| addon.verdict.as_ref().ok())
    {
        let manifests = by_name.entry(&package.manifest.name).or_default();
        manifests.push(&package.manifest);
    }
    by_name
        .into_iter()
        .map(|(name, manifests)| plugin(name, &manifests))
        .collect()
}

fn plugin(name: &PluginName, manifests: &[&Manifest]) -> Plugin {
    let nodes = manifests.iter().map(|manifest| Node::new(manifest, true));
    of_nodes(name, nodes)
}

/// The graph of the versions that `nodes` are; of two of one version the last stays.
pub(crate) fn of_nodes(name: &PluginName, nodes: impl IntoIterator<Item = Node>) -> Plugin {
    let nodes = nodes.into_iter().map(|node| (node.version.clone(), node));
    let nodes: BTreeMap<Version, Node> = nodes.collect();
    let graph = Graph::new(nodes.values().cloned());
    let versions = nodes.values().rev().map(|node| row(node, &graph));
    Plugin {
        plugin: name.clone(),
        versions: versions.collect(),
        notes: graph.lint(),
        graph,
    }
}

fn row(node: &Node, graph: &Graph) -> Row {
    let Predecessors { open, closed } = graph.predecessors(&node.version);
    Row {
        version: node.version.clone(),
        runtimes: node.runtimes.clone(),
        upgrade_from: node.upgrade_from.clone(),
        migrate_from: node.migrate_from.clone(),
        from: open,
        closed_from: closed,
        remark: String::new(),
    }
}
