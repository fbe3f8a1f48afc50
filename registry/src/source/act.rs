//! Does what the plan says: content first, then the object that names it. Each step may be repeated,
//! and what one version meets does not hold up the others.

use super::{
    memory::Memory,
    observed::{Existing, Look, Observed, Owner},
    plan::{Changed, Plan, Projected, Replaced},
};
use crate::{
    content::{self, ContentError},
    context::Context,
    projection::{Origin, projection},
};
use api::{AddonSource, Digest, crd::source::ChangedVersion, labels};
use futures::{StreamExt as _, stream};
use kube::{
    ResourceExt as _,
    api::{DeleteParams, PostParams, Preconditions},
    runtime::reflector::ObjectRef,
};
use package::{Package, Tree};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Instant,
};
use transport::{Content, Remote};

/// How many versions of a source are projected at once.
const AT_ONCE: usize = 8;
/// How many files that differ are listed.
const MAX_FILES: usize = 50;

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
        replace,
        changed,
        failed: _,
        conflicts: _,
        waiting,
        unjudged: _,
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
    let mut acted = Acted::default();
    let replacing = each(replace, |replaced| acting.replace(replaced));
    let projecting = each(project, |projected| acting.project(projected));
    let comparing = each(changed, |changed| acting.compare(changed));
    let (replaced, projected, compared) = futures::join!(replacing, projecting, comparing);
    for result in replaced {
        acted.errors.extend(result.err());
    }
    for (version, result) in project.iter().zip(projected) {
        match result {
            Ok(()) => acted.projected.push(version.clone()),
            Err(error) => acted.errors.push(error),
        }
    }
    for (changed, result) in changed.iter().zip(compared) {
        match result {
            Ok(files) => drop(acted.differing.insert(changed.offered.clone(), files)),
            Err(error) => acted.errors.push(error),
        }
    }
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

impl Acting<'_> {
    async fn replace(&self, replaced: &Replaced) -> Result<(), ActError> {
        let Replaced { name, uid } = replaced;
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(uid.clone()),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        match self.context.addons().delete(name, &params).await {
            Ok(_) => Ok(()),
            // Gone, or another object by now: the next plan sees it.
            Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => {
                Ok(())
            }
            Err(source) => Err(ActError::Delete {
                name: name.clone(),
                source: Box::new(source),
            }),
        }
    }

    async fn project(&self, version: &Projected) -> Result<(), ActError> {
        let label = format!("{} {}", version.plugin, version.version);
        let package = self.package(&label, &version.tree).await?;
        let origin = Origin {
            source: self.observed.source.clone(),
            revision: self.revision(),
            directory: version.directory.clone(),
        };
        let objects = projection(&package, &origin, &self.context.settings.namespace);
        let _sweep_waits = self.context.projecting.read().await;
        let written =
            content::ensure(&self.context.content(), &objects.content, &self.shared()).await;
        written.map_err(|source| ActError::Content {
            version: label,
            source,
        })?;
        self.create(&objects.addon).await
    }

    /// The content that is named already.
    fn shared(&self) -> HashSet<String> {
        let addons = self.context.caches.addons.state();
        let content = addons.iter().flat_map(|addon| &addon.spec.content);
        content.map(|reference| reference.name.clone()).collect()
    }

    async fn create(&self, addon: &api::MiddlewareAddon) -> Result<(), ActError> {
        let name = addon.name_any();
        let params = PostParams {
            field_manager: Some(labels::manager::REGISTRY.to_owned()),
            ..PostParams::default()
        };
        match self.context.addons().create(&params, addon).await {
            Ok(created) => {
                tracing::info!(name, digest = ?addon.spec.digest, "projected");
                self.context.metrics.projected.inc();
                self.note(&created);
                Ok(())
            }
            // Its name is the lock: somebody was first, and the next plan sees with which bytes.
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
            Err(source) => Err(ActError::Create {
                name,
                source: Box::new(source),
            }),
        }
    }

    fn note(&self, created: &api::MiddlewareAddon) {
        let existing = Existing {
            uid: created.uid().unwrap_or_default(),
            digest: created.spec.digest.clone(),
            phase: None,
            owner: Owner::ThisSource,
            deleting: false,
            message: String::new(),
        };
        let noted = (Instant::now(), existing);
        self.context.memories.with(&self.observed.source, |memory| {
            memory.created.insert(created.name_any(), noted);
        });
    }

    /// The files that differ; none where the published ones are not there any more.
    async fn compare(&self, changed: &Changed) -> Result<Vec<String>, ActError> {
        let mut before = self.observed.status.changed.iter();
        let same = |before: &&ChangedVersion| {
            !before.files.is_empty() && **before == changed_version(changed, before.files.clone())
        };
        if let Some(before) = before.find(same) {
            return Ok(before.files.clone());
        }
        let label = format!("{} {}", changed.plugin, changed.version);
        let name = format!("{}-{}", changed.plugin, changed.version);
        let Some(addon) = self.context.caches.addons.get(&ObjectRef::new(&name)) else {
            return Ok(Vec::new());
        };
        let published = content::read(&self.context.content(), &addon.spec.content).await;
        let published = published.map_err(|source| ActError::Content {
            version: label.clone(),
            source,
        })?;
        let offered = self.package(&label, &changed.tree).await?;
        // Content that is not what was published tells nothing.
        let published = published.filter(|tree| tree.digest() == changed.published);
        let mut files = published.map_or_else(Vec::new, |tree| tree.differing(&offered.tree));
        files.truncate(MAX_FILES);
        Ok(files)
    }

    fn revision(&self) -> String {
        match &self.observed.look {
            Some(Look::Found { revision, .. }) => revision.clone(),
            _ => String::new(),
        }
    }

    /// The package whose Git tree is `tree`: what the look kept, or read again.
    async fn package(&self, version: &str, tree: &str) -> Result<Arc<Package>, ActError> {
        if let Some(package) = self.memory.fresh.get(tree) {
            return Ok(package.clone());
        }
        let unreadable = |reason: String| ActError::Unreadable {
            version: version.to_owned(),
            reason,
        };
        let Some(remote) = self.memory.remote.clone() else {
            return Err(unreadable("the repository was not looked at".to_owned()));
        };
        let (mirrors, tree) = (self.context.mirrors.clone(), tree.to_owned());
        let work = move || reread(&mirrors, &remote, &tree);
        let read = tokio::task::spawn_blocking(work).await;
        let read = read.unwrap_or_else(|error| Err(error.to_string()));
        if read.is_err() {
            // The mirror is broken: the next look makes it anew.
            let again = |memory: &mut Memory| memory.next_look = None;
            self.context.memories.with(&self.observed.source, again);
        }
        read.map(Arc::new).map_err(unreadable)
    }
}

fn changed_version(changed: &Changed, files: Vec<String>) -> ChangedVersion {
    ChangedVersion {
        plugin: changed.plugin.clone(),
        version: changed.version.clone(),
        directory: changed.directory.clone(),
        published: changed.published.clone(),
        offered: changed.offered.clone(),
        files,
    }
}

fn reread(mirrors: &transport::Mirrors, remote: &Remote, tree: &str) -> Result<Package, String> {
    let content = mirrors
        .content(remote, tree)
        .map_err(|error| error.to_string())?;
    let Content::Files(files) = content else {
        return Err("its files are refused now".to_owned());
    };
    let tree = Tree::from_files(files).map_err(|findings| format!("{findings:?}"))?;
    package::load(tree).map_err(|refusal| refusal.to_string())
}
