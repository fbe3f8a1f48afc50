//! Which number a saved state has. The highest is known from the ledger, from the catalog, and from
//! what was given here and has not come there yet.

use crate::watch::Caches;
use api::{AddonLedger, Digest, MiddlewareAddon, Version, names::PluginName};
use kube::runtime::reflector::{ObjectRef, Store};
use package::graph::Dev;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// More versions than these are not remembered: an author works on few.
const MAX_GIVEN: usize = 10_000;

type Given = HashMap<(PluginName, Version), (u64, Digest)>;

/// The numbers that were given; those that were published are known without it.
#[derive(Clone, Default)]
pub struct Numbers(Arc<Mutex<Given>>);

/// The numbers as they are now.
pub(super) struct Reading {
    given: Numbers,
    addons: Store<MiddlewareAddon>,
    ledgers: Store<AddonLedger>,
}

impl Numbers {
    pub(super) fn reading(&self, caches: &Caches) -> Reading {
        Reading {
            given: self.clone(),
            addons: caches.addons.clone(),
            ledgers: caches.ledgers.clone(),
        }
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reading {
    /// The highest number of the version `base`, and the digest of the state that has it, where that is
    /// known.
    pub fn highest(&self, plugin: &PluginName, base: &Version) -> Option<(u64, Option<Digest>)> {
        let of = |version: &Version| Dev::of(version).filter(|dev| dev.base == *base);
        let mut all: Vec<(u64, Option<Digest>)> = Vec::new();
        if let Some(ledger) = self.ledgers.get(&ObjectRef::new(plugin.as_str())) {
            let entries = ledger.spec.entries.iter();
            all.extend(entries.filter_map(|(version, digest)| {
                let dev = of(&version.parse().ok()?)?;
                Some((dev.n, Some(digest.clone())))
            }));
        }
        let addons = self.addons.state();
        let ours = addons.iter().filter(|addon| addon.spec.plugin == *plugin);
        all.extend(ours.filter_map(|addon| {
            let dev = of(&addon.spec.version)?;
            Some((dev.n, addon.spec.digest.clone()))
        }));
        let key = (plugin.clone(), base.clone());
        let given = self.given.given().get(&key).cloned();
        all.extend(given.map(|(n, digest)| (n, Some(digest))));
        // Of one number the one with a digest.
        all.into_iter()
            .max_by_key(|(n, digest)| (*n, digest.is_some()))
    }

    /// Notes that the state `digest` of `base` has the number `n`.
    pub fn take(&self, plugin: &PluginName, base: &Version, n: u64, digest: &Digest) {
        let mut given = self.given.given();
        if given.len() >= MAX_GIVEN {
            given.clear();
        }
        given.insert((plugin.clone(), base.clone()), (n, digest.clone()));
    }
}
