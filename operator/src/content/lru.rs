//! A bounded set of packages: the one that was not asked for longest goes first.

use api::Digest;
use package::Package;
use std::{collections::HashMap, sync::Arc};

struct Entry {
    package: Arc<Package>,
    bytes: usize,
    used: u64,
}

/// Packages by digest, together at most so many bytes of files.
pub(super) struct Lru {
    entries: HashMap<Digest, Entry>,
    bytes: usize,
    capacity: usize,
    clock: u64,
}

impl Lru {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            bytes: 0,
            capacity,
            clock: 0,
        }
    }

    pub(super) fn get(&mut self, digest: &Digest) -> Option<Arc<Package>> {
        self.clock += 1;
        let entry = self.entries.get_mut(digest)?;
        entry.used = self.clock;
        Some(entry.package.clone())
    }

    /// Keeps `package`, unless it alone is more than there is room for.
    pub(super) fn insert(&mut self, package: Arc<Package>) {
        let bytes = package
            .tree
            .files()
            .map(|(path, bytes)| path.len() + bytes.len())
            .sum();
        if bytes > self.capacity {
            return;
        }
        self.remove(&package.digest.clone());
        while self.bytes + bytes > self.capacity {
            let oldest = self
                .entries
                .iter()
                .min_by_key(|(_, e)| e.used)
                .map(|(d, _)| d.clone());
            match oldest {
                Some(digest) => self.remove(&digest),
                None => break,
            }
        }
        self.clock += 1;
        self.bytes += bytes;
        self.entries.insert(
            package.digest.clone(),
            Entry {
                package,
                bytes,
                used: self.clock,
            },
        );
    }

    fn remove(&mut self, digest: &Digest) {
        if let Some(entry) = self.entries.remove(digest) {
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use package::Tree;

    fn package(version: &str, size: usize) -> Arc<Package> {
        let manifest = format!(
            "apiVersion: middleware.io/v1alpha1\nkind: Addon\nname: demo\nversion: {version}\n\
             runtimes: [{{version: 1.0.0, image: 'demo:1'}}]\ncomponents: {{demo: {{command: [demo]}}}}\n"
        );
        let files = [
            ("addon.yaml".to_owned(), manifest.into_bytes()),
            ("README.md".to_owned(), vec![b'x'; size]),
        ];
        Arc::new(package::load(Tree::from_files(files).unwrap()).unwrap())
    }

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let (first, second, third) = (
            package("1.0.0", 400),
            package("1.1.0", 400),
            package("1.2.0", 400),
        );
        let mut lru = Lru::new(1400);
        lru.insert(first.clone());
        lru.insert(second.clone());
        assert!(lru.get(&first.digest).is_some());
        lru.insert(third.clone());
        assert!(lru.get(&second.digest).is_none());
        assert!(lru.get(&first.digest).is_some() && lru.get(&third.digest).is_some());
        lru.insert(package("2.0.0", 5000));
        assert!(lru.get(&first.digest).is_some());
    }
}
