//! What belongs to one component of one App: its names, its pods, its Services.

use crate::{Package, render::Context};
use api::{
    labels,
    names::{self, AppName, ComponentName, GroupName},
};
use std::collections::BTreeSet;

/// The component that objects belong to.
pub(super) struct Owner<'a> {
    pub(super) app: &'a AppName,
    pub(super) namespace: &'a str,
    /// What the names of its objects begin with: `<app>-<component>-`.
    pub(super) prefix: String,
    /// The Services of the App: those that the platform makes, and those of the component's objects.
    pub(super) services: BTreeSet<String>,
}

impl<'a> Owner<'a> {
    pub(super) fn new(package: &Package, component: &ComponentName, context: &'a Context) -> Self {
        let app = context.app();
        let services = context
            .components()
            .flat_map(|name| of_platform(package, app, name));
        Self {
            prefix: format!("{}-", names::component(app, component)),
            namespace: context.namespace(),
            services: services.collect(),
            app,
        }
    }

    /// Whether an object of the component may be called `name`: it begins as the component is called,
    /// and the platform calls nothing so.
    pub(super) fn may_be_called(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(&self.prefix) else {
            return false;
        };
        let group = rest.split('-').next().unwrap_or_default();
        let is_pod_or_group = group.bytes().all(|b| b.is_ascii_digit());
        let own = ["config", "content", "credentials"];
        !is_pod_or_group && !own.contains(&rest) && !rest.ends_with("-h") && !rest.ends_with("-svc")
    }

    /// What a selector must have: `middleware.io/app: <app>`.
    pub(super) fn label(&self) -> (&'static str, &str) {
        (labels::APP, self.app.as_str())
    }
}

/// The Services that the platform makes for a component.
fn of_platform(package: &Package, app: &AppName, name: &ComponentName) -> Vec<String> {
    let group = names::group(app, name, &GroupName::sole());
    let declared = package.manifest.components.get(name);
    let roles = declared.into_iter().flat_map(|declared| &declared.roles);
    let mut services: Vec<String> = roles
        .filter(|role| role.service)
        .map(|role| names::role_service(app, name, &role.name))
        .collect();
    services.push(names::component(app, name));
    services.push(names::headless_service(&group));
    services
}
