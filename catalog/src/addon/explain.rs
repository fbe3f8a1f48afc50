//! `addon explain`: the upgrade graph of every plugin found, or the way from one version to another.

use super::{
    checked::{self, Located},
    draw,
    graph::{self, Plugin},
    reach::{self, Reach},
    way::Way,
};
use crate::{
    args::ExplainArgs,
    output::{self, Paint, Verdict, WIDTH, count, wrapped},
};
use package::graph::{Note, Severity};
use serde::Serialize;

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Every plugin found; only the one in question where a way is asked for.
    plugins: Vec<Plugin>,
    /// The way that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Way>,
    /// What can be reached, where a beginning alone was given: for each of its runtimes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reach: Vec<Reach>,
    /// What is wrong with versions that stand in no graph therefore.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invalid: Vec<Located>,
}

/// The graphs of all addons in the arguments' directories.
///
/// # Errors
/// The work could not be done.
pub(super) fn explain(args: &ExplainArgs) -> anyhow::Result<Report> {
    let addons = checked::all(&args.dir)?;
    let plugins = graph::plugins(&addons);
    let invalid = addons.iter().flat_map(checked::Checked::located).collect();
    let (path, reach) = reach::along(&plugins, &args.way)?;
    Ok(Report {
        plugins,
        path,
        reach,
        invalid,
    })
}

impl Plugin {
    /// The drawing, the steps between runtimes, and what looks wrong.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let number = count(self.versions.len(), "version");
        let name = paint.bold(self.plugin.as_str());
        let mut text =
            format!("{name}: {number}, newest first; lines lead up to what may follow\n\n");
        text.push_str(&draw::graph(&self.versions));
        let moves = self.moves();
        if !moves.is_empty() {
            text.push_str(&format!("\nruntimes that may move:\n{moves}"));
        }
        let notes: String = self.notes.iter().map(|note| told(note, paint)).collect();
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

/// One note, in lines of a terminal's width.
pub(super) fn told(note: &Note, paint: Paint) -> String {
    let (plain, painted) = match note.severity {
        Severity::Error => ("error:", paint.red("error:")),
        Severity::Warning => ("warning:", paint.yellow("warning:")),
        Severity::Note => ("note:", paint.bold("note:")),
    };
    let lines = wrapped(&format!("{plain} {}", note.message), WIDTH, "  ");
    lines.replacen(plain, &painted, 1)
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        let mut parts: Vec<String> = match &self.path {
            Some(path) => vec![path.text(paint)],
            None if !self.reach.is_empty() => {
                self.reach.iter().map(|reach| reach.text(paint)).collect()
            }
            None => {
                let plugins = self.plugins.iter();
                plugins.map(|plugin| plugin.text(paint)).collect()
            }
        };
        if !self.invalid.is_empty() {
            let lines: String = self.invalid.iter().map(|f| f.text(paint)).collect();
            parts.push(format!("left out, because they are refused:\n{lines}"));
        }
        parts.join("\n")
    }

    fn verdict(&self) -> Verdict {
        let no_way = self.path.as_ref().is_some_and(|path| !path.is_there());
        let mut notes = self.plugins.iter().flat_map(|plugin| &plugin.notes);
        let is_graph = self.path.is_none() && self.reach.is_empty();
        let broken = is_graph && notes.any(Note::is_error);
        match no_way || broken || !self.invalid.is_empty() {
            true => Verdict::Findings,
            false => Verdict::Clean,
        }
    }
}
