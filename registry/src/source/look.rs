//! A look at a source: which revision it has, who signed it, which addons stand there, what the checks
//! say of those that are new. What blocks is done in threads; what goes wrong is part of what is found.
//!
//! Every kind of source is listed by a module of its own ([`git`], [`oci`]) and judged in one place
//! ([`judge`]); a directory's states ([`super::directory`]) get their versions here, so it does both.

mod git;
mod images;
mod judge;
mod oci;
mod place;
pub(crate) mod proofs;
mod secrets;
mod slots;
mod trust;

pub(crate) use judge::{checked, good, refused, unpublishable};
pub(crate) use place::{Failure, Place, Stores};
pub(crate) use slots::{SLOTS, Slots};

use super::{
    directory, duration,
    memory::Memory,
    observed::{Look, Offer, Verdict},
};
use crate::context::Context;
use api::{AddonSource, labels, provenance::Signer};
use kube::ResourceExt as _;
use package::{Finding, Package};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::SemaphorePermit;

/// Where `spec.timeout` does not parse, which the API server prevents.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest name of a source: it stands in labels.
const MAX_NAME: usize = 63;
/// How old another look at the references of a repository may be that a look shares whose time has
/// come; one that somebody asked for shares none that began before it.
const SHARED: Duration = Duration::from_millis(500);

/// What a look found, and what it kept of it.
pub(crate) struct Looked {
    pub look: Look,
    /// Where the files of what is offered are read again.
    pub place: Option<Place>,
    pub fresh: HashMap<String, Arc<Package>>,
    /// When the next look is due, where neither the interval nor a back-off says it.
    pub again: Option<Duration>,
}

/// A look that is under way.
pub(crate) struct Looking<'a> {
    pub context: &'a Context,
    pub source: &'a AddonSource,
    /// What was known before it.
    pub before: &'a Memory,
    /// What began at this time or later is as good as its own look at a server.
    pub since: Instant,
    /// The most that one call to a server may take.
    pub timeout: Duration,
    /// Nothing new is begun after it.
    pub until: Instant,
    /// How much of it computes, or waits for its turn to.
    computing: AtomicUsize,
}

impl Looking<'_> {
    /// A worker to compute with, once there is one; none where the registry is ending.
    pub async fn worker(&self) -> Option<Worker<'_>> {
        self.computing.fetch_add(1, Ordering::Relaxed);
        let mut worker = Worker {
            permit: None,
            computing: &self.computing,
        };
        worker.permit = self.context.workers.acquire().await.ok();
        worker.permit.is_some().then_some(worker)
    }

    /// Whether all that it waits for is a server.
    fn is_at_a_server(&self) -> bool {
        self.computing.load(Ordering::Relaxed) == 0
    }
}

/// A worker; given back when dropped.
pub(crate) struct Worker<'a> {
    permit: Option<SemaphorePermit<'a>>,
    computing: &'a AtomicUsize,
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.computing.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a source offers, before any of it is read.
pub(crate) struct Listing {
    /// For example `main@sha1:…`.
    pub revision: String,
    /// Who signed all of it.
    pub signer: Option<Signer>,
    pub items: Vec<Item>,
    /// Whether it is a history: the oldest good bytes of a version are the ones that count, so nothing
    /// is said before everything is known.
    pub history: bool,
}

/// An addon of a listing.
#[derive(Default)]
pub(crate) struct Item {
    pub directory: String,
    /// By which [`Place::content`] reads it; empty where there is nothing to be read.
    pub tree: String,
    pub revision: Option<String>,
    /// Why it is none.
    pub refused: Option<Vec<Finding>>,
    /// Whether it stands in a history alone.
    pub past: bool,
}

/// A look that ended before anything could be offered.
pub(crate) struct Stopped {
    pub look: Look,
    pub again: Option<Duration>,
}

impl Stopped {
    /// It failed; `terminal` where only an edit of the source mends it.
    pub fn failed(terminal: bool, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            look: Look::Failed { terminal, message },
            again: None,
        }
    }

    /// Only an edit of the source mends it.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::failed(true, message)
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        let terminal = failure.is_terminal();
        let again = failure.retry_after();
        Self {
            again,
            ..Self::failed(terminal, failure.message)
        }
    }
}

/// The value of the reconcile-now annotation, ours or Flux's; both where both are there.
pub(crate) fn requested(source: &AddonSource) -> Option<String> {
    let annotations = source.annotations();
    let ours = annotations.get(labels::RECONCILE_REQUESTED_AT);
    let fluxs = annotations.get(labels::FLUX_RECONCILE_REQUESTED_AT);
    let value = match (ours, fluxs) {
        (Some(ours), Some(fluxs)) if ours != fluxs => format!("{ours} {fluxs}"),
        (ours, fluxs) => ours.or(fluxs)?.clone(),
    };
    Some(value.chars().take(128).collect())
}

/// Looks at `source`, of which `before` is known; `asked` where somebody knows of something new.
pub(crate) async fn look(
    context: &Context,
    source: &AddonSource,
    before: &Memory,
    asked: bool,
) -> Looked {
    let begun = Instant::now();
    let edited = before.generation != source.metadata.generation;
    let waits_for_it = asked || edited || before.requested != requested(source);
    // It ends before the reconcile does, so that what it met is said.
    let timeout = duration(&source.spec.timeout)
        .unwrap_or(DEFAULT_TIMEOUT)
        .min(context.settings.reconcile_timeout.mul_f64(0.9));
    let looking = Looking {
        context,
        source,
        before,
        since: match begun.checked_sub(SHARED) {
            Some(earlier) if !waits_for_it => earlier,
            _ => begun,
        },
        timeout,
        until: begun + timeout,
        computing: AtomicUsize::new(0),
    };
    let is_at_a_server = || looking.is_at_a_server();
    let taking = || Box::pin(taken(&looking));
    let looked = context.looks.within(is_at_a_server, taking).await;
    context.metrics.fetch.observe(begun.elapsed().as_secs_f64());
    looked.unwrap_or_else(|stopped| Looked {
        look: stopped.look,
        place: None,
        fresh: HashMap::new(),
        again: stopped.again,
    })
}

async fn taken(looking: &Looking<'_>) -> Result<Looked, Stopped> {
    if looking.source.name_any().len() > MAX_NAME {
        let why = format!("the source's name has more than {MAX_NAME} characters; give it another");
        return Err(Stopped::invalid(why));
    }
    let spec = &looking.source.spec;
    let images = images::Demand::of(looking).await?;
    match (&spec.git, &spec.oci, &spec.directory) {
        (Some(source), None, None) => match git::list(looking, source, images.is_none()).await? {
            git::Seen::Unchanged(looked) => Ok(looked),
            git::Seen::New(place, listing) => {
                judge::judge(looking, place, listing, None, images).await
            }
        },
        (None, Some(source), None) => {
            let (place, listing, trust) = oci::list(looking, source).await?;
            judge::judge(looking, place, listing, trust, images).await
        }
        (None, None, Some(source)) => {
            if images.is_some() {
                let why = "spec.images is for git and oci: a directory is the author's own machine";
                return Err(Stopped::invalid(why));
            }
            directory::look(looking, source).await
        }
        _ => Err(Stopped::invalid(
            "give exactly one of git, oci and directory",
        )),
    }
}

/// An offer of `item` with `verdict`.
fn offer(item: Item, signer: Option<Signer>, verdict: Verdict) -> Offer {
    Offer {
        directory: item.directory,
        tree: item.tree,
        revision: item.revision,
        signer,
        images: Vec::new(),
        verdict,
    }
}

/// Runs `work`, which may block, in a thread; nobody waits for it once the program ends.
async fn blocking<T: Send + 'static>(
    context: &Context,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::select! {
        done = tokio::task::spawn_blocking(work) => {
            done.map_err(|_| Failure::passing("the server sent what breaks what reads it"))
        }
        () = context.shutdown.clone() => Err(Failure::passing("the registry is ending")),
    }
}
