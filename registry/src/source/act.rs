//! Does what the plan says. Each step may be repeated, and what one version meets does not hold up the
//! others.

mod lifecycle;
mod project;

use super::{
    memory::Memory,
    observed::Observed,
    plan::{Changed, Plan, Projected, Withdrawn},
};
use crate::{content::ContentError, context::Context};
use api::{AddonSource, Digest, crd::source::ChangedVersion};
use futures::{StreamExt as _, stream};
use kube::ResourceExt as _;
use std::{collections::BTreeMap, time::Instant};

/// How many versions of a source are worked on at once.
const AT_ONCE: usize = 8;

/// A step of the plan failed; the others were done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The content of a version.
    #[error("{version}: {source}")]
    Content {
        /// Plugin and version.
        version: String,
        /// What happened.
        source: ContentError,
    },
    /// The files of a version cannot be read again.
    #[error("{version}: reading it again failed: {reason}")]
    Unreadable {
        /// Plugin and version.
        version: String,
        /// What happened.
        reason: String,
    },
    /// The object of a version.
    #[error("creating MiddlewareAddon `{name}` failed: {source}")]
    Create {
        /// The object.
        name: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
    /// What is said of a version.
    #[error("writing to MiddlewareAddon `{name}` failed: {source}")]
    Patch {
        /// The object.
        name: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
    /// An object that is to make room.
    #[error("deleting MiddlewareAddon `{name}` failed: {source}")]
    Delete {
        /// The object.
        name: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Acted {
    /// Versions that were projected.
    pub projected: Vec<Projected>,
    /// Versions whose content is whole again.
    pub restored: Vec<Projected>,
    /// Versions that were withdrawn.
    pub withdrawn: Vec<Withdrawn>,
    /// Versions that are not withdrawn any more.
    pub reinstated: Vec<Withdrawn>,
    /// Objects of old versions that were deleted.
    pub pruned: Vec<String>,
    /// The files that differ in versions that are offered with other bytes, by their digest; those
    /// of a comparison that failed are absent.
    pub differing: BTreeMap<Digest, Vec<String>>,
    /// What failed.
    pub errors: Vec<ActError>,
}

impl Acted {
    /// What is to be said of `changed`, with the files that differ as far as they are known.
    pub fn compared(&self, changed: &Changed) -> ChangedVersion {
        let files = self.differing.get(&changed.offered);
        changed_version(changed, files.cloned().unwrap_or_default())
    }

    /// The first error.
    pub fn into_error(self) -> Option<ActError> {
        self.errors.into_iter().next()
    }

    /// Those of `items` that were done; what failed is noted.
    fn done<T: Clone>(&mut self, items: &[T], results: Vec<Result<bool, ActError>>) -> Vec<T> {
        let mut done = Vec::new();
        for (item, result) in items.iter().zip(results) {
            match result {
                Ok(true) => done.push(item.clone()),
                Ok(false) => {}
                Err(error) => self.errors.push(error),
            }
        }
        done
    }
}

/// Does what `plan` says for `source`.
pub(crate) async fn act(
    context: &Context,
    source: &AddonSource,
    observed: &Observed,
    plan: &Plan,
) -> Acted {
    let Plan {
        project,
        restore,
        replace,
        vouch,
        withdraw,
        reinstate,
        remove,
        prune,
        changed,
        failed: _,
        unverified: _,
        conflicts: _,
        waiting,
        unjudged: _,
        withdrawn: _,
        published: _,
        quiet: _,
        wake: _,
    } = plan;
    let name = source.name_any();
    let acting = Acting {
        context,
        observed,
        memory: context.memories.with(&name, |memory| {
            let on_its_way = !(project.is_empty() && waiting.is_empty());
            let since = memory.waiting_since.unwrap_or_else(Instant::now);
            memory.waiting_since = on_its_way.then_some(since);
            memory.clone()
        }),
    };
    let (made, said, gone) = futures::join!(
        async {
            futures::join!(
                each(project, |version| acting.project(version)),
                each(restore, |version| acting.restore(version)),
                each(changed, |changed| acting.compare(changed)),
            )
        },
        async {
            futures::join!(
                each(vouch, |vouched| acting.vouch(vouched)),
                each(withdraw, |withdrawn| acting.withdraw(withdrawn)),
                each(reinstate, |withdrawn| acting.reinstate(withdrawn)),
            )
        },
        async {
            futures::join!(
                each(replace, |doomed| acting.delete(doomed)),
                each(remove, |doomed| acting.delete(doomed)),
                each(prune, |doomed| acting.delete(doomed)),
            )
        },
    );
    let mut acted = Acted::default();
    acted.projected = acted.done(project, made.0);
    acted.restored = acted.done(restore, made.1);
    for (changed, result) in changed.iter().zip(made.2) {
        match result {
            Ok(files) => drop(acted.differing.insert(changed.offered.clone(), files)),
            Err(error) => acted.errors.push(error),
        }
    }
    acted.done(vouch, said.0);
    acted.withdrawn = acted.done(withdraw, said.1);
    acted.reinstated = acted.done(reinstate, said.2);
    acted.done(replace, gone.0);
    acted.done(remove, gone.1);
    let pruned = acted.done(prune, gone.2);
    acted.pruned = pruned.into_iter().map(|doomed| doomed.name).collect();
    // A version whose object could be made needs its package no more.
    if acted.errors.is_empty() {
        context.memories.with(&name, |memory| memory.fresh.clear());
    }
    acted
}

async fn each<'a, I, T, F>(items: &'a [I], work: impl Fn(&'a I) -> F) -> Vec<T>
where
    F: Future<Output = T>,
{
    let work: Vec<F> = items.iter().map(work).collect();
    stream::iter(work).buffered(AT_ONCE).collect().await
}

struct Acting<'a> {
    context: &'a Context,
    observed: &'a Observed,
    memory: Memory,
}

fn changed_version(changed: &Changed, files: Vec<String>) -> ChangedVersion {
    ChangedVersion {
        plugin: changed.plugin.clone(),
        version: changed.version.clone(),
        directory: changed.directory.clone(),
        published: changed.published.clone(),
        published_by: changed.published_by.clone(),
        offered: changed.offered.clone(),
        files,
    }
}
