//! How a controller is driven: woken by the caches, bounded in workers and time, with a back-off of
//! its own for each object, so that one that hangs or fails is alone.

use crate::{
    Settings, Shutdown,
    error::{Consequence, Failure, backoff},
    metrics::{Controller, Failed, Metrics},
};
use futures::{Stream, StreamExt as _, stream::BoxStream};
use kube::{
    Resource, ResourceExt as _,
    runtime::{
        controller::{self, Action, applier},
        reflector::{ObjectRef, Store},
        watcher,
    },
};
use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tracing::Instrument as _;

/// How long triggers of one object are gathered: the several changes of one write are one reconcile.
const DEBOUNCE: Duration = Duration::from_millis(10);

/// A controller that is about to run.
pub struct Wiring<K: Resource<DynamicType = ()> + 'static, C> {
    /// `addon`, `app`, `component`, `group`.
    pub name: &'static str,
    /// The cache of its kind.
    pub store: Store<K>,
    /// Which object is to be looked at.
    pub queue: BoxStream<'static, ObjectRef<K>>,
    /// What its reconcile is handed.
    pub context: Arc<C>,
}

/// An error, or the end of the time that a reconcile has.
#[derive(Debug, thiserror::Error)]
enum Outcome<E: std::error::Error + 'static> {
    #[error(transparent)]
    Failed(E),
    #[error("the reconcile took longer than {0:?}")]
    TimedOut(Duration),
    #[error("the reconcile stopped: {0}")]
    Stopped(tokio::task::JoinError),
}

impl<E: Failure> Outcome<E> {
    fn consequence(&self) -> Consequence {
        match self {
            Self::Failed(error) => error.consequence(),
            Self::TimedOut(_) | Self::Stopped(_) => Consequence::Retry,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Failed(error) => error.reason(),
            Self::TimedOut(_) => "TimedOut",
            Self::Stopped(_) => "Stopped",
        }
    }
}

/// Reconciles until `shutdown`, and then finishes what is under way.
pub async fn drive<K, C, E, R>(
    wiring: Wiring<K, C>,
    settings: &Settings,
    metrics: &Metrics,
    shutdown: Shutdown,
    reconcile: impl Fn(Arc<K>, Arc<C>) -> R + Send + Sync + 'static,
) where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
    C: Send + Sync + 'static,
    E: Failure,
    R: Future<Output = Result<Action, E>> + Send + 'static,
{
    let Wiring {
        name,
        store,
        queue,
        context,
    } = wiring;
    let limit = settings.reconcile_timeout;
    let failures = Arc::new(Failures::default());
    let (counted, timed) = (metrics.clone(), metrics.clone());
    let forgiven = failures.clone();
    let run = move |object: Arc<K>, context: Arc<C>| {
        let key = ObjectRef::from_obj(&*object);
        let (timed, forgiven) = (timed.clone(), forgiven.clone());
        let span = tracing::info_span!("reconcile", controller = name, object = %key);
        let work = bounded(limit, reconcile(object, context)).instrument(span);
        Box::pin(async move {
            let begun = Instant::now();
            let outcome = work.await;
            timed
                .duration
                .get_or_create(&Controller { controller: name })
                .observe(begun.elapsed().as_secs_f64());
            if outcome.is_ok() {
                forgiven.forget(&key);
            }
            outcome
        })
    };
    let policy = move |object: Arc<K>, error: &Outcome<E>, _: Arc<C>| {
        let key = ObjectRef::from_obj(&*object);
        let label = Failed {
            controller: name,
            reason: error.reason(),
        };
        counted.failures.get_or_create(&label).inc();
        let action = failures.action(key, error.consequence());
        let (object, reason) = (object.name_any(), error.reason());
        tracing::warn!(controller = name, object, reason, %error, ?action, "a reconcile failed");
        action
    };
    let config = controller::Config::default()
        .debounce(DEBOUNCE)
        .concurrency(settings.workers);
    let queue = queue.take_until(shutdown).map(Ok::<_, watcher::Error>);
    applier(run, policy, context, store, queue, config)
        .for_each(|done| async move {
            if let Err(error) = done {
                tracing::debug!(controller = name, %error, "nothing was done");
            }
        })
        .await;
}

/// Runs `work` as a task of its own, at most `limit` long; dropping the future stops it.
async fn bounded<E: Failure>(
    limit: Duration,
    work: impl Future<Output = Result<Action, E>> + Send + 'static,
) -> Result<Action, Outcome<E>> {
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(work.in_current_span());
    match tokio::time::timeout(limit, tasks.join_next()).await {
        Err(_) => Err(Outcome::TimedOut(limit)),
        Ok(None) => Ok(Action::await_change()),
        Ok(Some(Err(stopped))) => Err(Outcome::Stopped(stopped)),
        Ok(Some(Ok(done))) => done.map_err(Outcome::Failed),
    }
}

/// How often each object failed in a row.
struct Failures<K: Resource<DynamicType = ()>>(Mutex<HashMap<ObjectRef<K>, u32>>);

impl<K: Resource<DynamicType = ()>> Default for Failures<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Resource<DynamicType = ()>> Failures<K> {
    fn forget(&self, key: &ObjectRef<K>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }

    fn action(&self, key: ObjectRef<K>, consequence: Consequence) -> Action {
        match consequence {
            Consequence::Terminal => Action::await_change(),
            Consequence::RetryAfter(pause) => Action::requeue(pause),
            Consequence::Retry => {
                let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let count = failures.entry(key).or_insert(0);
                *count = count.saturating_add(1);
                Action::requeue(backoff(*count))
            }
        }
    }
}

/// The objects of a cache themselves, as they change.
pub fn changed<K>(feed: &crate::watch::Feed<K>) -> impl Stream<Item = ObjectRef<K>> + Send + use<K>
where
    K: Resource<DynamicType = ()>
        + Clone
        + Debug
        + serde::de::DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    feed.subscribe().map(|object| ObjectRef::from_obj(&*object))
}

/// The controllers of children, as the children change: by owner reference.
pub fn owners<C, K>(
    feed: &crate::watch::Feed<C>,
) -> impl Stream<Item = ObjectRef<K>> + Send + use<C, K>
where
    C: Resource<DynamicType = ()>
        + Clone
        + Debug
        + serde::de::DeserializeOwned
        + Send
        + Sync
        + 'static,
    K: Resource<DynamicType = ()> + 'static,
{
    feed.subscribe().filter_map(|child| {
        let namespace = child.namespace().unwrap_or_default();
        let owner = child.owner_references().iter().find(|o| {
            o.controller == Some(true)
                && o.kind == K::kind(&())
                && o.api_version == K::api_version(&())
        });
        let found = owner.map(|o| ObjectRef::new(&o.name).within(&namespace));
        futures::future::ready(found)
    })
}
