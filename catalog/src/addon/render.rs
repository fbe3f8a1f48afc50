//! `addon render`: what an App of an addon would be. Names are those that the platform makes, texts
//! those that it renders; whole pods are the operator's matter.

mod difference;
mod fault;

use super::{
    checked::{self, Checked},
    evaluator::evaluator,
    instance::Wanted,
    lint,
    made::Made,
};
use crate::{
    args::{RenderArgs, Settings},
    output::{self, Paint, Verdict},
};
use api::{
    Version,
    names::{AppName, ComponentName, PluginName, ProfileName, TopologyName},
};
use difference::Difference;
use fault::Fault;
use package::{
    Package,
    render::{Context, Instance},
    tree::SCRIPTS_PREFIX,
};
use serde::Serialize;
use std::{collections::BTreeMap, path::Path};

/// What would be made, or why nothing would.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Report {
    /// It renders.
    Rendered(Box<Rendered>),
    /// The addon is refused, or the version that it is compared with.
    Refused(lint::Addon),
    /// The addon is valid, and not for this App.
    Fault(Fault),
}

/// Why nothing is rendered.
enum Stop {
    Refused(lint::Addon),
    Fault(Fault),
}

/// What an App would be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rendered {
    app: AppName,
    namespace: String,
    plugin: PluginName,
    version: Version,
    runtime: Version,
    topology: TopologyName,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileName>,
    /// What every component runs that has no image of its own.
    image: String,
    components: Vec<Made>,
    /// Optional components that the App does not enable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_enabled: Vec<ComponentName>,
    #[serde(flatten)]
    difference: Option<Difference>,
    /// Whether the parameters are what is asked for.
    #[serde(skip)]
    parameters_only: bool,
    /// What else is compared: the scripts by path.
    #[serde(skip)]
    scripts: BTreeMap<String, String>,
}

/// Renders the addon of the arguments.
///
/// # Errors
/// The work could not be done.
pub(super) fn render(args: &RenderArgs) -> anyhow::Result<Report> {
    let wanted = Wanted::read(args.file.as_deref())?;
    let mut own = match rendered(&args.dir, &wanted, &args.settings)? {
        Ok(own) => own,
        Err(stop) => return Ok(stop.into()),
    };
    own.parameters_only = args.parameters;
    let Some(other) = &args.diff else {
        return Ok(Report::Rendered(Box::new(own)));
    };
    let is_app = other.is_file();
    let other = match is_app {
        true => rendered(&args.dir, &Wanted::read(Some(other))?, &Settings::default())?,
        false => rendered(other, &wanted, &args.settings)?,
    };
    Ok(match other {
        Ok(other) => {
            own.difference = Some(Difference::between(&other, &own, is_app)?);
            Report::Rendered(Box::new(own))
        }
        Err(stop) => stop.into(),
    })
}

fn rendered(
    directory: &Path,
    wanted: &Wanted,
    settings: &Settings,
) -> anyhow::Result<Result<Rendered, Stop>> {
    let checked: Checked = checked::one(directory)?;
    let Ok(package) = &checked.verdict else {
        return Ok(Err(Stop::Refused(lint::Addon::of(&checked))));
    };
    let instance = wanted.instance(package, settings)?;
    if let Some(fault) = fault::of_parameters(directory, package, &instance)? {
        return Ok(Err(Stop::Fault(fault)));
    }
    match components(package, &instance) {
        Ok(components) => Ok(Ok(Rendered::new(package, instance, components))),
        Err(error) => Ok(Err(Stop::Fault(Fault::new(directory, error)?))),
    }
}

fn components(
    package: &Package,
    instance: &Instance,
) -> Result<Vec<Made>, package::render::RenderError> {
    let context = Context::new(package, instance, evaluator())?;
    let names = context.components();
    names
        .map(|name| Made::of(package, instance, &context, name))
        .collect()
}

impl Rendered {
    fn new(package: &Package, instance: Instance, components: Vec<Made>) -> Self {
        let manifest = &package.manifest;
        let runtime = manifest.runtime(&instance.runtime);
        let topology = manifest.topology(&instance.topology);
        let all = topology
            .into_iter()
            .flat_map(|topology| topology.components.into_keys());
        let is_made = |name: &ComponentName| components.iter().any(|made| made.name() == name);
        Self {
            plugin: manifest.name.clone(),
            version: manifest.version.clone(),
            image: runtime
                .map(|runtime| runtime.image.clone())
                .unwrap_or_default(),
            not_enabled: all.filter(|name| !is_made(name)).collect(),
            components,
            difference: None,
            parameters_only: false,
            scripts: scripts(package),
            app: instance.app,
            namespace: instance.namespace,
            runtime: instance.runtime,
            topology: instance.topology,
            profile: instance.profile,
        }
    }

    /// All that can be compared, by path.
    fn files(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut files = self.scripts.clone();
        for made in &self.components {
            files.extend(made.files()?);
        }
        Ok(files)
    }

    fn text(&self, paint: Paint) -> String {
        let profile = match &self.profile {
            Some(profile) => format!(", profile {profile}"),
            None => String::new(),
        };
        let mut text = format!(
            "{} in {}: {} {} with runtime {}, topology {}{profile}\n",
            paint.bold(self.app.as_str()),
            self.namespace,
            self.plugin,
            self.version,
            self.runtime,
            self.topology
        );
        if let Some(difference) = &self.difference {
            return text + "\n" + &difference.text(paint);
        }
        for made in &self.components {
            let part = match self.parameters_only {
                true => made.parameters(paint),
                false => made.text(paint),
            };
            text.push_str(&format!("\n{part}"));
        }
        for name in &self.not_enabled {
            let name = paint.bold(name.as_str());
            text.push_str(&format!("\n{name}: optional; --enable adds it\n"));
        }
        text
    }
}

/// The scripts by path, as far as they are text.
fn scripts(package: &Package) -> BTreeMap<String, String> {
    let files = package.tree.files();
    files
        .filter(|(path, _)| path.starts_with(SCRIPTS_PREFIX))
        .map(|(path, bytes)| (path.to_owned(), String::from_utf8_lossy(bytes).into_owned()))
        .collect()
}

impl From<Stop> for Report {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(addon) => Self::Refused(addon),
            Stop::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        match self {
            Self::Rendered(rendered) => rendered.text(paint),
            Self::Refused(addon) => addon.text(paint),
            Self::Fault(fault) => fault.text(paint),
        }
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Rendered(_) => Verdict::Clean,
            Self::Refused(_) | Self::Fault(_) => Verdict::Findings,
        }
    }
}
