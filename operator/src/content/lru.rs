//! A bounded set: what was not asked for longest goes first.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

struct Entry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

/// Values by key, together at most so many bytes.
pub(super) struct Lru<K, V> {
    entries: HashMap<K, Entry<V>>,
    bytes: usize,
    capacity: usize,
    clock: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> Lru<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            bytes: 0,
            capacity,
            clock: 0,
        }
    }

    pub(super) fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used = self.clock;
        Some(entry.value.clone())
    }

    /// Keeps `value`, which takes `bytes`, unless it alone is more than there is room for.
    pub(super) fn insert(&mut self, key: K, value: V, bytes: usize) {
        if bytes > self.capacity {
            return;
        }
        self.remove(&key);
        while self.bytes + bytes > self.capacity {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            match oldest.map(|(key, _)| key.clone()) {
                Some(key) => self.remove(&key),
                None => break,
            }
        }
        self.clock += 1;
        self.bytes += bytes;
        let used = self.clock;
        self.entries.insert(key, Entry { value, bytes, used });
    }

    pub(super) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.bytes;
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::Lru;

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let mut lru = Lru::<&str, u32>::new(1000);
        lru.insert("first", 1, 400);
        lru.insert("second", 2, 400);
        assert_eq!(lru.get("first"), Some(1));
        lru.insert("third", 3, 400);
        assert_eq!(lru.get("second"), None);
        assert_eq!((lru.get("first"), lru.get("third")), (Some(1), Some(3)));
        lru.insert("more than there is room for", 4, 1001);
        assert_eq!(lru.get("first"), Some(1));
        lru.insert("first", 5, 600);
        assert_eq!((lru.get("first"), lru.get("third")), (Some(5), Some(3)));
        lru.clear();
        assert_eq!(lru.get("first"), None);
        lru.insert("first", 6, 1000);
        assert_eq!(lru.get("first"), Some(6));
    }
}
