//! All versions of a plugin, and which reaches which: from the selected one, and to it.

use crate::{
    browse::{
        draw::{
            look::{Look, Role},
            text::{Cells, cells, columns, filled, line, wrap},
        },
        view::{Part, Plugin, Version, Way, Ways},
    },
    output::count,
};
use ratatui::{style::Style, text::Line};
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr as _;

/// How many reasons are told.
const REASONS: usize = 12;
/// The width of the column of a standing.
const WORD: usize = 11;
/// The width of a column of ways.
const WAY: usize = 9;
/// The least width of a column of runtimes.
const RUNS: usize = 10;

/// The page.
pub(super) fn lines(
    plugin: &Plugin,
    selected: &Version,
    ways: Option<&Part<Ways>>,
    width: usize,
    look: Look,
) -> Vec<Line<'static>> {
    let unknown = Ways::default();
    let ways = match ways {
        Some(Part::Ready(ways)) => Some(ways),
        Some(Part::Absent(_)) => Some(&unknown),
        _ => None,
    };
    let name = plugin.versions.iter().map(|v| v.version.width()).max();
    let name = name.unwrap_or(0).max("version".len());
    let (narrow, wide) = (4 + name + 2 + WORD, 2 * (WAY + 1));
    let has_ways = width >= narrow + wide;
    let table = Table {
        selected: &selected.version,
        name,
        has_ways,
        has_runs: width >= narrow + if has_ways { wide } else { 0 } + RUNS,
        look,
    };
    let mut lines = vec![table.head()];
    let rows = plugin.versions.iter();
    lines.extend(rows.map(|version| table.row(version, ways, width)));
    let Some(ways) = ways else {
        lines.push(Line::default());
        lines.push(Line::styled(
            "loading the ways between them",
            look.style(Role::Quiet),
        ));
        return lines;
    };
    let here = &selected.version;
    lines.extend(several(
        &format!("From {here} in several edits"),
        &ways.onward,
        width,
        look,
    ));
    lines.extend(several(
        &format!("To {here} in several edits"),
        &ways.inward,
        width,
        look,
    ));
    lines.extend(refused(
        &format!("An App on {here} cannot come to"),
        &ways.onward,
        width,
        look,
    ));
    lines
}

/// The table of versions.
struct Table<'a> {
    selected: &'a str,
    /// The width of the column of versions.
    name: usize,
    /// Whether there is room for the columns of ways.
    has_ways: bool,
    /// Whether there is room for what they run.
    has_runs: bool,
    look: Look,
}

impl Table<'_> {
    fn head(&self) -> Line<'static> {
        let mut text = format!(
            "    {}  {}",
            filled("version", self.name),
            filled("state", WORD)
        );
        if self.has_ways {
            text.push_str(&format!(
                " {} {}",
                filled("from here", WAY),
                filled("to here", WAY)
            ));
        }
        if self.has_runs {
            text.push_str(" runs");
        }
        Line::styled(text, self.look.style(Role::Quiet))
    }

    fn row(&self, version: &Version, ways: Option<&Ways>, width: usize) -> Line<'static> {
        let look = self.look;
        let standing = look.standing(version.standing);
        let here = version.version == self.selected;
        let mut row = cells(if here { "> " } else { "  " }, look.style(Role::Title));
        row.extend(cells(
            &format!("{} ", look.sign(version.standing)),
            standing,
        ));
        let role = if here {
            look.style(Role::Title)
        } else {
            Style::new()
        };
        row.extend(cells(
            &format!("{}  ", filled(&version.version, self.name)),
            role,
        ));
        row.extend(cells(&filled(version.standing.word(), WORD), standing));
        if self.has_ways {
            let onward = ways.map(|ways| &ways.onward);
            let inward = ways.map(|ways| &ways.inward);
            for ways in [onward, inward] {
                row.extend(self.way(ways, &version.version));
            }
        }
        if self.has_runs {
            let room = width.saturating_sub(columns(&row) + 1);
            let runs = fitting(&version.runtimes, room);
            row.extend(cells(&format!(" {runs}"), look.style(Role::Quiet)));
        }
        line(&row, "")
    }

    fn way(&self, ways: Option<&BTreeMap<String, Way>>, to: &str) -> Cells {
        let look = self.look;
        let (text, style) = match ways.map(|ways| ways.get(to)) {
            _ if to == self.selected => ("here".to_owned(), look.style(Role::Quiet)),
            None => (String::new(), Style::new()),
            Some(Some(Way::Edits(edits))) => (count(edits.len(), "edit"), look.style(Role::Good)),
            Some(_) => ("no".to_owned(), look.style(Role::Quiet)),
        };
        cells(&format!(" {}", filled(&text, WAY)), style)
    }
}

/// As many of the versions as there is room for.
fn fitting(versions: &[String], room: usize) -> String {
    let all = versions.join(", ");
    if all.width() <= room {
        return all;
    }
    let first = versions.first().map_or("", String::as_str);
    let others = versions.len().saturating_sub(1);
    let some = match others {
        0 => first.to_owned(),
        others => format!("{first} +{others}"),
    };
    if some.width() <= room {
        some
    } else {
        String::new()
    }
}

/// The ways that take more than one edit.
fn several(
    head: &str,
    ways: &BTreeMap<String, Way>,
    width: usize,
    look: Look,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (version, way) in ways {
        let Way::Edits(edits) = way else { continue };
        if edits.len() > 1 {
            let arrow = look.either(" → ", " -> ");
            let text = format!("{version}: {}", edits.join(arrow));
            lines.extend(wrap(&cells(&text, Style::new()), width, "  ", "      "));
        }
    }
    headed(head, lines, look)
}

/// Why the rest cannot be reached.
fn refused(
    head: &str,
    ways: &BTreeMap<String, Way>,
    width: usize,
    look: Look,
) -> Vec<Line<'static>> {
    let reasons = ways.iter().rev().filter_map(|(version, way)| match way {
        Way::Refused(reason) => Some((version, reason)),
        Way::Edits(_) => None,
    });
    let number = reasons.clone().count();
    let mut lines = Vec::new();
    for (version, reason) in reasons.take(REASONS) {
        let text = format!("{version}: {reason}");
        lines.extend(wrap(&cells(&text, Style::new()), width, "  ", "      "));
    }
    if number > REASONS {
        lines.push(Line::raw(format!("  and {} more", number - REASONS)));
    }
    headed(head, lines, look)
}

fn headed(head: &str, mut lines: Vec<Line<'static>>, look: Look) -> Vec<Line<'static>> {
    if !lines.is_empty() {
        lines.insert(0, Line::styled(head.to_owned(), look.style(Role::Title)));
        lines.insert(0, Line::default());
    }
    lines
}
