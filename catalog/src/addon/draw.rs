//! The upgrade graph in characters: a row for each version, newest first, and a line for each
//! version that something older may move to, from those below it up to it.

use super::graph::Row;
use crate::output::WIDTH;

/// The most lines side by side; a graph with more is told in words alone.
const MAX_LANES: usize = 12;
/// The most characters of a version in the drawing.
const MAX_VERSION: usize = 24;

/// A vertical line: the row that it leads up to, and the rows that it comes from.
#[derive(Debug)]
struct Lane {
    column: usize,
    to: usize,
    from: Vec<usize>,
}

impl Lane {
    fn end(&self) -> usize {
        self.from.iter().copied().max().unwrap_or(self.to)
    }

    fn joins(&self, row: usize) -> bool {
        self.to == row || self.from.contains(&row)
    }
}

/// The rows, each with what it is and runs, in lines of at most [`WIDTH`] characters.
pub(super) fn graph(rows: &[Row]) -> String {
    let lanes = lanes(rows);
    let versions: Vec<String> = rows
        .iter()
        .map(|row| cut(&row.version.to_string(), MAX_VERSION))
        .collect();
    let widest = versions.iter().map(|v| v.chars().count()).max();
    let widest = widest.unwrap_or_default();
    let columns = lanes.iter().map(|lane| lane.column + 1).max();
    let columns = columns.unwrap_or_default();
    let mut text = String::new();
    for (i, (row, version)) in rows.iter().zip(&versions).enumerate() {
        let mut line = format!("  {version:widest$} {}", lines(&lanes, columns, i));
        let left = WIDTH.saturating_sub(line.chars().count() + 2);
        line.push_str(&format!("  {}", words(row, left)));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A line for each version with older ones before it, in columns so that no two of one column touch.
fn lanes(rows: &[Row]) -> Vec<Lane> {
    let mut lanes = Vec::<Lane>::new();
    for (to, row) in rows.iter().enumerate() {
        let older = rows.iter().enumerate().skip(to + 1);
        let from: Vec<usize> = older
            .filter(|(_, other)| row.from.contains(&other.version))
            .map(|(i, _)| i)
            .collect();
        if from.is_empty() {
            continue;
        }
        let free = |column: &usize| {
            let mut there = lanes.iter().filter(|lane| lane.column == *column);
            there.all(|lane| lane.end() < to)
        };
        match (0..MAX_LANES).find(free) {
            Some(column) => lanes.push(Lane { column, to, from }),
            None => return Vec::new(),
        }
    }
    lanes
}

/// The part of the drawing between version and words of the row `at`.
fn lines(lanes: &[Lane], columns: usize, at: usize) -> String {
    if columns == 0 {
        return String::new();
    }
    let joined = lanes.iter().filter(|lane| lane.joins(at));
    let reach = joined.map(|lane| lane.column + 1).max().unwrap_or_default();
    let arrives = lanes.iter().any(|lane| lane.to == at);
    let mut line = String::from(match (arrives, reach) {
        (true, _) => "◀─",
        (false, 0) => "  ",
        (false, _) => "──",
    });
    for column in 0..columns {
        let there = |lane: &&Lane| lane.column == column && (lane.to..=lane.end()).contains(&at);
        line.push(junction(lanes.iter().find(there), at, column + 1 < reach));
        line.push(if column + 1 < reach { '─' } else { ' ' });
    }
    line
}

/// The character where the line of `lane` meets the row `at`, which goes on to the right or not.
fn junction(lane: Option<&Lane>, at: usize, right: bool) -> char {
    let Some(lane) = lane else {
        return if right { '─' } else { ' ' };
    };
    if !lane.joins(at) {
        return '│';
    }
    match (at > lane.to, at < lane.end(), right) {
        (true, true, true) => '┼',
        (true, true, false) => '┤',
        (true, false, true) => '┴',
        (true, false, false) => '╯',
        (false, _, true) => '┬',
        (false, _, false) => '╮',
    }
}

/// What may move to the version, and what it runs, in `width` characters.
fn words(row: &Row, width: usize) -> String {
    let from: Vec<String> = row.from.iter().map(ToString::to_string).collect();
    let runs: Vec<String> = row.runtimes.iter().map(ToString::to_string).collect();
    let runs = format!("runs {}", runs.join(", "));
    let runs = match row.remark.as_str() {
        "" => runs,
        remark => format!("{runs}  {remark}"),
    };
    let words = match from.is_empty() {
        true => runs,
        false => {
            let from = format!("from {}", from.join(", "));
            let left = width.saturating_sub(runs.chars().count() + 2);
            format!("{}  {runs}", cut(&from, left.max(width / 2)))
        }
    };
    cut(&words, width)
}

/// The text, with `…` at its end where it had more than `most` characters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests;
