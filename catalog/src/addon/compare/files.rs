//! Which files differ, and by how much.

use crate::output::{Paint, count, one_line};
use package::Tree;
use serde::Serialize;
use similar::{ChangeTag, TextDiff};
use std::collections::{BTreeMap, BTreeSet};

/// A file that differs.
#[derive(Debug, Serialize)]
pub(super) struct File {
    path: String,
    change: Change,
    /// Lines that came and went, where both sides are text.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Lines>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Change {
    Added,
    Changed,
    Removed,
}

#[derive(Debug, Serialize)]
struct Lines {
    added: usize,
    removed: usize,
}

/// The files that differ, by path.
pub(super) fn changed(before: &Tree, after: &Tree) -> Vec<File> {
    let paths: BTreeSet<&str> = before
        .files()
        .chain(after.files())
        .map(|(path, _)| path)
        .collect();
    let differs = |path: &&str| before.get(path) != after.get(path);
    let file = |path: &str| {
        let (old, new) = (before.get(path), after.get(path));
        File {
            path: path.to_owned(),
            change: match (old, new) {
                (None, _) => Change::Added,
                (_, None) => Change::Removed,
                _ => Change::Changed,
            },
            lines: lines(old.unwrap_or_default(), new.unwrap_or_default()),
        }
    };
    paths.into_iter().filter(differs).map(file).collect()
}

fn lines(before: &[u8], after: &[u8]) -> Option<Lines> {
    let (before, after) = (
        std::str::from_utf8(before).ok()?,
        std::str::from_utf8(after).ok()?,
    );
    let diff = TextDiff::from_lines(before, after);
    let of = |tag: ChangeTag| {
        diff.iter_all_changes()
            .filter(|change| change.tag() == tag)
            .count()
    };
    Some(Lines {
        added: of(ChangeTag::Insert),
        removed: of(ChangeTag::Delete),
    })
}

/// The files that are text, by path; of others what can be said of them.
pub(super) fn texts(tree: &Tree) -> BTreeMap<String, String> {
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("{} bytes that are no text\n", bytes.len()),
    };
    tree.files()
        .map(|(path, bytes)| (path.to_owned(), text(bytes)))
        .collect()
}

/// A line for each file.
pub(super) fn text(files: &[File], paint: Paint) -> String {
    let mut text = format!("\n{} differ\n", count(files.len(), "file"));
    if files.len() == 1 {
        text = text.replace("differ", "differs");
    }
    for file in files {
        let path = one_line(&file.path);
        let line = match file.change {
            Change::Added => paint.green(&format!("+ {path}")),
            Change::Removed => paint.red(&format!("- {path}")),
            Change::Changed => format!("~ {path}"),
        };
        let lines = match (&file.lines, file.change) {
            (Some(lines), _) => format!("  +{} -{}", lines.added, lines.removed),
            (None, _) => "  no text".to_owned(),
        };
        text.push_str(&format!("  {line}{lines}\n"));
    }
    text
}
