//! `addon render`: what an App of an addon would be. Names are those that the platform makes, texts
//! those that it renders; pods themselves are the operator's matter.

use super::{
    checked::{self, Checked},
    diff,
    instance::Wanted,
    lint,
    made::Made,
};
use crate::{
    args::RenderArgs,
    output::{self, Paint, Verdict},
};
use api::{
    Version,
    names::{AppName, PluginName, TopologyName},
};
use package::render::Context;
use serde::Serialize;
use std::{collections::BTreeMap, path::Path};

/// What would be made, or why nothing would.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Report {
    /// It renders.
    Rendered(Rendered),
    /// It is refused, or the version that it is compared with.
    Refused(lint::Addon),
}

/// What an App would be.
#[derive(Debug, Serialize)]
pub(super) struct Rendered {
    app: AppName,
    namespace: String,
    plugin: PluginName,
    version: Version,
    runtime: Version,
    topology: TopologyName,
    image: String,
    components: Vec<Made>,
    /// The unified diff from the other version's files to these.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
}

/// Renders the addon of the arguments.
///
/// # Errors
/// The work could not be done.
pub(super) fn render(args: &RenderArgs) -> anyhow::Result<Report> {
    let wanted = Wanted::read(args.file.as_deref())?;
    let own = match rendered(&args.dir, &wanted, args)? {
        Ok(own) => own,
        Err(refused) => return Ok(Report::Refused(refused)),
    };
    let Some(other) = &args.diff else {
        return Ok(Report::Rendered(own));
    };
    Ok(match rendered(other, &wanted, args)? {
        Ok(other) => Report::Rendered(Rendered {
            diff: Some(diff::unified(&other.files(), &own.files())),
            ..own
        }),
        Err(refused) => Report::Refused(refused),
    })
}

fn rendered(
    directory: &Path,
    wanted: &Wanted,
    args: &RenderArgs,
) -> anyhow::Result<Result<Rendered, lint::Addon>> {
    let checked: Checked = checked::one(directory)?;
    let Ok(package) = &checked.verdict else {
        return Ok(Err(lint::Addon::of(&checked)));
    };
    let instance = wanted.instance(package, args)?;
    let context = Context::new(package, &instance)?;
    let mut components = Vec::new();
    if let Some(topology) = package.manifest.topology(&instance.topology) {
        for (name, members) in &topology.components {
            components.extend(Made::of(package, &instance, &context, name, members)?);
        }
    }
    let manifest = &package.manifest;
    let image = manifest
        .runtime(&instance.runtime)
        .map(|runtime| runtime.image.clone());
    Ok(Ok(Rendered {
        plugin: manifest.name.clone(),
        version: manifest.version.clone(),
        image: image.unwrap_or_default(),
        components,
        diff: None,
        app: instance.app,
        namespace: instance.namespace,
        runtime: instance.runtime,
        topology: instance.topology,
    }))
}

impl Rendered {
    /// The configuration files of all components, by `<component>/<file>`.
    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for made in &self.components {
            for (name, text) in made.config() {
                files.insert(format!("{}/{name}", made.name()), text.clone());
            }
        }
        files
    }

    fn text(&self, paint: Paint) -> String {
        let mut text = format!(
            "{} in {}: {} {} with runtime {}, topology {}\n",
            paint.bold(self.app.as_str()),
            self.namespace,
            self.plugin,
            self.version,
            self.runtime,
            self.topology
        );
        if let Some(diff) = &self.diff {
            text.push('\n');
            match diff.is_empty() {
                true => text.push_str("the configuration files are the same\n"),
                false => text.push_str(&diff::painted(diff, paint)),
            }
            return text;
        }
        for made in &self.components {
            text.push_str(&format!("\n{}", made.text(&self.image, paint)));
        }
        text
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        match self {
            Self::Rendered(rendered) => rendered.text(paint),
            Self::Refused(addon) => addon.text(paint),
        }
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Rendered(_) => Verdict::Clean,
            Self::Refused(_) => Verdict::Findings,
        }
    }
}
