//! The registry's key, and what it vouches for: from which source, revision and signer a version comes
//! (design.md, section 3).
//!
//! In: the Secret `paamesh-provenance` of the platform's namespace, made where it is missing. Out: the
//! annotation of a MiddlewareAddon, and what one that is there says, if this key signed it. The operator
//! believes nothing else.

mod pem;

use api::{
    MiddlewareAddon, labels,
    provenance::{PRIVATE_KEY, PUBLIC_KEY, Provenance, SECRET, SignedProvenance},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, ResourceExt as _,
    api::{ObjectMeta, PostParams},
};
use ring::{
    digest::{self, SHA256, SHA256_OUTPUT_LEN},
    rand::{SecureRandom as _, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Between two attempts to get the key, at first; it doubles.
const MIN_PAUSE: Duration = Duration::from_millis(750);
/// The longest pause: what a person mended is noticed soon.
const MAX_PAUSE: Duration = Duration::from_secs(15);

/// SHA-256: of an annotation, whose text the cache has already.
type Hash = [u8; SHA256_OUTPUT_LEN];

/// By the name of the object: the hash of its annotation, and what that says.
type Recognised = HashMap<String, (Hash, Arc<Provenance>)>;

/// The key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The Secret could not be read.
    #[error("reading Secret `{SECRET}` failed: {0}")]
    Read(#[source] Box<kube::Error>),
    /// The Secret could not be made.
    #[error("creating Secret `{SECRET}` failed: {0}")]
    Create(#[source] Box<kube::Error>),
    /// It is not what the registry made.
    #[error(
        "Secret `{SECRET}` in the platform's namespace: {0}; put the former key back, or delete the \
         Secret: another key is made then, and every version that a source offers is signed anew"
    )]
    Malformed(&'static str),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for a key")]
    Random,
}

/// The registry's key. It remembers what it recognised as its own: a signature is checked once.
pub struct Key {
    pair: Ed25519KeyPair,
    recognised: Mutex<Recognised>,
}

impl Key {
    /// [`Key::ensure`], tried again until it is there: without a key nothing is projected.
    pub async fn obtain(secrets: &Api<Secret>) -> Self {
        let mut pause = MIN_PAUSE;
        loop {
            match Self::ensure(secrets).await {
                Ok(key) => return key,
                Err(error) => {
                    tracing::error!(%error, ?pause, "there is no key for the provenance of versions");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }

    /// The key in the Secret of the platform's namespace; the Secret is made where it is missing. Of
    /// several registries that begin at once, one makes it, and the others take that one.
    ///
    /// # Errors
    /// The API server does not answer, or the Secret holds something else.
    pub async fn ensure(secrets: &Api<Secret>) -> Result<Self, KeyError> {
        if let Some(key) = Self::read(secrets).await? {
            return Ok(key);
        }
        let secret = made()?;
        match secrets.create(&PostParams::default(), &secret).await {
            Ok(secret) => {
                tracing::info!(
                    secret = SECRET,
                    "a key for the provenance of versions was made"
                );
                Self::of(secret)
            }
            Err(kube::Error::Api(status)) if status.is_already_exists() => {
                let gone = KeyError::Malformed("it is made and deleted at the same time");
                Self::read(secrets).await?.ok_or(gone)
            }
            Err(error) => Err(KeyError::Create(Box::new(error))),
        }
    }

    async fn read(secrets: &Api<Secret>) -> Result<Option<Self>, KeyError> {
        let secret = secrets.get_opt(SECRET).await;
        let secret = secret.map_err(|error| KeyError::Read(Box::new(error)))?;
        secret.map(Self::of).transpose()
    }

    fn of(secret: Secret) -> Result<Self, KeyError> {
        let data = secret.data.unwrap_or_default();
        let text = |key: &str| {
            let bytes = data.get(key).map(|bytes| bytes.0.as_slice());
            bytes.and_then(|bytes| std::str::from_utf8(bytes).ok())
        };
        let seed = text(PRIVATE_KEY).and_then(pem::read_private);
        let seed = seed.ok_or(KeyError::Malformed(
            "`private.pem` is missing, or no Ed25519 key of PKCS #8",
        ))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed)
            .map_err(|_| KeyError::Malformed("`private.pem` is refused"))?;
        let public = text(PUBLIC_KEY).and_then(pem::read_public);
        if public.as_ref().map(<[u8; 32]>::as_slice) != Some(pair.public_key().as_ref()) {
            let other = "`public.pem` is missing, or does not belong to `private.pem`";
            return Err(KeyError::Malformed(other));
        }
        Ok(Self {
            pair,
            recognised: Mutex::default(),
        })
    }

    /// `provenance`, signed.
    pub fn sign(&self, provenance: Provenance) -> SignedProvenance {
        SignedProvenance {
            signature: self.signature(&provenance).unwrap_or_default(),
            provenance,
        }
    }

    /// What this key vouches for of `addon`; nothing where it did not sign, or signed for another
    /// version or other bytes.
    pub fn recognise(&self, addon: &MiddlewareAddon) -> Option<Arc<Provenance>> {
        let (name, text) = (
            addon.name_any(),
            addon.annotations().get(labels::PROVENANCE)?,
        );
        let now = hash(text);
        let before = self.recognised().get(&name).cloned();
        let before = before.filter(|(before, _)| *before == now);
        let provenance = match before {
            Some((_, provenance)) => provenance,
            None => {
                let provenance = Arc::new(self.verified(text)?);
                let known = (now, provenance.clone());
                self.recognised().insert(name, known);
                provenance
            }
        };
        let same = provenance.plugin == addon.spec.plugin
            && provenance.version == addon.spec.version
            && Some(&provenance.digest) == addon.spec.digest.as_ref();
        same.then_some(provenance)
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, name: &str) {
        self.recognised().remove(name);
    }

    fn recognised(&self) -> MutexGuard<'_, Recognised> {
        self.recognised
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn verified(&self, annotation: &str) -> Option<Provenance> {
        let signed: SignedProvenance = serde_json::from_str(annotation).ok()?;
        // Ed25519 signs the same bytes the same way every time (RFC 8032).
        let good = self.signature(&signed.provenance)? == signed.signature;
        good.then_some(signed.provenance)
    }

    fn signature(&self, provenance: &Provenance) -> Option<String> {
        let bytes = provenance.signed_bytes().ok()?;
        Some(STANDARD.encode(self.pair.sign(&bytes)))
    }
}

fn hash(text: &str) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest::digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

/// The Secret with a new key.
fn made() -> Result<Secret, KeyError> {
    let mut seed = [0; 32];
    let random = SystemRandom::new().fill(&mut seed);
    random.map_err(|_| KeyError::Random)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| KeyError::Random)?;
    let private = pem::private(&seed);
    let public = pem::public(pair.public_key().as_ref());
    let data = [(PRIVATE_KEY, private), (PUBLIC_KEY, public)];
    let data = data.map(|(key, pem)| (key.to_owned(), ByteString(pem.into_bytes())));
    let managed_by = (
        labels::MANAGED_BY.to_owned(),
        labels::MANAGED_BY_PAAMESH.to_owned(),
    );
    Ok(Secret {
        metadata: ObjectMeta {
            name: Some(SECRET.to_owned()),
            labels: Some(BTreeMap::from([managed_by])),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from(data)),
        ..Secret::default()
    })
}

/// A key for tests, without a cluster.
#[cfg(test)]
pub(crate) fn key_of_tests() -> Key {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    Key {
        pair,
        recognised: Mutex::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::MiddlewareAddonSpec;

    fn provenance() -> Provenance {
        Provenance {
            plugin: "redis".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            digest: format!("sha256:{}", "a".repeat(64)).parse().unwrap(),
            source: "platform".to_owned(),
            url: "https://git.example.com/addons".to_owned(),
            revision: "main@sha1:1".to_owned(),
            directory: "redis".to_owned(),
            signer: None,
            images: Vec::new(),
        }
    }

    fn addon(signed: &SignedProvenance, digest: &str) -> MiddlewareAddon {
        let spec = MiddlewareAddonSpec {
            plugin: "redis".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            digest: Some(format!("sha256:{}", digest.repeat(64)).parse().unwrap()),
            content: Vec::new(),
            lifecycle: None,
        };
        let mut addon = MiddlewareAddon::new("redis-1.0.0", spec);
        let text = serde_json::to_string(signed).unwrap();
        addon
            .annotations_mut()
            .insert(labels::PROVENANCE.to_owned(), text);
        addon
    }

    #[test]
    fn what_the_key_signed_is_recognised_and_nothing_else() {
        let key = key_of_tests();
        let signed = key.sign(provenance());
        let found = key.recognise(&addon(&signed, "a"));
        assert_eq!(found.as_deref(), Some(&provenance()));
        let mut foreign = signed.clone();
        foreign.provenance.source = "other".to_owned();
        assert_eq!(key.recognise(&addon(&foreign, "a")), None);
        assert_eq!(key.recognise(&addon(&signed, "b")), None, "other bytes");
        let other = Key::of(made().unwrap()).unwrap();
        assert_eq!(other.recognise(&addon(&signed, "a")), None, "another key");
    }

    #[test]
    fn a_secret_that_was_made_reads_back_and_one_of_two_keys_does_not() {
        let (one, other) = (made().unwrap(), made().unwrap());
        Key::of(one.clone()).unwrap();
        let mut mixed = one;
        let public = other.data.unwrap().remove(PUBLIC_KEY).unwrap();
        mixed
            .data
            .as_mut()
            .unwrap()
            .insert(PUBLIC_KEY.to_owned(), public);
        assert!(matches!(Key::of(mixed), Err(KeyError::Malformed(_))));
    }
}
