//! Does what was planned: the finalizer, and the ledger's entry by compare-and-swap.

use super::plan::{Plan, Publication, Verdict, changed};
use crate::{
    context::Context,
    error::{self, Consequence, is_conflict},
    events::Happened,
    finalizer::{self, Finalizer},
};
use api::{
    AddonLedger, AddonLedgerSpec, Digest, MiddlewareAddon,
    crd::addon::{AddonPhase, AddonReason},
    labels,
};
use kube::{Api, ResourceExt as _, api::PostParams};

/// How often the ledger is read again because another version of the plugin was entered meanwhile.
const TRIES: usize = 8;

/// What was done, and so may be said.
pub struct Acted {
    /// What is to be said.
    pub verdict: Verdict,
    /// What changed, for people.
    pub events: Vec<Happened>,
    /// Whether to look again without being woken.
    pub look_again: bool,
    /// Whether the version is gone: nothing is said of it any more.
    pub gone: bool,
}

/// What was planned could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The finalizer could not be written.
    #[error("writing the finalizer failed: {0}")]
    Finalizer(#[source] Box<kube::Error>),
    /// The ledger could not be written.
    #[error("entering the version in the ledger failed: {0}")]
    Ledger(#[source] Box<kube::Error>),
    /// Others wrote to the ledger all the time.
    #[error("the ledger changed {TRIES} times while the version was entered")]
    Contended,
}

impl ActError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Finalizer(error) | Self::Ledger(error) => error::of_kube(error),
            Self::Contended => Consequence::Retry,
        }
    }
}

/// Does what was planned for `addon`.
///
/// # Errors
/// The API server refused, or could not be asked; nothing is said then.
pub async fn act(
    addon: &MiddlewareAddon,
    plan: Plan,
    context: &Context,
) -> Result<Acted, ActError> {
    let Plan {
        finalizer,
        publish,
        mut verdict,
        mut events,
        look_again,
    } = plan;
    let addons = Api::<MiddlewareAddon>::all(context.client.clone());
    finalizer::write(&addons, addon, finalizer, labels::ADDON_FINALIZER)
        .await
        .map_err(ActError::Finalizer)?;
    if let Some(Publication { digest, into }) = publish {
        match enter(addon, &digest, into, context).await? {
            None => {
                context.metrics.published.inc();
                tracing::info!(addon = addon.name_any(), %digest, "published");
            }
            Some(published) => (verdict, events) = refused(verdict, &published, &digest),
        }
    }
    Ok(Acted {
        verdict,
        events,
        look_again,
        gone: finalizer == Finalizer::Remove,
    })
}

/// Enters the version in the ledger; the digest that it is published with where that is another.
async fn enter(
    addon: &MiddlewareAddon,
    digest: &Digest,
    mut into: Option<AddonLedger>,
    context: &Context,
) -> Result<Option<Digest>, ActError> {
    let ledgers = Api::<AddonLedger>::all(context.client.clone());
    let (plugin, version) = (addon.spec.plugin.as_str(), addon.spec.version.to_string());
    let manager = Some(labels::manager::ADDON.to_owned());
    let params = PostParams {
        field_manager: manager,
        ..PostParams::default()
    };
    let failed = |error| ActError::Ledger(Box::new(error));
    for _ in 0..TRIES {
        let written = match into {
            None => ledgers.create(&params, &new_ledger(addon, digest)).await,
            Some(mut ledger) => match ledger.spec.entries.get(&version) {
                Some(published) => return Ok(Some(published.clone()).filter(|p| p != digest)),
                None => {
                    ledger.spec.entries.insert(version.clone(), digest.clone());
                    ledgers.replace(plugin, &params, &ledger).await
                }
            },
        };
        match written {
            Ok(_) => return Ok(None),
            Err(error) if is_conflict(&error) => {
                into = ledgers.get_opt(plugin).await.map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Err(ActError::Contended)
}

fn new_ledger(addon: &MiddlewareAddon, digest: &Digest) -> AddonLedger {
    let entries = [(addon.spec.version.to_string(), digest.clone())].into();
    let mut ledger = AddonLedger::new(addon.spec.plugin.as_str(), AddonLedgerSpec { entries });
    ledger.metadata.labels = Some(
        [
            (labels::PLUGIN.to_owned(), addon.spec.plugin.to_string()),
            (
                labels::MANAGED_BY.to_owned(),
                labels::MANAGED_BY_PAAMESH.to_owned(),
            ),
        ]
        .into(),
    );
    ledger
}

/// What is said where the ledger got another digest of the version meanwhile.
fn refused(verdict: Verdict, published: &Digest, offered: &Digest) -> (Verdict, Vec<Happened>) {
    let reason = AddonReason::VersionChanged.as_str();
    let message = changed(published, offered);
    let events = vec![Happened::warning(reason, "Refuse", &message)];
    let phase = AddonPhase::Failed;
    (
        Verdict {
            phase,
            facts: None,
            reason,
            message,
            ..verdict
        },
        events,
    )
}
