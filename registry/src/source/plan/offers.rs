//! What becomes of each addon that a source offers.

use super::{
    super::observed::{Existing, Observed, Offer, Owner, Verdict},
    Changed, Doomed, Plan, Projected, Vouched, Withdrawn, lifecycle, retention,
};
use api::{
    Digest, Version,
    crd::{
        addon::AddonPhase,
        source::{FailedAddon, Finding},
    },
    names::PluginName,
    provenance::Provenance,
};
use std::collections::{BTreeMap, BTreeSet};

/// A version that is offered and passed the checks.
pub(super) struct Candidate<'a> {
    offer: &'a Offer,
    plugin: &'a PluginName,
    version: &'a Version,
    digest: &'a Digest,
}

/// A plan in the making.
pub(super) struct Planning<'a> {
    pub observed: &'a Observed,
    pub revision: &'a str,
    pub plan: Plan,
    /// Which directory a version was first seen in, and with which digest.
    seen: BTreeMap<String, (&'a str, &'a Digest)>,
    /// The objects of all versions that are offered, good or not.
    pub offered: BTreeSet<String>,
    /// The directories of all that is offered, good or not.
    pub directories: BTreeSet<&'a str>,
    /// The objects of versions that are too old to be made.
    old: BTreeSet<String>,
    /// The objects of versions that go.
    pub going: BTreeSet<String>,
}

/// The name of the object of a version.
pub(super) fn object(plugin: &PluginName, version: &Version) -> String {
    format!("{plugin}-{version}")
}

/// Where two directories offer one version, the one that is published stands for it, and otherwise
/// the first by name.
fn published_first<'a>(observed: &Observed, offers: &'a [Offer]) -> Vec<&'a Offer> {
    let is_published = |offer: &&Offer| match &offer.verdict {
        Verdict::Good {
            plugin,
            version,
            digest,
        } => published(observed, plugin, version) == Some(digest),
        _ => false,
    };
    let (first, rest): (Vec<_>, Vec<_>) = offers.iter().partition(is_published);
    first.into_iter().chain(rest).collect()
}

/// The digest with which the version was published.
pub(super) fn published<'a>(
    observed: &'a Observed,
    plugin: &PluginName,
    version: &Version,
) -> Option<&'a Digest> {
    let entries = observed.ledger.get(plugin);
    let entered = entries.and_then(|entries| entries.get(&version.to_string()));
    let active = || {
        let existing = observed.addons.get(&object(plugin, version))?;
        let active = existing.phase == Some(AddonPhase::Active);
        active.then_some(existing.digest.as_ref()).flatten()
    };
    entered.or_else(active)
}

impl<'a> Planning<'a> {
    /// Nothing is planned yet but which versions are too old.
    pub fn new(observed: &'a Observed, revision: &'a str, offers: &'a [Offer]) -> Self {
        let retention::Retention { old, prune } = retention::retention(observed, offers);
        Self {
            observed,
            going: prune.iter().map(|doomed| doomed.name.clone()).collect(),
            revision,
            plan: Plan {
                prune,
                ..Plan::default()
            },
            seen: BTreeMap::new(),
            offered: BTreeSet::new(),
            directories: offers.iter().map(|o| o.directory.as_str()).collect(),
            old,
        }
    }

    /// Plans for what is offered.
    pub fn offers(&mut self, offers: &'a [Offer]) {
        for offer in published_first(self.observed, offers) {
            self.offer(offer);
        }
    }

    fn offer(&mut self, offer: &'a Offer) {
        match &offer.verdict {
            Verdict::Good {
                plugin,
                version,
                digest,
            } => self.good(&Candidate {
                offer,
                plugin,
                version,
                digest,
            }),
            Verdict::Refused {
                plugin,
                version,
                findings,
            } => self.refused(offer, plugin.as_ref(), version.as_ref(), findings),
            Verdict::Unverified { message } => {
                let message = message.clone();
                let finding = Finding {
                    message,
                    ..Finding::default()
                };
                self.plan.unverified.push(FailedAddon {
                    directory: offer.directory.clone(),
                    findings: vec![finding],
                    ..FailedAddon::default()
                });
            }
            Verdict::NotJudged { reason } => {
                let text = format!("{}: {reason}", offer.directory);
                self.plan.unjudged.push(text);
            }
        }
    }

    fn refused(
        &mut self,
        offer: &Offer,
        plugin: Option<&PluginName>,
        version: Option<&Version>,
        findings: &[Finding],
    ) {
        if let (Some(plugin), Some(version)) = (plugin, version) {
            self.offered.insert(object(plugin, version));
        }
        self.plan.failed.push(FailedAddon {
            directory: offer.directory.clone(),
            plugin: plugin.cloned(),
            version: version.cloned(),
            findings: findings.to_vec(),
        });
    }

    fn good(&mut self, offered: &Candidate<'a>) {
        let name = object(offered.plugin, offered.version);
        if let Some((directory, digest)) = self.seen.get(name.as_str()) {
            if *digest != offered.digest {
                let text = twice(offered, directory);
                match published(self.observed, offered.plugin, offered.version) {
                    // In a history the oldest bytes count, and the later ones are a change.
                    published if offered.offer.revision.is_some() => {
                        if let Some(digest) = published.filter(|d| *d != offered.digest) {
                            self.changed(offered, &name, digest);
                        }
                    }
                    _ => self.fail(offered, text),
                }
            }
            return;
        }
        let first = (offered.offer.directory.as_str(), offered.digest);
        self.seen.insert(name.clone(), first);
        self.offered.insert(name.clone());
        match published(self.observed, offered.plugin, offered.version) {
            Some(digest) if digest != offered.digest => self.changed(offered, &name, digest),
            _ => match self.observed.addons.get(&name) {
                None if self.old.contains(&name) => {}
                Some(_) if self.going.contains(&name) => {}
                None => {
                    let projected = self.projected(offered);
                    self.plan.project.push(projected);
                }
                Some(existing) => self.existing(offered, name, existing),
            },
        }
    }

    fn changed(&mut self, offered: &Candidate<'_>, name: &str, published: &Digest) {
        let published_by = match self.observed.addons.get(name).map(|e| &e.owner) {
            Some(Owner::Source(other)) => Some(other.clone()),
            _ => None,
        };
        self.plan.changed.push(Changed {
            directory: offered.offer.directory.clone(),
            tree: offered.offer.tree.clone(),
            plugin: offered.plugin.clone(),
            version: offered.version.clone(),
            published: published.clone(),
            published_by,
            offered: offered.digest.clone(),
        });
    }

    fn projected(&self, offered: &Candidate<'_>) -> Projected {
        let offer = offered.offer;
        let revision = offer.revision.as_deref().unwrap_or(self.revision);
        Projected {
            directory: offer.directory.clone(),
            tree: offer.tree.clone(),
            revision: revision.to_owned(),
            plugin: offered.plugin.clone(),
            version: offered.version.clone(),
            digest: offered.digest.clone(),
            signer: offer.signer.clone(),
            images: offer.images.clone(),
        }
    }

    fn existing(&mut self, offered: &Candidate<'_>, name: String, existing: &Existing) {
        if existing.deleting {
            if !self.old.contains(&name) {
                let why = "it is being deleted, and comes back when it is gone";
                self.plan
                    .waiting
                    .push(format!("{}: {why}", label(existing)));
            }
            return;
        }
        if existing.digest.as_ref() == Some(offered.digest) {
            self.same(offered, name, existing);
            return;
        }
        match &existing.owner {
            Owner::ThisSource | Owner::SourceThatIsGone => {
                self.plan.replace.push(Doomed {
                    name,
                    uid: existing.uid.clone(),
                    resource_version: None,
                });
                let why = "an unpublished object with other bytes is being replaced";
                self.plan
                    .waiting
                    .push(format!("{}: {why}", label(existing)));
            }
            Owner::Source(source) => self.conflict(existing, &name, &format!("source {source}")),
            Owner::Hand => self.conflict(existing, &name, "hand"),
        }
    }

    /// The object has the bytes that are offered, whoever made it.
    fn same(&mut self, offered: &Candidate<'_>, name: String, existing: &Existing) {
        let version = label(existing);
        match existing.phase {
            Some(AddonPhase::Active) => self.plan.published += 1,
            Some(AddonPhase::Failed) => self.fail(offered, existing.message.clone()),
            Some(AddonPhase::Pending) => {
                let text = format!("{version}: {}", existing.message);
                self.plan.waiting.push(text);
            }
            None => self
                .plan
                .waiting
                .push(format!("{version}: not seen by the operator yet")),
        }
        if existing.owner == Owner::ThisSource && !existing.missing.is_empty() {
            let projected = self.projected(offered);
            self.plan.restore.push(projected);
        }
        if let Some(why) = &existing.withdrawn
            && lifecycle::is_of_removal(why)
        {
            self.plan.reinstate.push(Withdrawn {
                name: name.clone(),
                uid: existing.uid.clone(),
                version,
                why: why.clone(),
            });
        }
        if self.is_to_be_vouched_for(offered, existing) {
            let version = self.projected(offered);
            let uid = existing.uid.clone();
            self.plan.vouch.push(Vouched { name, uid, version });
        }
    }

    /// Whether its provenance is not signed by our key, as after the loss of the key, or says less than
    /// is known by now. The revision stays the one in which the version was found first.
    fn is_to_be_vouched_for(&self, offered: &Candidate<'_>, existing: &Existing) -> bool {
        match &existing.owner {
            Owner::ThisSource => match &existing.provenance {
                None => true,
                Some(provenance) => self.says_less(provenance, offered.offer),
            },
            // It is ours now.
            Owner::SourceThatIsGone => true,
            Owner::Source(_) | Owner::Hand => false,
        }
    }

    fn says_less(&self, said: &Provenance, offer: &Offer) -> bool {
        // The signer of a Git repository is that of its newest commit, and changes with it; the one of
        // an artifact is its own.
        let is_its_own = self.observed.url.starts_with("oci://");
        let signer = match (&said.signer, &offer.signer) {
            (None, Some(_)) => true,
            (Some(before), Some(now)) => is_its_own && before != now,
            (_, None) => false,
        };
        let is_known = |image| said.images.contains(image);
        said.source != self.observed.source
            || said.url != self.observed.url
            || signer
            || !offer.images.iter().all(is_known)
    }

    fn conflict(&mut self, existing: &Existing, name: &str, maker: &str) {
        self.plan.conflicts.push(format!(
            "{}: MiddlewareAddon {name} was made by {maker} with other bytes; delete it, or offer \
             another version",
            label(existing),
        ));
    }

    fn fail(&mut self, offered: &Candidate<'_>, message: String) {
        self.plan.failed.push(FailedAddon {
            directory: offered.offer.directory.clone(),
            plugin: Some(offered.plugin.clone()),
            version: Some(offered.version.clone()),
            findings: vec![Finding {
                file: package::manifest::FILE.to_owned(),
                message,
                ..Finding::default()
            }],
        });
    }
}

/// Plugin and version, for people.
pub(super) fn label(existing: &Existing) -> String {
    format!("{} {}", existing.plugin, existing.version)
}

fn twice(offered: &Candidate<'_>, other: &str) -> String {
    let (plugin, version) = (offered.plugin, offered.version);
    format!(
        "{plugin} {version} is offered with other bytes by {other} in the same revision; give one of \
         them another version"
    )
}
