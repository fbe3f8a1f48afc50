//! What is shown, from the catalog's model. Pure.

use super::view::{
    App, Catalog, Choice, Parameter, Parameters, Plugin, Root, Standing, Version, Way, Ways,
};
use crate::catalog::{
    content,
    model::{self, AddonVersion, Origin},
};
use api::{crd::addon::AddonPhase, names::ComponentName};
use package::{
    Package,
    evaluate::Effect,
    graph::{Graph, State},
    manifest::{Profile, ProfileComponent, Topology, TopologyComponent},
};
use std::collections::BTreeMap;

/// Of how many versions the ways in several edits are found in both directions.
const MAX_BOTH_WAYS: usize = 200;

/// The catalog; `apps_hidden` says why not all users are seen.
pub(super) fn catalog(model: &model::Catalog, apps_hidden: Option<String>) -> Catalog {
    let plugin = |plugin: &model::Plugin| Plugin {
        name: plugin.plugin.to_string(),
        recommended: plugin
            .recommended()
            .map(|version| version.version.to_string())
            .unwrap_or_default(),
        versions: plugin.versions.iter().map(version).collect(),
    };
    Catalog {
        plugins: model.plugins.iter().map(plugin).collect(),
        apps_hidden,
    }
}

fn version(version: &AddonVersion) -> Version {
    let app = |user: &model::User| App {
        namespace: user.namespace.clone(),
        name: user.name.clone(),
        words: [user.runtime.to_string(), user.topology.to_string()]
            .into_iter()
            .chain(user.phase.map(|phase| format!("{phase:?}")))
            .collect(),
    };
    Version {
        version: version.version.to_string(),
        standing: standing(version),
        remarks: remarks(version),
        runtimes: version.runtimes.iter().map(ToString::to_string).collect(),
        topologies: version.topologies.iter().map(ToString::to_string).collect(),
        users: version.users.count,
        apps: version.users.apps.iter().map(app).collect(),
        facts: facts(version),
    }
}

fn standing(version: &AddonVersion) -> Standing {
    match version.phase {
        _ if version.deleting => Standing::Terminating,
        AddonPhase::Pending => Standing::Pending,
        AddonPhase::Failed => Standing::Failed,
        AddonPhase::Active if version.lifecycle.withdrawn.is_some() => Standing::Withdrawn,
        AddonPhase::Active if version.lifecycle.deprecated.is_some() => Standing::Deprecated,
        AddonPhase::Active => Standing::Active,
    }
}

/// What one must know of it.
fn remarks(version: &AddonVersion) -> Vec<String> {
    let lifecycle = &version.lifecycle;
    let mut remarks = Vec::new();
    if version.deleting {
        remarks.push("being deleted: nothing new may pin it".to_owned());
    }
    if let Some(trouble) = version.trouble.as_ref().filter(|_| !version.is_published()) {
        remarks.push(format!("{}: {}", trouble.reason, trouble.message));
    }
    let said = [
        ("withdrawn", &lifecycle.withdrawn),
        ("deprecated", &lifecycle.deprecated),
    ];
    for (word, why) in said {
        remarks.extend(why.iter().map(|why| format!("{word}: {why}")));
    }
    remarks.extend(lifecycle.advisories.iter().map(|advisory| {
        let severity = format!("{:?}", advisory.severity).to_lowercase();
        let url = advisory
            .url
            .as_ref()
            .map(|url| format!(" {url}"))
            .unwrap_or_default();
        format!("{} ({severity}) {}{url}", advisory.id, advisory.summary)
    }));
    remarks
}

fn facts(version: &AddonVersion) -> Vec<(String, String)> {
    let runs: Vec<String> = version.runtimes.iter().map(ToString::to_string).collect();
    let from = match &version.origin {
        None => "made by hand".to_owned(),
        Some(Origin {
            source,
            revision,
            directory,
            ..
        }) => [source, revision, directory]
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" "),
    };
    let digest = version.digest.as_ref().map(ToString::to_string);
    let created = version.created.as_ref().map(|time| time.0.to_string());
    let until = version.lifecycle.end_of_support.clone();
    let facts = [
        (
            "runs",
            Some(runs.join(", ")).filter(|text| !text.is_empty()),
        ),
        ("from", Some(from)),
        ("signed by", version.signer.clone()),
        ("digest", digest),
        ("since", created),
        ("supported", until.map(|day| format!("until {day}"))),
    ];
    let facts = facts.into_iter();
    facts
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// What the root of a package says.
pub(super) fn root(package: &Package) -> Root {
    let manifest = &package.manifest;
    let kubernetes = manifest
        .kubernetes
        .as_ref()
        .map(|range| range.as_str().to_owned());
    let facts = [
        ("licence", manifest.licence.clone()),
        ("maintainers", manifest.maintainers.join(", ")),
        ("Kubernetes", kubernetes.unwrap_or_default()),
        ("keywords", manifest.keywords.join(", ")),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    Root {
        description: manifest.description.clone(),
        keywords: manifest.keywords.clone(),
        facts: facts
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        readme: content::readme(package).map(str::to_owned),
        topologies: manifest.topologies().iter().map(topology).collect(),
        profiles: manifest.profiles.iter().map(profile).collect(),
    }
}

fn topology(topology: &Topology) -> Choice {
    let component = |(name, declared): (&ComponentName, &TopologyComponent)| {
        (name.to_string(), members(declared))
    };
    Choice {
        name: topology.name.to_string(),
        description: topology.description.clone(),
        components: topology.components.iter().map(component).collect(),
    }
}

/// `3 members, 2 to 7, odd`
fn members(declared: &TopologyComponent) -> String {
    let (least, most) = (declared.min(), declared.max());
    let number = usize::try_from(declared.replicas()).unwrap_or(usize::MAX);
    let mut text = crate::output::count(number, "member");
    if least != most {
        text.push_str(&format!(", {least} to {most}"));
    }
    let words = [
        (declared.odd, ", an odd number"),
        (declared.optional, ", optional"),
    ];
    text.extend(
        words
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, word)| word),
    );
    text
}

fn profile(profile: &Profile) -> Choice {
    let component = |(name, declared): (&ComponentName, &ProfileComponent)| {
        (name.to_string(), defaults(declared))
    };
    Choice {
        name: profile.name.to_string(),
        description: profile.description.clone(),
        components: profile.components.iter().map(component).collect(),
    }
}

/// `3 members, requests cpu 1, volume data 100Gi, maxclients 10000`
fn defaults(declared: &ProfileComponent) -> String {
    let mut words: Vec<String> = Vec::new();
    if let Some(replicas) = declared.replicas {
        let number = usize::try_from(replicas).unwrap_or(usize::MAX);
        words.push(crate::output::count(number, "member"));
    }
    if let Some(resources) = &declared.resources {
        let both = [
            ("requests", &resources.requests),
            ("limits", &resources.limits),
        ];
        for (what, amounts) in both {
            words.extend(
                amounts
                    .iter()
                    .map(|(name, amount)| format!("{what} {name} {amount}")),
            );
        }
    }
    words.extend(
        declared
            .storage
            .iter()
            .map(|(name, size)| format!("volume {name} {size}")),
    );
    words.extend(
        declared
            .parameters
            .iter()
            .map(|(name, value)| format!("{name} {value}")),
    );
    words.join(", ")
}

/// The parameters by component.
pub(super) fn parameters(
    runtime: &api::Version,
    said: &BTreeMap<ComponentName, package::Parameters>,
) -> Parameters {
    let one = |(name, said): (&String, &package::evaluate::Parameter)| Parameter {
        name: name.clone(),
        default: said.default.as_ref().map(ToString::to_string),
        rule: said.allowed.clone(),
        effect: effect(said.effect).to_owned(),
        description: said.description.clone(),
    };
    let component = |(name, said): (&ComponentName, &package::Parameters)| {
        (name.to_string(), said.declared.iter().map(one).collect())
    };
    Parameters {
        runtime: runtime.to_string(),
        components: said.iter().map(component).collect(),
    }
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Dynamic => "at once",
        Effect::Reload => "reload",
        Effect::Restart => "restart",
    }
}

/// How the version and the others of its plugin reach each other.
pub(super) fn ways(plugin: &model::Plugin, version: &AddonVersion) -> Ways {
    let graph = plugin.graph();
    let mut ways = Ways::default();
    if !version.is_published() {
        return ways;
    }
    let both = plugin.versions.len() <= MAX_BOTH_WAYS;
    for other in plugin
        .versions
        .iter()
        .filter(|other| other.version != version.version)
    {
        let name = other.version.to_string();
        if other.is_published() && both {
            ways.inward.insert(name, way(&graph, other, version));
        }
    }
    let from: Vec<_> = states(version)
        .map(|from| (graph.ways(&from), from))
        .collect();
    for other in plugin
        .versions
        .iter()
        .filter(|other| other.version != version.version)
    {
        let name = other.version.to_string();
        let edits = from
            .iter()
            .flat_map(|(ways, _)| states(other).filter_map(|to| edits(ways, &to)));
        let onward = match edits.min_by_key(Vec::len) {
            Some(edits) => Way::Edits(edits),
            None => refused(&graph, version, other),
        };
        ways.onward.insert(name, onward);
    }
    ways
}

/// The shortest way between two, with whatever they run.
fn way(graph: &Graph, from: &AddonVersion, to: &AddonVersion) -> Way {
    let all = states(from).map(|start| graph.ways(&start));
    let edits = all.filter_map(|ways| {
        states(to)
            .filter_map(|to| edits(&ways, &to))
            .min_by_key(Vec::len)
    });
    match edits.min_by_key(Vec::len) {
        Some(edits) => Way::Edits(edits),
        None => refused(graph, from, to),
    }
}

fn states(version: &AddonVersion) -> impl Iterator<Item = State> {
    version.runtimes.iter().map(|runtime| State {
        addon: version.version.clone(),
        runtime: runtime.clone(),
    })
}

/// The versions on the way; a runtime is named where it alone changes.
fn edits(ways: &package::graph::Ways, to: &State) -> Option<Vec<String>> {
    let mut before: Option<&State> = None;
    let steps = ways.to(to)?;
    let text = steps.into_iter().map(|step| {
        let same = before.is_some_and(|before| before.addon == step.addon);
        before = Some(step);
        match same {
            true => format!("runtime {}", step.runtime),
            false => step.addon.to_string(),
        }
    });
    Some(text.collect())
}

fn refused(graph: &Graph, from: &AddonVersion, to: &AddonVersion) -> Way {
    if !to.is_published() {
        return Way::Refused(format!("it is {}", standing(to).word()));
    }
    let shared = states(from).find(|state| to.runtimes.contains(&state.runtime));
    let Some(start) = shared.or_else(|| states(from).next()) else {
        return Way::Refused("the platform does not say what it runs".to_owned());
    };
    let end = State {
        addon: to.version.clone(),
        runtime: match to.runtimes.contains(&start.runtime) {
            true => start.runtime.clone(),
            false => to
                .runtimes
                .first()
                .cloned()
                .unwrap_or(start.runtime.clone()),
        },
    };
    match graph.step(&start, &end) {
        Err(reason) => Way::Refused(reason.to_string()),
        Ok(()) => Way::Refused("no runtime leads there".to_owned()),
    }
}

#[cfg(test)]
mod tests;
