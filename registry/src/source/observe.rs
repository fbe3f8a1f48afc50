//! What is so: the source, what it offers, and what the caches say is there already. The one step
//! that looks at the world; that it cannot be seen is part of what is so.

use super::{
    DEFAULT_INTERVAL, duration, look,
    memory::Memory,
    observed::{Existing, Look, Observed, Owner, Verdict},
};
use crate::context::Context;
use api::{AddonSource, Digest, MiddlewareAddon, conditions::READY, labels, names::PluginName};
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

/// Observes `source`, and looks at its repository if it is time.
pub(crate) async fn observe(context: &Context, source: &AddonSource) -> Observed {
    let name = source.name_any();
    let mut memory = context.memories.get(&name, source.uid());
    let requested = look::requested(source);
    let generation = source.metadata.generation;
    let asked = context.memories.take_asked(&name);
    let due = asked || memory.is_due(generation, requested.as_deref(), Instant::now());
    if due && !source.spec.suspend {
        let looked = look::look(context, source).await;
        memory.generation = generation;
        memory.requested = requested.clone();
        memory.look = Some(looked.look);
        memory.remote = looked.remote;
        memory.fresh.extend(looked.fresh);
        let interval = duration(&source.spec.interval).unwrap_or(DEFAULT_INTERVAL);
        memory.schedule(interval, Instant::now());
        context.memories.offers(&name, names(memory.look.as_ref()));
    }
    let is_cached = |name: &str| context.caches.addons.get(&ObjectRef::new(name)).is_some();
    memory.forget_created(is_cached, Instant::now());
    let observed = assemble(context, source, requested, &memory);
    context.memories.put(&name, memory);
    observed
}

/// Plugin and object of every version that is offered.
fn versions(look: Option<&Look>) -> impl Iterator<Item = (&PluginName, String)> {
    let offers = match look {
        Some(Look::Found { offers, .. }) => offers.as_slice(),
        _ => &[],
    };
    offers.iter().filter_map(|offer| match &offer.verdict {
        Verdict::Good {
            plugin, version, ..
        } => Some((plugin, format!("{plugin}-{version}"))),
        _ => None,
    })
}

fn names(look: Option<&Look>) -> BTreeSet<String> {
    versions(look).map(|(_, name)| name).collect()
}

fn assemble(
    context: &Context,
    source: &AddonSource,
    requested: Option<String>,
    memory: &Memory,
) -> Observed {
    let (mut addons, mut ledger) = (BTreeMap::new(), BTreeMap::new());
    for (plugin, name) in versions(memory.look.as_ref()) {
        let cached = context.caches.addons.get(&ObjectRef::new(&name));
        let existing = match cached {
            Some(addon) => Some(existing(context, source, &addon)),
            None => memory
                .created
                .get(&name)
                .map(|(_, existing)| existing.clone()),
        };
        if let Some(existing) = existing {
            addons.insert(name, existing);
        }
        if !ledger.contains_key(plugin)
            && let Some(entries) = entries(context, plugin)
        {
            ledger.insert(plugin.clone(), entries);
        }
    }
    Observed {
        source: source.name_any(),
        generation: source.metadata.generation,
        requested,
        suspended: source.spec.suspend,
        status: status(source, memory),
        look: memory.look.clone(),
        addons,
        ledger,
        waiting_ms: memory.waiting_since.map_or(0, |since| {
            u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
        }),
    }
}

/// What was said last: what we wrote, until the cache has moved past what we wrote over.
fn status(source: &AddonSource, memory: &Memory) -> api::AddonSourceStatus {
    match &memory.written {
        Some((over, status)) if *over == source.resource_version() => status.clone(),
        _ => source.status.clone().unwrap_or_default(),
    }
}

fn entries(context: &Context, plugin: &PluginName) -> Option<BTreeMap<String, Digest>> {
    let ledger = context
        .caches
        .ledgers
        .get(&ObjectRef::new(plugin.as_str()))?;
    Some(ledger.spec.entries.clone())
}

fn existing(context: &Context, source: &AddonSource, addon: &MiddlewareAddon) -> Existing {
    let status = addon.status.clone().unwrap_or_default();
    let ready = status.conditions.into_iter().find(|c| c.type_ == READY);
    Existing {
        uid: addon.uid().unwrap_or_default(),
        digest: addon.spec.digest.clone().or(status.digest),
        phase: status.phase,
        owner: owner(context, source, addon),
        deleting: addon.metadata.deletion_timestamp.is_some(),
        message: ready.map(|c| c.message).unwrap_or_default(),
    }
}

/// Only what carries both our labels was made by a registry.
fn owner(context: &Context, source: &AddonSource, addon: &MiddlewareAddon) -> Owner {
    let managed = addon.labels().get(labels::MANAGED_BY);
    let ours = managed.is_some_and(|by| by == labels::MANAGED_BY_PAAMESH);
    match addon.labels().get(labels::SOURCE) {
        Some(of) if ours && *of == source.name_any() => Owner::ThisSource,
        Some(of) if ours => match context.caches.sources.get(&ObjectRef::new(of)) {
            Some(_) => Owner::Source(of.clone()),
            None => Owner::SourceThatIsGone,
        },
        _ => Owner::Hand,
    }
}
