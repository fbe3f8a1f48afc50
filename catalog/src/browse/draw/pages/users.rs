//! Who uses the plugin, by namespace; those of the selected version are marked.

use crate::{
    browse::{
        draw::{
            look::Role,
            text::{cells, pieces, wrap},
        },
        state::State,
        view::{App, Part, Plugin, Version},
    },
    output::count,
};
use ratatui::{style::Style, text::Line};
use std::collections::BTreeMap;

/// An App, and the version that it uses.
type Use<'a> = (&'a App, &'a Version);

/// The page.
pub(super) fn lines(
    state: &State,
    plugin: &Plugin,
    selected: &Version,
    width: usize,
) -> Vec<Line<'static>> {
    let look = state.look;
    let (here, all) = (selected.number_of_users(), plugin.users());
    let mut text = format!("{} on {}", count(here, "App"), selected.version);
    if all > here {
        text.push_str(&format!(
            ", {} on other versions of {}",
            all - here,
            plugin.name
        ));
    }
    let mut lines = wrap(&cells(&text, Style::new()), width, "", "");
    if let Part::Ready(catalog) = &state.catalog
        && let Some(hidden) = &catalog.apps_hidden
    {
        lines.extend(wrap(
            &cells(hidden, look.style(Role::Care)),
            width,
            "! ",
            "  ",
        ));
    }
    let mut namespaces = BTreeMap::<&str, Vec<Use<'_>>>::new();
    for version in &plugin.versions {
        for app in &version.apps {
            let uses = namespaces.entry(&app.namespace).or_default();
            uses.push((app, version));
        }
    }
    for (namespace, mut uses) in namespaces {
        uses.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        lines.push(Line::default());
        lines.push(Line::styled(namespace.to_owned(), look.style(Role::Title)));
        for (app, version) in uses {
            let here = version.version == selected.version;
            let sign = if here {
                look.either("● ", "* ")
            } else {
                "  "
            };
            let words = format!("  {}  {}", version.version, app.words.join(", "));
            let role = if here {
                Style::new()
            } else {
                look.style(Role::Quiet)
            };
            let text = pieces(&[(&app.name, look.style(Role::Code)), (&words, role)]);
            lines.extend(wrap(&text, width, sign, "      "));
        }
    }
    lines
}
