//! The AddonSource controller: what a source offers is projected, once for each version, and what
//! cannot be is said with file and line.
//!
//! A look at a repository is taken when the source's time has come, its spec changed, or somebody
//! asked for it; other wake-ups (a version became Active) plan again from what the last look found.
//! Looks hold no worker: a server that hangs delays its own source alone.

mod act;
pub(crate) mod directory;
#[cfg(test)]
mod golden;
pub(crate) mod look;
pub(crate) mod memory;
mod observe;
mod observed;
mod plan;
mod report;
mod status;
mod story;

pub use observed::{Existing, Look, Observed, Offer, Owner, Verdict};
pub use plan::{Plan, Wake, plan};

use crate::{
    Shutdown,
    context::Context,
    index,
    metrics::Ended,
    watch::{Change, Changes},
};
use api::{AddonSource, crd::addon::AddonPhase};
use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use kube::{
    ResourceExt as _,
    runtime::{
        controller::{self, Action, applier},
        reflector::ObjectRef,
        watcher,
    },
};
use std::{
    collections::BTreeSet,
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::Instrument as _;

/// Retries begin here and double up to [`MAX_BACKOFF`].
const MIN_BACKOFF: Duration = Duration::from_millis(750);
/// The longest pause between retries.
const MAX_BACKOFF: Duration = Duration::from_mins(15);
/// Between a projection and the first word that it takes long: what is settled by then is written
/// once. The operator needs a fraction of it.
const GRACE: Duration = Duration::from_secs(2);
/// The same where the operator is seen to be busy with versions of other sources: a platform that gets
/// a thousand at once says of each once that it is there.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many reconciles are under way: all that may look, and some that need no look. Each is asked for
/// its end whenever one of them ends.
const UNDER_WAY: u16 = look::SLOTS + 64;
/// A source is looked at at most this often.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// Where `spec.interval` does not parse, which the API server prevents.
const DEFAULT_INTERVAL: Duration = Duration::from_mins(1);

/// A reconcile did not end well.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Something could not be projected.
    #[error(transparent)]
    Act(#[from] act::ActError),
    /// The status could not be written.
    #[error(transparent)]
    Report(#[from] report::ReportError),
    /// It took too long.
    #[error("the reconcile took longer than {0:?}")]
    TimedOut(Duration),
}

/// Reconciles sources until `shutdown`, and then finishes what is under way.
pub async fn run(context: Arc<Context>, changes: Changes, shutdown: Shutdown) {
    let woken = context.clone();
    let queue = changes
        .flat_map(move |change| futures::stream::iter(sources(&woken, change)))
        .take_until(shutdown)
        .map(Ok::<_, watcher::Error>);
    let store = context.caches.sources.clone();
    let reconcile = move |source: Arc<AddonSource>, context: Arc<Context>| {
        let span = tracing::info_span!("reconcile", source = source.name_any());
        let work = bounded(source, context).instrument(span);
        // A task of its own, which ends when nobody waits for it: the controller polls all that it
        // waits for whenever one of them wakes it.
        let (work, done) = work.remote_handle();
        tokio::spawn(work);
        done
    };
    let config = controller::Config::default().concurrency(UNDER_WAY);
    // The caches are filled by reading `queue`, so this waits for nothing itself.
    applier(reconcile, retry, context, store, queue, config)
        .for_each(|done| async {
            if let Err(error) = done {
                tracing::debug!(%error, "nothing was done");
            }
        })
        .await;
}

/// The sources that a change is of interest to.
fn sources(context: &Context, change: Change) -> Vec<ObjectRef<AddonSource>> {
    match change {
        Change::Source(source) => {
            if context.caches.sources.get(&source).is_none() {
                let counted = context.memories.forget(&source.name);
                context.metrics.turned(counted, memory::Counted::default());
            }
            vec![source]
        }
        Change::Asked(source) => vec![source],
        Change::Addon { name, source } => {
            note(context, &name);
            let mut sources = context.memories.offering(&name);
            sources.extend(source);
            references(&sources)
        }
        Change::Content(name) => references(&naming(context, &name)),
    }
}

fn references(names: &BTreeSet<String>) -> Vec<ObjectRef<AddonSource>> {
    names.iter().map(|name| ObjectRef::new(name)).collect()
}

/// Notes what a change of a version says beside its source.
fn note(context: &Context, name: &str) {
    match context.caches.addons.get(&ObjectRef::new(name)) {
        None => context.key.forget(name),
        Some(addon) => {
            let phase = addon.status.as_ref().and_then(|status| status.phase);
            if matches!(phase, Some(AddonPhase::Active | AddonPhase::Failed)) {
                context.memories.settled();
            }
        }
    }
}

/// The sources whose versions name `content`.
fn naming(context: &Context, content: &str) -> BTreeSet<String> {
    let addons = context.caches.addons.state();
    let naming = addons.iter().filter(|addon| {
        let mut named = addon.spec.content.iter();
        named.any(|reference| reference.name == content)
    });
    let sources = naming.filter_map(|addon| index::source(addon).map(str::to_owned));
    sources.collect()
}

/// Never an error: what went wrong becomes a pause of its own for each source.
async fn bounded(source: Arc<AddonSource>, context: Arc<Context>) -> Result<Action, Infallible> {
    let begun = Instant::now();
    let limit = context.settings.reconcile_timeout;
    let work = tokio::time::timeout(limit, reconcile(&source, &context));
    let result = work.await.unwrap_or(Err(SourceError::TimedOut(limit)));
    context
        .metrics
        .duration
        .observe(begun.elapsed().as_secs_f64());
    Ok(result.unwrap_or_else(|error| {
        let ended = Ended { result: "Error" };
        context.metrics.reconciles.get_or_create(&ended).inc();
        let pause = context.memories.failed(&source.name_any());
        tracing::warn!(%error, ?pause, "a reconcile failed");
        Action::requeue(pause)
    }))
}

fn retry(_: Arc<AddonSource>, never: &Infallible, _: Arc<Context>) -> Action {
    match *never {}
}

async fn reconcile(source: &AddonSource, context: &Context) -> Result<Action, SourceError> {
    // Everything that is decided needs all caches.
    context.caches.wait_until_ready().await;
    let observed = observe::observe(context, source).await;
    if context.is_ending() {
        // A look that was given up says nothing of its source.
        return Ok(Action::await_change());
    }
    let now = Timestamp::now();
    let plan = plan(&observed);
    tracing::debug!(?plan, "planned");
    let Ok(_worker) = context.workers.acquire().await else {
        return Ok(Action::await_change());
    };
    // In a box: a thousand wait here or for a look, and few act.
    let acted = Box::pin(act::act(context, source, &observed, &plan)).await;
    report::report(context, source, &observed, &plan, &acted, now).await?;
    if let Some(error) = acted.into_error() {
        return Err(error.into());
    }
    context.memories.succeeded(&source.name_any());
    Ok(action(context, source, &plan))
}

fn action(context: &Context, source: &AddonSource, plan: &Plan) -> Action {
    let next_look = || context.memories.until_next_look(&source.name_any());
    match plan.wake {
        Wake::Never => Action::await_change(),
        Wake::NextLook => Action::requeue(next_look()),
        // Ever later, so that a thousand that wait together do not keep looking.
        Wake::GraceEnds => {
            let waited = context.memories.waited(&source.name_any());
            Action::requeue(waited.max(GRACE).min(next_look()))
        }
    }
}

/// The pause after `failures` failures in a row.
fn backoff(failures: u32) -> Duration {
    let doubled = 2u32.saturating_pow(failures.saturating_sub(1).min(16));
    MIN_BACKOFF.saturating_mul(doubled).min(MAX_BACKOFF)
}

/// A duration as Kubernetes users write it: `90s`, `1m30s`, `1.5h`.
fn duration(text: &str) -> Option<Duration> {
    text.parse::<jiff::SignedDuration>().ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_double_from_750_ms_to_15_minutes() {
        assert_eq!(backoff(1), Duration::from_millis(750));
        assert_eq!(backoff(2), Duration::from_millis(1500));
        assert_eq!(backoff(11), Duration::from_secs(768));
        assert_eq!(backoff(12), MAX_BACKOFF);
        assert_eq!(backoff(u32::MAX), MAX_BACKOFF);
    }

    #[test]
    fn durations_are_read_as_the_schema_allows_them() {
        for (text, millis) in [
            ("500ms", 500),
            ("1m", 60_000),
            ("90s", 90_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("0.5s", 500),
        ] {
            assert_eq!(
                duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
        }
    }
}
