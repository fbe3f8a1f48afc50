//! The upgrade graph of one plugin as an author sees it: who may follow whom, and what looks wrong.
//! What a step is, is `package::graph`'s matter.

use super::checked::Checked;
use api::{Range, Version, names::PluginName};
use package::{
    Manifest,
    graph::{Graph, Node},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The versions of one plugin, and the way between them.
#[derive(Debug, Serialize)]
pub(super) struct Plugin {
    /// Its name.
    pub(super) plugin: PluginName,
    /// Its versions, newest first.
    pub(super) versions: Vec<Row>,
    /// What looks wrong, in the order of kinds.
    pub(super) notes: Vec<Note>,
    /// The graph itself.
    #[serde(skip)]
    pub(super) graph: Graph,
}

/// One version.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    /// The version.
    pub(super) version: Version,
    /// What it runs, newest first.
    pub(super) runtimes: Vec<Version>,
    /// What it lists.
    pub(super) upgrade_from: Vec<Range>,
    /// For a runtime version, what may move to it.
    pub(super) migrate_from: BTreeMap<Version, Vec<Range>>,
    /// The versions here that may move to it, newest first.
    pub(super) from: Vec<Version>,
    /// The versions here that it lists and from which nobody can come.
    pub(super) closed_from: Vec<Version>,
}

/// Something that an author should know.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Note {
    /// What it is.
    pub(super) kind: Kind,
    /// Whether it must be put right.
    pub(super) severity: Severity,
    /// The version that it is about.
    pub(super) version: Version,
    /// What is wrong, and what to do.
    pub(super) message: String,
}

/// What a note is about; they are told in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kind {
    /// An edge that no App can take.
    ClosedEdge,
    /// Nobody who runs an older version can come to it.
    Unreachable,
    /// Whoever runs it can go no further, though newer versions are there.
    DeadEnd,
    /// It lists versions of which none is there.
    UnmatchedRange,
    /// An App can go back from it, and come to it again.
    Cycle,
}

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Severity {
    /// It must be put right.
    Error,
    /// It may be meant so.
    Warning,
    /// It is worth knowing.
    Note,
}

impl Note {
    /// The same note, where it stands among those of other plugins.
    pub(super) fn of(&self, plugin: &PluginName) -> Self {
        Self {
            message: format!("{plugin}: {}", self.message),
            ..self.clone()
        }
    }
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
    let nodes: BTreeMap<Version, Node> = manifests
        .iter()
        .map(|manifest| (manifest.version.clone(), Node::new(manifest, true)))
        .collect();
    let graph = Graph::new(nodes.values().cloned());
    let closed: BTreeSet<(Version, Version)> = graph
        .closed_edges()
        .into_iter()
        .map(|edge| (edge.to, edge.from))
        .collect();
    let row = |node: &Node| row(node, &nodes, &closed);
    let versions: Vec<Row> = nodes.values().rev().map(row).collect();
    Plugin {
        plugin: name.clone(),
        notes: notes(&versions),
        versions,
        graph,
    }
}

fn row(node: &Node, nodes: &BTreeMap<Version, Node>, closed: &BTreeSet<(Version, Version)>) -> Row {
    let listed = nodes.keys().rev().filter(|other| {
        **other != node.version && node.upgrade_from.iter().any(|range| range.matches(other))
    });
    let (closed_from, from) = listed
        .cloned()
        .partition(|other| closed.contains(&(node.version.clone(), other.clone())));
    Row {
        version: node.version.clone(),
        runtimes: node.runtimes.clone(),
        upgrade_from: node.upgrade_from.clone(),
        migrate_from: node.migrate_from.clone(),
        from,
        closed_from,
    }
}

/// What is to be said of `rows`, newest first.
fn notes(rows: &[Row]) -> Vec<Note> {
    let mut notes = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let (newer, older) = (&rows[..i], &rows[i + 1..]);
        notes.extend(row.closed_from.iter().map(|from| closed(row, from)));
        let from_older = row.from.iter().any(|from| *from < row.version);
        if !older.is_empty() && !from_older && row.closed_from.is_empty() {
            notes.push(unreachable(row));
        }
        let to_newer = newer.iter().any(|next| next.from.contains(&row.version));
        if !newer.is_empty() && !to_newer {
            notes.push(dead_end(row, newer));
        }
        notes.extend(unmatched(row, rows));
        notes.extend(cycles(row, rows));
    }
    notes.sort_by_key(|note| note.kind);
    notes
}

fn note(kind: Kind, severity: Severity, row: &Row, message: String) -> Note {
    Note {
        kind,
        severity,
        version: row.version.clone(),
        message,
    }
}

fn closed(row: &Row, from: &Version) -> Note {
    let to = &row.version;
    let message = format!(
        "{to} lists {from} in upgradeFrom, and no App can take that step: the two share no runtime \
         version; add a runtime of {from} to {to}, or say in its migrateFrom which may move, or take \
         {from} out of upgradeFrom"
    );
    note(Kind::ClosedEdge, Severity::Error, row, message)
}

fn unreachable(row: &Row) -> Note {
    let message = format!(
        "nobody who runs an older version can come to {}: list those that may in its upgradeFrom, \
         unless it is for new Apps alone",
        row.version
    );
    note(Kind::Unreachable, Severity::Warning, row, message)
}

fn dead_end(row: &Row, newer: &[Row]) -> Note {
    let newest = newer.first().map_or(&row.version, |row| &row.version);
    let message = format!(
        "whoever runs {} can go no further, and {newest} is there: a newer version that may follow \
         it must list it in upgradeFrom",
        row.version
    );
    note(Kind::DeadEnd, Severity::Warning, row, message)
}

fn unmatched(row: &Row, rows: &[Row]) -> Vec<Note> {
    let nothing = |range: &&Range| {
        let mut others = rows.iter().filter(|other| other.version != row.version);
        !others.any(|other| range.matches(&other.version))
    };
    let told = |range: &Range| {
        let message = format!(
            "{} lists `{range}` in upgradeFrom, which is no version found here; ignore this where \
             such versions are kept elsewhere",
            row.version
        );
        note(Kind::UnmatchedRange, Severity::Warning, row, message)
    };
    row.upgrade_from.iter().filter(nothing).map(told).collect()
}

/// The newer versions from which an App may go back to `row`, and to which it can come again.
fn cycles(row: &Row, rows: &[Row]) -> Vec<Note> {
    let newer = row.from.iter().filter(|from| **from > row.version);
    let round = newer.filter(|from| leads(&row.version, from, rows));
    let told = |from: &Version| {
        let to = &row.version;
        let message = format!(
            "an App can go back from {from} to {to}, and come to {from} again; take {from} out of the \
             upgradeFrom of {to} unless the way back is meant"
        );
        note(Kind::Cycle, Severity::Note, row, message)
    };
    round.map(told).collect()
}

/// Whether a way leads from one version to the other.
fn leads(from: &Version, to: &Version, rows: &[Row]) -> bool {
    let (mut seen, mut open) = (BTreeSet::from([from]), vec![from]);
    while let Some(at) = open.pop() {
        let next = rows.iter().filter(|row| row.from.contains(at));
        open.extend(
            next.map(|row| &row.version)
                .filter(|version| seen.insert(*version)),
        );
    }
    seen.contains(to)
}
