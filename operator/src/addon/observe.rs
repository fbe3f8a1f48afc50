//! What there is: the version's content and its digest, what the checks say of it, what the ledger
//! says, and who uses it.

use crate::{
    content::ContentError,
    context::Context,
    error::{self, Consequence},
};
use api::{
    AddonLedger, App, Digest, Group, MiddlewareAddon, MiddlewareAddonStatus, Range, Version,
    conditions::PIN_ACCEPTED,
    crd::addon::{AddonPhase, Migration},
    labels,
    names::TopologyName,
};
use kube::{Api, ResourceExt as _, api::ListParams};
use package::{Finding, Manifest, Package, Refusal, Tree};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// All that [`super::plan::plan`] decides by.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// Whether deletion was asked for.
    #[serde(default)]
    pub deleting: bool,
    /// Whether our finalizer is on it.
    #[serde(default)]
    pub held: bool,
    /// What was said last.
    #[serde(default)]
    pub status: MiddlewareAddonStatus,
    /// What of its content is known.
    pub content: Content,
    /// The ledger as it was read, to be written back with the version in it.
    #[serde(skip)]
    pub ledger: Option<AddonLedger>,
    /// The Apps that use it, `namespace/name`, sorted.
    #[serde(default)]
    pub users: Vec<String>,
}

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

/// What there is could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// A content object could not be read.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The ledger could not be read.
    #[error("reading the ledger failed: {0}")]
    Ledger(#[source] Box<kube::Error>),
    /// The users could not be listed.
    #[error("listing the users failed: {0}")]
    Users(#[source] Box<kube::Error>),
}

impl ObserveError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Content(error) => error.consequence(),
            Self::Ledger(error) | Self::Users(error) => error::of_kube(error),
        }
    }
}

/// Observes `addon`. A version that is Active is not read; users come from the cache, and from the
/// API server itself where the answer decides about deletion.
///
/// # Errors
/// Something could not be read.
pub async fn observe(addon: &MiddlewareAddon, context: &Context) -> Result<Observed, ObserveError> {
    let status = addon.status.clone().unwrap_or_default();
    let deleting = addon.metadata.deletion_timestamp.is_some();
    let active = status.phase == Some(AddonPhase::Active) && status.digest.is_some();
    let users = match deleting {
        true => live_users(addon, context).await?,
        false => context
            .feeds
            .apps
            .store()
            .state_filter(|app| pins(app, addon))
            .iter()
            .map(|app| full_name(&**app))
            .collect::<BTreeSet<_>>(),
    };
    let (content, ledger) = match active || deleting {
        true => (Content::NotRead, None),
        false => content(addon, context).await?,
    };
    Ok(Observed {
        deleting,
        held: addon
            .finalizers()
            .iter()
            .any(|f| f == labels::ADDON_FINALIZER),
        status,
        content,
        ledger,
        users: users.into_iter().collect(),
    })
}

/// Whether the App is pinned to the version.
fn pins(app: &App, addon: &MiddlewareAddon) -> bool {
    let pin = app.status.as_ref().and_then(|s| s.pin.as_ref());
    app.spec.plugin == addon.spec.plugin
        && pin.is_some_and(|pin| pin.plugin_version == addon.spec.version)
}

/// Whether the App asks for the version, and nobody has decided about that yet.
fn may_pin(app: &App, addon: &MiddlewareAddon) -> bool {
    let refused = |app: &App| {
        let conditions = app.status.iter().flat_map(|s| &s.conditions);
        conditions
            .into_iter()
            .any(|c| c.type_ == PIN_ACCEPTED && c.status == "False")
    };
    app.spec.plugin == addon.spec.plugin
        && app.spec.plugin_version == addon.spec.version
        && app.metadata.deletion_timestamp.is_none()
        && !refused(app)
}

async fn live_users(
    addon: &MiddlewareAddon,
    context: &Context,
) -> Result<BTreeSet<String>, ObserveError> {
    let apps = Api::<App>::all(context.client.clone());
    let groups = Api::<Group>::all(context.client.clone());
    let everything = ListParams::default();
    let (apps, groups) = futures::try_join!(apps.list(&everything), groups.list(&everything))
        .map_err(|error| ObserveError::Users(Box::new(error)))?;
    let apps = apps
        .items
        .iter()
        .filter(|app| pins(app, addon) || may_pin(app, addon))
        .map(full_name);
    let groups = groups.items.iter().filter(|group| {
        group.spec.plugin == addon.spec.plugin
            && group.spec.pin.plugin_version == addon.spec.version
    });
    let by_groups = groups.map(|group| {
        format!(
            "{}/{}",
            group.namespace().unwrap_or_default(),
            group.spec.app
        )
    });
    Ok(apps.chain(by_groups).collect())
}

fn full_name<K: kube::Resource<DynamicType = ()>>(object: &K) -> String {
    format!(
        "{}/{}",
        object.namespace().unwrap_or_default(),
        object.name_any()
    )
}

/// What of the content is known, and the ledger; both are read at once.
async fn content(
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
async fn compared(
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
async fn judge(addon: &MiddlewareAddon, tree: Tree, published: bool, context: &Context) -> Content {
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

fn facts(package: &Package, published: bool) -> Facts {
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
