//! What is known of a MiddlewareAddon that is there.

use super::super::observed::{Existing, Observed, Owner, Ways};
use crate::{context::Context, index};
use api::{
    AddonSource, MiddlewareAddon, MiddlewareAddonStatus, conditions::READY, names::PluginName,
};
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use std::collections::BTreeSet;

/// What is known of `addon`, as `source` sees it.
pub(super) fn existing(
    context: &Context,
    source: &AddonSource,
    addon: &MiddlewareAddon,
) -> Existing {
    let status = addon.status.as_ref();
    let conditions = status.into_iter().flat_map(|status| &status.conditions);
    let ready = conditions.into_iter().find(|c| c.type_ == READY);
    let owner = owner(context, source, addon);
    let is_ours = owner == Owner::ThisSource;
    let found = status.and_then(|status| status.digest.as_ref());
    Existing {
        plugin: addon.spec.plugin.clone(),
        version: addon.spec.version.clone(),
        uid: addon.uid().unwrap_or_default(),
        resource_version: addon.resource_version(),
        digest: addon.spec.digest.as_ref().or(found).cloned(),
        phase: status.and_then(|status| status.phase),
        deleting: addon.metadata.deletion_timestamp.is_some(),
        message: ready.map(|c| c.message.clone()).unwrap_or_default(),
        provenance: is_ours.then(|| context.key.recognise(addon)).flatten(),
        withdrawn: addon
            .spec
            .lifecycle
            .as_ref()
            .and_then(|l| l.withdrawn.clone()),
        users: status
            .and_then(|status| status.users)
            .and_then(|users| u32::try_from(users).ok()),
        missing: match is_ours {
            true => context.caches.content.missing(&addon.spec.content),
            false => Vec::new(),
        },
        ways: None,
        owner,
    }
}

fn owner(context: &Context, source: &AddonSource, addon: &MiddlewareAddon) -> Owner {
    match index::source(addon) {
        None => Owner::Hand,
        Some(of) if of == source.name_any() => Owner::ThisSource,
        Some(of) => match context.caches.sources.get(&ObjectRef::new(of)) {
            Some(_) => Owner::Source(of.to_owned()),
            None => Owner::SourceThatIsGone,
        },
    }
}

/// Where Apps may come from and go to in those of `plugins` that have more versions than are kept: all
/// their versions, whoever made them.
pub(super) fn add_ways(
    context: &Context,
    source: &AddonSource,
    observed: &mut Observed,
    plugins: &BTreeSet<PluginName>,
) {
    let kept = usize::try_from(observed.retention.unwrap_or(u32::MAX)).unwrap_or(usize::MAX);
    for plugin in plugins {
        let names = context.caches.index.of_plugin(plugin);
        if names.len() <= kept {
            continue;
        }
        for name in names {
            let Some(addon) = context.caches.addons.get(&ObjectRef::new(&name)) else {
                continue;
            };
            let known = observed.addons.entry(name);
            let known = known.or_insert_with(|| existing(context, source, &addon));
            known.ways = addon.status.as_ref().map(ways);
        }
    }
}

fn ways(status: &MiddlewareAddonStatus) -> Ways {
    let migrations = status.migrate_from.iter();
    Ways {
        runtimes: status.runtime_versions.clone(),
        upgrade_from: status.upgrade_from.clone(),
        migrate_from: migrations
            .map(|m| (m.runtime.clone(), m.from.clone()))
            .collect(),
    }
}
