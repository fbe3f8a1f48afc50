//! What a version's content is: against spec and ledger, and then against policies and checks.

use super::ObserveError;
use crate::{
    content::ContentError,
    context::Context,
    ledger::Looked,
    policy::{self, Policy, Subject},
    provenance::Origin,
};
use api::{
    AddonLedger, Digest, MiddlewareAddon, Range, Version, crd::addon::Migration,
    names::TopologyName,
};
use package::{Finding, Manifest, Package, Refusal, Tree};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What of a version's content is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Content {
    /// It is Active, or it is being deleted: nothing was read.
    NotRead,
    /// Objects are not there yet.
    Missing(Vec<String>),
    /// An object, or all together, have another digest than the spec names.
    Mismatch(String),
    /// The ledger has the version with another digest.
    Changed {
        /// The digest in the ledger.
        published: Digest,
        /// The digest of the content.
        offered: Digest,
    },
    /// The checks refused it.
    Invalid(Vec<Finding>),
    /// A newer platform is needed.
    PlatformTooOld(String),
    /// There is no verdict.
    NotJudged(String),
    /// It does not keep to a policy.
    Unverified {
        /// What is demanded, what was found, and what to do.
        refusal: String,
        /// Whether another key of the registry, of which nobody tells, may change that.
        may_be_proven: bool,
    },
    /// It is good: published already, or to be published.
    Good(Facts),
}

/// What the status says of a good version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The digest of the content.
    pub digest: Digest,
    /// Whether the ledger has it.
    pub published: bool,
    /// The versions of the middleware, newest first.
    pub runtimes: Vec<Version>,
    /// The addon versions that may move to it.
    pub upgrade_from: Vec<Range>,
    /// The runtime versions that may move to one.
    pub migrate_from: Vec<Migration>,
    /// The topologies.
    pub topologies: Vec<TopologyName>,
    /// Whether the registry vouches for where it comes from.
    #[serde(default, skip_serializing_if = "is_false")]
    pub registered: bool,
    /// Who signed it, where the registry verified that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands it so
fn is_false(value: &bool) -> bool {
    !*value
}

/// What of the content is known, and the ledger; all that it takes is read at once.
pub(super) async fn content(
    addon: &MiddlewareAddon,
    context: &Context,
) -> Result<(Content, Option<AddonLedger>), ObserveError> {
    let (tree, looked, policies) = futures::join!(
        context.packages.tree(&addon.spec.content),
        context
            .ledgers
            .look(&addon.spec.plugin, &addon.spec.version),
        context.policies.now(),
    );
    let looked = looked.map_err(|error| ObserveError::Ledger(Box::new(error)))?;
    let Looked { published, ledger } = looked;
    let content = match tree {
        Ok(tree) => {
            // What is published is not judged again.
            let policies = match published {
                Some(_) => Arc::default(),
                None => policies?,
            };
            compared(addon, tree, published, &policies, context).await?
        }
        Err(ContentError::Missing { objects }) => Content::Missing(objects),
        Err(error @ ContentError::Mismatch { .. }) => Content::Mismatch(error.to_string()),
        Err(ContentError::NoTree(findings)) => Content::Invalid(findings),
        Err(error) => return Err(error.into()),
    };
    Ok((content, ledger))
}

/// The content against the digests that spec and ledger name, and then against policies and checks.
async fn compared(
    addon: &MiddlewareAddon,
    tree: Tree,
    published: Option<Digest>,
    policies: &[Policy],
    context: &Context,
) -> Result<Content, ObserveError> {
    let offered = tree.digest();
    if let Some(named) = addon
        .spec
        .digest
        .as_ref()
        .filter(|named| **named != offered)
    {
        let message = format!("the content has digest {offered}, and the spec names {named}");
        return Ok(Content::Mismatch(message));
    }
    match published {
        Some(published) if published != offered => Ok(Content::Changed { published, offered }),
        published => {
            let origin = context.keys.origin(addon, &offered).await?;
            let published = published.is_some();
            let judged = judge(addon, tree, published, policies, origin, context).await;
            Ok(judged.unwrap_or_else(|refused| *refused))
        }
    }
}

/// What policies and checks say; a published version is parsed only. What a policy refuses is not
/// evaluated: the checks come after it.
async fn judge(
    addon: &MiddlewareAddon,
    tree: Tree,
    published: bool,
    policies: &[Policy],
    origin: Origin,
    context: &Context,
) -> Result<Content, Box<Content>> {
    let tree = match policies.is_empty() {
        true => tree,
        false => {
            let package = off(move || package::load(tree)).await?;
            is_itself(addon, &package.manifest)?;
            allowed(policies, &package, &origin)?;
            package.tree
        }
    };
    let evaluate = context.evaluate.clone();
    let package = off(move || match published {
        true => package::load(tree),
        false => package::check(tree, &*evaluate),
    });
    let package = package.await?;
    is_itself(addon, &package.manifest)?;
    let facts = facts(&package, published, &origin);
    context.packages.keep(package);
    Ok(Content::Good(facts))
}

/// `work` outside of the async threads.
async fn off(
    work: impl FnOnce() -> Result<Package, Refusal> + Send + 'static,
) -> Result<Package, Box<Content>> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|stopped| Content::NotJudged(stopped.to_string()))?;
    done.map_err(|refusal| {
        Box::new(match refusal {
            Refusal::Invalid { findings, .. } => Content::Invalid(findings),
            Refusal::NotJudged { reason } => Content::NotJudged(reason),
            Refusal::PlatformTooOld { .. } => Content::PlatformTooOld(refusal.to_string()),
        })
    })
}

fn allowed(policies: &[Policy], package: &Package, origin: &Origin) -> Result<(), Box<Content>> {
    let subject = Subject::new(&package.manifest, &package.digest, origin.clone());
    policy::judge(policies, &subject).map_err(|refusal| {
        Box::new(Content::Unverified {
            refusal: refusal.to_string(),
            may_be_proven: origin.may_be_proven(),
        })
    })
}

/// Whether the manifest is that of the version that the MiddlewareAddon names.
fn is_itself(addon: &MiddlewareAddon, manifest: &Manifest) -> Result<(), Box<Content>> {
    let findings = identity(addon, manifest);
    match findings.is_empty() {
        true => Ok(()),
        false => Err(Box::new(Content::Invalid(findings))),
    }
}

/// What in the manifest is not what the MiddlewareAddon says it is.
fn identity(addon: &MiddlewareAddon, manifest: &Manifest) -> Vec<Finding> {
    let pairs = [
        (
            "name",
            manifest.name.to_string(),
            addon.spec.plugin.to_string(),
        ),
        (
            "version",
            manifest.version.to_string(),
            addon.spec.version.to_string(),
        ),
    ];
    pairs
        .into_iter()
        .filter(|(_, is, named)| is != named)
        .map(|(field, is, named)| Finding {
            file: package::manifest::FILE.to_owned(),
            message: format!("`{field}` is `{is}`, and the MiddlewareAddon says `{named}`"),
            ..Finding::default()
        })
        .collect()
}

fn facts(package: &Package, published: bool, origin: &Origin) -> Facts {
    let manifest = &package.manifest;
    let migrations = manifest.migrate_from.iter();
    Facts {
        digest: package.digest.clone(),
        published,
        runtimes: manifest.runtime_versions(),
        upgrade_from: manifest.upgrade_from.clone(),
        migrate_from: migrations
            .map(|(runtime, from)| Migration {
                runtime: runtime.clone(),
                from: from.clone(),
            })
            .collect(),
        topologies: manifest.topology_names(),
        registered: matches!(origin, Origin::Source(_)),
        signer: origin.signer().map(ToString::to_string),
    }
}
