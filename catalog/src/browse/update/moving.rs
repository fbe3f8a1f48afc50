//! Where the selection goes: by keys, and when the list changes under it.

use super::{Wish, select};
use crate::browse::state::{Selected, State};

/// The line that `wish` leads to from `line`, where `height` lines are seen.
pub(super) fn by_lines(wish: Wish, line: usize, height: usize) -> usize {
    let page = height.saturating_sub(1).max(1);
    match wish {
        Wish::Down => line + 1,
        Wish::Up => line.saturating_sub(1),
        Wish::PageDown => line + page,
        Wish::PageUp => line.saturating_sub(page),
        Wish::HalfDown => line + page.div_ceil(2),
        Wish::HalfUp => line.saturating_sub(page.div_ceil(2)),
        Wish::First => 0,
        Wish::Last => usize::MAX,
        _ => line,
    }
}

/// Selects the next older, or newer, version of the plugin.
pub(super) fn older(state: &mut State, older: bool) {
    let Some((plugin, shown)) = state.version() else {
        return;
    };
    let versions = &plugin.versions;
    let at = versions.iter().position(|v| v.version == shown.version);
    let to = at.and_then(|at| match older {
        true => versions.get(at + 1),
        false => versions.get(at.checked_sub(1)?),
    });
    let Some(to) = to else {
        let end = if older { "oldest" } else { "newest" };
        state.told = Some(format!("{} is the {end} version", shown.version));
        return;
    };
    let row = Selected {
        plugin: plugin.name.clone(),
        version: Some(to.version.clone()),
    };
    state.unfolded.insert(row.plugin.clone());
    select(state, row);
}

/// A row that went is replaced by its plugin, or by the first row.
pub(super) fn keep_selection(state: &mut State) {
    let rows = state.rows();
    if state.position(&rows).is_some() {
        return;
    }
    let plugin = rows
        .iter()
        .find(|row| row.plugin.name == state.selected.plugin);
    if let Some(row) = plugin.or(rows.first()) {
        select(state, row.name());
    } else if state.query.is_empty() {
        select(state, Selected::default());
    }
}

/// Moves the list no further than the selected row asks for.
pub(super) fn keep_in_view(state: &mut State, height: usize) {
    let rows = state.rows();
    let (position, rows) = (state.position(&rows).unwrap_or(0), rows.len());
    let first = (position + 1).saturating_sub(height);
    let last = rows.saturating_sub(height);
    state.list_top = state
        .list_top
        .clamp(first, position.max(first))
        .min(last.max(first));
}
