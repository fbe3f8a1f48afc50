//! What the addons at hand offer for a flag: topologies, profiles, runtimes, components, versions.
//! Nothing is judged, and whoever cannot be read offers nothing.

use crate::addon;
use package::Manifest;
use std::path::PathBuf;

/// A word that may follow, and what it is.
pub(super) type Candidate = (String, String);

/// What the flag `--<flag>` may be, with the directories typed so far; empty where that is not known.
pub(super) fn of(flag: &str, directories: &[&str]) -> Vec<Candidate> {
    let directories: Vec<PathBuf> = directories.iter().map(PathBuf::from).collect();
    let manifests = || addon::manifests(&directories);
    let one = |offer: fn(&Manifest) -> Vec<Candidate>| match &manifests()[..] {
        [manifest] => offer(manifest),
        _ => Vec::new(),
    };
    match flag {
        "topology" => one(topologies),
        "profile" => one(profiles),
        "runtime" => one(runtimes),
        "enable" => one(optional),
        "replicas" => one(|manifest| components(manifest, '=')),
        "set" => one(|manifest| components(manifest, '.')),
        "from" | "to" => manifests().iter().map(version).collect(),
        _ => Vec::new(),
    }
}

/// Whether a word for the flag goes on where the candidate ends.
pub(super) fn goes_on(flag: &str) -> bool {
    matches!(flag, "replicas" | "set")
}

fn topologies(manifest: &Manifest) -> Vec<Candidate> {
    let topologies = manifest.topologies().into_iter();
    topologies
        .map(|t| (t.name.to_string(), t.description))
        .collect()
}

fn profiles(manifest: &Manifest) -> Vec<Candidate> {
    let profiles = manifest.profiles.iter();
    profiles
        .map(|p| (p.name.to_string(), p.description.clone()))
        .collect()
}

fn runtimes(manifest: &Manifest) -> Vec<Candidate> {
    let versions = manifest.runtime_versions().into_iter();
    versions
        .map(|version| (version.to_string(), String::new()))
        .collect()
}

fn optional(manifest: &Manifest) -> Vec<Candidate> {
    let topologies = manifest.topologies();
    let all = topologies.iter().flat_map(|topology| &topology.components);
    let optional = all
        .filter(|(_, members)| members.optional)
        .map(|(name, _)| name.to_string());
    let mut names: Vec<String> = optional.collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| (name, String::new()))
        .collect()
}

fn components(manifest: &Manifest, end: char) -> Vec<Candidate> {
    let names = manifest.components.keys();
    names
        .map(|name| (format!("{name}{end}"), String::new()))
        .collect()
}

fn version(manifest: &Manifest) -> Candidate {
    (manifest.version.to_string(), manifest.name.to_string())
}
