//! The files of content objects that came lately, as the watch brought them.

use super::{Files, lru::Lru};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use package::content::files;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most bytes of files that are kept: a version is judged as soon as its last object has come.
const CAPACITY: usize = 2 << 20;

/// Some files by the name of their object. Clones share them.
#[derive(Clone)]
pub struct Recent(Arc<Mutex<Lru<String, Arc<Files>>>>);

impl Default for Recent {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Lru::new(CAPACITY))))
    }
}

impl Recent {
    /// Keeps the files of `object`.
    pub fn keep(&self, object: ConfigMap) {
        let name = object.name_any();
        let files = files(object);
        let bytes = files
            .iter()
            .map(|(name, bytes)| name.len() + bytes.len())
            .sum();
        self.held().insert(name, Arc::new(files), bytes);
    }

    /// The object is gone.
    pub fn forget(&self, name: &str) {
        self.held().remove(name);
    }

    /// Nothing is known of any object.
    pub fn clear(&self) {
        self.held().clear();
    }

    /// The files of the object of that name, where it came lately.
    pub(super) fn get(&self, name: &str) -> Option<Arc<Files>> {
        self.held().get(name)
    }

    fn held(&self) -> MutexGuard<'_, Lru<String, Arc<Files>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
