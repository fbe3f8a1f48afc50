//! Objects that may be malformed: one of them, written past its schema, never stops a list or a watch.
//!
//! In: JSON. Out: the object, or why it is none and whose it is. What kube has for this builds a tree of
//! every object, and a copy of the tree, which a catalog of thousands feels.

use kube::{
    Resource,
    core::{ObjectMeta, PartialObjectMeta},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// An object, or one that does not parse. It is read from JSON text and from nothing else.
#[derive(Clone, Debug)]
pub struct Guarded<K>(pub Result<K, Malformed>);

/// An object that does not parse.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct Malformed {
    /// What is wrong, and where in the object's text.
    pub error: String,
    /// Whose it is.
    pub metadata: ObjectMeta,
}

impl<'de, K: DeserializeOwned> Deserialize<'de> for Guarded<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(match serde_json::from_str(text.get()) {
            Ok(object) => Ok(object),
            Err(error) => {
                let named: PartialObjectMeta =
                    serde_json::from_str(text.get()).map_err(D::Error::custom)?;
                Err(Malformed {
                    error: error.to_string(),
                    metadata: named.metadata,
                })
            }
        }))
    }
}

impl<K: Resource> Resource for Guarded<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(of: &Self::DynamicType) -> Cow<'_, str> {
        K::kind(of)
    }

    fn group(of: &Self::DynamicType) -> Cow<'_, str> {
        K::group(of)
    }

    fn version(of: &Self::DynamicType) -> Cow<'_, str> {
        K::version(of)
    }

    fn plural(of: &Self::DynamicType) -> Cow<'_, str> {
        K::plural(of)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.as_ref().map_or_else(|bad| &bad.metadata, K::meta)
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0
            .as_mut()
            .map_or_else(|bad| &mut bad.metadata, K::meta_mut)
    }
}

#[cfg(test)]
mod tests {
    use super::Guarded;
    use crate::AddonLedger;
    use kube::{
        ResourceExt as _,
        core::{ObjectList, WatchEvent},
    };

    const GOOD: &str = r#"{"metadata":{"name":"good"},"spec":{"entries":{}}}"#;
    const BAD: &str = r#"{"metadata":{"name":"bad"},"spec":{"entries":7}}"#;

    #[test]
    fn one_malformed_object_of_a_list_is_named_and_the_others_are_there() {
        let text = format!(
            r#"{{"kind":"AddonLedgerList","apiVersion":"middleware.io/v1alpha1",
                "metadata":{{"resourceVersion":"7"}},"items":[{GOOD},{BAD}]}}"#
        );
        let list: ObjectList<Guarded<AddonLedger>> = serde_json::from_str(&text).unwrap();
        let [good, bad] = &list.items[..] else {
            panic!("{} items", list.items.len())
        };
        assert_eq!(good.0.as_ref().unwrap().name_any(), "good");
        assert_eq!(bad.name_any(), "bad");
        let error = bad.0.as_ref().unwrap_err().to_string();
        assert!(error.contains("invalid type: integer `7`"), "{error}");
    }

    #[test]
    fn a_watch_goes_on_after_a_malformed_object() {
        for (text, is_good) in [(GOOD, true), (BAD, false)] {
            let event = format!(r#"{{"type":"ADDED","object":{text}}}"#);
            match serde_json::from_str(&event).unwrap() {
                WatchEvent::Added(Guarded::<AddonLedger>(object)) => {
                    assert_eq!(object.is_ok(), is_good, "{object:?}");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for text in ["7", "[]", "{", r#"{"metadata":7}"#] {
            assert!(
                serde_json::from_str::<Guarded<AddonLedger>>(text).is_err(),
                "{text}"
            );
        }
    }
}
