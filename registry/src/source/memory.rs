//! What the registry remembers between reconciles, and may forget at any time: when each source is
//! looked at next, what the last look found, and what was judged already.

mod offering;

use super::{
    MIN_INTERVAL, backoff,
    look::Place,
    observed::{Existing, Look, Verdict},
    story::Untold,
};
use api::{AddonSourceStatus, Digest};
use offering::Offering;
use package::Package;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a version that was created is believed to be there before the cache shows it.
const CACHE_LAG: Duration = Duration::from_secs(10);
/// More verdicts than these are not kept: 5,000 versions in many revisions.
const MAX_VERDICTS: usize = 50_000;

/// What is remembered of one source.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    /// Of which object: one of the same name that was made anew has another uid.
    pub uid: Option<String>,
    /// Of which generation the last look was.
    pub generation: Option<i64>,
    /// Which reconcile-now request the last look answered.
    pub requested: Option<String>,
    /// What it found.
    pub look: Option<Arc<Look>>,
    /// Packages that it judged good and that may have to be projected, by Git tree.
    pub fresh: HashMap<String, Arc<Package>>,
    /// Where the files of what it found lie.
    pub place: Option<Place>,
    /// When the next one is due.
    pub next_look: Option<Instant>,
    /// How many looks in a row failed.
    pub failed_looks: u32,
    /// How many reconciles in a row failed.
    pub failures: u32,
    /// Since when versions are on their way.
    pub waiting_since: Option<Instant>,
    /// Versions that were created, until the cache shows them.
    pub created: BTreeMap<String, (Instant, Existing)>,
    /// What was done and not told of yet.
    pub untold: Untold,
    /// The revision of which an Event told already.
    pub announced: Option<String>,
    /// What is counted of it.
    pub counted: Counted,
    /// What was last written, and over which resourceVersion: until the cache shows it.
    pub written: Option<(Option<String>, AddonSourceStatus)>,
}

/// What the gauges count of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// The reason of its condition Ready.
    pub reason: Option<&'static str>,
    /// How many addons of it are refused.
    pub refused: usize,
}

impl Memory {
    /// Whether the source is to be looked at, for it was never, was edited, somebody asks for it, or
    /// its time has come.
    pub fn is_due(&self, generation: Option<i64>, requested: Option<&str>, now: Instant) -> bool {
        self.look.is_none()
            || self.generation != generation
            || self.requested.as_deref() != requested
            || self.next_look.is_none_or(|next| next <= now)
    }

    /// Sets the time of the next look: after `interval`, up to 5 % earlier, so that sources that were
    /// made together drift apart; after a pause of its own where this one failed; and at `again` where
    /// the look itself says when.
    pub fn schedule(&mut self, interval: Duration, again: Option<Duration>, now: Instant) {
        let failed = match self.look.as_deref() {
            Some(Look::Found { offers, .. }) => offers
                .iter()
                .any(|offer| matches!(offer.verdict, Verdict::NotJudged { .. })),
            _ => true,
        };
        self.failed_looks = match failed && again.is_none() {
            true => self.failed_looks + 1,
            false => 0,
        };
        let pause = if let Some(again) = again {
            again
        } else if failed {
            backoff(self.failed_looks)
        } else {
            interval.max(MIN_INTERVAL).mul_f64(1.0 - 0.05 * chance())
        };
        self.next_look = Some(now + pause);
    }

    /// Forgets what was created and is in the cache by now, or is believed to be gone again.
    pub fn forget_created(&mut self, is_cached: impl Fn(&str) -> bool, now: Instant) {
        self.created
            .retain(|name, (at, _)| now.duration_since(*at) < CACHE_LAG && !is_cached(name));
    }

    /// Forgets what was written, unless the cache still shows what it was written over.
    pub fn forget_written(&mut self, shown: Option<&str>) {
        let over = self.written.as_ref().map(|(over, _)| over.as_deref());
        if over != Some(shown) {
            self.written = None;
        }
    }
}

/// Evenly distributed in 0..1: spread is all that is wanted of it.
fn chance() -> f64 {
    let random = RandomState::new().hash_one(0u8);
    (random >> 11) as f64 / (1u64 << 53) as f64
}

/// The memories of all sources, by name. A source is never reconciled twice at once.
#[derive(Default)]
pub struct Memories {
    of: Mutex<HashMap<String, Memory>>,
    offering: Mutex<Offering>,
    /// When the operator last settled a version of any source.
    settled: Mutex<Option<Instant>>,
    /// The sources that somebody asks to be looked at. Beside their memories, which a reconcile that is
    /// under way replaces when it ends.
    asked: Mutex<BTreeSet<String>>,
}

impl Memories {
    fn of(&self) -> MutexGuard<'_, HashMap<String, Memory>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The memory of a source; empty where there is none or it is of another object.
    pub(crate) fn get(&self, source: &str, uid: Option<String>) -> Memory {
        let memory = self.of().get(source).cloned().unwrap_or_default();
        if memory.uid == uid {
            return memory;
        }
        Memory {
            uid,
            counted: memory.counted,
            ..Memory::default()
        }
    }

    /// Replaces the memory of a source.
    pub(crate) fn put(&self, source: &str, memory: Memory) {
        self.of().insert(source.to_owned(), memory);
    }

    /// Changes the memory of a source.
    pub(crate) fn with<T>(&self, source: &str, change: impl FnOnce(&mut Memory) -> T) -> T {
        change(self.of().entry(source.to_owned()).or_default())
    }

    /// Forgets a source that is gone; what was counted of it.
    pub(crate) fn forget(&self, source: &str) -> Counted {
        let counted = self.of().remove(source).map(|memory| memory.counted);
        self.take_asked(source);
        self.offers(source, BTreeSet::new());
        counted.unwrap_or_default()
    }

    fn asked(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a look at `source`: the next reconcile that begins takes it.
    pub fn ask(&self, source: &str) {
        self.asked().insert(source.to_owned());
    }

    /// Whether somebody asked since the last call.
    pub fn take_asked(&self, source: &str) -> bool {
        self.asked().remove(source)
    }

    fn offering_now(&self) -> MutexGuard<'_, Offering> {
        self.offering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the objects of all versions that `source` offers.
    pub fn offers(&self, source: &str, names: BTreeSet<String>) {
        self.offering_now().offers(source, names);
    }

    /// The sources that offer the version whose object is `name`.
    pub fn offering(&self, name: &str) -> BTreeSet<String> {
        self.offering_now().of(name)
    }

    /// Whether another source than `source` offers the version whose object is `name` with the bytes
    /// `digest`.
    pub fn is_elsewhere(&self, source: &str, name: &str, digest: Option<&Digest>) -> bool {
        let mut others = self.offering(name);
        others.remove(source);
        let of = self.of();
        let mut looks = others
            .iter()
            .filter_map(|other| of.get(other)?.look.as_deref());
        looks.any(|look| {
            look.offers(name)
                .is_some_and(|offered| Some(offered) == digest)
        })
    }

    /// Notes that the operator settled a version.
    pub fn settled(&self) {
        *self.settled.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// For how long the operator has settled none; it never did where absent.
    pub fn idle(&self) -> Option<Duration> {
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.map(|at| at.elapsed())
    }

    /// Notes a failed reconcile; returns the pause before the next.
    pub fn failed(&self, source: &str) -> Duration {
        self.with(source, |memory| {
            memory.failures = memory.failures.saturating_add(1);
            backoff(memory.failures)
        })
    }

    /// Notes a reconcile that ended well.
    pub fn succeeded(&self, source: &str) {
        self.with(source, |memory| memory.failures = 0);
    }

    /// How long `source` may sleep: until its next look, or until what was created and did not come
    /// into the cache is believed to be gone again.
    pub fn until_next_look(&self, source: &str) -> Duration {
        let now = Instant::now();
        self.with(source, |memory| {
            let unseen = memory.created.values().map(|(at, _)| *at + CACHE_LAG);
            let next = memory.next_look.into_iter().chain(unseen).min();
            next.map_or(MIN_INTERVAL, |at| at.saturating_duration_since(now))
        })
    }

    /// For how long versions of `source` have been on their way.
    pub fn waited(&self, source: &str) -> Duration {
        let since = self.with(source, |memory| memory.waiting_since);
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// Verdicts by the hash of the Git tree: they depend on the bytes alone.
#[derive(Default)]
pub struct Verdicts(Mutex<HashMap<String, Verdict>>);

impl Verdicts {
    /// Whether the tree was judged.
    pub fn knows(&self, tree: &str) -> bool {
        self.get(tree).is_some()
    }

    /// What was said of the tree.
    pub fn get(&self, tree: &str) -> Option<Verdict> {
        let verdicts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.get(tree).cloned()
    }

    /// Remembers a verdict; that there is none is not remembered.
    pub fn put(&self, tree: &str, verdict: &Verdict) {
        if tree.is_empty() || matches!(verdict, Verdict::NotJudged { .. }) {
            return;
        }
        let mut verdicts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if verdicts.len() >= MAX_VERDICTS {
            verdicts.clear();
        }
        verdicts.insert(tree.to_owned(), verdict.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_look_is_within_the_interval_and_at_most_5_percent_early() {
        let now = Instant::now();
        for _ in 0..1000 {
            let mut memory = Memory {
                look: Some(Arc::new(Look::Found {
                    revision: String::new(),
                    offers: Vec::new(),
                })),
                ..Memory::default()
            };
            memory.schedule(Duration::from_secs(100), None, now);
            let pause = memory.next_look.unwrap() - now;
            assert!((95.0..=100.0).contains(&pause.as_secs_f64()), "{pause:?}");
        }
    }
}
