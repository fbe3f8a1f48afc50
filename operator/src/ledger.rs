//! Entering versions in the ledger of their plugin, by compare-and-swap.
//!
//! In: a version and its digest. Out: nothing, or the other digest that the version is published with.
//! Versions of one plugin that come at once are entered one batch after the other: who waits for a
//! write is written by the next one together with all others that wait, so that a thousand versions are
//! neither a thousand writes of a growing object nor a thousand conflicts. Exclusion does not rest on
//! that, but on the resourceVersion of each write.

use crate::error::{self, Consequence, is_conflict, is_not_found};
use api::{AddonLedger, AddonLedgerSpec, Digest, Version, labels, names::PluginName};
use kube::{
    Api, Client,
    api::{GetParams, PostParams},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::oneshot;

/// How often the ledger is read again because somebody else wrote to it meanwhile.
const TRIES: usize = 8;

/// The version could not be entered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    /// The API server refused, or could not be asked.
    #[error("entering the version in the ledger failed: {0}")]
    Write(#[source] Arc<kube::Error>),
    /// Others wrote to the ledger all the time.
    #[error("the ledger changed {TRIES} times while the version was entered")]
    Contended,
    /// Whoever was to write it together with others was stopped.
    #[error("entering the version in the ledger was stopped")]
    Stopped,
}

impl LedgerError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Write(error) => error::of_kube(error),
            Self::Contended | Self::Stopped => Consequence::Retry,
        }
    }
}

/// What became of an entry: the other digest that stands there, where one does.
type Entered = Result<Option<Digest>, LedgerError>;

/// A version that waits to be entered.
struct Entry {
    version: String,
    digest: Digest,
    tell: oneshot::Sender<Entered>,
}

/// Where the versions of one plugin wait.
#[derive(Default)]
struct Desk {
    waiting: Mutex<Vec<Entry>>,
    /// Who holds it writes.
    turn: tokio::sync::Mutex<()>,
    /// The ledger as it was written last, without its managed fields.
    last: Mutex<Option<Arc<AddonLedger>>>,
}

/// What the ledger says of one version.
#[derive(Debug, Default)]
pub struct Looked {
    /// The digest that it is published with.
    pub published: Option<Digest>,
    /// The ledger, where it was read.
    pub ledger: Option<AddonLedger>,
}

/// The ledgers of all plugins.
pub struct Ledgers {
    api: Api<AddonLedger>,
    desks: Mutex<HashMap<PluginName, Arc<Desk>>>,
}

impl Ledgers {
    /// The ledgers of the cluster; nothing is read yet.
    pub fn new(client: Client) -> Self {
        Self {
            api: Api::all(client),
            desks: Mutex::default(),
        }
    }

    /// What the ledger says of the version. That it is not there is believed of the ledger as it was
    /// written last, or as the API server's cache has it, for [`Ledgers::enter`] finds out in any case;
    /// so a thousand versions of one plugin are not a thousand reads of a growing object.
    ///
    /// # Errors
    /// The API server could not be asked.
    pub async fn look(&self, plugin: &PluginName, version: &Version) -> kube::Result<Looked> {
        let version = version.to_string();
        let last = locked(&self.desk(plugin).last).clone();
        if last.is_some_and(|last| !last.spec.entries.contains_key(&version)) {
            return Ok(Looked::default());
        }
        let ledger = self.read(plugin, &GetParams::any()).await?;
        let entries = ledger.as_ref().map(|ledger| &ledger.spec.entries);
        Ok(Looked {
            published: entries.and_then(|entries| entries.get(&version)).cloned(),
            ledger,
        })
    }

    async fn read(&self, plugin: &PluginName, at: &GetParams) -> kube::Result<Option<AddonLedger>> {
        match self.api.get_with(plugin.as_str(), at).await {
            Err(error) if is_not_found(&error) => Ok(None),
            read => read.map(Some),
        }
    }

    /// Enters the version; the digest that it is published with where that is another. `seen` is the
    /// ledger as the caller read it.
    ///
    /// # Errors
    /// It could not be written: whether it was published is not known, and asked again.
    pub async fn enter(
        &self,
        plugin: &PluginName,
        version: &Version,
        digest: &Digest,
        seen: Option<AddonLedger>,
    ) -> Entered {
        let desk = self.desk(plugin);
        let (tell, mut told) = oneshot::channel();
        locked(&desk.waiting).push(Entry {
            version: version.to_string(),
            digest: digest.clone(),
            tell,
        });
        let turn = desk.turn.lock().await;
        if let Ok(entered) = told.try_recv() {
            return entered;
        }
        let batch = std::mem::take(&mut *locked(&desk.waiting));
        let last = locked(&desk.last).take();
        let base = last.map(Arc::unwrap_or_clone).or(seen);
        match self.write(plugin, &batch, base).await {
            Ok(written) => {
                for entry in batch {
                    let published = written.spec.entries.get(&entry.version);
                    let other = published.filter(|published| **published != entry.digest);
                    let _ = entry.tell.send(Ok(other.cloned()));
                }
                *locked(&desk.last) = Some(Arc::new(written));
            }
            Err(error) => {
                for entry in batch {
                    let _ = entry.tell.send(Err(error.clone()));
                }
            }
        }
        drop(turn);
        told.await.unwrap_or(Err(LedgerError::Stopped))
    }

    fn desk(&self, plugin: &PluginName) -> Arc<Desk> {
        locked(&self.desks)
            .entry(plugin.clone())
            .or_default()
            .clone()
    }

    /// The ledger with all of `batch` in it that may stand there.
    async fn write(
        &self,
        plugin: &PluginName,
        batch: &[Entry],
        mut base: Option<AddonLedger>,
    ) -> Result<AddonLedger, LedgerError> {
        let params = PostParams {
            field_manager: Some(labels::manager::ADDON.to_owned()),
            ..PostParams::default()
        };
        let failed = |error| LedgerError::Write(Arc::new(error));
        // What was written last may have been deleted since: what it says of a version is not believed.
        let mut is_current = false;
        let confirmed = GetParams::default();
        for _ in 0..TRIES {
            let is_new = base.is_none();
            let mut ledger = base.take().unwrap_or_else(|| new_ledger(plugin));
            let entries = &mut ledger.spec.entries;
            let before = entries.len();
            for Entry {
                version, digest, ..
            } in batch
            {
                entries
                    .entry(version.clone())
                    .or_insert_with(|| digest.clone());
            }
            if entries.len() == before && !is_new {
                if is_current {
                    return Ok(ledger);
                }
                base = self.read(plugin, &confirmed).await.map_err(failed)?;
                is_current = true;
                continue;
            }
            // The managed fields name each entry once more; the API server keeps its own.
            ledger.metadata.managed_fields = None;
            let written = match is_new {
                true => self.api.create(&params, &ledger).await,
                false => self.api.replace(plugin.as_str(), &params, &ledger).await,
            };
            match written {
                Ok(mut written) => {
                    written.metadata.managed_fields = None;
                    return Ok(written);
                }
                Err(error) if is_conflict(&error) || is_not_found(&error) => {
                    base = self.read(plugin, &confirmed).await.map_err(failed)?;
                    is_current = true;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Err(LedgerError::Contended)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn new_ledger(plugin: &PluginName) -> AddonLedger {
    let spec = AddonLedgerSpec {
        entries: Default::default(),
    };
    let mut ledger = AddonLedger::new(plugin.as_str(), spec);
    let labels = [
        (labels::PLUGIN, plugin.as_str()),
        (labels::MANAGED_BY, labels::MANAGED_BY_PAAMESH),
    ];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    ledger.metadata.labels = Some(labels.into());
    ledger
}
