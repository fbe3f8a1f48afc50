//! Which sources offer a version.

use std::collections::{BTreeSet, HashMap};

/// Who offers what.
#[derive(Default)]
pub(super) struct Offering {
    /// Object of a version → the sources that offer it.
    sources: HashMap<String, BTreeSet<String>>,
    /// Source → the objects of the versions that it offers.
    names: HashMap<String, BTreeSet<String>>,
}

impl Offering {
    /// Notes that `source` offers `names` and nothing else.
    pub fn offers(&mut self, source: &str, names: BTreeSet<String>) {
        let before = self.names.remove(source).unwrap_or_default();
        for name in before.difference(&names) {
            let is_empty = self.sources.get_mut(name).is_some_and(|sources| {
                sources.remove(source);
                sources.is_empty()
            });
            if is_empty {
                self.sources.remove(name);
            }
        }
        for name in names.difference(&before) {
            let sources = self.sources.entry(name.clone()).or_default();
            sources.insert(source.to_owned());
        }
        if !names.is_empty() {
            self.names.insert(source.to_owned(), names);
        }
    }

    /// The sources that offer `name`.
    pub fn of(&self, name: &str) -> BTreeSet<String> {
        self.sources.get(name).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_offered_by_those_that_last_said_so() {
        let mut offering = Offering::default();
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        offering.offers("a", names(&["redis-1.0.0", "redis-1.1.0"]));
        offering.offers("b", names(&["redis-1.0.0"]));
        offering.offers("a", names(&["redis-1.1.0"]));
        assert_eq!(offering.of("redis-1.0.0"), names(&["b"]));
        assert_eq!(offering.of("redis-1.1.0"), names(&["a"]));
        offering.offers("b", BTreeSet::new());
        assert!(offering.of("redis-1.0.0").is_empty());
    }
}
