//! Does what was planned: the finalizer, and the ledger's entry by compare-and-swap.

use super::plan::{Plan, Publication, Verdict, changed};
use crate::{
    context::Context,
    error::{self, Consequence},
    events::Happened,
    finalizer::{self, Finalizer},
    ledger::LedgerError,
};
use api::{
    Digest, MiddlewareAddon,
    crd::addon::{AddonPhase, AddonReason},
    labels,
};
use jiff::civil::Date;
use kube::{Api, ResourceExt as _};

/// What was done, and so may be said.
pub struct Acted {
    /// What is to be said.
    pub verdict: Verdict,
    /// What changed, for people.
    pub events: Vec<Happened>,
    /// Whether to look again without being woken.
    pub look_again: bool,
    /// The day on which other things are to be said.
    pub look_on: Option<Date>,
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
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl ActError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Finalizer(error) => error::of_kube(error),
            Self::Ledger(error) => error.consequence(),
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
        look_on,
    } = plan;
    let addons = Api::<MiddlewareAddon>::all(context.client.clone());
    finalizer::write(&addons, addon, finalizer, labels::ADDON_FINALIZER)
        .await
        .map_err(ActError::Finalizer)?;
    if let Some(Publication { digest, into }) = publish {
        let spec = &addon.spec;
        let entered = context
            .ledgers
            .enter(&spec.plugin, &spec.version, &digest, into);
        match entered.await? {
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
        look_on,
        gone: finalizer == Finalizer::Remove,
    })
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
