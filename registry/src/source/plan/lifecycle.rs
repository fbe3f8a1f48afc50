//! What becomes of the versions that a source made and offers no more.

use super::{
    super::observed::{Existing, Owner},
    Doomed, Withdrawn,
    offers::{Planning, label, published},
};
use api::crd::addon::AddonPhase;

/// How the text begins with which a version is withdrawn that was removed: by it the registry knows its
/// own word from a person's.
const REMOVED: &str = "removed from AddonSource ";
/// The longest text that the schema takes.
const MAX_TEXT: usize = 1024;

/// Whether a version was withdrawn because it was removed from a source.
pub(super) fn is_of_removal(why: &str) -> bool {
    why.starts_with(REMOVED)
}

impl Planning<'_> {
    /// Plans for what the source made; what it offers was planned before.
    pub fn lifecycles(&mut self) {
        for (name, existing) in &self.observed.addons {
            let is_ours = existing.owner == Owner::ThisSource;
            if is_ours && !existing.deleting && !self.going.contains(name) {
                let offered = self.offered.contains(name);
                if !offered {
                    self.not_offered(name, existing);
                }
                self.count_withdrawn(name, existing);
            }
        }
    }

    fn not_offered(&mut self, name: &str, existing: &Existing) {
        let is_published = published(self.observed, &existing.plugin, &existing.version)
            == existing.digest.as_ref();
        let gone = self.gone(existing);
        match (is_published && existing.digest.is_some(), gone) {
            (true, Some(directory)) if !self.observed.elsewhere.contains(name) => {
                self.withdraw(name, existing, &directory);
            }
            // The manifest moved past it: it stays, and may be pinned.
            (true, _) => self.reinstate(name, existing),
            (false, Some(_)) => self.remove(name, existing),
            (false, None) if existing.phase == Some(AddonPhase::Failed) => {
                self.remove(name, existing);
            }
            // It was moved past while it was on its way.
            (false, None) => {}
        }
    }

    /// The directory of a version, where the source has it no more. Without provenance it is not known.
    fn gone(&self, existing: &Existing) -> Option<String> {
        let directory = &existing.provenance.as_ref()?.directory;
        let gone = !self.directories.contains(directory.as_str());
        gone.then(|| directory.clone())
    }

    fn withdraw(&mut self, name: &str, existing: &Existing, directory: &str) {
        if existing.withdrawn.is_some() || self.going.contains(name) {
            return;
        }
        let (source, revision) = (&self.observed.source, self.revision);
        let why = format!("{REMOVED}{source}: {directory} is not in {revision} any more");
        self.plan.withdraw.push(Withdrawn {
            name: name.to_owned(),
            uid: existing.uid.clone(),
            version: label(existing),
            why: why.chars().take(MAX_TEXT).collect(),
        });
    }

    fn reinstate(&mut self, name: &str, existing: &Existing) {
        if let Some(why) = existing.withdrawn.as_ref().filter(|why| is_of_removal(why)) {
            self.plan.reinstate.push(Withdrawn {
                name: name.to_owned(),
                uid: existing.uid.clone(),
                version: label(existing),
                why: why.clone(),
            });
        }
    }

    fn remove(&mut self, name: &str, existing: &Existing) {
        self.plan.remove.push(Doomed {
            name: name.to_owned(),
            uid: existing.uid.clone(),
            resource_version: existing.resource_version.clone(),
        });
    }

    fn count_withdrawn(&mut self, name: &str, existing: &Existing) {
        let is_named = |all: &[Withdrawn]| all.last().is_some_and(|last| last.name == name);
        let was = existing.withdrawn.as_deref().is_some_and(is_of_removal);
        let is_back = self.plan.reinstate.iter().any(|back| back.name == name);
        if is_named(&self.plan.withdraw) || was && !is_back {
            self.plan.withdrawn.push(label(existing));
        }
    }
}
