//! All that an App can come to from one version of a plugin, and why it cannot be set to the rest.

use super::{
    graph::Plugin,
    way::{Step, Way, one, states},
};
use crate::{
    args::{Place, WayArgs},
    output::{Paint, WIDTH, count, wrapped},
};
use package::graph::{Graph, State};
use serde::Serialize;

/// What can be reached from one version with one runtime.
#[derive(Debug, Serialize)]
pub(crate) struct Reach {
    from: Step,
    /// What an App may be set to in one edit, newest first.
    next: Vec<Step>,
    /// What it can come to in several, newest first.
    later: Vec<Later>,
    /// Why it cannot be set to the rest in one edit, newest first.
    refused: Vec<Refused>,
}

/// What takes several edits.
#[derive(Debug, Serialize)]
struct Later {
    to: Step,
    /// The edits in order, the last one to it.
    steps: Vec<Step>,
}

/// What an App may not be set to.
#[derive(Debug, Serialize)]
struct Refused {
    to: Step,
    reason: String,
}

/// The way that `asked` has both ends of; or, of a beginning alone, what can be reached from it.
///
/// # Errors
/// There are several plugins, or this one has no such version.
pub(crate) fn along(
    plugins: &[Plugin],
    asked: &WayArgs,
) -> anyhow::Result<(Option<Way>, Vec<Reach>)> {
    Ok(match (&asked.from, &asked.to) {
        (Some(from), Some(to)) => (Some(Way::find(plugins, from, to)?), Vec::new()),
        (Some(from), None) => (None, Reach::find(plugins, from)?),
        (None, _) => (None, Vec::new()),
    })
}

impl Reach {
    /// What can be reached from `from`, for each runtime that it can mean.
    ///
    /// # Errors
    /// There are several plugins, or this one has no such version.
    pub(crate) fn find(plugins: &[Plugin], from: &Place) -> anyhow::Result<Vec<Self>> {
        let plugin = one(plugins)?;
        let starts = states(plugin, from)?;
        Ok(starts
            .iter()
            .map(|start| Self::of(&plugin.graph, start))
            .collect())
    }

    fn of(graph: &Graph, from: &State) -> Self {
        let (next, ways) = (graph.next(from), graph.ways(from));
        let several = ways.reachable().filter(|state| !next.contains(state));
        let later = several.filter_map(|to| {
            let steps = ways.to(to)?;
            Some(Later {
                to: Step::of(to),
                steps: steps.into_iter().map(Step::of).collect(),
            })
        });
        let refused = graph.refused(from).into_iter().map(|(to, reason)| Refused {
            to: Step::of(&to),
            reason: reason.to_string(),
        });
        Self {
            from: Step::of(from),
            later: later.collect(),
            refused: refused.collect(),
            next: next.iter().map(Step::of).collect(),
        }
    }

    /// Three lists for people.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut text = format!("from {}\n", paint.bold(&self.from.text()));
        text.push_str("\nin one edit, to\n");
        text.extend(
            self.next
                .iter()
                .map(|step| format!("  {}\n", paint.green(&step.text()))),
        );
        if self.next.is_empty() {
            text.push_str("  nothing\n");
        }
        if !self.later.is_empty() {
            text.push_str("\nin several, to\n");
        }
        for Later { to, steps } in &self.later {
            let first = steps.first().map(Step::text).unwrap_or_default();
            let (to, number) = (to.text(), count(steps.len(), "edit"));
            let line = format!("{to}: {number}, first to {first}");
            text.push_str(&format!("  {}", wrapped(&line, WIDTH - 2, "    ")));
        }
        if !self.refused.is_empty() {
            text.push_str("\nrefused in one edit\n");
        }
        for Refused { to, reason } in &self.refused {
            let line = format!("{}: {reason}", to.text());
            text.push_str(&format!("  {}", wrapped(&line, WIDTH - 2, "    ")));
        }
        text
    }
}
