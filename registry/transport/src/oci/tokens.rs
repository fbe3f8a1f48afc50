//! What registries gave us to be believed: one value of `Authorization` for each repository, action
//! and set of credentials, until it runs out; and the refresh tokens that token servers gave in
//! exchange for those that the settings have.

use super::location::Location;
use crate::Credentials;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// What is done in a repository: tokens are for one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Reading.
    Pull,
    /// Reading and writing.
    Push,
}

impl Action {
    /// The scope of a token for it (the distribution project's token specification).
    pub(crate) fn scope(self, path: &str) -> String {
        match self {
            Self::Pull => format!("repository:{path}:pull"),
            Self::Push => format!("repository:{path}:pull,push"),
        }
    }
}

/// Where a token may be used.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    base: String,
    action: Action,
    credentials: Credentials,
}

impl Key {
    pub(crate) fn of(at: &Location, action: Action, credentials: &Credentials) -> Self {
        Self {
            base: at.base().to_owned(),
            action,
            credentials: credentials.clone(),
        }
    }
}

/// A value of `Authorization`, and until when it is good.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) header: String,
    until: Option<Instant>,
}

impl Held {
    /// One that does not run out.
    pub(crate) fn lasting(header: String) -> Self {
        let until = None;
        Self { header, until }
    }

    /// One that is good for `lifetime` from now; the last tenth of it is not used.
    pub(crate) fn short(header: String, lifetime: Duration) -> Self {
        let until = Some(Instant::now() + lifetime.mul_f64(0.9));
        Self { header, until }
    }
}

/// More than these are not kept.
const KEPT: usize = 4096;

/// A refresh token that is good now. Who changes it holds the lock: a server may take each once.
pub(crate) type Refresh = Arc<Mutex<String>>;

/// All that is held.
#[derive(Default)]
pub(crate) struct Tokens {
    held: Mutex<HashMap<Key, Held>>,
    /// By token server and the token that the settings have.
    refresh: Mutex<HashMap<(String, String), Refresh>>,
}

impl Tokens {
    pub(crate) fn get(&self, key: &Key) -> Option<String> {
        let tokens = locked(&self.held);
        let held = tokens.get(key)?;
        let good = held.until.is_none_or(|until| Instant::now() < until);
        good.then(|| held.header.clone())
    }

    pub(crate) fn put(&self, key: Key, held: Held) {
        let mut tokens = locked(&self.held);
        if tokens.len() >= KEPT {
            tokens.clear();
        }
        tokens.insert(key, held);
    }

    /// What stands for the refresh token `token` of the settings at the server `realm`: that token, until
    /// the server gives another.
    pub(crate) fn refresh(&self, realm: &str, token: &str) -> Refresh {
        let key = (realm.to_owned(), token.to_owned());
        let mut tokens = locked(&self.refresh);
        if tokens.len() >= KEPT && !tokens.contains_key(&key) {
            tokens.clear();
        }
        let own = || Arc::new(Mutex::new(token.to_owned()));
        Arc::clone(tokens.entry(key).or_insert_with(own))
    }
}

/// The lock, whoever failed while holding it.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}
