//! What we want of an object against what is there, as JSON.

use super::ApplyError;
use api::labels;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Whether the live object needs no write: it carries the hash of what is wanted, and every field
/// that is set there has that value.
pub(super) fn is_as_wanted<K: Serialize>(
    kind: &str,
    live: &K,
    wanted: &Value,
) -> Result<bool, ApplyError> {
    Ok(covers(&json(kind, live)?, wanted))
}

fn json<K: Serialize>(kind: &str, object: &K) -> Result<Value, ApplyError> {
    serde_json::to_value(object).map_err(|source| ApplyError::Form {
        kind: kind.to_owned(),
        source,
    })
}

/// The object as it is applied, without nulls and status and with its own hash in an annotation.
pub(super) fn stamped<K: Serialize>(
    kind: &str,
    desired: &K,
) -> Result<(Value, String), ApplyError> {
    let mut wanted = json(kind, desired)?;
    strip_nulls(&mut wanted);
    if let Value::Object(fields) = &mut wanted {
        fields.remove("status");
    }
    let hash = hash(&wanted);
    if let Some(Value::Object(metadata)) = wanted.get_mut("metadata") {
        let annotations = metadata
            .entry("annotations")
            .or_insert_with(|| Value::Object(Default::default()));
        annotations[labels::APPLIED] = Value::String(hash.clone());
    }
    Ok((wanted, hash))
}

/// Leaves out every field that is null.
pub fn strip_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, v| !v.is_null());
            fields.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}

/// The first 16 hex digits of the SHA-256 of the value's JSON; keys are in byte order.
pub fn hash(value: &Value) -> String {
    let digest: [u8; 32] = Sha256::digest(value.to_string().as_bytes()).into();
    api::Digest::sha256(digest).short(16).to_owned()
}

/// Whether `live` has every field of `wanted` with that value; lists are of equal length.
pub fn covers(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(key, value)| {
            live.get(key)
                .map_or_else(|| is_empty(value), |live| covers(live, value))
        }),
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(l, w)| covers(l, w))
        }
        _ => live == wanted,
    }
}

/// An empty map or list is the same as none: the API server leaves it out.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        Value::Null => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_server_adds_is_covered_and_what_somebody_changed_is_not() {
        let wanted = json!({"spec": {"ports": [{"name": "redis", "port": 6379}], "selector": {}}});
        let live = json!({"spec": {"ports": [{"name": "redis", "port": 6379, "protocol": "TCP"}], "type": "ClusterIP"}});
        assert!(covers(&live, &wanted));
        let changed = json!({"spec": {"ports": [{"name": "redis", "port": 6380}]}});
        assert!(!covers(&changed, &wanted));
        let more = json!({"spec": {"ports": [{"name": "redis", "port": 6379}, {"port": 1}]}});
        assert!(!covers(&more, &wanted));
    }

    #[test]
    fn the_hash_sees_what_was_removed() {
        assert_ne!(
            hash(&json!({"data": {"a": "1", "b": "2"}})),
            hash(&json!({"data": {"a": "1"}}))
        );
    }
}
