//! The shortest way from one version of a plugin to another, or why there is none.

use super::graph::Plugin;
use crate::{
    args::Place,
    output::{Paint, WIDTH, count, wrapped},
};
use anyhow::{Context as _, bail};
use api::Version;
use package::graph::{Graph, State};
use serde::Serialize;

/// The way from one version to another, or why there is none.
#[derive(Debug, Serialize)]
pub(crate) struct Way {
    from: Step,
    to: Step,
    /// The edits in order; `null` where there is no way.
    steps: Option<Vec<Step>>,
    /// Why the one step from `from` to `to` is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    /// What can be reached from `from`, where `to` is not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reachable: Vec<Step>,
}

/// An addon version with a runtime version.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Step {
    version: Version,
    runtime: Version,
}

impl Way {
    /// The way from one place to another among the versions of one plugin. Where no runtime is
    /// named, the one with the fewest steps, and of those the newest.
    ///
    /// # Errors
    /// There are several plugins, or one has no such version.
    pub(crate) fn find(plugins: &[Plugin], from: &Place, to: &Place) -> anyhow::Result<Self> {
        let plugin = one(plugins)?;
        let (starts, ends) = (states(plugin, from)?, states(plugin, to)?);
        let pairs = || {
            starts
                .iter()
                .flat_map(|start| ends.iter().map(move |end| (start, end)))
        };
        let ways = pairs().filter_map(|(start, end)| {
            let steps = plugin.graph.path(start, end)?;
            Some((start, end, steps))
        });
        if let Some((start, end, steps)) = ways.min_by_key(|(_, _, steps)| steps.len()) {
            return Ok(told(&plugin.graph, start, end, Some(steps)));
        }
        let (start, end) = pairs().next().context("one of the two runs nothing")?;
        Ok(told(&plugin.graph, start, end, None))
    }

    /// Whether there is one.
    pub(crate) fn is_there(&self) -> bool {
        self.steps.is_some()
    }

    /// The steps, or why there is none and where one can go instead.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let (from, to) = (self.from.text(), self.to.text());
        let Some(steps) = &self.steps else {
            let mut text = paint.red(&format!("there is no way from {from} to {to}")) + "\n";
            if let Some(reason) = &self.refused {
                text.push_str(&wrapped(reason, WIDTH, "  "));
            }
            let reachable: Vec<String> = self.reachable.iter().map(Step::text).collect();
            let reachable = match reachable.is_empty() {
                true => "nothing".to_owned(),
                false => reachable.join(", "),
            };
            let line = format!("from {from}, one can come to: {reachable}");
            text.push_str(&wrapped(&line, WIDTH, "  "));
            return text;
        };
        let number = count(steps.len(), "step");
        let mut text = format!(
            "from {} to {}: {number}\n",
            paint.bold(&from),
            paint.bold(&to)
        );
        for (i, step) in steps.iter().enumerate() {
            text.push_str(&format!("  {}. {}\n", i + 1, step.text()));
        }
        text
    }
}

impl Step {
    /// The state.
    pub(crate) fn of(state: &State) -> Self {
        Self {
            version: state.addon.clone(),
            runtime: state.runtime.clone(),
        }
    }

    /// `1.0.0 with runtime 7.0.15`.
    pub(crate) fn text(&self) -> String {
        format!("{} with runtime {}", self.version, self.runtime)
    }
}

/// The plugin, where there is one only.
///
/// # Errors
/// There are several, or none that is valid.
pub(crate) fn one(plugins: &[Plugin]) -> anyhow::Result<&Plugin> {
    let names: Vec<&str> = plugins.iter().map(|p| p.plugin.as_str()).collect();
    match plugins {
        [plugin] => Ok(plugin),
        [] => bail!("there is no valid version here; `kubectl middleware addon lint` says why"),
        _ => bail!(
            "a way is asked for among the versions of one plugin, and there are {}: {}; name its \
             folder",
            plugins.len(),
            names.join(", ")
        ),
    }
}

/// The states that `place` can mean, with the newest runtime first.
///
/// # Errors
/// There is no such version, or it runs no such runtime.
pub(crate) fn states(plugin: &Plugin, place: &Place) -> anyhow::Result<Vec<State>> {
    let mut rows = plugin.versions.iter();
    let Some(row) = rows.find(|row| row.version == place.addon) else {
        let name = &plugin.plugin;
        let there: Vec<String> = plugin
            .versions
            .iter()
            .map(|r| r.version.to_string())
            .collect();
        bail!(
            "{name} has no valid version {} here; there are {}",
            place.addon,
            there.join(", ")
        );
    };
    let state = |runtime: &Version| State {
        addon: place.addon.clone(),
        runtime: runtime.clone(),
    };
    Ok(match &place.runtime {
        Some(runtime) if !row.runtimes.contains(runtime) => {
            let there: Vec<String> = row.runtimes.iter().map(ToString::to_string).collect();
            bail!(
                "{} does not run {runtime}; it runs {}",
                place.addon,
                there.join(", ")
            )
        }
        Some(runtime) => vec![state(runtime)],
        None => row.runtimes.iter().map(state).collect(),
    })
}

fn told(graph: &Graph, from: &State, to: &State, steps: Option<Vec<State>>) -> Way {
    let reachable = match steps {
        Some(_) => Vec::new(),
        None => graph.reachable(from),
    };
    Way {
        from: Step::of(from),
        to: Step::of(to),
        refused: graph.step(from, to).err().map(|reason| reason.to_string()),
        steps: steps.map(|steps| steps.iter().map(Step::of).collect()),
        reachable: reachable.iter().map(Step::of).collect(),
    }
}
