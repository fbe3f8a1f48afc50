//! Above a tab's page: which version it is, what is said of it, the tabs.

use super::{
    look::Role,
    quiet,
    text::{cut, filled},
};
use crate::{
    browse::{
        layout::{HEAD, Layout},
        state::{Focus, State, Tab},
        view::Part,
    },
    output::count,
};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

/// The head, in `width` columns.
pub(super) fn head(state: &State, width: usize) -> Vec<Line<'static>> {
    let Some((plugin, version)) = state.version() else {
        return Vec::new();
    };
    let look = state.look;
    let users = count(version.number_of_users(), "App");
    let word = format!(
        "{} {}",
        look.sign(version.standing),
        version.standing.word()
    );
    let right = word.width() + users.width() + 2;
    let name = format!("{} {}", plugin.name, version.version);
    let room = width.saturating_sub(right + 1);
    let name = filled(&cut(&name, room, look.unicode), room + 1);
    let mut lines = vec![
        Line::from(vec![
            Span::styled(name, look.style(Role::Title)),
            Span::styled(word, look.standing(version.standing)),
            Span::styled(format!("  {users}"), look.style(Role::Quiet)),
        ]),
        second(state, width),
        tabs(state, width),
        rule(state, width),
    ];
    lines.truncate(HEAD.into());
    lines
}

/// What one must know of the version, else its description.
fn second(state: &State, width: usize) -> Line<'static> {
    let look = state.look;
    let remark = state.version().and_then(|(_, version)| {
        let style = look.standing(version.standing);
        Some((version.remarks.first()?, style))
    });
    if let Some((remark, style)) = remark {
        let text = cut(&format!("! {remark}"), width, look.unicode);
        return Line::styled(text, style);
    }
    let root = state.id().and_then(|id| state.roots.get(&id));
    match root {
        Some(Part::Ready(root)) => Line::raw(cut(&root.description, width, look.unicode)),
        Some(Part::Absent(_)) => Line::default(),
        _ => quiet(state, "loading".to_owned()),
    }
}

/// The tabs, the one that is shown in brackets; that one alone where there is no room.
fn tabs(state: &State, width: usize) -> Line<'static> {
    let look = state.look;
    let all: usize = Tab::ALL.iter().map(|tab| tab.name().width() + 1).sum();
    let shown = |tab: Tab| {
        let role = match state.focus {
            Focus::Details => Role::Selected,
            _ => Role::Title,
        };
        Span::styled(format!("[{}]", tab.name()), look.style(role))
    };
    if all + 2 > width {
        let number = format!(
            " {} of {}, Tab for the next",
            state.tab.number() + 1,
            Tab::ALL.len()
        );
        let number = cut(
            &number,
            width.saturating_sub(state.tab.name().width() + 2),
            look.unicode,
        );
        let number = Span::styled(number, look.style(Role::Quiet));
        return Line::from(vec![shown(state.tab), number]);
    }
    let mut spans = Vec::new();
    for tab in Tab::ALL {
        spans.push(match tab == state.tab {
            true => shown(tab),
            false => Span::styled(tab.name(), look.style(Role::Quiet)),
        });
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

/// The line between head and page; where the page is longer than the screen, which part of it is seen.
fn rule(state: &State, width: usize) -> Line<'static> {
    let page = Layout::of(state).page;
    let lines = super::page(state, page.width).len();
    let seen = usize::from(page.height);
    if lines <= seen || seen == 0 {
        return quiet(state, state.look.rule(width));
    }
    let (first, last) = (state.page_top + 1, (state.page_top + seen).min(lines));
    let place = format!(" {first}-{last} of {lines} ");
    let before = width.saturating_sub(place.width() + 2);
    let rule = format!("{}{place}{}", state.look.rule(before), state.look.rule(2));
    quiet(state, cut(&rule, width, state.look.unicode))
}
