//! A table of Markdown: columns as wide as their words, or narrower and wrapped where the screen is.

use crate::browse::draw::{
    look::{Look, Role},
    text::{Cells, columns, wrap},
};
use ratatui::{
    style::Style,
    text::{Line, Span},
};

/// Between two columns.
const GAP: usize = 2;
/// A column is not made narrower than this.
const LEAST: usize = 6;

/// What was read of it; the first row is its head.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<Cells>>,
    row: Vec<Cells>,
}

impl Table {
    /// One more cell of the row.
    pub(super) fn cell(&mut self, cell: Cells) {
        self.row.push(cell);
    }

    /// The end of the row.
    pub(super) fn row(&mut self) {
        self.rows.push(std::mem::take(&mut self.row));
    }

    /// Its lines in `width` columns.
    pub(super) fn lines(&self, width: usize, look: Look) -> Vec<Line<'static>> {
        let widths = self.widths(width);
        let mut lines = Vec::new();
        for (i, row) in self.rows.iter().enumerate() {
            lines.extend(one(row, &widths));
            if i == 0 {
                let rules: Vec<String> = widths.iter().map(|width| look.rule(*width)).collect();
                let rule = rules.join(&" ".repeat(GAP));
                lines.push(Line::styled(rule, look.style(Role::Quiet)));
            }
        }
        lines
    }

    /// As wide as the widest cell; the widest column gives way first.
    fn widths(&self, width: usize) -> Vec<usize> {
        let number = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| columns(cell)).max().unwrap_or(0).max(1)
        };
        let mut widths: Vec<usize> = (0..number).map(widest).collect();
        let room = width.saturating_sub(GAP * number.saturating_sub(1));
        while widths.iter().sum::<usize>() > room {
            match widths.iter_mut().max() {
                Some(widest) if *widest > LEAST => *widest -= 1,
                _ => break,
            }
        }
        widths
    }
}

/// The lines of one row.
fn one(row: &[Cells], widths: &[usize]) -> Vec<Line<'static>> {
    let nothing = Cells::new();
    let cell = |(i, width): (usize, &usize)| wrap(row.get(i).unwrap_or(&nothing), *width, "", "");
    let cells: Vec<Vec<Line<'static>>> = widths.iter().enumerate().map(cell).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |i: usize| {
        let mut spans = Vec::new();
        for (cell, width) in cells.iter().zip(widths) {
            let line = cell.get(i).cloned().unwrap_or_default();
            let pad = width.saturating_sub(line.width()) + GAP;
            spans.extend(line.spans);
            spans.push(Span::styled(" ".repeat(pad), Style::new()));
        }
        spans.pop();
        Line::from(spans)
    };
    (0..height).map(line).collect()
}
