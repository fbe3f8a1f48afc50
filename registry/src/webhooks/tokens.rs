//! The tokens of webhooks, from the Secrets that sources name. Each is read at most once in
//! [`FRESH`]; where it cannot be read, the one that was read last counts on for [`STALE`].

use super::{answer::Refusal, locked, proof};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use ring::rand::{SecureRandom as _, SystemRandom};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// A token that was changed counts after this time at the latest.
const FRESH: Duration = Duration::from_secs(10);
/// How long a token counts on while the API server does not answer.
const STALE: Duration = Duration::from_mins(10);
/// How long the API server may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// So many tokens are kept before old ones are dropped.
const MAX: usize = 4096;
/// The key in the Secret.
const KEY: &str = "token";

/// What a sender must know.
pub struct Token(Vec<u8>);

impl Token {
    /// The token `bytes`, without the line end that a file brings along.
    pub fn new(bytes: &[u8]) -> Self {
        let end = bytes.iter().rposition(|b| !matches!(b, b'\n' | b'\r'));
        Self(bytes[..end.map_or(0, |end| end + 1)].to_vec())
    }

    /// For a MAC.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `given` is the token.
    pub fn is(&self, given: &str) -> Result<(), Refusal> {
        proof::equal(&self.0, given.as_bytes())
    }
}

/// What a Secret said, and when: none where it has no token.
type Entry = Option<(Instant, Option<Arc<Token>>)>;

/// The tokens by the name of their Secret. Whoever waits for the same Secret waits for one answer.
pub struct Tokens {
    secrets: Api<Secret>,
    known: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Entry>>>>,
    unknown: Arc<Token>,
}

impl Tokens {
    /// None yet, of the Secrets that `secrets` reads.
    pub fn new(secrets: Api<Secret>) -> Self {
        let mut unknown = vec![0; 32];
        // Without randomness it is a token all the same, of a source that there is not.
        let _ = SystemRandom::new().fill(&mut unknown);
        Self {
            secrets,
            known: Mutex::default(),
            unknown: Arc::new(Token(unknown)),
        }
    }

    /// A token that nobody knows.
    pub fn unknown(&self) -> Arc<Token> {
        self.unknown.clone()
    }

    /// The token in the Secret `name`; none where it is not there or empty.
    ///
    /// # Errors
    /// It cannot be read now, and was not read lately.
    pub async fn get(&self, name: &str) -> Result<Option<Arc<Token>>, ()> {
        let entry = self.entry(name);
        let mut entry = entry.lock().await;
        let age = |at: Instant| at.elapsed();
        if let Some((at, token)) = &*entry
            && age(*at) < FRESH
        {
            return Ok(token.clone());
        }
        match self.read(name).await {
            Ok(token) => {
                *entry = Some((Instant::now(), token.clone()));
                Ok(token)
            }
            Err(error) => {
                tracing::warn!(
                    secret = name,
                    error,
                    "the token of a webhook cannot be read"
                );
                match &*entry {
                    Some((at, token)) if age(*at) < STALE => Ok(token.clone()),
                    _ => Err(()),
                }
            }
        }
    }

    fn entry(&self, name: &str) -> Arc<tokio::sync::Mutex<Entry>> {
        let mut known = locked(&self.known);
        if known.len() >= MAX {
            // What somebody waits for stays.
            known.retain(|_, entry| Arc::strong_count(entry) > 1);
        }
        known.entry(name.to_owned()).or_default().clone()
    }

    async fn read(&self, name: &str) -> Result<Option<Arc<Token>>, String> {
        let read = tokio::time::timeout(TIMEOUT, self.secrets.get_opt(name)).await;
        let read = read.map_err(|_| format!("no answer in {TIMEOUT:?}"))?;
        let secret = read.map_err(|error| error.to_string())?;
        let bytes = secret.and_then(|secret| secret.data?.remove(KEY));
        let token = bytes.map(|bytes| Token::new(&bytes.0));
        // An empty key would let everybody in.
        let token = token.filter(|token| !token.bytes().is_empty());
        if token.is_none() {
            tracing::warn!(
                secret = name,
                "the Secret of a webhook is not there or has no `{KEY}`: nobody gets in"
            );
        }
        Ok(token.map(Arc::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_end_of_a_file_is_no_part_of_a_token() {
        for (bytes, want) in [("a\n", "a"), ("a\r\n", "a"), ("a b ", "a b "), ("\n", "")] {
            assert_eq!(Token::new(bytes.as_bytes()).bytes(), want.as_bytes());
        }
    }
}
