//! What a version's content is: against spec and ledger, and then against the checks.

use super::ObserveError;
use crate::{content::ContentError, context::Context};
use api::{
    AddonLedger, Digest, MiddlewareAddon, Range, Version, crd::addon::Migration,
    names::TopologyName,
};
use kube::Api;
use package::{Finding, Manifest, Package, Refusal, Tree};
use serde::{Deserialize, Serialize};

/// What of a version's content is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
}

/// What of the content is known, and the ledger; both are read at once.
pub(super) async fn content(
    addon: &MiddlewareAddon,
    context: &Context,
) -> Result<(Content, Option<AddonLedger>), ObserveError> {
    let ledgers = Api::<AddonLedger>::all(context.client.clone());
    let plugin = addon.spec.plugin.as_str();
    let (tree, ledger) = futures::join!(
        context.packages.tree(&addon.spec.content),
        ledgers.get_opt(plugin)
    );
    let ledger = ledger.map_err(|error| ObserveError::Ledger(Box::new(error)))?;
    let content = match tree {
        Ok(tree) => compared(addon, tree, ledger.as_ref(), context).await,
        Err(ContentError::Missing { objects }) => Content::Missing(objects),
        Err(error @ ContentError::Mismatch { .. }) => Content::Mismatch(error.to_string()),
        Err(ContentError::NoTree(findings)) => Content::Invalid(findings),
        Err(error) => return Err(error.into()),
    };
    Ok((content, ledger))
}

/// The content against the digests that spec and ledger name, and then against the checks.
pub(super) async fn compared(
    addon: &MiddlewareAddon,
    tree: Tree,
    ledger: Option<&AddonLedger>,
    context: &Context,
) -> Content {
    let offered = tree.digest();
    if let Some(named) = addon
        .spec
        .digest
        .as_ref()
        .filter(|named| **named != offered)
    {
        let message = format!("the content has digest {offered}, and the spec names {named}");
        return Content::Mismatch(message);
    }
    let version = addon.spec.version.to_string();
    match ledger.and_then(|ledger| ledger.spec.entries.get(&version)) {
        Some(published) if *published != offered => Content::Changed {
            published: published.clone(),
            offered,
        },
        published => judge(addon, tree, published.is_some(), context).await,
    }
}

/// What the checks say; a published version is parsed only.
pub(super) async fn judge(
    addon: &MiddlewareAddon,
    tree: Tree,
    published: bool,
    context: &Context,
) -> Content {
    let evaluate = context.evaluate.clone();
    let judged = tokio::task::spawn_blocking(move || match published {
        true => package::load(tree),
        false => package::check(tree, &*evaluate),
    });
    match judged.await {
        Ok(Ok(package)) => match identity(addon, &package.manifest) {
            findings if findings.is_empty() => {
                let facts = facts(&package, published);
                context.packages.keep(package);
                Content::Good(facts)
            }
            findings => Content::Invalid(findings),
        },
        Ok(Err(Refusal::Invalid { findings, .. })) => Content::Invalid(findings),
        Ok(Err(refusal @ Refusal::PlatformTooOld { .. })) => {
            Content::PlatformTooOld(refusal.to_string())
        }
        Ok(Err(Refusal::NotJudged { reason })) => Content::NotJudged(reason),
        Err(stopped) => Content::NotJudged(stopped.to_string()),
    }
}

/// What in the manifest is not what the MiddlewareAddon says it is.
pub(super) fn identity(addon: &MiddlewareAddon, manifest: &Manifest) -> Vec<Finding> {
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

pub(super) fn facts(package: &Package, published: bool) -> Facts {
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
    }
}
