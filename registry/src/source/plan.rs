//! What is to be done about what a source offers. Pure.
//!
//! A version is its bytes: one that was published is never projected with others; one that was
//! not may be replaced by the source that made it, and by nobody else.

use super::{
    GRACE,
    observed::{Existing, Look, Observed, Offer, Owner, Verdict},
};
use api::{
    Digest, Version,
    crd::{
        addon::AddonPhase,
        source::{FailedAddon, Finding},
    },
    names::PluginName,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is to be done, and what is already known to be said.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Versions to be projected.
    pub project: Vec<Projected>,
    /// Our own objects of versions that were never published and are offered with other bytes now;
    /// deleted, and projected anew when they are gone.
    pub replace: Vec<Replaced>,
    /// Published versions that are offered with other bytes; their files are compared.
    pub changed: Vec<Changed>,
    /// Addons that are refused.
    pub failed: Vec<FailedAddon>,
    /// Versions that somebody else's object is in the way of, and why.
    pub conflicts: Vec<String>,
    /// Versions that are on their way, and what they wait for.
    pub waiting: Vec<String>,
    /// Addons that could not be judged, and why.
    pub unjudged: Vec<String>,
    /// How many versions that are offered are published.
    pub published: usize,
    /// Whether nothing is said yet: what is on its way arrives in a moment, and is said then.
    pub quiet: bool,
    /// When to look again.
    pub wake: Wake,
}

/// When a source is woken if nothing else happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Wake {
    /// By an edit.
    #[default]
    Never,
    /// When the next look is due.
    NextLook,
    /// When it is time to say that things take long.
    GraceEnds,
}

/// A version to be projected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Projected {
    /// The addon's directory.
    pub directory: String,
    /// The hash of its Git tree.
    pub tree: String,
    /// The plugin.
    pub plugin: PluginName,
    /// The version.
    pub version: Version,
    /// The digest of its files.
    pub digest: Digest,
}

/// An object of ours that makes room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// The MiddlewareAddon's name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// A published version that is offered with other bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The addon's directory.
    pub directory: String,
    /// The hash of its Git tree.
    pub tree: String,
    /// The plugin.
    pub plugin: PluginName,
    /// The version.
    pub version: Version,
    /// The digest that was published.
    pub published: Digest,
    /// The digest of what is offered.
    pub offered: Digest,
}

/// The plan for what was observed.
pub fn plan(observed: &Observed) -> Plan {
    if observed.suspended {
        return Plan::default();
    }
    match &observed.look {
        None => Plan::default(),
        Some(Look::Failed { terminal, .. }) => Plan {
            wake: if *terminal {
                Wake::Never
            } else {
                Wake::NextLook
            },
            ..Plan::default()
        },
        Some(Look::Unverified { .. }) => Plan {
            wake: Wake::NextLook,
            ..Plan::default()
        },
        Some(Look::Found { offers, .. }) => {
            let mut planning = Planning::new(observed);
            for offer in published_first(observed, offers) {
                planning.offer(offer);
            }
            planning.finish()
        }
    }
}

/// A version that is offered and passed the checks.
struct Candidate<'a> {
    offer: &'a Offer,
    plugin: &'a PluginName,
    version: &'a Version,
    digest: &'a Digest,
}

struct Planning<'a> {
    observed: &'a Observed,
    plan: Plan,
    /// Which directory a version was first seen in, and with which digest.
    seen: BTreeMap<String, (&'a str, &'a Digest)>,
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
fn published<'a>(
    observed: &'a Observed,
    plugin: &PluginName,
    version: &Version,
) -> Option<&'a Digest> {
    let entries = observed.ledger.get(plugin);
    let entered = entries.and_then(|entries| entries.get(&version.to_string()));
    let active = || {
        let existing = observed.addons.get(&format!("{plugin}-{version}"))?;
        let active = existing.phase == Some(AddonPhase::Active);
        active.then_some(existing.digest.as_ref()).flatten()
    };
    entered.or_else(active)
}

impl<'a> Planning<'a> {
    fn new(observed: &'a Observed) -> Self {
        Self {
            observed,
            plan: Plan::default(),
            seen: BTreeMap::new(),
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
            } => self.plan.failed.push(FailedAddon {
                directory: offer.directory.clone(),
                plugin: plugin.clone(),
                version: version.clone(),
                findings: findings.clone(),
            }),
            Verdict::Unverified { message } => self.plan.failed.push(FailedAddon {
                directory: offer.directory.clone(),
                findings: vec![Finding {
                    message: message.clone(),
                    ..Finding::default()
                }],
                ..FailedAddon::default()
            }),
            Verdict::NotJudged { reason } => {
                let text = format!("{}: {reason}", offer.directory);
                self.plan.unjudged.push(text);
            }
        }
    }

    fn good(&mut self, offered: &Candidate<'a>) {
        let name = format!("{}-{}", offered.plugin, offered.version);
        if let Some((directory, digest)) = self.seen.get(name.as_str()) {
            if *digest != offered.digest {
                let text = twice(offered, directory);
                self.fail(offered, text);
            }
            return;
        }
        let first = (offered.offer.directory.as_str(), offered.digest);
        self.seen.insert(name.clone(), first);
        match published(self.observed, offered.plugin, offered.version) {
            Some(digest) if digest != offered.digest => self.changed(offered, digest),
            _ => match self.observed.addons.get(&name) {
                None => self.project(offered),
                Some(existing) => self.existing(offered, name, existing),
            },
        }
    }

    fn changed(&mut self, offered: &Candidate<'_>, published: &Digest) {
        self.plan.changed.push(Changed {
            directory: offered.offer.directory.clone(),
            tree: offered.offer.tree.clone(),
            plugin: offered.plugin.clone(),
            version: offered.version.clone(),
            published: published.clone(),
            offered: offered.digest.clone(),
        });
    }

    fn project(&mut self, offered: &Candidate<'_>) {
        self.plan.project.push(Projected {
            directory: offered.offer.directory.clone(),
            tree: offered.offer.tree.clone(),
            plugin: offered.plugin.clone(),
            version: offered.version.clone(),
            digest: offered.digest.clone(),
        });
    }

    fn existing(&mut self, offered: &Candidate<'_>, name: String, existing: &Existing) {
        let version = format!("{} {}", offered.plugin, offered.version);
        if existing.deleting {
            let why = "it is being deleted, and comes back when it is gone";
            self.plan.waiting.push(format!("{version}: {why}"));
            return;
        }
        if existing.digest.as_ref() == Some(offered.digest) {
            self.same(offered, &version, existing);
            return;
        }
        match &existing.owner {
            Owner::ThisSource | Owner::SourceThatIsGone => {
                self.plan.replace.push(Replaced {
                    name,
                    uid: existing.uid.clone(),
                });
                let why = "an unpublished object with other bytes is being replaced";
                self.plan.waiting.push(format!("{version}: {why}"));
            }
            Owner::Source(source) => self.conflict(&version, &format!("source {source}")),
            Owner::Hand => self.conflict(&version, "hand"),
        }
    }

    /// The object has the bytes that are offered, whoever made it.
    fn same(&mut self, offered: &Candidate<'_>, version: &str, existing: &Existing) {
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
    }

    fn conflict(&mut self, version: &str, maker: &str) {
        self.plan.conflicts.push(format!(
            "{version}: MiddlewareAddon {} was made by {maker} with other bytes; delete it, or offer \
             another version",
            version.replace(' ', "-"),
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

    fn finish(self) -> Plan {
        let mut plan = self.plan;
        let on_its_way = !(plan.project.is_empty() && plan.waiting.is_empty());
        let grace = self.observed.waiting_ms < GRACE.as_millis() as u64;
        plan.quiet = on_its_way && grace;
        plan.wake = if plan.quiet {
            Wake::GraceEnds
        } else {
            Wake::NextLook
        };
        plan.failed.sort_by(|a, b| a.directory.cmp(&b.directory));
        plan
    }
}

fn twice(offered: &Candidate<'_>, other: &str) -> String {
    let (plugin, version) = (offered.plugin, offered.version);
    format!(
        "{plugin} {version} is offered with other bytes by {other} in the same revision; give one of \
         them another version"
    )
}
