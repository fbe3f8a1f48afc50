//! What was found to be signed, so that it is not asked again: by what was signed and by the keys, so
//! that other keys, or another demand, are another question. What was refused is asked again each time.

use api::provenance::{Signer, VerifiedImage};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// More proofs than these are not kept.
const MAX_PROOFS: usize = 50_000;

/// What was verified, and which images an addon names; it may be forgotten at any time.
#[derive(Default)]
pub struct Proofs {
    artifacts: Mutex<HashMap<Question, Signer>>,
    images: Mutex<HashMap<(Question, String), VerifiedImage>>,
    named: Mutex<HashMap<String, Arc<[String]>>>,
}

/// What is asked: whether a tree is signed as the demand of this fingerprint wants it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub tree: String,
    pub demand: String,
}

impl Proofs {
    pub(super) fn signer(&self, question: &Question) -> Option<Signer> {
        locked(&self.artifacts).get(question).cloned()
    }

    pub(super) fn signed(&self, question: Question, signer: Signer) {
        put(&self.artifacts, question, signer);
    }

    pub(super) fn image(&self, question: &Question, image: &str) -> Option<VerifiedImage> {
        let key = (question.clone(), image.to_owned());
        locked(&self.images).get(&key).cloned()
    }

    pub(super) fn image_signed(&self, question: Question, verified: VerifiedImage) {
        put(&self.images, (question, verified.image.clone()), verified);
    }

    /// The images that the addon of `tree` names, where they are remembered.
    pub(super) fn named(&self, tree: &str) -> Option<Arc<[String]>> {
        locked(&self.named).get(tree).cloned()
    }

    pub(super) fn names(&self, tree: &str, images: Arc<[String]>) {
        put(&self.named, tree.to_owned(), images);
    }
}

fn put<K: Eq + std::hash::Hash, V>(map: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut map = locked(map);
    if map.len() >= MAX_PROOFS {
        map.clear();
    }
    map.insert(key, value);
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
