//! What looks wrong in the graph of one plugin: edges that no App can take, versions that nobody comes
//! to or leaves, ranges that mean nothing, ways that lead round.
//!
//! In: a graph. Out: notes with what to do. They refuse nothing: an edge is judged apart from the
//! version that declares it.

use super::{Graph, dev, walk::accepted};
use api::{Range, Version, names::PluginName};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Something that an author should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What it is.
    pub kind: NoteKind,
    /// Whether it must be put right.
    pub severity: Severity,
    /// The version that it is about.
    pub version: Version,
    /// What is wrong, and what to do.
    pub message: String,
}

/// What a note is about; they are told in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum NoteKind {
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
pub enum Severity {
    /// It must be put right.
    Error,
    /// It may be meant so.
    Warning,
    /// It is worth knowing.
    Note,
}

/// The versions of the graph that one version lists in `upgradeFrom`, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predecessors {
    /// Those from which an App may come.
    pub open: Vec<Version>,
    /// Those from which none can: the edge is closed.
    pub closed: Vec<Version>,
}

impl Note {
    /// The same note, where it stands among those of other plugins.
    pub fn of(&self, plugin: &PluginName) -> Self {
        Self {
            message: format!("{plugin}: {}", self.message),
            ..self.clone()
        }
    }

    /// Whether it must be put right.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl Graph {
    /// The versions that `version` lists; none where it is not in the graph.
    pub fn predecessors(&self, version: &Version) -> Predecessors {
        let Some(node) = self.nodes.get(version) else {
            return Predecessors::default();
        };
        let versions: Vec<&Version> = self.nodes.keys().collect();
        let mut found = Predecessors::default();
        for from in accepted(node, &versions).into_iter().rev() {
            let Some((version, from)) = versions
                .get(from)
                .and_then(|v| self.nodes.get_key_value(*v))
            else {
                continue;
            };
            match from {
                from if from.version == node.version => {}
                from if super::walk::bridged(from, node) => found.open.push(version.clone()),
                // Nobody declared it.
                from if dev::are_siblings(&from.version, &node.version) => {}
                _ => found.closed.push(version.clone()),
            }
        }
        found
    }

    /// What looks wrong, in the order of kinds, and of each kind newest first.
    pub fn lint(&self) -> Vec<Note> {
        let rows: Vec<Row<'_>> = self
            .nodes
            .values()
            .rev()
            .map(|node| Row::new(self, node))
            .collect();
        let next = next(&rows);
        let mut notes = Vec::new();
        for (i, row) in rows.iter().enumerate() {
            let (newer, older) = (&rows[..i], &rows[i + 1..]);
            notes.extend(row.from.closed.iter().map(|from| row.closed(from)));
            let from_older = row.from.open.iter().any(|from| from < row.version);
            if !older.is_empty() && !from_older && row.from.closed.is_empty() {
                notes.push(row.unreachable());
            }
            let follows = next.get(row.version).into_iter().flatten();
            if let Some(newest) = newer.first()
                && !follows.into_iter().any(|to| *to > row.version)
            {
                notes.push(row.dead_end(newest.version));
            }
            notes.extend(row.unmatched(self));
            notes.extend(row.cycles(&next));
        }
        notes.sort_by_key(|note| note.kind);
        notes
    }
}

/// For each version, those that may follow it.
type Next<'a> = BTreeMap<&'a Version, Vec<&'a Version>>;

fn next<'a>(rows: &'a [Row<'a>]) -> Next<'a> {
    let mut next = Next::new();
    for row in rows {
        for from in &row.from.open {
            next.entry(from).or_default().push(row.version);
        }
    }
    next
}

/// One version, and who may come to it.
struct Row<'a> {
    version: &'a Version,
    upgrade_from: &'a [Range],
    from: Predecessors,
}

impl<'a> Row<'a> {
    fn new(graph: &Graph, node: &'a super::Node) -> Self {
        Self {
            version: &node.version,
            upgrade_from: &node.upgrade_from,
            from: graph.predecessors(&node.version),
        }
    }

    fn note(&self, kind: NoteKind, severity: Severity, message: String) -> Note {
        Note {
            kind,
            severity,
            version: self.version.clone(),
            message,
        }
    }

    fn closed(&self, from: &Version) -> Note {
        let to = self.version;
        let message = format!(
            "{to} lists {from} in upgradeFrom, and no App can take that step: the two share no \
             runtime version; add a runtime of {from} to {to}, or say in its migrateFrom which may \
             move, or take {from} out of upgradeFrom"
        );
        self.note(NoteKind::ClosedEdge, Severity::Error, message)
    }

    fn unreachable(&self) -> Note {
        let message = format!(
            "nobody who runs an older version can come to {}: list those that may in its \
             upgradeFrom, unless it is for new Apps alone",
            self.version
        );
        self.note(NoteKind::Unreachable, Severity::Warning, message)
    }

    fn dead_end(&self, newest: &Version) -> Note {
        let message = format!(
            "whoever runs {} can go no further, and {newest} is there: a newer version that may \
             follow it must list it in upgradeFrom",
            self.version
        );
        self.note(NoteKind::DeadEnd, Severity::Warning, message)
    }

    fn unmatched(&self, graph: &Graph) -> Vec<Note> {
        let nothing = |range: &&Range| {
            let mut others = graph.nodes.keys().filter(|other| *other != self.version);
            !others.any(|other| range.matches(other))
        };
        let told = |range: &Range| {
            let message = format!(
                "{} lists `{range}` in upgradeFrom, which is no version found here; ignore this \
                 where such versions are kept elsewhere",
                self.version
            );
            self.note(NoteKind::UnmatchedRange, Severity::Warning, message)
        };
        self.upgrade_from.iter().filter(nothing).map(told).collect()
    }

    /// The newer versions from which an App may go back to this one, and to which it can come again.
    fn cycles(&self, next: &Next<'_>) -> Vec<Note> {
        let newer: Vec<&Version> = self
            .from
            .open
            .iter()
            .filter(|from| *from > self.version && !dev::are_siblings(from, self.version))
            .collect();
        if newer.is_empty() {
            return Vec::new();
        }
        let reached = reached(self.version, next);
        let told = |from: &&Version| {
            let to = self.version;
            let message = format!(
                "an App can go back from {from} to {to}, and come to {from} again; take {from} out \
                 of the upgradeFrom of {to} unless the way back is meant"
            );
            self.note(NoteKind::Cycle, Severity::Note, message)
        };
        newer
            .iter()
            .filter(|from| reached.contains(**from))
            .map(told)
            .collect()
    }
}

/// Every version to which a way leads from `from`, itself included.
fn reached<'a>(from: &'a Version, next: &'a Next<'_>) -> BTreeSet<&'a Version> {
    let (mut seen, mut open) = (BTreeSet::from([from]), vec![from]);
    while let Some(at) = open.pop() {
        let follows = next.get(at).into_iter().flatten().copied();
        open.extend(follows.filter(|version| seen.insert(*version)));
    }
    seen
}
