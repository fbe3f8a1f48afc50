//! Server-side apply of children: only what differs is written, and what is not ours is never taken.
//!
//! An object carries the hash of what was last applied ([`api::labels::APPLIED`]); it is written
//! again where that hash is another one (something was added or removed in what we want) or where a
//! field that we set has another value now (somebody changed it). What was seen to be right at one
//! resourceVersion is not read again at that one, so that a steady state makes no request at all.

mod difference;

pub use difference::{covers, hash, strip_nulls};

use crate::{
    children,
    error::{self, Consequence},
};
use difference::{is_as_wanted, stamped};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{Patch, PatchParams},
    core::NamespaceResourceScope,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeSet, HashMap},
    fmt::Debug,
    sync::{Mutex, PoisonError},
};

/// An object could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The object exists, and is not ours.
    #[error(
        "{kind} `{name}` exists and belongs to {owner}; delete or rename it, then this goes on by itself"
    )]
    NameTaken {
        /// The kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// Whose it is, as far as it says.
        owner: String,
    },
    /// The object is being deleted and cannot be written before it is gone.
    #[error("{kind} `{name}` is still being deleted")]
    Terminating {
        /// The kind of the object.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The API server could not be asked.
    #[error("reading {kind} `{name}` failed: {source}")]
    Read {
        /// The kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What it said.
        source: Box<kube::Error>,
    },
    /// The API server did not take the object.
    #[error("applying {kind} `{name}` failed: {source}")]
    Write {
        /// The kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What it said.
        source: Box<kube::Error>,
    },
    /// The object has no JSON form.
    #[error("{kind} has no JSON form: {source}")]
    Form {
        /// The kind of the object.
        kind: String,
        /// What is wrong.
        source: serde_json::Error,
    },
}

impl ApplyError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            // The owner of a taken name does not tell us when it goes.
            Self::NameTaken { .. } => Consequence::RetryAfter(std::time::Duration::from_secs(15)),
            Self::Terminating { .. } => Consequence::Retry,
            Self::Read { source, .. } | Self::Write { source, .. } => error::of_kube(source),
            Self::Form { .. } => Consequence::Terminal,
        }
    }

    /// In one word.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NameTaken { .. } => "NameTaken",
            Self::Terminating { .. } => "Terminating",
            Self::Read { .. } => "ReadFailed",
            Self::Write { .. } => "Refused",
            Self::Form { .. } => "Invalid",
        }
    }
}

/// Whether an object that is there can be taken again, where nothing owns it and its labels say whose
/// it is.
///
/// # Errors
/// It is not `ours`, or it goes.
pub fn can_be_taken(kind: &str, live: &impl Resource, ours: bool) -> Result<(), ApplyError> {
    let (kind, name) = (kind.to_owned(), live.name_any());
    match (ours, live.meta().deletion_timestamp.is_some()) {
        (true, false) => Ok(()),
        (true, true) => Err(ApplyError::Terminating { kind, name }),
        (false, _) => Err(ApplyError::NameTaken {
            kind,
            name,
            owner: "something else".to_owned(),
        }),
    }
}

/// What applying an object came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is as wanted; nothing was written.
    Unchanged,
    /// It was made or changed.
    Written,
}

/// How many objects are remembered. Beyond that all is forgotten, what is gone with the rest: what
/// is still there is read once more.
const REMEMBERED: usize = 50_000;

/// What was right at which resourceVersion.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    hash: String,
    version: String,
}

/// Applies children, and remembers what it saw.
pub struct Applier {
    client: Client,
    seen: Mutex<HashMap<String, Seen>>,
    owned: Mutex<HashMap<String, BTreeSet<String>>>,
}

impl Applier {
    /// Remembers nothing yet.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            seen: Mutex::default(),
            owned: Mutex::default(),
        }
    }

    /// Applies `desired`, which has name, namespace and a controlling owner reference, as `manager`.
    /// `known` is the resourceVersion in the cache, where there is a cache of the kind: an object
    /// that was right at that version is not read again.
    ///
    /// # Errors
    /// [`ApplyError::NameTaken`] where an object of the name has another controller; nothing is
    /// written then.
    pub async fn apply<K>(
        &self,
        desired: &K,
        manager: &str,
        known: Option<&str>,
    ) -> Result<Applied, ApplyError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + Serialize
            + DeserializeOwned,
    {
        let namespace = desired.namespace().unwrap_or_default();
        let api = Api::<K>::namespaced(self.client.clone(), &namespace);
        self.apply_by(&api, &(), desired, manager, known).await
    }

    /// As [`Applier::apply`], of a kind that only `resource` tells, by an `api` of the object's
    /// namespace.
    ///
    /// # Errors
    /// As [`Applier::apply`].
    pub async fn apply_by<K>(
        &self,
        api: &Api<K>,
        resource: &K::DynamicType,
        desired: &K,
        manager: &str,
        known: Option<&str>,
    ) -> Result<Applied, ApplyError>
    where
        K: Resource + Clone + Debug + Serialize + DeserializeOwned,
    {
        let (kind, name) = (K::kind(resource).into_owned(), desired.name_any());
        let namespace = desired.namespace().unwrap_or_default();
        let key = format!("{kind}/{namespace}/{name}");
        let (wanted, hash) = stamped(&kind, desired)?;
        if self.is_seen(&key, &hash, known) {
            return Ok(Applied::Unchanged);
        }
        let live = api.get_opt(&name).await.map_err(|e| ApplyError::Read {
            kind: kind.clone(),
            name: name.clone(),
            source: Box::new(e),
        })?;
        if let Some(live) = &live {
            check_owner(&kind, desired.meta(), live.meta())?;
            if is_as_wanted(&kind, live, &wanted)? {
                self.note(key, hash, live.resource_version());
                return Ok(Applied::Unchanged);
            }
        }
        let params = PatchParams::apply(manager).force();
        let now = api
            .patch(&name, &params, &Patch::Apply(&wanted))
            .await
            .map_err(|e| ApplyError::Write {
                kind: kind.clone(),
                name: name.clone(),
                source: Box::new(e),
            })?;
        tracing::info!(kind, name, namespace, "applied");
        self.note(key, hash, now.resource_version());
        Ok(Applied::Written)
    }

    /// As [`Applier::apply`], for a kind whose objects are cached whole: `live` is not read again, and
    /// nothing is asked where it is as wanted.
    ///
    /// # Errors
    /// As [`Applier::apply`].
    pub async fn apply_over<K>(
        &self,
        desired: &K,
        manager: &str,
        live: Option<&K>,
    ) -> Result<Applied, ApplyError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + Serialize
            + DeserializeOwned,
    {
        if let Some(live) = live {
            let kind = K::kind(&());
            check_owner(&kind, desired.meta(), live.meta())?;
            if is_as_wanted(&kind, live, &stamped(&kind, desired)?.0)? {
                return Ok(Applied::Unchanged);
            }
        }
        self.apply(desired, manager, None).await
    }

    /// The resourceVersion at which the object was last seen to be right.
    pub fn version(&self, kind: &str, namespace: &str, name: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&format!("{kind}/{namespace}/{name}"))
            .map(|seen| seen.version.clone())
    }

    /// Remembers which objects the owner of that uid is to have.
    pub fn note_owned(&self, uid: String, names: BTreeSet<String>) {
        remember(
            &mut self.owned.lock().unwrap_or_else(PoisonError::into_inner),
            uid,
            names,
        );
    }

    /// The names that were last noted for the owner of that uid.
    pub fn owned_by(&self, uid: &str) -> BTreeSet<String> {
        let owned = self.owned.lock().unwrap_or_else(PoisonError::into_inner);
        owned.get(uid).cloned().unwrap_or_default()
    }

    fn is_seen(&self, key: &str, hash: &str, known: Option<&str>) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(key)
            .is_some_and(|s| s.hash == hash && Some(s.version.as_str()) == known)
    }

    fn note(&self, key: String, hash: String, version: Option<String>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(version) = version {
            remember(&mut seen, key, Seen { hash, version });
        }
    }
}

fn remember<V>(map: &mut HashMap<String, V>, key: String, value: V) {
    if map.len() >= REMEMBERED {
        map.clear();
    }
    map.insert(key, value);
}

/// Refuses an object that is controlled by somebody else, or by nobody.
fn check_owner(kind: &str, desired: &ObjectMeta, live: &ObjectMeta) -> Result<(), ApplyError> {
    let (kind, name) = (kind.to_owned(), desired.name.clone().unwrap_or_default());
    let (ours, theirs) = (children::controller(desired), children::controller(live));
    if ours.map(|o| &o.uid) != theirs.map(|o| &o.uid) {
        let owner = theirs.map_or_else(
            || "nobody that says so".to_owned(),
            |o| format!("{} `{}`", o.kind, o.name),
        );
        return Err(ApplyError::NameTaken { kind, name, owner });
    }
    match live.deletion_timestamp {
        Some(_) => Err(ApplyError::Terminating { kind, name }),
        None => Ok(()),
    }
}
