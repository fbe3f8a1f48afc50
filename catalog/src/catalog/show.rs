//! `catalog show`: all about one version.

mod about;
mod readme;
mod text;

use super::{
    content::{self, ContentError},
    model::{AddonVersion, Catalog, Plugin, Reach},
    names,
};
use crate::{
    addon::{evaluator::evaluator, made::parameters},
    args::{Output, ShowArgs},
    cluster::{self, Cluster},
    output::{self, Outcome, Paint},
};
use about::About;
use anyhow::{anyhow, bail};
use api::{Version, crd::app::AppComponent, names::ComponentName};
use package::{Package, Parameters, graph::Predecessors};
use serde::Serialize;
use std::collections::BTreeMap;

/// All about one version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    #[serde(flatten)]
    version: AddonVersion,
    state: &'static str,
    users_of: Reach,
    /// The version that somebody new should take, where that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    recommended: Option<Version>,
    /// The versions in the catalog that may move to it, newest first.
    from: Vec<Version>,
    /// The versions in the catalog that it may move to, newest first.
    to: Vec<Version>,
    /// What its files say.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<About>,
    /// Why its files say nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_content: Option<String>,
    /// The parameters by component, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<BTreeMap<ComponentName, Parameters>>,
}

/// Does what `args` say.
///
/// # Errors
/// There is no such version, or the cluster does not show it.
pub(super) fn run(args: &ShowArgs) -> anyhow::Result<Outcome> {
    let (mut report, package) = cluster::wait(show(args))?;
    let programs = args.output.output != Output::Text;
    match (package, args.readme) {
        (package, true) => return readme(&report, package),
        (Ok(package), false) if programs || args.parameters => {
            report.parameters = Some(described(&report, &package)?);
        }
        (Err(error), false) if args.parameters => {
            bail!("the parameters of {}: {error}", report.name());
        }
        _ => {}
    }
    match (args.parameters, programs) {
        (true, false) => Ok(Outcome::clean(
            report.parameters(Paint::of(&std::io::stdout())),
        )),
        _ => output::show(&report, args.output.output),
    }
}

/// The version, and its content or why there is none to show.
async fn show(args: &ShowArgs) -> anyhow::Result<(Report, Result<Package, ContentError>)> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let wanted = &args.addon;
    let Catalog { plugins, users_of } = names::one(&cluster, &wanted.plugin).await?;
    let plugin = plugins.first().ok_or_else(|| anyhow!("no versions"))?;
    let version = match &wanted.version {
        Some(version) => plugin.version(version),
        None => plugin.recommended(),
    };
    let Some(version) = version.cloned() else {
        let wanted = wanted.version.clone().unwrap_or(Version::new(0, 0, 0));
        bail!(names::missing_version(plugin, &wanted));
    };
    let package = content::package(&cluster, &version).await;
    Ok((Report::new(plugin, version, users_of, &package), package))
}

/// The README as it is.
fn readme(report: &Report, package: Result<Package, ContentError>) -> anyhow::Result<Outcome> {
    let name = report.name();
    let package = package.map_err(|error| anyhow!("the README of {name}: {error}"))?;
    match content::readme(&package) {
        Some(text) => Ok(Outcome::clean(readme::clean(text))),
        None => bail!("{name} has no README"),
    }
}

fn described(
    report: &Report,
    package: &Package,
) -> anyhow::Result<BTreeMap<ComponentName, Parameters>> {
    let Some(runtime) = package.manifest.runtime_versions().into_iter().next() else {
        return Ok(BTreeMap::new());
    };
    content::parameters(package, &runtime, evaluator())
        .map_err(|error| anyhow!("the parameters of {}: {error}", report.name()))
}

impl Report {
    fn new(
        plugin: &Plugin,
        version: AddonVersion,
        users_of: Reach,
        package: &Result<Package, ContentError>,
    ) -> Self {
        let graph = plugin.graph();
        let Predecessors { open: from, .. } = graph.predecessors(&version.version);
        let follows = |other: &&AddonVersion| {
            let before = graph.predecessors(&other.version).open;
            other.is_open() && before.contains(&version.version)
        };
        let to = plugin.versions.iter().filter(follows);
        let recommended = plugin.recommended().map(|r| r.version.clone());
        Self {
            to: to.map(|other| other.version.clone()).collect(),
            from,
            recommended: recommended.filter(|r| *r != version.version),
            state: version.state(),
            about: package.as_ref().ok().map(About::of),
            no_content: package.as_ref().err().map(ToString::to_string),
            parameters: None,
            version,
            users_of,
        }
    }

    /// `redis 2.0.0`
    fn name(&self) -> String {
        format!("{} {}", self.version.plugin, self.version.version)
    }

    /// The parameters of every component that has some.
    fn parameters(&self, paint: Paint) -> String {
        let none = AppComponent::default();
        let all = self.parameters.iter().flatten();
        let parts: Vec<String> = all
            .map(|(component, said)| {
                let list = parameters::list(said, &none, &none);
                let head = format!("{component}: {}", output::count(list.len(), "parameter"));
                let rows = parameters::rows(&list, paint);
                format!("{}\n\n{rows}", paint.bold(&head))
            })
            .collect();
        match parts.is_empty() {
            true => format!("{} takes no parameters\n", self.name()),
            false => parts.join("\n"),
        }
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        text::text(self, paint)
    }
}
