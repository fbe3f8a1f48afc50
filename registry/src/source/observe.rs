//! What is so: the source, what it offers, and what the caches say is there already. The one step
//! that looks at the world; that it cannot be seen is part of what is so.

mod existing;

use super::{
    DEFAULT_INTERVAL, duration, look,
    memory::Memory,
    observed::{Look, Observed, Verdict},
};
use crate::context::Context;
use api::{AddonSource, AddonSourceSpec, Digest, names::PluginName};
use existing::existing;
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// How many states of an addon in a directory are kept, where nobody asks for more.
const STATES: u32 = 10;

/// Observes `source`, and looks at its repository if it is time.
pub(crate) async fn observe(context: &Context, source: &AddonSource) -> Observed {
    let name = source.name_any();
    let mut memory = context.memories.get(&name, source.uid());
    let requested = look::requested(source);
    let generation = source.metadata.generation;
    let asked = context.memories.take_asked(&name);
    let due = asked || memory.is_due(generation, requested.as_deref(), Instant::now());
    if due && !source.spec.suspend {
        let looked = look::look(context, source, &memory, asked).await;
        memory.generation = generation;
        memory.requested = requested.clone();
        memory.place = looked.place;
        memory.fresh.extend(looked.fresh);
        if memory.look.as_deref() != Some(&looked.look) {
            context.memories.offers(&name, names(&looked.look));
            memory.look = Some(Arc::new(looked.look));
        }
        let interval = duration(&source.spec.interval).unwrap_or(DEFAULT_INTERVAL);
        memory.schedule(interval, looked.again, Instant::now());
    }
    let is_cached = |name: &str| context.caches.addons.get(&ObjectRef::new(name)).is_some();
    memory.forget_created(is_cached, Instant::now());
    memory.forget_written(source.resource_version().as_deref());
    let observed = assemble(context, source, requested, &memory);
    context.memories.put(&name, memory);
    observed
}

/// Plugin and object of every version that is offered.
fn versions(look: &Look) -> impl Iterator<Item = (&PluginName, String)> {
    let offers = match look {
        Look::Found { offers, .. } => offers.as_slice(),
        _ => &[],
    };
    offers.iter().filter_map(|offer| match &offer.verdict {
        Verdict::Good {
            plugin, version, ..
        } => Some((plugin, format!("{plugin}-{version}"))),
        _ => None,
    })
}

fn names(look: &Look) -> BTreeSet<String> {
    versions(look).map(|(_, name)| name).collect()
}

fn assemble(
    context: &Context,
    source: &AddonSource,
    requested: Option<String>,
    memory: &Memory,
) -> Observed {
    let name = source.name_any();
    let mut observed = Observed {
        source: name.clone(),
        url: url(&source.spec),
        generation: source.metadata.generation,
        requested,
        suspended: source.spec.suspend,
        verifies: verifies(&source.spec),
        retention: retention(&source.spec),
        status: status(source, memory),
        look: memory.look.clone(),
        addons: BTreeMap::new(),
        elsewhere: BTreeSet::new(),
        ledger: BTreeMap::new(),
        waiting_ms: memory.waiting_since.map_or(0, |since| ms(since.elapsed())),
        idle_ms: context.memories.idle().map(ms),
    };
    let offered: Vec<_> = memory.look.iter().flat_map(|look| versions(look)).collect();
    let mut plugins: BTreeSet<PluginName> = offered.iter().map(|(p, _)| (*p).clone()).collect();
    for (_, name) in offered {
        let noted = || memory.created.get(&name).map(|(_, noted)| noted.clone());
        if let Some(existing) = cached(context, source, &name).or_else(noted) {
            observed.addons.insert(name, existing);
        }
    }
    for own in context.caches.index.of_source(&name) {
        if observed.addons.contains_key(&own) {
            continue;
        }
        if let Some(existing) = cached(context, source, &own) {
            let digest = existing.digest.as_ref();
            if context.memories.is_elsewhere(&name, &own, digest) {
                observed.elsewhere.insert(own.clone());
            }
            plugins.insert(existing.plugin.clone());
            observed.addons.insert(own, existing);
        }
    }
    if observed.retention.is_some() {
        existing::add_ways(context, source, &mut observed, &plugins);
    }
    let ledgers = plugins.into_iter().filter_map(|plugin| {
        let entries = entries(context, &plugin)?;
        Some((plugin, entries))
    });
    observed.ledger = ledgers.collect();
    observed
}

fn cached(context: &Context, source: &AddonSource, name: &str) -> Option<super::Existing> {
    let addon = context.caches.addons.get(&ObjectRef::new(name))?;
    Some(existing(context, source, &addon))
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What was said last: what we wrote, until the cache has moved past what we wrote over.
fn status(source: &AddonSource, memory: &Memory) -> api::AddonSourceStatus {
    match &memory.written {
        Some((_, status)) => status.clone(),
        None => source.status.clone().unwrap_or_default(),
    }
}

fn entries(context: &Context, plugin: &PluginName) -> Option<BTreeMap<String, Digest>> {
    let ledger = context
        .caches
        .ledgers
        .get(&ObjectRef::new(plugin.as_str()))?;
    Some(ledger.spec.entries.clone())
}

/// What is looked at: policies are about it, and everybody reads it.
fn url(spec: &AddonSourceSpec) -> String {
    let AddonSourceSpec {
        git,
        oci,
        directory,
        ..
    } = spec;
    if let Some(git) = git {
        return without_secret(&git.url);
    }
    if let Some(oci) = oci {
        return without_secret(&oci.url);
    }
    let path = directory.as_ref().map(|directory| directory.path.as_str());
    path.map_or_else(String::new, |path| format!("directory:{path}"))
}

/// `url` without what only its owner should read: SSH's user is no secret, a token may be HTTP's.
fn without_secret(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let Some((user, host)) = authority.rsplit_once('@') else {
        return url.to_owned();
    };
    match user.split(':').next() {
        Some(user) if scheme == "ssh" => format!("{scheme}://{user}@{host}{path}"),
        _ => format!("{scheme}://{host}{path}"),
    }
}

fn verifies(spec: &AddonSourceSpec) -> bool {
    let git = spec.git.as_ref().is_some_and(|git| git.verify.is_some());
    let oci = spec.oci.as_ref().is_some_and(|oci| oci.verify.is_some());
    let images = spec.images.as_ref();
    git || oci || images.is_some_and(|images| images.require_digest || images.verify.is_some())
}

fn retention(spec: &AddonSourceSpec) -> Option<u32> {
    let asked = spec.retention.as_ref().map(|retention| retention.versions);
    asked.or(spec.directory.is_some().then_some(STATES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_states_are_bounded_and_versions_are_not_unless_somebody_asks() {
        let spec = |spec: serde_json::Value| serde_json::from_value(spec).unwrap();
        let git = serde_json::json!({"url": "https://git.example.com/a"});
        let some = serde_json::json!({"versions": 3});
        for (given, kept) in [
            (serde_json::json!({"git": git}), None),
            (serde_json::json!({"git": git, "retention": some}), Some(3)),
            (serde_json::json!({"directory": {"path": "a"}}), Some(10)),
            (
                serde_json::json!({"directory": {"path": "a"}, "retention": some}),
                Some(3),
            ),
        ] {
            assert_eq!(retention(&spec(given)), kept);
        }
    }

    #[test]
    fn a_url_is_shown_without_secrets() {
        for (url, shown) in [
            ("https://git.example.com/a@b", "https://git.example.com/a@b"),
            (
                "https://ann:pw@git.example.com/a",
                "https://git.example.com/a",
            ),
            ("https://token@git.example.com", "https://git.example.com"),
            (
                "ssh://git:pw@example.com:22/a",
                "ssh://git@example.com:22/a",
            ),
            (
                "oci://registry.example.com/a",
                "oci://registry.example.com/a",
            ),
        ] {
            assert_eq!(without_secret(url), shown);
        }
    }
}
