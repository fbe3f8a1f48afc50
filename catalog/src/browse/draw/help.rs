//! The line of keys at the bottom, and all keys.

use super::{
    look::Role,
    text::{cells, cut, filled, wrap},
};
use crate::browse::{
    keys::ALL,
    layout::Layout,
    state::{Focus, State},
};
use ratatui::{
    style::Style,
    text::{Line, Span},
};

/// The column of what keys do.
const COLUMN: usize = 20;

/// Every key, and what it does.
pub(super) fn lines(state: &State, width: usize) -> Vec<Line<'static>> {
    let look = state.look;
    let mut lines = vec![Line::default()];
    for (keys, what) in ALL {
        let mut keys = format!("  {}", filled(keys, COLUMN - 2));
        for mut line in wrap(
            &cells(what, Style::new()),
            width.saturating_sub(COLUMN),
            "",
            "",
        ) {
            let before = std::mem::replace(&mut keys, " ".repeat(COLUMN));
            line.spans
                .insert(0, Span::styled(before, look.style(Role::Title)));
            lines.push(line);
        }
    }
    lines
}

/// What the last key led to, else the keys of where one is.
pub(super) fn keys(state: &State, layout: &Layout) -> Line<'static> {
    if let Some(told) = &state.told {
        let text = cut(told, layout.keys.width.into(), state.look.unicode);
        return Line::styled(text, state.look.style(Role::Care));
    }
    let text = match state.focus {
        Focus::Search => "Enter  to the list   Esc  all   arrows  choose   Ctrl-u  empty",
        Focus::List => "Enter  open   /  search   ?  keys   q  end   y  copy   Tab  next tab",
        Focus::Details => {
            "Esc  list   h l  tab   j k  scroll   ?  keys   q  end   [ ]  version   y  copy"
        }
    };
    bottom(state, text)
}

/// `key  what` with two blanks between, three between two of them; those that do not fit are left
/// out.
pub(super) fn bottom(state: &State, text: &str) -> Line<'static> {
    let mut room = usize::from(state.size.0);
    let mut spans = Vec::new();
    for pair in text.split("   ") {
        let Some((key, what)) = pair.split_once("  ") else {
            continue;
        };
        let length = key.len() + what.len() + 4;
        if length > room + 3 {
            continue;
        }
        room = room.saturating_sub(length);
        spans.push(Span::styled(key.to_owned(), state.look.style(Role::Title)));
        let what = format!(" {what}   ");
        spans.push(Span::styled(what, state.look.style(Role::Quiet)));
    }
    Line::from(spans)
}
