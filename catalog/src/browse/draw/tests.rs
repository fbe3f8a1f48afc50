use super::*;
use crate::browse::{
    sample::{self, pressed},
    update::{Event, update},
};
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};

const SIZES: [(u16, u16); 3] = [(80, 24), (60, 20), (120, 40)];

fn drawn(state: &State) -> Buffer {
    let (width, height) = state.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(state, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// The screen, line by line.
fn shown(state: &State) -> String {
    let buffer = drawn(state);
    let lines = buffer.content.chunks(buffer.area.width.into());
    let line = |cells: &[Cell]| {
        let text: String = cells.iter().map(Cell::symbol).collect();
        text.trim_end().to_owned()
    };
    lines.map(line).collect::<Vec<_>>().join("\n")
}

/// Where the screen has colours and attributes: line, first column, text, what it has.
fn styles(state: &State) -> String {
    let buffer = drawn(state);
    let lines = buffer.content.chunks(buffer.area.width.into());
    let mut said = String::new();
    for (y, cells) in lines.enumerate() {
        let mut x = 0;
        while let Some(first) = cells.get(x) {
            let style = (first.fg, first.modifier);
            let same = cells[x..]
                .iter()
                .take_while(|c| (c.fg, c.modifier) == style);
            let text: String = same.clone().map(Cell::symbol).collect();
            if style != (Color::Reset, Modifier::empty()) {
                let (fg, modifier) = style;
                said.push_str(&format!(
                    "{y:2} {x:3} {:?} {fg} {modifier:?}\n",
                    text.trim_end()
                ));
            }
            x += same.count();
        }
    }
    said
}

/// Snapshots of the screen after `keys`, at every size.
fn check(name: &str, keys: &str) {
    for (width, height) in SIZES {
        let state = pressed(sample::state(width, height), keys);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), shown(&state));
    }
}

#[test]
fn the_list_and_a_readme() {
    check("list", "G<enter>jj");
}

#[test]
fn a_readme_alone() {
    check("readme", "G<enter>jj<enter><c-d>");
}

#[test]
fn versions_and_which_reaches_which() {
    check("versions", "G<enter>jjjj2");
    check("versions_alone", "G<enter>jjjj<enter>2");
}

#[test]
fn topologies_and_profiles() {
    check("topologies", "G<enter>jj<enter>3");
}

#[test]
fn parameters_with_rules_and_effects() {
    check("parameters", "G<enter>jj<enter>4");
}

#[test]
fn who_uses_it() {
    check("in_use", "G<enter>jjj<enter>5");
}

#[test]
fn a_search() {
    check("search", "/cahce");
    check("search_finds_nothing", "/kafka");
}

#[test]
fn all_keys() {
    check("keys", "?");
}

#[test]
fn what_is_forbidden_is_said_in_its_place() {
    check("forbidden_readme", "j<enter>");
    let mut state = pressed(sample::state(80, 24), "G<enter>jjj<enter>5");
    let mut catalog = sample::catalog();
    let hidden = "not visible to you (needs list apps.middleware.io in the whole cluster)";
    catalog.apps_hidden = Some(hidden.to_owned());
    for version in &mut catalog.plugins[3].versions {
        version.apps.clear();
    }
    state = sample::answered(state, Event::Catalog(Ok(catalog)));
    insta::assert_snapshot!("forbidden_apps", shown(&state));
    let empty = State {
        size: (80, 24),
        ..State::default()
    };
    let why = "not visible to you (needs list middlewareaddons.middleware.io in the whole cluster)";
    let (state, _) = update(empty, Event::Catalog(Err(why.to_owned())));
    insta::assert_snapshot!("forbidden_catalog", shown(&state));
}

#[test]
fn colours_say_nothing_that_words_do_not() {
    let state = pressed(sample::state(80, 24), "G<enter>jjjj2");
    insta::assert_snapshot!("with_colours", styles(&state));
    let mut without = state.clone();
    without.look.colours = false;
    insta::assert_snapshot!("without_colours", styles(&without));
    assert_eq!(shown(&state), shown(&without));
    assert!(
        drawn(&without)
            .content
            .iter()
            .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
    );
}

#[test]
fn without_signs_beyond_ascii() {
    for keys in [
        "G<enter>jjjj2",
        "G<enter>jj<enter>",
        "?",
        "/cahce",
        "G<enter>jjj5",
    ] {
        let mut state = sample::state(80, 24);
        state.look.unicode = false;
        let state = pressed(state, keys);
        assert!(shown(&state).is_ascii(), "{}", shown(&state));
    }
    let mut state = sample::state(60, 20);
    state.look.unicode = false;
    insta::assert_snapshot!("ascii", shown(&pressed(state, "G<enter>jj")));
}

#[test]
fn loading_stands_still() {
    let state = State {
        size: (80, 24),
        place: "kind-dev".to_owned(),
        ..State::default()
    };
    insta::assert_snapshot!("loading", shown(&state));
    assert_eq!(drawn(&state), drawn(&state.clone()));
}

#[test]
fn every_size_is_drawn_and_nothing_stands_outside() {
    for width in [1, 5, 24, 30, 40, 59, 76, 77, 100, 300] {
        for height in [1, 4, 7, 8, 9, 12, 24, 60] {
            for keys in [
                "",
                "G<enter>jj<enter>",
                "G<enter>jj2",
                "?",
                "/redis",
                "G<enter>4<end>",
            ] {
                let state = pressed(sample::state(width, height), keys);
                let screen = shown(&state);
                assert!(
                    screen.lines().count() <= height.into(),
                    "{width}x{height} {keys}"
                );
            }
        }
    }
}

#[test]
fn a_key_changes_few_cells_of_the_screen() {
    let before = pressed(sample::state(80, 24), "G<enter>jj<enter>");
    let after = pressed(before.clone(), "<esc>");
    let (before, after) = (drawn(&before), drawn(&after));
    let changed = before.diff(&after).len();
    assert!(changed < 200, "{changed} cells");
}
