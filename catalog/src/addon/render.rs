//! `addon render`: what an App of an addon would be. Names are those that the platform makes, texts
//! those that it renders; pods themselves are the operator's matter.

use super::{
    checked::{self, Checked},
    diff,
    instance::Wanted,
    lint,
};
use crate::{
    args::RenderArgs,
    output::{self, Paint, Verdict, count},
};
use api::{
    Version,
    names::{self, AppName, ComponentName, GroupName, PluginName, TopologyName},
};
use evaluate::InProcess;
use package::{
    Package,
    manifest::{Component, TopologyComponent},
    render::{self, Context, Instance},
};
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

/// What a component would be.
#[derive(Debug, Serialize)]
struct Made {
    component: ComponentName,
    replicas: u32,
    pods: Vec<String>,
    claims: Vec<Claim>,
    services: Vec<String>,
    /// The configuration files, by name.
    config: BTreeMap<String, String>,
}

/// The claims of one volume.
#[derive(Debug, Serialize)]
struct Claim {
    volume: String,
    size: String,
    names: Vec<String>,
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
            components.extend(made(package, &instance, &context, name, members)?);
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

fn made(
    package: &Package,
    instance: &Instance,
    context: &Context,
    name: &ComponentName,
    members: &TopologyComponent,
) -> anyhow::Result<Option<Made>> {
    let Some(component) = package.manifest.components.get(name) else {
        return Ok(None);
    };
    let settings = instance.components.get(name);
    let replicas = settings.and_then(|settings| settings.replicas);
    let replicas = replicas.unwrap_or_else(|| members.replicas());
    let group = names::group(&instance.app, name, &GroupName::sole());
    let pods: Vec<String> = (0..replicas).map(|n| names::pod(&group, n)).collect();
    Ok(Some(Made {
        claims: claims(instance, name, component, &pods),
        services: services(instance, name, component, &group),
        config: render::config_files(package, name, context, &InProcess)?,
        component: name.clone(),
        replicas,
        pods,
    }))
}

fn claims(
    instance: &Instance,
    name: &ComponentName,
    component: &Component,
    pods: &[String],
) -> Vec<Claim> {
    let settings = instance.components.get(name);
    let claim = |volume: &package::manifest::Volume| {
        let storage = settings.and_then(|settings| settings.storage.get(&volume.name));
        let size = storage.and_then(|storage| storage.size.clone());
        Claim {
            volume: volume.name.to_string(),
            size: size.unwrap_or_else(|| volume.size.clone()),
            names: pods
                .iter()
                .map(|pod| names::claim(&volume.name, pod))
                .collect(),
        }
    };
    component.volumes.iter().map(claim).collect()
}

/// Services have ports: without any there is the headless one alone.
fn services(
    instance: &Instance,
    name: &ComponentName,
    component: &Component,
    group: &str,
) -> Vec<String> {
    let mut services = Vec::new();
    if !component.ports.is_empty() {
        services.push(names::component(&instance.app, name));
        let roles = component.roles.iter().filter(|role| role.service);
        services.extend(roles.map(|role| names::role_service(&instance.app, name, &role.name)));
    }
    services.push(names::headless_service(group));
    services
}

impl Rendered {
    /// The configuration files of all components, by `<component>/<file>`.
    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for made in &self.components {
            for (name, text) in &made.config {
                files.insert(format!("{}/{name}", made.component), text.clone());
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

impl Made {
    fn text(&self, image: &str, paint: Paint) -> String {
        let members = count(self.replicas as usize, "member");
        let name = paint.bold(self.component.as_str());
        let mut text = format!("{name}: {members} of {image}\n");
        text.push_str(&format!("  pods      {}\n", range(&self.pods)));
        for claim in &self.claims {
            text.push_str(&format!(
                "  claims    {}, {} each\n",
                range(&claim.names),
                claim.size
            ));
        }
        for (i, service) in self.services.iter().enumerate() {
            let label = if i == 0 { "services" } else { "" };
            text.push_str(&format!("  {label:8}  {service}\n"));
        }
        for (file, content) in &self.config {
            let head = format!("{}/{file}", api::agent::MIDDLEWARE_CONFIG_DIR);
            text.push_str(&format!(
                "\n{}\n{content}",
                paint.bold(&format!("==> {head}"))
            ));
            if !content.ends_with('\n') {
                text.push('\n');
            }
        }
        text
    }
}

/// The first and the last of many names.
fn range(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [first, second] => format!("{first}, {second}"),
        [first, .., last] => format!("{first} … {last}"),
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
