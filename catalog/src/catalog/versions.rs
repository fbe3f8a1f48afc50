//! `catalog versions`: the versions of one plugin in a line each.

use super::{
    list::{listed, number},
    model::{AddonVersion, Catalog, Plugin, Reach},
    names,
};
use crate::{
    age,
    args::VersionsArgs,
    cluster::Cluster,
    output::{self, Listed, Paint, WIDTH, wrapped},
    table::{Cell, Table, Tone},
};
use api::Version;
use package::graph::Predecessors;
use serde::Serialize;

/// The kind of the objects that versions are, as kubectl names it.
const KIND: &str = "middlewareaddon.middleware.io";

/// The versions of one plugin.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    #[serde(flatten)]
    plugin: Plugin,
    users_of: Reach,
    /// For each version in their order, those that may move to it.
    #[serde(skip)]
    from: Vec<Vec<Version>>,
}

/// The versions of the plugin.
///
/// # Errors
/// There is no such plugin, or the versions cannot be listed.
pub(super) async fn versions(args: &VersionsArgs) -> anyhow::Result<Report> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let Catalog { plugins, users_of } = names::one(&cluster, &args.plugin).await?;
    let mut plugins = plugins.into_iter();
    let plugin = plugins
        .next()
        .ok_or_else(|| anyhow::anyhow!("no versions"))?;
    let graph = plugin.graph();
    let from = plugin.versions.iter().map(|version| {
        let Predecessors { open, .. } = graph.predecessors(&version.version);
        open
    });
    Ok(Report {
        from: from.collect(),
        plugin,
        users_of,
    })
}

/// The versions of `plugin` in a line, newest first: `2.0.0, 1.1.0 (2 Apps), 1.0.0 (Withdrawn)`.
pub(crate) fn in_short(plugin: &Plugin) -> String {
    let versions = plugin.versions.iter().map(|version| {
        let state = Some(version.state()).filter(|state| *state != "Active");
        let trouble = version.trouble.as_ref().filter(|_| !version.is_published());
        let users = version.users.number();
        let remarks: Vec<String> = [
            state.map(str::to_owned),
            trouble.map(|trouble| trouble.message.clone()),
            (users > 0).then(|| output::count(users, "App")),
        ]
        .into_iter()
        .flatten()
        .collect();
        match remarks.is_empty() {
            true => version.version.to_string(),
            false => format!("{} ({})", version.version, remarks.join(", ")),
        }
    });
    versions.collect::<Vec<_>>().join(", ")
}

/// What is to be said of a version below the table.
pub(super) fn remarks(version: &AddonVersion) -> Vec<String> {
    let lifecycle = &version.lifecycle;
    let said = |what: &str, text: &Option<String>| {
        let text = text.as_ref()?;
        Some(format!("{what}: {text}"))
    };
    let mut remarks: Vec<String> = [
        said("withdrawn", &lifecycle.withdrawn),
        said("deprecated", &lifecycle.deprecated),
        said("supported until", &lifecycle.end_of_support),
    ]
    .into_iter()
    .flatten()
    .collect();
    remarks.extend(lifecycle.advisories.iter().map(|advisory| {
        let severity = format!("{:?}", advisory.severity).to_lowercase();
        let url = advisory.url.as_deref().unwrap_or_default();
        format!("{} ({severity}): {} {url}", advisory.id, advisory.summary)
    }));
    if let Some(trouble) = version.trouble.as_ref().filter(|_| !version.is_published()) {
        remarks.push(format!("{}: {}", trouble.reason, trouble.message));
    }
    remarks
}

impl Report {
    fn notes(&self, paint: Paint) -> String {
        let mut text = String::new();
        for version in &self.plugin.versions {
            let name = version.version.to_string();
            for remark in remarks(version) {
                let line = format!("{name} {remark}");
                let line = wrapped(&output::one_line(&line), WIDTH, "  ");
                text.push_str(&line.replacen(&name, &paint.bold(&name), 1));
            }
        }
        match text.is_empty() {
            true => text,
            false => format!("\n{text}"),
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&AddonVersion, &Vec<Version>)> {
        self.plugin.versions.iter().zip(&self.from)
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        let heads = [
            "VERSION", "STATE", "RUNTIMES", "FROM", "USERS", "SOURCE", "AGE",
        ];
        let mut table = Table::new(&heads);
        for (version, from) in self.rows() {
            table.row(vec![
                Cell::toned(&version.version, Tone::Bold),
                Cell::toned(version.state(), Tone::of_state(version.state())),
                Cell::new(listed(&version.runtimes)),
                Cell::new(listed(from)),
                Cell::new(number(version.users.count)),
                Cell::new(source(version)),
                Cell::new(age::until_now(version.created.as_ref())),
            ]);
        }
        table.text(paint) + &self.notes(paint)
    }
}

impl Listed for Report {
    fn wide(&self, paint: Paint) -> String {
        let mut table = Table::new(&[
            "VERSION",
            "STATE",
            "RUNTIMES",
            "TOPOLOGIES",
            "FROM",
            "USERS",
            "SOURCE",
            "REVISION",
            "SIGNER",
            "DIGEST",
            "AGE",
        ]);
        for (version, from) in self.rows() {
            let revision = version.origin.as_ref().map(|o| o.revision.as_str());
            let digest = version.digest.as_ref().map(ToString::to_string);
            table.row(vec![
                Cell::toned(&version.version, Tone::Bold),
                Cell::toned(version.state(), Tone::of_state(version.state())),
                Cell::new(listed(&version.runtimes)),
                Cell::new(listed(&version.topologies)),
                Cell::new(listed(from)),
                Cell::new(number(version.users.count)),
                Cell::new(source(version)),
                Cell::new(revision.unwrap_or_default()),
                Cell::new(version.signer.as_deref().unwrap_or_default()),
                Cell::new(digest.unwrap_or_default()),
                Cell::new(age::until_now(version.created.as_ref())),
            ]);
        }
        table.wide(paint) + &self.notes(paint)
    }

    fn names(&self) -> Vec<String> {
        let versions = self.plugin.versions.iter();
        versions
            .map(|version| format!("{KIND}/{}", version.object_name()))
            .collect()
    }
}

fn source(version: &AddonVersion) -> &str {
    match &version.origin {
        Some(origin) => &origin.source,
        None => "by hand",
    }
}
