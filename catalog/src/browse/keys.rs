//! What each key means, in one table: the keys themselves, the line at the bottom, and `?`.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// One line on.
    Down,
    /// One line back.
    Up,
    /// One screen on.
    PageDown,
    /// One screen back.
    PageUp,
    /// Half a screen on.
    HalfDown,
    /// Half a screen back.
    HalfUp,
    /// The first line.
    First,
    /// The last line.
    Last,
    /// Into what is selected.
    Open,
    /// To the right: into the tree, or the next tab.
    Right,
    /// To the left: out of the tree, or the tab before.
    Left,
    /// The next tab.
    NextTab,
    /// The tab before.
    PreviousTab,
    /// The tab of that number, from 0.
    Tab(usize),
    /// The next newer version.
    Newer,
    /// The next older version.
    Older,
    /// Out of where one is.
    Back,
    /// To the search.
    Search,
    /// The manifest of a minimal App.
    Copy,
    /// All keys.
    Help,
    /// Ask the cluster again.
    Refresh,
    /// The end.
    Quit,
}

/// What the key means outside the search.
pub(crate) fn wish(key: KeyEvent) -> Option<Wish> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c') if control => Wish::Quit,
        KeyCode::Char('d') if control => Wish::HalfDown,
        KeyCode::Char('u') if control => Wish::HalfUp,
        KeyCode::Char('f') if control => Wish::PageDown,
        KeyCode::Char('b') if control => Wish::PageUp,
        KeyCode::Char('n') if control => Wish::Down,
        KeyCode::Char('p') if control => Wish::Up,
        KeyCode::Char(_) if control => return None,
        KeyCode::Down | KeyCode::Char('j') => Wish::Down,
        KeyCode::Up | KeyCode::Char('k') => Wish::Up,
        KeyCode::PageDown | KeyCode::Char(' ') => Wish::PageDown,
        KeyCode::PageUp => Wish::PageUp,
        KeyCode::Home | KeyCode::Char('g') => Wish::First,
        KeyCode::End | KeyCode::Char('G') => Wish::Last,
        KeyCode::Enter => Wish::Open,
        KeyCode::Right | KeyCode::Char('l') => Wish::Right,
        KeyCode::Left | KeyCode::Char('h') => Wish::Left,
        KeyCode::Tab => Wish::NextTab,
        KeyCode::BackTab => Wish::PreviousTab,
        KeyCode::Char(digit @ '1'..='5') => Wish::Tab(digit as usize - '1' as usize),
        KeyCode::Char(']') => Wish::Newer,
        KeyCode::Char('[') => Wish::Older,
        KeyCode::Esc | KeyCode::Backspace => Wish::Back,
        KeyCode::Char('/') => Wish::Search,
        KeyCode::Char('y') => Wish::Copy,
        KeyCode::Char('?') | KeyCode::F(1) => Wish::Help,
        KeyCode::Char('r') => Wish::Refresh,
        KeyCode::Char('q') => Wish::Quit,
        _ => return None,
    })
}

/// Keys, and what they do: all of them, for `?`.
pub(crate) const ALL: [(&str, &str); 15] = [
    ("/", "search: name, keywords, description"),
    ("j k, arrows", "down and up"),
    ("space, PgUp PgDn", "a screen down and up"),
    ("Ctrl-d Ctrl-u", "half a screen down and up"),
    ("g G, Home End", "to the first and the last line"),
    ("Enter", "open: versions, then what is said of one"),
    (
        "h l, left right",
        "fold and unfold; the tab before, the next",
    ),
    ("Tab, 1-5", "the next tab, the tab of that number"),
    ("[ ]", "the older, the newer version"),
    ("y", "take the manifest of a minimal App:"),
    ("", "to the clipboard, and printed at the end"),
    ("r", "ask the cluster again"),
    ("Esc", "back: out of search, tab, filter"),
    ("?", "these keys"),
    ("q, Ctrl-C", "the end"),
];
