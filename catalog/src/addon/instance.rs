//! The App that an addon is rendered for: from a file, from flags, from the addon's defaults.

use super::read;
use crate::args::Settings;
use anyhow::{Context as _, bail, ensure};
use api::{
    App, Version,
    crd::app::{AppComponent, AppSpec},
    names::{AppName, ComponentName, ProfileName, TopologyName},
};
use package::{
    Manifest, Package,
    manifest::{Topology, Volume},
    quantity::Quantity,
    render::Instance,
};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Display, path::Path};

/// The most bytes of an App's file; one in a cluster is smaller.
const MAX_APP_BYTES: usize = 1 << 20;
/// The App's name where nobody says one.
const DEFAULT_APP: &str = "app";
/// The App's namespace where nobody says one.
const DEFAULT_NAMESPACE: &str = "default";

/// What the file given says.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    app: Option<App>,
}

impl Wanted {
    /// Reads the file, where one is given.
    ///
    /// # Errors
    /// It cannot be read, or is no App.
    pub(super) fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = file else {
            return Ok(Self::default());
        };
        let text = read::text(path, MAX_APP_BYTES)?;
        let app = parse(&text).with_context(|| format!("`{}` is no App", path.display()))?;
        Ok(Self { app: Some(app) })
    }

    /// What is rendered of `package`.
    ///
    /// # Errors
    /// The App asks for what the package has not.
    pub(super) fn instance(&self, package: &Package, args: &Settings) -> anyhow::Result<Instance> {
        let manifest = &package.manifest;
        if let Some(spec) = self.spec() {
            ensure!(
                spec.plugin == manifest.name,
                "the App is of plugin `{}`, and the addon is `{}`",
                spec.plugin,
                manifest.name
            );
        }
        let topology = self.topology(manifest, args)?;
        Ok(Instance {
            app: self.name(args)?,
            namespace: self.namespace(args),
            runtime: self.runtime(manifest, args)?,
            profile: self.profile(manifest, args)?,
            components: self.components(manifest, args, &topology)?,
            topology: topology.name,
        })
    }

    fn spec(&self) -> Option<&AppSpec> {
        self.app.as_ref().map(|app| &app.spec)
    }

    fn topology(&self, manifest: &Manifest, args: &Settings) -> anyhow::Result<Topology> {
        let wanted = self.spec().and_then(|spec| spec.topology.as_ref());
        let wanted = args.topology.as_ref().or(wanted);
        let topologies = manifest.topologies();
        let found = match wanted {
            Some(name) => topologies.iter().find(|topology| topology.name == *name),
            None => topologies.first(),
        };
        let Some(found) = found else {
            let wanted = wanted.map(TopologyName::as_str).unwrap_or_default();
            let there = listed(topologies.iter().map(|topology| &topology.name));
            bail!("no topology `{wanted}`; there are {there}");
        };
        Ok(found.clone())
    }

    fn profile(&self, manifest: &Manifest, args: &Settings) -> anyhow::Result<Option<ProfileName>> {
        let wanted = self.spec().and_then(|spec| spec.profile.as_ref());
        let Some(wanted) = args.profile.as_ref().or(wanted) else {
            return Ok(None);
        };
        let there = manifest.profile_names();
        ensure!(
            there.contains(wanted),
            "no profile `{wanted}`; {}",
            match there.is_empty() {
                true => "the addon has none".to_owned(),
                false => format!("there are {}", listed(&there)),
            }
        );
        Ok(Some(wanted.clone()))
    }

    fn runtime(&self, manifest: &Manifest, args: &Settings) -> anyhow::Result<Version> {
        let wanted = self.spec().and_then(|spec| spec.runtime_version.as_ref());
        let there = manifest.runtime_versions();
        let wanted = args.runtime.as_ref().or(wanted).or(there.first());
        let wanted = wanted.context("the addon runs nothing")?;
        ensure!(
            there.contains(wanted),
            "{} {} does not run {wanted}; it runs {}",
            manifest.name,
            manifest.version,
            listed(&there)
        );
        Ok(wanted.clone())
    }

    fn name(&self, args: &Settings) -> anyhow::Result<AppName> {
        if let Some(name) = &args.app {
            return Ok(name.clone());
        }
        let name = self
            .app
            .as_ref()
            .and_then(|app| app.metadata.name.as_deref());
        Ok(name.unwrap_or(DEFAULT_APP).parse()?)
    }

    fn namespace(&self, args: &Settings) -> String {
        let said = self
            .app
            .as_ref()
            .and_then(|app| app.metadata.namespace.clone());
        let namespace = args.namespace.clone().or(said);
        namespace.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned())
    }

    fn components(
        &self,
        manifest: &Manifest,
        args: &Settings,
        topology: &Topology,
    ) -> anyhow::Result<BTreeMap<ComponentName, AppComponent>> {
        let app = self.app.as_ref();
        let mut components = app
            .map(|app| app.spec.components.clone())
            .unwrap_or_default();
        for (name, replicas) in &args.replicas {
            components.entry(name.clone()).or_default().replicas = Some(*replicas);
        }
        for name in &args.enable {
            components.entry(name.clone()).or_default().enabled = Some(true);
        }
        for set in &args.set {
            let component = components.entry(set.component.clone()).or_default();
            let parameters = &mut component.config.parameters;
            parameters.insert(set.parameter.clone(), set.value.clone());
        }
        for (name, settings) in &components {
            fits(name, settings, topology)?;
            let declared = manifest.components.get(name);
            storage(
                name,
                settings,
                declared.map_or(&[], |declared| &declared.volumes),
            )?;
        }
        Ok(components)
    }
}

/// Refuses what the operator would refuse: a component that is not there, too many or few members.
fn fits(name: &ComponentName, settings: &AppComponent, topology: &Topology) -> anyhow::Result<()> {
    let arrangement = &topology.name;
    let Some(members) = topology.components.get(name) else {
        let there = listed(topology.components.keys());
        bail!("the topology `{arrangement}` has no component `{name}`; it has {there}");
    };
    let (least, most) = (members.min(), members.max());
    let odd = if members.odd {
        ", odd numbers only"
    } else {
        ""
    };
    match settings.replicas {
        Some(replicas) if !members.allows(replicas) => bail!(
            "`{name}` cannot have {replicas} members: the topology `{arrangement}` allows {least} \
             to {most}{odd}"
        ),
        _ => {}
    }
    ensure!(
        settings.enabled != Some(false) || members.optional,
        "the topology `{arrangement}` does not do without `{name}`; leave `enabled` out"
    );
    Ok(())
}

/// Refuses a volume that is not there, and a size that is none.
fn storage(name: &ComponentName, set: &AppComponent, volumes: &[Volume]) -> anyhow::Result<()> {
    for (volume, storage) in &set.storage {
        let there = listed(volumes.iter().map(|volume| &volume.name));
        ensure!(
            volumes.iter().any(|declared| declared.name == *volume),
            "`{name}` has no volume `{volume}`; {}",
            match there.as_str() {
                "" => "it has none".to_owned(),
                there => format!("it has {there}"),
            }
        );
        if let Some(size) = &storage.size {
            let quantity = size.parse::<Quantity>();
            quantity.with_context(|| format!("the size of `{volume}` of `{name}`"))?;
        }
    }
    Ok(())
}

fn listed<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(", ")
}

/// The App, where the text is one without fields that nobody reads.
fn parse(text: &str) -> anyhow::Result<App> {
    let written: Value = serde_saphyr::from_str(text)?;
    ensure!(
        written["apiVersion"] == api::API_VERSION && written["kind"] == "App",
        "want `apiVersion: {}` and `kind: App`",
        api::API_VERSION
    );
    let app: App = serde_json::from_value(written.clone())?;
    let understood = serde_json::to_value(&app)?;
    let mut unknown = Vec::new();
    lost(&written["spec"], &understood["spec"], "spec", &mut unknown);
    ensure!(unknown.is_empty(), "unknown field {}", unknown.join(", "));
    Ok(app)
}

/// The paths of what was written and not understood.
fn lost(written: &Value, understood: &Value, path: &str, unknown: &mut Vec<String>) {
    let Value::Object(fields) = written else {
        return;
    };
    for (key, value) in fields {
        let path = format!("{path}.{key}");
        let empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
        match understood.get(key) {
            Some(understood) => lost(value, understood, &path, unknown),
            None if empty => {}
            None => unknown.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_reads_is_refused() {
        let app = |rest: &str| {
            parse(&format!(
                "apiVersion: {}\nkind: App\nmetadata: {{name: a}}\nspec:\n  plugin: redis\n  \
                 pluginVersion: 1.0.0\n{rest}",
                api::API_VERSION
            ))
        };
        assert!(app("  components: {redis: {replicas: 2, storage: {}}}\n").is_ok());
        let error = app("  components: {redis: {replica: 2}}\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown field spec.components.redis.replica"
        );
    }
}
