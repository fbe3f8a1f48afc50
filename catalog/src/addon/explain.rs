//! `addon explain`: the upgrade graph of every plugin found, or the way from one version to another.

use super::{
    checked::{self, Located},
    draw,
    graph::{self, Note, Plugin, Severity},
};
use crate::{
    args::{ExplainArgs, Place},
    output::{self, Paint, Verdict, count, wrapped},
};
use anyhow::bail;
use api::Version;
use package::graph::{Graph, State};
use serde::Serialize;

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Every plugin found; only the one in question where a way is asked for.
    plugins: Vec<Plugin>,
    /// The way that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Path>,
    /// What is wrong with versions that stand in no graph therefore.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invalid: Vec<Located>,
}

/// The way from one version to another, or why there is none.
#[derive(Debug, Serialize)]
struct Path {
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

#[derive(Clone, Debug, Serialize)]
struct Step {
    version: Version,
    runtime: Version,
}

/// The graphs of all addons in the arguments' directories.
///
/// # Errors
/// The work could not be done.
pub(super) fn explain(args: &ExplainArgs) -> anyhow::Result<Report> {
    let addons = checked::all(&args.dir)?;
    let plugins = graph::plugins(&addons);
    let invalid = addons.iter().flat_map(checked::Checked::located).collect();
    let path = match (&args.from, &args.to) {
        (Some(from), Some(to)) => Some(path(&plugins, from, to)?),
        _ => None,
    };
    Ok(Report {
        plugins,
        path,
        invalid,
    })
}

fn path(plugins: &[Plugin], from: &Place, to: &Place) -> anyhow::Result<Path> {
    let [plugin] = plugins else {
        let names: Vec<&str> = plugins.iter().map(|p| p.plugin.as_str()).collect();
        bail!(
            "a way is asked for among the versions of one plugin, and there are {}: {}; name its \
             folder",
            plugins.len(),
            names.join(", ")
        );
    };
    let mut shortest: Option<(State, State, Vec<State>)> = None;
    let (starts, ends) = (states(plugin, from)?, states(plugin, to)?);
    for start in &starts {
        for end in &ends {
            let found = plugin.graph.path(start, end);
            let better = |steps: &Vec<State>| {
                let least = shortest.as_ref().map(|(_, _, steps)| steps.len());
                least.is_none_or(|least| steps.len() < least)
            };
            if let Some(steps) = found.filter(better) {
                shortest = Some((start.clone(), end.clone(), steps));
            }
        }
    }
    let (Some(start), Some(end)) = (starts.first(), ends.first()) else {
        bail!("{} or {} runs nothing", from.addon, to.addon);
    };
    Ok(match shortest {
        Some((start, end, steps)) => told(&plugin.graph, &start, &end, Some(steps)),
        None => told(&plugin.graph, start, end, None),
    })
}

/// The states that `place` can mean, with the newest runtime first.
fn states(plugin: &Plugin, place: &Place) -> anyhow::Result<Vec<State>> {
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

fn told(graph: &Graph, from: &State, to: &State, steps: Option<Vec<State>>) -> Path {
    let reachable = match steps {
        Some(_) => Vec::new(),
        None => graph.reachable(from),
    };
    Path {
        from: Step::of(from),
        to: Step::of(to),
        refused: graph.step(from, to).err().map(|reason| reason.to_string()),
        steps: steps.map(|steps| steps.iter().map(Step::of).collect()),
        reachable: reachable.iter().map(Step::of).collect(),
    }
}

impl Step {
    fn of(state: &State) -> Self {
        Self {
            version: state.addon.clone(),
            runtime: state.runtime.clone(),
        }
    }

    fn text(&self) -> String {
        format!("{} with runtime {}", self.version, self.runtime)
    }
}

impl Path {
    fn text(&self, paint: Paint) -> String {
        let (from, to) = (self.from.text(), self.to.text());
        let Some(steps) = &self.steps else {
            let mut text = paint.red(&format!("there is no way from {from} to {to}")) + "\n";
            if let Some(reason) = &self.refused {
                text.push_str(&wrapped(reason, draw::WIDTH, "  "));
            }
            let reachable: Vec<String> = self.reachable.iter().map(Step::text).collect();
            let reachable = match reachable.is_empty() {
                true => "nothing".to_owned(),
                false => reachable.join(", "),
            };
            let line = format!("from {from}, one can come to: {reachable}");
            text.push_str(&wrapped(&line, draw::WIDTH, "  "));
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

impl Plugin {
    /// The drawing, the steps between runtimes, and what looks wrong.
    pub(super) fn text(&self, paint: Paint) -> String {
        let number = count(self.versions.len(), "version");
        let name = paint.bold(self.plugin.as_str());
        let mut text =
            format!("{name}: {number}, newest first; lines lead up to what may follow\n\n");
        text.push_str(&draw::graph(&self.versions));
        let moves = self.moves();
        if !moves.is_empty() {
            text.push_str(&format!("\nruntimes that may move:\n{moves}"));
        }
        let notes: String = self.notes.iter().map(|note| note.text(paint)).collect();
        if !notes.is_empty() {
            text.push_str(&format!("\n{notes}"));
        }
        text
    }

    fn moves(&self) -> String {
        let mut text = String::new();
        for row in &self.versions {
            for (runtime, from) in &row.migrate_from {
                let from: Vec<&str> = from.iter().map(api::Range::as_str).collect();
                let from = from.join(", ");
                text.push_str(&format!("  in {}: {from} to {runtime}\n", row.version));
            }
        }
        text
    }
}

impl Note {
    /// One note, in lines of a terminal's width.
    pub(super) fn text(&self, paint: Paint) -> String {
        let (plain, painted) = match self.severity {
            Severity::Error => ("error", paint.red("error")),
            Severity::Warning => ("warning", paint.yellow("warning")),
        };
        let lines = wrapped(&format!("{plain}: {}", self.message), draw::WIDTH, "  ");
        lines.replacen(plain, &painted, 1)
    }

    /// Whether it must be put right.
    pub(super) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        let mut parts: Vec<String> = match &self.path {
            Some(path) => vec![path.text(paint)],
            None => self
                .plugins
                .iter()
                .map(|plugin| plugin.text(paint))
                .collect(),
        };
        if !self.invalid.is_empty() {
            let line =
                |f: &Located| format!("{}: {}\n", paint.bold(&f.place()), paint.red(f.message()));
            let lines: String = self.invalid.iter().map(line).collect();
            parts.push(format!("left out, because they are refused:\n{lines}"));
        }
        parts.join("\n")
    }

    fn verdict(&self) -> Verdict {
        let no_way = self.path.as_ref().is_some_and(|path| path.steps.is_none());
        let mut notes = self.plugins.iter().flat_map(|plugin| &plugin.notes);
        let broken = self.path.is_none() && notes.any(Note::is_error);
        match no_way || broken || !self.invalid.is_empty() {
            true => Verdict::Findings,
            false => Verdict::Clean,
        }
    }
}
