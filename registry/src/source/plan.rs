//! What is to be done about what a source offers. Pure.
//!
//! A version is its bytes: one that was published is never projected with others; one that was
//! not may be replaced by the source that made it, and by nobody else. What was removed from the source
//! is withdrawn and what is old goes, but never by a look that failed.

mod lifecycle;
mod offers;
mod retention;

use super::{
    GRACE, PATIENCE,
    observed::{Look, Observed, Offer},
};
use api::{
    Digest, Version,
    crd::source::FailedAddon,
    names::PluginName,
    provenance::{Signer, VerifiedImage},
};
use offers::Planning;
use serde::Serialize;

/// What is to be done, and what is already known to be said.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Versions to be projected.
    pub project: Vec<Projected>,
    /// Versions that are there, but for some of their content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restore: Vec<Projected>,
    /// Our own objects of versions that were never published and are offered with other bytes now;
    /// deleted, and projected anew when they are gone.
    pub replace: Vec<Doomed>,
    /// Objects of ours whose provenance is to be signed anew.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vouch: Vec<Vouched>,
    /// Published versions that were removed from the source: nothing new may pin them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withdraw: Vec<Withdrawn>,
    /// Versions that were withdrawn because they were removed, and are there again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reinstate: Vec<Withdrawn>,
    /// Objects of ours of versions that were never published and are offered no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<Doomed>,
    /// Old versions that nobody uses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prune: Vec<Doomed>,
    /// Published versions that are offered with other bytes; their files are compared.
    pub changed: Vec<Changed>,
    /// Addons that are refused.
    pub failed: Vec<FailedAddon>,
    /// Addons that are not signed by whom they should be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unverified: Vec<FailedAddon>,
    /// Versions that somebody else's object is in the way of, and why.
    pub conflicts: Vec<String>,
    /// Versions that are on their way, and what they wait for.
    pub waiting: Vec<String>,
    /// Addons that could not be judged, and why.
    pub unjudged: Vec<String>,
    /// All versions that are withdrawn because they were removed, when this is done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<String>,
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
    /// By which its files are read again.
    pub tree: String,
    /// The revision in which it stands.
    pub revision: String,
    /// The plugin.
    pub plugin: PluginName,
    /// The version.
    pub version: Version,
    /// The digest of its files.
    pub digest: Digest,
    /// Who signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// The images whose signatures were verified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<VerifiedImage>,
}

/// An object of ours that goes, if it is still as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Doomed {
    /// The MiddlewareAddon's name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion, where somebody may have begun to use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
}

/// An object whose provenance is to be signed anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vouched {
    /// The MiddlewareAddon's name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// What is vouched for.
    pub version: Projected,
}

/// A version that is withdrawn, or is not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Withdrawn {
    /// The MiddlewareAddon's name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Plugin and version.
    pub version: String,
    /// Why it is, or was.
    pub why: String,
}

/// A published version that is offered with other bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    /// The addon's directory.
    pub directory: String,
    /// By which its files are read again.
    pub tree: String,
    /// The plugin.
    pub plugin: PluginName,
    /// The version.
    pub version: Version,
    /// The digest that was published.
    pub published: Digest,
    /// The source that published it, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_by: Option<String>,
    /// The digest of what is offered.
    pub offered: Digest,
}

/// The plan for what was observed.
pub fn plan(observed: &Observed) -> Plan {
    if observed.suspended {
        return Plan::default();
    }
    let wake = |wake| Plan {
        wake,
        ..Plan::default()
    };
    match observed.look.as_deref() {
        None | Some(Look::Failed { terminal: true, .. }) => Plan::default(),
        Some(Look::Failed { .. } | Look::Unverified { .. }) => wake(Wake::NextLook),
        Some(Look::Found { revision, offers }) => found(observed, revision, offers),
    }
}

fn found(observed: &Observed, revision: &str, offers: &[Offer]) -> Plan {
    let mut planning = Planning::new(observed, revision, offers);
    planning.offers(offers);
    planning.lifecycles();
    finished(observed, planning.plan)
}

fn finished(observed: &Observed, mut plan: Plan) -> Plan {
    let on_its_way = !(plan.project.is_empty() && plan.waiting.is_empty());
    plan.quiet = on_its_way && is_early(observed);
    plan.wake = if plan.quiet {
        Wake::GraceEnds
    } else {
        Wake::NextLook
    };
    plan.failed.sort_by(|a, b| a.directory.cmp(&b.directory));
    plan.unverified
        .sort_by(|a, b| a.directory.cmp(&b.directory));
    plan.withdrawn.sort();
    plan
}

/// Whether it is too early to say that things take long: they have just begun, or the operator is busy
/// with the versions of other sources.
fn is_early(observed: &Observed) -> bool {
    let within = |ms: u64, limit: std::time::Duration| u128::from(ms) < limit.as_millis();
    let is_busy = observed.idle_ms.is_some_and(|idle| within(idle, GRACE));
    within(observed.waiting_ms, GRACE) || is_busy && within(observed.waiting_ms, PATIENCE)
}
