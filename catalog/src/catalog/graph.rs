//! `catalog graph`: the upgrade graph of the published versions, drawn as `addon explain` draws it.

use super::{
    model::{AddonVersion, Catalog},
    names,
};
use crate::{
    addon::{
        graph::{self, Plugin},
        reach::{self, Reach},
        way::Way,
    },
    args::{GraphArgs, Place},
    cluster::Cluster,
    output::{self, Paint, Verdict, WIDTH, count, one_line, wrapped},
};
use anyhow::bail;
use api::Version;
use package::graph::Note;
use serde::Serialize;

/// The graph of one plugin, or a way in it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    #[serde(flatten)]
    plugin: Plugin,
    /// Where each version stands, and how many Apps use it.
    states: Vec<State>,
    /// The way that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Way>,
    /// What can be reached, where a beginning alone was given: for each of its runtimes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reach: Vec<Reach>,
}

/// Where a version stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct State {
    version: Version,
    state: &'static str,
    published: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
}

/// The graph of the plugin.
///
/// # Errors
/// There is no such plugin or version, or the versions cannot be listed.
pub(super) async fn graph(args: &GraphArgs) -> anyhow::Result<Report> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let Catalog { plugins, .. } = names::one(&cluster, &args.plugin).await?;
    let versions = plugins.iter().flat_map(|plugin| &plugin.versions);
    let versions: Vec<&AddonVersion> = versions.collect();
    for place in [&args.way.from, &args.way.to].into_iter().flatten() {
        known(&plugins[0], place)?;
    }
    let published = versions.iter().filter(|version| version.is_published());
    let mut plugin = graph::of_nodes(&args.plugin, published.map(|version| version.node()));
    for row in &mut plugin.versions {
        let of = versions
            .iter()
            .find(|version| version.version == row.version);
        row.remark = of.map(|version| remark(version)).unwrap_or_default();
    }
    let (path, reach) = reach::along(std::slice::from_ref(&plugin), &args.way)?;
    Ok(Report {
        states: versions.iter().map(|version| State::of(version)).collect(),
        plugin,
        path,
        reach,
    })
}

/// Whether the version that `place` names is published.
fn known(plugin: &super::model::Plugin, place: &Place) -> anyhow::Result<()> {
    let Some(version) = plugin.version(&place.addon) else {
        bail!(names::missing_version(plugin, &place.addon));
    };
    if version.is_published() {
        return Ok(());
    }
    let (name, state) = (&plugin.plugin, version.state());
    bail!(
        "{name} {} is {state}: it has no place in the graph until it is Active; `kubectl middleware \
         catalog show {name}@{}` says why it is not",
        place.addon,
        place.addon
    )
}

/// What a drawing says of the version beside its edges.
fn remark(version: &AddonVersion) -> String {
    let state = match version.state() {
        "Active" => None,
        state => Some(state.to_lowercase()),
    };
    let users = match version.users.number() {
        0 => None,
        users => Some(count(users, "App")),
    };
    let remarks: Vec<String> = [state, users].into_iter().flatten().collect();
    match remarks.is_empty() {
        true => String::new(),
        false => format!("({})", remarks.join(", ")),
    }
}

impl State {
    fn of(version: &AddonVersion) -> Self {
        Self {
            version: version.version.clone(),
            state: version.state(),
            published: version.is_published(),
            users: version.users.count,
            remarks: super::versions::remarks(version),
        }
    }
}

impl Report {
    /// The versions that stand in no graph, and why.
    fn left_out(&self) -> String {
        let out = self.states.iter().filter(|state| !state.published);
        let lines: String = out
            .map(|state| {
                let why = state.remarks.join("; ");
                let line = format!("{} is {}: {why}", state.version, state.state);
                format!("  {}", wrapped(&one_line(&line), WIDTH - 2, "    "))
            })
            .collect();
        match lines.is_empty() {
            true => lines,
            false => format!("\nleft out, because they are not published:\n{lines}"),
        }
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        if let Some(path) = &self.path {
            return path.text(paint);
        }
        if !self.reach.is_empty() {
            let parts: Vec<String> = self.reach.iter().map(|reach| reach.text(paint)).collect();
            return parts.join("\n");
        }
        self.plugin.text(paint) + &self.left_out()
    }

    fn verdict(&self) -> Verdict {
        let no_way = self.path.as_ref().is_some_and(|path| !path.is_there());
        let is_graph = self.path.is_none() && self.reach.is_empty();
        let broken = is_graph && self.plugin.notes.iter().any(Note::is_error);
        match no_way || broken {
            true => Verdict::Findings,
            false => Verdict::Clean,
        }
    }
}
