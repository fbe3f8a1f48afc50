//! What a change means: the middleware's versions and their images, the edges of the upgrade graph,
//! topologies, components and profiles, parameters.

use super::super::{
    evaluator::evaluator,
    instance::Wanted,
    made::{Change, Made},
};
use crate::{
    args::Settings,
    output::{Paint, WIDTH, one_line, wrapped},
};
use api::names::ComponentName;
use package::{Manifest, Package, render::Context};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

/// What differs in what the manifest and the schema declare.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meaning {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identity: Vec<Difference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<Difference>,
    /// `upgradeFrom` and `migrateFrom`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edges: Vec<Difference>,
    /// Components, topologies and profiles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shape: Vec<Difference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Change>,
    /// Why parameters could not be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
}

/// Something that is there on one side only, or otherwise.
#[derive(Debug, PartialEq, Serialize)]
struct Difference {
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

type Said = BTreeMap<String, String>;

impl Meaning {
    /// What differs from `before` to `after`.
    pub(super) fn between(before: &Package, after: &Package) -> Self {
        let (old, new) = (&before.manifest, &after.manifest);
        let differing = |of: fn(&Manifest) -> Said| differences(&of(old), &of(new));
        let (parameters, unknown) = match parameters(before, after) {
            Ok(parameters) => (parameters, None),
            Err(error) => (Vec::new(), Some(format!("{error:#}"))),
        };
        Self {
            identity: differing(identity),
            images: differing(images),
            edges: differing(edges),
            shape: differing(shape),
            parameters,
            unknown,
        }
    }

    /// A paragraph for each that differs.
    pub(super) fn text(&self, paint: Paint) -> String {
        let mut text = String::new();
        let parts = [
            ("identity", &self.identity),
            ("images", &self.images),
            ("edges", &self.edges),
            ("shape", &self.shape),
        ];
        for (name, differences) in parts {
            if !differences.is_empty() {
                text.push_str(&format!("\n{name}\n"));
                let lines = differences.iter().map(|difference| difference.text(paint));
                text.extend(lines);
            }
        }
        if !self.parameters.is_empty() {
            text.push_str("\nparameters\n");
        }
        for change in &self.parameters {
            text.push_str(&format!("  {}", change.text()));
        }
        if let Some(why) = &self.unknown {
            let line = format!("the parameters cannot be compared: {}", one_line(why));
            text.push_str(&format!("\n{}", wrapped(&line, WIDTH, "  ")));
        }
        text
    }
}

impl Difference {
    fn text(&self, paint: Paint) -> String {
        let what = one_line(&self.what);
        let with = |value: &str| match value {
            "" => what.clone(),
            value => format!("{what}: {}", one_line(value)),
        };
        let line = match (&self.before, &self.after) {
            (None, Some(after)) => paint.green(&format!("+ {}", with(after))),
            (Some(before), None) => paint.red(&format!("- {}", with(before))),
            (before, after) => {
                let [before, after] =
                    [before, after].map(|side| side.as_deref().unwrap_or("nothing"));
                format!("~ {what}: {} becomes {}", one_line(before), one_line(after))
            }
        };
        format!("  {}", wrapped(&line, WIDTH - 2, "      "))
    }
}

fn differences(before: &Said, after: &Said) -> Vec<Difference> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differs = |name: &&&String| before.get(**name) != after.get(**name);
    let difference = |name: &String| Difference {
        what: name.clone(),
        before: before.get(name).cloned(),
        after: after.get(name).cloned(),
    };
    names
        .iter()
        .filter(differs)
        .map(|name| difference(name))
        .collect()
}

fn identity(manifest: &Manifest) -> Said {
    let range = manifest.kubernetes.as_ref();
    let all = [
        ("name", manifest.name.to_string()),
        ("licence", manifest.licence.clone()),
        (
            "kubernetes",
            range.map(ToString::to_string).unwrap_or_default(),
        ),
        (
            "minPlatform",
            manifest.min_platform.clone().unwrap_or_default(),
        ),
    ];
    let said = all.into_iter().filter(|(_, text)| !text.is_empty());
    said.map(|(name, text)| (name.to_owned(), text)).collect()
}

fn images(manifest: &Manifest) -> Said {
    let mut said = Said::new();
    for runtime in &manifest.runtimes {
        let version = &runtime.version;
        said.insert(format!("runtime {version}"), runtime.image.clone());
        for (component, image) in &runtime.images {
            said.insert(format!("runtime {version}, {component}"), image.clone());
        }
    }
    said
}

fn edges(manifest: &Manifest) -> Said {
    let upgrades = manifest.upgrade_from.iter();
    let upgrades = upgrades.map(|range| (format!("upgradeFrom {range}"), String::new()));
    let migrations = manifest.migrate_from.iter().flat_map(|(to, ranges)| {
        let edge = move |range| (format!("migrateFrom {range} to {to}"), String::new());
        ranges.iter().map(edge)
    });
    upgrades.chain(migrations).collect()
}

fn shape(manifest: &Manifest) -> Said {
    let components = manifest.components.keys();
    let components = components.map(|name| format!("component {name}"));
    let topologies = manifest.topologies();
    let topologies = topologies
        .iter()
        .map(|topology| format!("topology {}", topology.name));
    let profiles = manifest.profiles.iter();
    let profiles = profiles.map(|profile| format!("profile {}", profile.name));
    let all = components.chain(topologies).chain(profiles);
    all.map(|name| (name, String::new())).collect()
}

/// What differs in the parameters of each component, as an App has them that says nothing.
///
/// # Errors
/// One side does not render, or there is no verdict on it.
fn parameters(before: &Package, after: &Package) -> anyhow::Result<Vec<Change>> {
    let (before, after) = (components(before)?, components(after)?);
    let changes = after
        .iter()
        .flat_map(|(name, made)| made.changes(before.get(name)));
    Ok(changes.collect())
}

/// Each component of `package`, in the first topology that has it.
fn components(package: &Package) -> anyhow::Result<BTreeMap<ComponentName, Made>> {
    let mut components = BTreeMap::new();
    for topology in package.manifest.topologies() {
        let settings = Settings {
            enable: topology
                .components
                .iter()
                .filter(|(_, one)| one.optional)
                .map(|(name, _)| name.clone())
                .collect(),
            topology: Some(topology.name),
            ..Settings::default()
        };
        let instance = Wanted::default().instance(package, &settings)?;
        let context = Context::new(package, &instance, evaluator())?;
        let names: Vec<ComponentName> = context.components().cloned().collect();
        for name in names {
            if let Entry::Vacant(place) = components.entry(name) {
                let made = Made::of(package, &instance, &context, place.key())?;
                place.insert(made);
            }
        }
    }
    Ok(components)
}
