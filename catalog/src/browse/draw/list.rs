//! The list: plugins, and the versions of those that are unfolded.

use super::{
    look::Role,
    text::{Cells, cells, columns, cut, line, wrap},
};
use crate::{
    browse::{
        search,
        state::{Focus, Row, State},
        view::{Part, Plugin, Version},
    },
    output::count,
};
use ratatui::{layout::Rect, style::Style, text::Line};

/// The rows that are seen, or why there is none.
pub(super) fn lines(state: &State, area: Rect) -> Vec<Line<'static>> {
    // The last column stays free.
    let width = usize::from(area.width).saturating_sub(1);
    let rows = state.rows();
    if rows.is_empty() {
        let text = nothing(state);
        return wrap(&cells(&text, Style::new()), width, "", "");
    }
    let shown = rows.iter().skip(state.list_top).take(area.height.into());
    shown.map(|row| one(state, row, width)).collect()
}

fn nothing(state: &State) -> String {
    match &state.catalog {
        Part::Loading => "loading".to_owned(),
        Part::Absent(why) => format!("{why}  (r asks again)"),
        Part::Ready(_) if state.query.is_empty() => {
            "No addon is in this cluster yet. `kubectl middleware source add` adds a place that \
             addons come from."
                .to_owned()
        }
        Part::Ready(_) => format!(
            "Nothing is found by `{}`. Esc shows all.",
            state.query.trim()
        ),
    }
}

/// One row: what it is, and how many use it.
fn one(state: &State, row: &Row<'_>, width: usize) -> Line<'static> {
    let (left, right) = match row.version {
        None => (plugin(state, row.plugin), apps(row.plugin.users())),
        Some(version) => (self::version(state, version), beside(version)),
    };
    let right = cells(&right, state.look.style(Role::Quiet));
    let room = width.saturating_sub(columns(&right) + 1);
    let mut all = match columns(&left) > room {
        true => cut_cells(&left, room, state.look.unicode),
        false => left,
    };
    let blanks = width.saturating_sub(columns(&all) + columns(&right));
    all.extend(cells(&" ".repeat(blanks), Style::new()));
    all.extend(right);
    if row.name() == state.selected {
        let role = match state.focus {
            Focus::Details => Role::Held,
            _ => Role::Selected,
        };
        let style = state.look.style(role);
        all.iter_mut().for_each(|cell| cell.1 = cell.1.patch(style));
        // Without any attribute the row is still known by its first sign.
        if let Some(first) = all.first_mut() {
            first.0 = '>';
        }
    }
    line(&all, "")
}

fn plugin(state: &State, plugin: &Plugin) -> Cells {
    let look = state.look;
    let fold = match state.unfolded.contains(&plugin.name) {
        true => look.either("▾", "-"),
        false => look.either("▸", "+"),
    };
    let mut row = cells(&format!(" {fold} "), look.style(Role::Quiet));
    let marked = search::marked(&state.query, &plugin.name);
    for (i, c) in plugin.name.chars().enumerate() {
        let role = if marked.contains(&i) {
            Role::Found
        } else {
            Role::Title
        };
        row.push((c, look.style(role)));
    }
    row.extend(cells(
        &format!(" {}", plugin.recommended),
        look.style(Role::Quiet),
    ));
    row
}

fn version(state: &State, version: &Version) -> Cells {
    let style = state.look.standing(version.standing);
    let sign = state.look.sign(version.standing);
    let mut row = cells("    ", Style::new());
    row.extend(cells(&format!("{sign} "), style));
    row.extend(cells(&version.version, Style::new()));
    row
}

/// The word of a version that is not simply Active, else how many use it.
fn beside(version: &Version) -> String {
    match version.standing {
        crate::browse::view::Standing::Active => apps(version.number_of_users()),
        standing => standing.word().to_owned(),
    }
}

fn apps(number: usize) -> String {
    match number {
        0 => String::new(),
        number => count(number, "App"),
    }
}

fn cut_cells(all: &Cells, room: usize, unicode: bool) -> Cells {
    let text: String = all.iter().map(|(c, _)| c).collect();
    let cut = cut(&text, room, unicode);
    let styles = all.iter().map(|(_, style)| *style);
    cut.chars().zip(styles).collect()
}
