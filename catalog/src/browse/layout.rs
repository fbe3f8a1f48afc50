//! Where everything stands on a screen of a size: two panes where there is room, else one.

use super::state::{Focus, State};
use ratatui::layout::Rect;

/// The narrowest screen with two panes.
const TWO_PANES: u16 = 76;
/// The list is a third of the screen, within these.
const LIST: std::ops::RangeInclusive<u16> = 24..=36;
/// The lines above a tab's page: title, description, tabs, rule.
pub(crate) const HEAD: u16 = 4;

/// Where everything stands; nothing has room where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The line of the catalog's name and state.
    pub(crate) title: Rect,
    /// The line of the search.
    pub(crate) search: Rect,
    /// The plugins and versions.
    pub(crate) list: Rect,
    /// The line between the panes.
    pub(crate) rule: Rect,
    /// The head of the details.
    pub(crate) head: Rect,
    /// The tab's page.
    pub(crate) page: Rect,
    /// The line of keys.
    pub(crate) keys: Rect,
}

impl Layout {
    /// Where everything stands for `state`.
    pub(crate) fn of(state: &State) -> Self {
        let (width, height) = state.size;
        let line = |y: u16| Rect::new(0, y, width, u16::from(y < height));
        let body = Rect::new(0, 3.min(height), width, height.saturating_sub(4));
        let two = width >= TWO_PANES && !state.plugins().is_empty();
        let list = match two {
            true => (width / 3).clamp(*LIST.start(), *LIST.end()),
            false => width,
        };
        let nothing = Rect::default();
        let in_details = state.focus == Focus::Details;
        let details = match two {
            true => Rect::new(list + 2, body.y, width - list - 2, body.height),
            false => body,
        };
        let head = HEAD.min(details.height);
        let page = Rect::new(
            details.x,
            details.y + head,
            details.width,
            details.height - head,
        );
        Self {
            title: line(0),
            search: line(1),
            list: match two || !in_details {
                true => Rect::new(0, body.y, list, body.height),
                false => nothing,
            },
            rule: match two {
                true => Rect::new(list, body.y, 1, body.height),
                false => nothing,
            },
            head: match two || in_details {
                true => Rect::new(details.x, details.y, details.width, head),
                false => nothing,
            },
            page: match two || in_details {
                true => page,
                false => nothing,
            },
            keys: line(height.saturating_sub(1)),
        }
    }
}
