//! What a person may not see of the cluster, and which right would show it.

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use std::fmt;

/// Something that is there, perhaps, and that the person may not see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hidden {
    /// The right that is missing, such as `get configmaps in paamesh-system`.
    pub(crate) needs: String,
}

/// Something, or that it may not be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen<T> {
    /// It is this.
    Is(T),
    /// It may not be seen.
    Not(Hidden),
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not visible to you (needs {})", self.needs)
    }
}

/// `{"needs": …}`
impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("needs", &self.needs)?;
        map.end()
    }
}

impl<T> Seen<T> {
    /// Why nothing is.
    pub(crate) fn hidden(&self) -> Option<&Hidden> {
        match self {
            Self::Is(_) => None,
            Self::Not(hidden) => Some(hidden),
        }
    }
}

/// What is seen; `{"hidden": {"needs": …}}` where nothing is.
impl<T: Serialize> Serialize for Seen<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Is(seen) => seen.serialize(serializer),
            Self::Not(hidden) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("hidden", hidden)?;
                map.end()
            }
        }
    }
}

impl<T> Seen<Vec<T>> {
    /// What is seen; nothing where nothing is.
    pub(crate) fn into_iter(self) -> std::vec::IntoIter<T> {
        match self {
            Self::Is(seen) => seen.into_iter(),
            Self::Not(_) => Vec::new().into_iter(),
        }
    }
}
