//! What happens next: a state and an event give another state, and what is to be loaded for it. Pure.

mod moving;

use super::{
    draw,
    keys::{Wish, wish},
    layout::Layout,
    snippet,
    state::{Focus, Selected, State, Tab},
    view::{Catalog, Id, Parameters, Part, Plugin, Root, Ways},
};
use moving::{by_lines, older};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::collections::BTreeMap;

/// Something happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size.
    Size(u16, u16),
    /// What is in the catalog now, or why nobody knows.
    Catalog(Result<Catalog, String>),
    /// A version's root was read.
    Root(Id, Part<Root>),
    /// Its parameters were.
    Parameters(Id, Part<Parameters>),
    /// Its ways were found.
    Ways(Id, Part<Ways>),
    /// Somebody wants it to end.
    End,
}

/// What is to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// The root of a version's package.
    Root(Id),
    /// The parameters of a version.
    Parameters(Id),
    /// How it and the other versions reach each other.
    Ways(Id),
    /// The catalog, again.
    Catalog,
}

/// The state after `event`, and what it needs that is not there.
pub(crate) fn update(mut state: State, event: Event) -> (State, Vec<Load>) {
    let mut loads = Vec::new();
    match event {
        Event::Key(key) if key.kind == KeyEventKind::Release => {}
        Event::Key(key) => pressed(&mut state, key, &mut loads),
        Event::Size(width, height) => state.size = (width, height),
        Event::Catalog(catalog) => replaced(&mut state, catalog),
        Event::Root(id, root) => drop(state.roots.insert(id, root)),
        Event::Parameters(id, said) => drop(state.parameters.insert(id, said)),
        Event::Ways(id, ways) => drop(state.ways.insert(id, ways)),
        Event::End => state.over = true,
    }
    settle(&mut state, &mut loads);
    (state, loads)
}

/// What is there stays on the screen when the cluster does not answer.
fn replaced(state: &mut State, catalog: Result<Catalog, String>) {
    match catalog {
        Ok(catalog) => {
            let recovered = state.trouble.take().is_some();
            if let Part::Ready(before) = &state.catalog
                && *before != catalog
            {
                state.ways.clear();
                let is_new = |id: &Id| recovered || before.version(id) != catalog.version(id);
                retry(&mut state.roots, is_new);
                retry(&mut state.parameters, is_new);
            }
            state.catalog = Part::Ready(catalog);
        }
        Err(why) if matches!(state.catalog, Part::Ready(_)) => state.trouble = Some(why),
        Err(why) => state.catalog = Part::Absent(why),
    }
}

fn pressed(state: &mut State, key: KeyEvent, loads: &mut Vec<Load>) {
    state.told = None;
    if state.help {
        state.help = false;
        let wish = wish(key);
        state.over = wish == Some(Wish::Quit) && key.code != KeyCode::Char('q');
        return;
    }
    if state.focus == Focus::Search {
        return typed(state, key);
    }
    let Some(wish) = wish(key) else {
        state.told = Some("that key does nothing here; ? shows all keys".to_owned());
        return;
    };
    match wish {
        Wish::Quit => state.over = true,
        Wish::Help => state.help = true,
        Wish::Search => state.focus = Focus::Search,
        Wish::Copy => take(state),
        Wish::Refresh => refresh(state, loads),
        Wish::NextTab => turn(state, 1),
        Wish::PreviousTab => turn(state, Tab::ALL.len() - 1),
        Wish::Tab(number) => show(state, number),
        Wish::Newer => older(state, false),
        Wish::Older => older(state, true),
        wish if state.focus == Focus::Details => in_details(state, wish),
        wish => in_list(state, wish),
    }
}

fn in_list(state: &mut State, wish: Wish) {
    match wish {
        Wish::Open | Wish::Right => open(state),
        Wish::Left => fold(state),
        Wish::Back if !state.query.is_empty() => {
            state.query.clear();
            searched(state);
        }
        Wish::Back if state.selected.version.is_some() => fold(state),
        Wish::Back => state.told = Some("q ends it; ? shows all keys".to_owned()),
        wish => {
            let rows = state.rows();
            let height = Layout::of(state).list.height.into();
            let position = state.position(&rows).unwrap_or(0);
            let to = by_lines(wish, position, height).min(rows.len().saturating_sub(1));
            if let Some(row) = rows.get(to) {
                select(state, row.name());
            }
        }
    }
}

fn in_details(state: &mut State, wish: Wish) {
    match wish {
        Wish::Right => turn(state, 1),
        Wish::Left => turn(state, Tab::ALL.len() - 1),
        Wish::Back => state.focus = Focus::List,
        Wish::Open => {}
        wish => {
            let height = Layout::of(state).page.height.into();
            state.page_top = by_lines(wish, state.page_top, height);
        }
    }
}

/// From a plugin to its versions, from a version to what is said of it.
fn open(state: &mut State) {
    let Some(plugin) = state.plugin() else { return };
    let (name, versions) = (plugin.name.clone(), plugin.versions.len());
    let is_leaf = state.selected.version.is_some() || versions <= 1;
    if is_leaf || !state.unfolded.insert(name) {
        state.focus = Focus::Details;
    }
}

fn fold(state: &mut State) {
    let plugin = state.selected.plugin.clone();
    if state.selected.version.is_none() {
        state.unfolded.remove(&plugin);
    }
    let version = None;
    select(state, Selected { plugin, version });
}

fn select(state: &mut State, row: Selected) {
    if state.selected != row {
        state.selected = row;
        state.page_top = 0;
    }
}

fn turn(state: &mut State, by: usize) {
    show(state, (state.tab.number() + by) % Tab::ALL.len());
}

fn show(state: &mut State, number: usize) {
    if let Some(tab) = Tab::ALL.get(number) {
        state.tab = *tab;
        state.page_top = 0;
    }
}

/// A key while one types what is searched for.
fn typed(state: &mut State, key: KeyEvent) {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if control => state.over = true,
        KeyCode::Char('u') if control => state.query.clear(),
        KeyCode::Char('w') if control => {
            let kept = state.query.trim_end().rfind(' ').map_or(0, |at| at + 1);
            state.query.truncate(kept);
        }
        KeyCode::Down | KeyCode::Up | KeyCode::PageDown | KeyCode::PageUp => {
            return in_list(state, wish(key).unwrap_or(Wish::Down));
        }
        KeyCode::Char('n' | 'p') if control => {
            return in_list(state, wish(key).unwrap_or(Wish::Down));
        }
        KeyCode::Char(c) if !control => state.query.push(c),
        KeyCode::Backspace => drop(state.query.pop()),
        KeyCode::Enter | KeyCode::Tab => {
            state.focus = Focus::List;
            return;
        }
        KeyCode::Esc => {
            state.focus = Focus::List;
            state.query.clear();
        }
        _ => return,
    }
    searched(state);
}

/// Another search begins at what fits best.
fn searched(state: &mut State) {
    let best = state.rows().first().map(super::state::Row::name);
    if let Some(best) = best.filter(|_| !state.query.trim().is_empty()) {
        select(state, best);
    }
}

fn take(state: &mut State) {
    let Some((plugin, version)) = state.version() else {
        return;
    };
    let what = format!("{} {}", plugin.name, version.version);
    if !version.standing.is_open() {
        let word = version.standing.word();
        state.told = Some(format!("{what} is {word}: no new App may pin it"));
        return;
    }
    let taken = snippet::of(plugin, version);
    state.told = Some(format!(
        "App on {what}: to the clipboard, and printed at the end"
    ));
    state.taken = Some(taken);
}

/// What could not be had is asked for again, too.
fn refresh(state: &mut State, loads: &mut Vec<Load>) {
    retry(&mut state.roots, |_| true);
    retry(&mut state.parameters, |_| true);
    state.told = Some("asking the cluster again".to_owned());
    loads.push(Load::Catalog);
}

/// Forgets what could not be had of those versions, so that it is asked for again.
fn retry<T>(parts: &mut BTreeMap<Id, Part<T>>, which: impl Fn(&Id) -> bool) {
    parts.retain(|id, part| !matches!(part, Part::Absent(_)) || !which(id));
}

/// Brings in order what an event may have left behind, and asks for what the screen lacks.
fn settle(state: &mut State, loads: &mut Vec<Load>) {
    moving::keep_selection(state);
    if let Some(id) = state.id() {
        needs(state, id, loads);
    }
    if state.focus == Focus::Search || !state.query.is_empty() {
        let all: Vec<Id> = state.plugins().iter().map(Plugin::id).collect();
        for id in all {
            root(state, id, loads);
        }
    }
    let layout = Layout::of(state);
    moving::keep_in_view(state, layout.list.height.into());
    let lines = match layout.page.width {
        0 => 0,
        width => draw::page(state, width).len(),
    };
    let last = lines.saturating_sub(layout.page.height.into());
    state.page_top = state.page_top.min(last);
}

/// What the selected version's tab shows.
fn needs(state: &mut State, id: Id, loads: &mut Vec<Load>) {
    match state.tab {
        Tab::Parameters if !state.parameters.contains_key(&id) => {
            state.parameters.insert(id.clone(), Part::Loading);
            loads.push(Load::Parameters(id.clone()));
        }
        Tab::Versions if !state.ways.contains_key(&id) => {
            state.ways.insert(id.clone(), Part::Loading);
            loads.push(Load::Ways(id.clone()));
        }
        _ => {}
    }
    root(state, id, loads);
}

fn root(state: &mut State, id: Id, loads: &mut Vec<Load>) {
    if !state.roots.contains_key(&id) {
        state.roots.insert(id.clone(), Part::Loading);
        loads.push(Load::Root(id));
    }
}

#[cfg(test)]
mod tests;
