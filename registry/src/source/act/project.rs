//! Makes the objects of a version: content first, then the object that names it. Reads files again
//! where they are needed and were not kept.

use super::{
    super::{
        memory::Memory,
        observed::{Existing, Owner},
        plan::{Changed, Projected, Vouched},
    },
    ActError, Acting, changed_version,
};
use crate::{content, projection::projection};
use api::{
    MiddlewareAddon, Version,
    crd::source::ChangedVersion,
    labels,
    names::PluginName,
    provenance::{Provenance, SignedProvenance},
};
use kube::{ResourceExt, api::PostParams, runtime::reflector::ObjectRef};
use package::Package;
use std::{sync::Arc, time::Instant};

/// How many files that differ are listed.
const MAX_FILES: usize = 50;

impl Acting<'_> {
    /// Makes all objects of `version`; whether the last of them is this registry's.
    pub(super) async fn project(&self, version: &Projected) -> Result<bool, ActError> {
        let package = self.package_of(version).await?;
        let _sweep_waits = self.context.projecting.read().await;
        let addon = self.content(version, &package).await?;
        self.create(&addon).await
    }

    /// Makes what is missing of the content of `version`; whether nothing is missing then.
    pub(super) async fn restore(&self, version: &Projected) -> Result<bool, ActError> {
        let package = self.package_of(version).await?;
        let _sweep_waits = self.context.projecting.read().await;
        self.content(version, &package).await?;
        let name = format!("{}-{}", version.plugin, version.version);
        let missing = self.observed.addons.get(&name).map(|e| &e.missing);
        // A version that another release of the platform spread over other objects stays as it is.
        let known = &self.context.caches.content;
        let left = missing.into_iter().flatten().any(|name| !known.has(name));
        if !left {
            tracing::info!(name, "its content is whole again");
        }
        Ok(!left)
    }

    /// Makes the content of `version`; the object that is to name it.
    async fn content(
        &self,
        version: &Projected,
        package: &Package,
    ) -> Result<MiddlewareAddon, ActError> {
        let provenance = self.provenance(version);
        let objects = projection(package, &provenance, &self.context.settings.namespace);
        let known = &self.context.caches.content;
        let written = content::ensure(&self.context.content(), &objects.content, known).await;
        written.map_err(|source| ActError::Content {
            version: label(&version.plugin, &version.version),
            source,
        })?;
        known.note(objects.content.iter().map(ResourceExt::name_any));
        Ok(objects.addon)
    }

    /// Where `version` comes from, signed.
    pub(super) fn provenance(&self, version: &Projected) -> SignedProvenance {
        self.context.key.sign(Provenance {
            plugin: version.plugin.clone(),
            version: version.version.clone(),
            digest: version.digest.clone(),
            source: self.observed.source.clone(),
            url: self.observed.url.clone(),
            revision: version.revision.clone(),
            directory: version.directory.clone(),
            signer: version.signer.clone(),
            images: version.images.clone(),
        })
    }

    /// Where the version of `vouched` comes from: the revision in which it was found first stays.
    pub(super) fn provenance_again(&self, vouched: &Vouched) -> SignedProvenance {
        let existing = self.observed.addons.get(&vouched.name);
        let before = existing.and_then(|existing| existing.provenance.as_ref());
        let mut version = vouched.version.clone();
        if let Some(before) = before.filter(|before| before.source == self.observed.source) {
            version.revision.clone_from(&before.revision);
            version.signer = version.signer.or_else(|| before.signer.clone());
            if version.images.is_empty() {
                version.images.clone_from(&before.images);
            }
        }
        self.provenance(&version)
    }

    async fn create(&self, addon: &MiddlewareAddon) -> Result<bool, ActError> {
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
                Ok(true)
            }
            // Its name is the lock: somebody was first, and the next plan sees with which bytes.
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(false),
            Err(source) => Err(ActError::Create {
                name,
                source: Box::new(source),
            }),
        }
    }

    fn note(&self, created: &MiddlewareAddon) {
        let existing = Existing {
            plugin: created.spec.plugin.clone(),
            version: created.spec.version.clone(),
            uid: created.uid().unwrap_or_default(),
            resource_version: created.resource_version(),
            digest: created.spec.digest.clone(),
            phase: None,
            owner: Owner::ThisSource,
            deleting: false,
            message: String::new(),
            provenance: self.context.key.recognise(created),
            withdrawn: None,
            users: None,
            missing: Vec::new(),
            ways: None,
        };
        let noted = (Instant::now(), existing);
        self.context.memories.with(&self.observed.source, |memory| {
            memory.created.insert(created.name_any(), noted);
        });
    }

    /// The files that differ; none where the published ones are not there any more.
    pub(super) async fn compare(&self, changed: &Changed) -> Result<Vec<String>, ActError> {
        let mut before = self.observed.status.changed.iter();
        let same = |before: &&ChangedVersion| {
            !before.files.is_empty() && **before == changed_version(changed, before.files.clone())
        };
        if let Some(before) = before.find(same) {
            return Ok(before.files.clone());
        }
        let label = label(&changed.plugin, &changed.version);
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

    async fn package_of(&self, version: &Projected) -> Result<Arc<Package>, ActError> {
        let label = label(&version.plugin, &version.version);
        self.package(&label, &version.tree).await
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
        let Some(place) = self.memory.place.clone() else {
            return Err(unreadable("the source was not looked at".to_owned()));
        };
        let (stores, tree) = (self.context.stores.clone(), tree.to_owned());
        let work = move || place.package(&stores, &tree);
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

fn label(plugin: &PluginName, version: &Version) -> String {
    format!("{plugin} {version}")
}
