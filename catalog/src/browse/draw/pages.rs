//! The pages of the tabs, as lines of a width.

mod users;
mod versions;

use super::{
    look::{Look, Role},
    markdown,
    text::{cells, columns, pieces, wrap},
};
use crate::browse::{
    state::{State, Tab},
    view::{Choice, Parameter, Parameters, Part, Root, Version},
};
use ratatui::{style::Style, text::Line};

/// The column of a fact's value.
const COLUMN: usize = 12;

/// The page of the selected version's tab.
pub(crate) fn page(state: &State, width: u16) -> Vec<Line<'static>> {
    let Some((plugin, version)) = state.version() else {
        return Vec::new();
    };
    let (width, look) = (width.into(), state.look);
    let id = state.id().unwrap_or_default();
    let root = state.roots.get(&id);
    match state.tab {
        Tab::Readme => readme(version, root, width, look),
        Tab::Versions => versions::lines(plugin, version, state.ways.get(&id), width, look),
        Tab::Topologies => part(root, width, look, |root| topologies(root, width, look)),
        Tab::Parameters => part(state.parameters.get(&id), width, look, |said| {
            parameters(said, width, look)
        }),
        Tab::InUse => users::lines(state, plugin, version, width),
    }
}

/// What is there, or that it is on its way, or why it is not there.
fn part<T>(
    part: Option<&Part<T>>,
    width: usize,
    look: Look,
    shown: impl FnOnce(&T) -> Vec<Line<'static>>,
) -> Vec<Line<'static>> {
    match part {
        Some(Part::Ready(value)) => shown(value),
        Some(Part::Absent(why)) => wrap(&cells(why, look.style(Role::Care)), width, "", ""),
        Some(Part::Loading) | None => vec![Line::styled("loading", look.style(Role::Quiet))],
    }
}

fn readme(
    version: &Version,
    root: Option<&Part<Root>>,
    width: usize,
    look: Look,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(Part::Ready(root)) = root
        && columns(&cells(&root.description, Style::new())) > width
    {
        // Above there was no room for all of it.
        lines.extend(wrap(&cells(&root.description, Style::new()), width, "", ""));
        lines.push(Line::default());
    }
    for remark in &version.remarks {
        let remark = cells(remark, look.standing(version.standing));
        lines.extend(wrap(&remark, width, "! ", "  "));
    }
    for (name, value) in &version.facts {
        lines.extend(fact(name, value, width, look));
    }
    if let Some(Part::Ready(root)) = root {
        for (name, value) in &root.facts {
            lines.extend(fact(name, value, width, look));
        }
    }
    lines.push(Line::default());
    lines.extend(part(root, width, look, |root| match &root.readme {
        Some(text) => markdown::lines(text, width, look),
        None => vec![Line::styled(
            "This addon has no README.",
            look.style(Role::Quiet),
        )],
    }));
    lines
}

fn fact(name: &str, value: &str, width: usize, look: Look) -> Vec<Line<'static>> {
    let name = format!("{name:COLUMN$}");
    let text = pieces(&[(&name, look.style(Role::Quiet)), (value, Style::new())]);
    wrap(&text, width, "", &" ".repeat(COLUMN.min(width / 3)))
}

fn topologies(root: &Root, width: usize, look: Look) -> Vec<Line<'static>> {
    let mut lines: Vec<_> = root
        .topologies
        .iter()
        .flat_map(|one| choice(one, width, look))
        .collect();
    if !root.profiles.is_empty() {
        let text = "Profiles: defaults that an App takes by one name";
        lines.extend(wrap(&cells(text, look.style(Role::Quiet)), width, "", ""));
        lines.push(Line::default());
        lines.extend(
            root.profiles
                .iter()
                .flat_map(|one| choice(one, width, look)),
        );
    }
    lines
}

fn choice(choice: &Choice, width: usize, look: Look) -> Vec<Line<'static>> {
    let mut lines = wrap(&cells(&choice.name, look.style(Role::Title)), width, "", "");
    if !choice.description.is_empty() {
        lines.extend(wrap(
            &cells(&choice.description, Style::new()),
            width,
            "  ",
            "  ",
        ));
    }
    for (name, what) in &choice.components {
        let text = pieces(&[
            (name, look.style(Role::Code)),
            ("  ", Style::new()),
            (what, Style::new()),
        ]);
        lines.extend(wrap(&text, width, "  ", "      "));
    }
    lines.push(Line::default());
    lines
}

fn parameters(said: &Parameters, width: usize, look: Look) -> Vec<Line<'static>> {
    if said.components.is_empty() {
        let text = "An App sets no parameters of this version.";
        return wrap(&cells(text, Style::new()), width, "", "");
    }
    let text = format!(
        "with runtime {}; set under components.NAME.config.parameters; reload restarts nothing",
        said.runtime
    );
    let mut lines = wrap(&cells(&text, look.style(Role::Quiet)), width, "", "");
    for (component, parameters) in &said.components {
        lines.push(Line::default());
        lines.push(Line::styled(component.clone(), look.style(Role::Title)));
        lines.extend(
            parameters
                .iter()
                .flat_map(|one| parameter(one, width, look)),
        );
    }
    lines
}

/// Name, default and effect in a line; the rule and what it is below.
fn parameter(parameter: &Parameter, width: usize, look: Look) -> Vec<Line<'static>> {
    let plain = Style::new();
    let default = match &parameter.default {
        Some(value) => format!(" = {value}"),
        None => ", not set".to_owned(),
    };
    let effect = format!("  ({})", parameter.effect);
    let head = [
        (parameter.name.as_str(), look.style(Role::Code)),
        (&default, plain),
        (&effect, look.style(Role::Quiet)),
    ];
    let mut lines = wrap(&pieces(&head), width, "  ", "      ");
    if !parameter.rule.is_empty() {
        let rule = [
            ("allowed: ", look.style(Role::Quiet)),
            (&parameter.rule, plain),
        ];
        lines.extend(wrap(&pieces(&rule), width, "    ", "      "));
    }
    if !parameter.description.is_empty() {
        lines.extend(wrap(
            &cells(&parameter.description, plain),
            width,
            "    ",
            "    ",
        ));
    }
    lines
}
