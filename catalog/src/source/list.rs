//! `source list`: each source in a line.

use super::{all, spec, standing};
use crate::{
    age,
    args::ListArgs,
    cluster::Cluster,
    output::{self, Listed, Paint, WIDTH, one_line, wrapped},
    table::{Cell, Table, Tone},
};
use api::{AddonSource, conditions::Time};
use kube::{ResourceExt as _, api::ListParams};
use serde::Serialize;

/// The kind of the objects, as kubectl names it.
const KIND: &str = "addonsource.middleware.io";

/// The sources of the cluster.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    sources: Vec<Entry>,
}

/// One source.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    kind: &'static str,
    url: String,
    state: &'static str,
    /// The registry's reason and words.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    /// How many published versions it offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    versions: Option<i32>,
    #[serde(skip_serializing_if = "String::is_empty")]
    revision: String,
    interval: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Time>,
}

/// The sources.
///
/// # Errors
/// They cannot be listed.
pub(super) async fn list(args: &ListArgs) -> anyhow::Result<Report> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let sources = cluster.list(&all(&cluster), ListParams::default()).await?;
    let mut sources: Vec<Entry> = sources.iter().map(Entry::of).collect();
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Report { sources })
}

impl Entry {
    fn of(source: &AddonSource) -> Self {
        let (kind, url) = spec::place(&source.spec);
        let status = source.status.clone().unwrap_or_default();
        let ready = standing::ready(source);
        Self {
            name: source.name_any(),
            kind: kind.text(),
            url: url.to_owned(),
            state: standing::of(source).text(),
            reason: ready.map(|c| c.reason.clone()).unwrap_or_default(),
            message: ready.map(|c| c.message.clone()).unwrap_or_default(),
            versions: status.versions,
            revision: status.revision.unwrap_or_default(),
            interval: source.spec.interval.clone(),
            created: source.metadata.creation_timestamp.clone(),
        }
    }

    /// Whether somebody should look at it.
    fn troubles(&self) -> bool {
        matches!(self.state, "Stalled" | "Failing")
    }

    fn versions(&self) -> String {
        self.versions.map(|n| n.to_string()).unwrap_or_default()
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        if self.sources.is_empty() {
            return "there is no source; `kubectl middleware source add NAME URL` makes one\n"
                .to_owned();
        }
        let mut table = Table::new(&["NAME", "KIND", "STATE", "VERSIONS", "URL", "AGE"]);
        for entry in &self.sources {
            table.row(vec![
                Cell::toned(&entry.name, Tone::Bold),
                Cell::new(entry.kind),
                Cell::toned(entry.state, Tone::of_state(entry.state)),
                Cell::new(entry.versions()),
                Cell::new(&entry.url),
                Cell::new(age::until_now(entry.created.as_ref())),
            ]);
        }
        let mut text = table.text(paint);
        let troubled: Vec<&Entry> = self.sources.iter().filter(|e| e.troubles()).collect();
        for entry in &troubled {
            let (name, reason) = (&entry.name, &entry.reason);
            let line = format!("{name}: {reason}; `source show {name}` says why, and what to do");
            let line = wrapped(&one_line(&line), WIDTH, "  ");
            let first = if entry.name == troubled[0].name {
                "\n"
            } else {
                ""
            };
            text.push_str(&format!(
                "{first}{}",
                line.replacen(name, &paint.bold(name), 1)
            ));
        }
        text
    }
}

impl Listed for Report {
    fn wide(&self, paint: Paint) -> String {
        let heads = [
            "NAME", "KIND", "STATE", "REASON", "VERSIONS", "URL", "REVISION", "INTERVAL", "AGE",
            "MESSAGE",
        ];
        let mut table = Table::new(&heads);
        for entry in &self.sources {
            table.row(vec![
                Cell::toned(&entry.name, Tone::Bold),
                Cell::new(entry.kind),
                Cell::toned(entry.state, Tone::of_state(entry.state)),
                Cell::new(&entry.reason),
                Cell::new(entry.versions()),
                Cell::new(&entry.url),
                Cell::new(&entry.revision),
                Cell::new(&entry.interval),
                Cell::new(age::until_now(entry.created.as_ref())),
                Cell::new(&entry.message),
            ]);
        }
        table.wide(paint)
    }

    fn names(&self) -> Vec<String> {
        let sources = self.sources.iter();
        sources
            .map(|entry| format!("{KIND}/{}", entry.name))
            .collect()
    }
}
