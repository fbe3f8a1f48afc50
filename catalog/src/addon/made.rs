//! What one component of an App would be: pods, claims and Services by name, configuration files.

use crate::output::{Paint, count};
use api::names::{self, ComponentName, GroupName};
use evaluate::InProcess;
use package::{
    Package,
    manifest::{Component, TopologyComponent, Volume},
    render::{self, Context, Instance},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a component would be.
#[derive(Debug, Serialize)]
pub(super) struct Made {
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

impl Made {
    /// What `name` would be; `None` where the addon does not declare it.
    ///
    /// # Errors
    /// A template is at fault.
    pub(super) fn of(
        package: &Package,
        instance: &Instance,
        context: &Context,
        name: &ComponentName,
        members: &TopologyComponent,
    ) -> anyhow::Result<Option<Self>> {
        let Some(component) = package.manifest.components.get(name) else {
            return Ok(None);
        };
        let settings = instance.components.get(name);
        let replicas = settings.and_then(|settings| settings.replicas);
        let replicas = replicas.unwrap_or_else(|| members.replicas());
        let group = names::group(&instance.app, name, &GroupName::sole());
        let pods: Vec<String> = (0..replicas).map(|n| names::pod(&group, n)).collect();
        Ok(Some(Self {
            claims: claims(instance, name, component, &pods),
            services: services(instance, name, component, &group),
            config: render::config_files(package, name, context, &InProcess)?,
            component: name.clone(),
            replicas,
            pods,
        }))
    }

    /// The component's name.
    pub(super) fn name(&self) -> &ComponentName {
        &self.component
    }

    /// The configuration files, by name.
    pub(super) fn config(&self) -> &BTreeMap<String, String> {
        &self.config
    }

    /// All of it for people; `image` is what every member runs.
    pub(super) fn text(&self, image: &str, paint: Paint) -> String {
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

fn claims(
    instance: &Instance,
    name: &ComponentName,
    component: &Component,
    pods: &[String],
) -> Vec<Claim> {
    let settings = instance.components.get(name);
    let claim = |volume: &Volume| {
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

/// The first and the last of many names.
fn range(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [first, second] => format!("{first}, {second}"),
        [first, .., last] => format!("{first} … {last}"),
    }
}
