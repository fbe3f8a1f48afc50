//! The screen for a state. Pure: the same state gives the same screen.
//!
//! In: [`State`]. Out: cells of a frame; the terminal is sent those that changed.

mod details;
mod help;
mod list;
pub(crate) mod look;
mod markdown;
mod pages;
pub(crate) mod text;

pub(crate) use pages::page;

use super::{
    layout::Layout,
    state::{Focus, State},
    view::Part,
};
use look::Role;
use ratatui::{
    Frame,
    layout::{Position, Rect},
    text::{Line, Span},
};
use text::{cut, filled};
use unicode_width::UnicodeWidthStr as _;

/// The smallest screen that shows something of use.
const LEAST: (u16, u16) = (24, 8);

/// Draws the whole screen.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>) {
    let (width, height) = state.size;
    if width < LEAST.0 || height < LEAST.1 {
        let text = format!(
            "{width}x{height} is too small; {}x{} is the least. q ends",
            LEAST.0, LEAST.1
        );
        let lines = text::wrap(
            &text::cells(&text, ratatui::style::Style::new()),
            width.into(),
            "",
            "",
        );
        return put(frame, Rect::new(0, 0, width, height), lines);
    }
    let layout = Layout::of(state);
    put(frame, layout.title, vec![title(state, width.into())]);
    if state.help {
        let body = Rect::new(0, 1, width, height - 2);
        put(frame, body, help::lines(state, width.into()));
        put(
            frame,
            layout.keys,
            vec![help::bottom(state, "any key  back")],
        );
        return;
    }
    search(state, frame, layout.search);
    let rule = Rect::new(0, 2, width, 1);
    put(
        frame,
        rule,
        vec![quiet(state, state.look.rule(width.into()))],
    );
    put(frame, layout.list, list::lines(state, layout.list));
    for y in 0..layout.rule.height {
        let at = Rect::new(layout.rule.x, layout.rule.y + y, 1, 1);
        put(
            frame,
            at,
            vec![quiet(state, state.look.either("│", "|").to_owned())],
        );
    }
    put(
        frame,
        layout.head,
        details::head(state, layout.head.width.into()),
    );
    let lines = page(state, layout.page.width).into_iter();
    put(frame, layout.page, lines.skip(state.page_top).collect());
    put(frame, layout.keys, vec![help::keys(state, &layout)]);
}

/// Puts lines into an area; what does not fit is left out.
fn put(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>) {
    let area = area.intersection(frame.area());
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        frame.buffer_mut().set_line(area.x, y, &line, area.width);
    }
}

fn quiet(state: &State, text: String) -> Line<'static> {
    Line::styled(text, state.look.style(Role::Quiet))
}

/// What it is, of which cluster, and what is the matter with it.
fn title(state: &State, width: usize) -> Line<'static> {
    let (words, role) = match (&state.catalog, &state.trouble) {
        (Part::Loading, _) => ("loading".to_owned(), Role::Care),
        (Part::Absent(_), _) => ("not there".to_owned(), Role::Bad),
        (Part::Ready(_), Some(_)) => ("no answer, shown as last seen".to_owned(), Role::Bad),
        (Part::Ready(catalog), None) => {
            let versions = catalog.plugins.iter().map(|plugin| plugin.versions.len());
            let plugins = crate::output::count(catalog.plugins.len(), "plugin");
            let versions = crate::output::count(versions.sum(), "version");
            (format!("{plugins}, {versions}"), Role::Quiet)
        }
    };
    let left = format!("Catalog  {}", state.place);
    let left = cut(
        &left,
        width.saturating_sub(words.width() + 2),
        state.look.unicode,
    );
    let left = filled(&left, width.saturating_sub(words.width()));
    Line::from(vec![
        Span::styled(left, state.look.style(Role::Title)),
        Span::styled(words, state.look.style(role)),
    ])
}

/// What is searched for, and how much is found.
fn search(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let (all, found) = (state.plugins().len(), state.found().len());
    let is_typed = state.focus == Focus::Search;
    let right = match state.query.is_empty() {
        _ if (is_typed || !state.query.is_empty()) && state.described() < all => {
            format!("{found} of {all}, loading descriptions")
        }
        true => String::new(),
        false => format!("{found} of {all}"),
    };
    let width: usize = area.width.into();
    let room = width.saturating_sub(right.width() + 3);
    let query: String = match state.query.width() > room {
        // The end is what one types.
        true => {
            let characters: Vec<char> = state.query.chars().collect();
            let from = characters.len().saturating_sub(room);
            characters.iter().skip(from).collect()
        }
        false => state.query.clone(),
    };
    let text = match (is_typed, query.is_empty()) {
        (false, true) => Span::styled(
            filled("to search by name, keyword, description", room),
            state.look.style(Role::Quiet),
        ),
        _ => Span::styled(filled(&query, room), state.look.style(Role::Found)),
    };
    let mark = Span::styled("/ ", state.look.style(Role::Title));
    let right = Span::styled(format!(" {right}"), state.look.style(Role::Quiet));
    put(frame, area, vec![Line::from(vec![mark, text, right])]);
    if is_typed {
        let x = area.x + 2 + u16::try_from(query.width()).unwrap_or(0);
        frame.set_cursor_position(Position::new(x.min(area.right().saturating_sub(1)), area.y));
    }
}

#[cfg(test)]
mod tests;
