//! Which states of a version were ever published, and under which digest. Pure.

use api::{AddonLedgerSpec, Digest, Version};
use package::graph::Dev;
use std::collections::BTreeMap;

/// The states of one version, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct States {
    published: BTreeMap<u64, Digest>,
    /// The highest number that an object has, published or not.
    taken: u64,
}

impl States {
    /// Those of `base` in the ledger; `names` are versions of which objects exist.
    pub(super) fn of<'a>(
        base: &Version,
        ledger: &AddonLedgerSpec,
        names: impl IntoIterator<Item = &'a Version>,
    ) -> Self {
        let number = |version: &Version| Dev::of(version).filter(|dev| dev.base == *base);
        let entries = ledger.entries.iter().filter_map(|(version, digest)| {
            let dev = number(&version.parse().ok()?)?;
            Some((dev.n, digest.clone()))
        });
        let taken = names
            .into_iter()
            .filter_map(|version| Some(number(version)?.n));
        Self {
            published: entries.collect(),
            taken: taken.max().unwrap_or_default(),
        }
    }

    /// The number of the next state.
    pub(super) fn next(&self) -> u64 {
        let published = self.published.keys().next_back().copied();
        published.unwrap_or_default().max(self.taken) + 1
    }

    /// The newest number that was published with the bytes that `digest` says it would have.
    pub(super) fn same(&self, digest: impl Fn(u64) -> Option<Digest>) -> Option<u64> {
        let mut newest = self.published.iter().rev();
        let found = newest.find(|(n, published)| digest(**n).as_ref() == Some(published));
        found.map(|(n, _)| *n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Digest {
        package::section_digest(&[("a", text.as_bytes())].into(), "a")
    }

    fn states(entries: &[(&str, &str)], names: &[&str]) -> States {
        let entries = entries.iter();
        let ledger = AddonLedgerSpec {
            entries: entries.map(|(v, d)| ((*v).to_owned(), digest(d))).collect(),
        };
        let names: Vec<Version> = names.iter().map(|name| name.parse().unwrap()).collect();
        States::of(&"1.2.0".parse().unwrap(), &ledger, &names)
    }

    #[test]
    fn a_number_is_never_given_twice() {
        assert_eq!(states(&[], &[]).next(), 1);
        let ledger = [
            ("1.2.0-dev.9", "a"),
            ("1.2.0-dev.10", "b"),
            ("1.3.0-dev.40", "c"),
            ("1.2.0", "d"),
        ];
        assert_eq!(states(&ledger, &[]).next(), 11);
        // One that the checks refused stands in no ledger.
        assert_eq!(
            states(&ledger, &["1.2.0-dev.12", "1.3.0-dev.50"]).next(),
            13
        );
    }

    #[test]
    fn the_same_bytes_have_the_number_that_they_had() {
        let states = states(
            &[
                ("1.2.0-dev.1", "a"),
                ("1.2.0-dev.2", "b"),
                ("1.2.0-dev.3", "a"),
            ],
            &[],
        );
        assert_eq!(states.same(|_| Some(digest("a"))), Some(3));
        assert_eq!(states.same(|_| Some(digest("b"))), Some(2));
        assert_eq!(states.same(|_| Some(digest("c"))), None);
    }
}
