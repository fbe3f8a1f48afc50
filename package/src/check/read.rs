//! From a document to the manifest's types: every unknown field, every value of a wrong kind and
//! every missing field, each with its place, not only the first.
//!
//! Serde's derived readers say which fields a struct has and stop at the first fault. So each fault
//! is noted, the value at fault left out, and the document read again, until it can be read or
//! nothing is left to leave out.

mod access;
mod fault;

use super::{document::Node, later};
use crate::Finding;
use access::Reader;
use serde::de::DeserializeOwned;
use std::cell::RefCell;

/// The most faults that are noted: more helps nobody, and each costs a reading.
const MOST: usize = 50;

/// Fields of components that authors look for in the root.
const OF_COMPONENTS: [&str; 10] = [
    "actions",
    "command",
    "config",
    "credentials",
    "env",
    "objects",
    "ports",
    "probe",
    "roles",
    "schema",
];

/// The value of type `T` that `document` is.
///
/// # Errors
/// All that is wrong, in no order.
pub(crate) fn read<T: DeserializeOwned>(document: &Node) -> Result<T, Vec<Finding>> {
    let findings = RefCell::new(Vec::new());
    let mut value = None;
    while findings.borrow().len() < MOST {
        match T::deserialize(Reader::new(document, &findings)) {
            Ok(read) => {
                value = Some(read);
                break;
            }
            Err(fault) => {
                let node = fault.node.unwrap_or(document);
                findings.borrow_mut().extend(fault.finding(document));
                if std::ptr::eq(node, document) {
                    break;
                }
                node.refused.set(true);
            }
        }
    }
    let findings = findings.into_inner();
    match value {
        Some(value) if findings.is_empty() => Ok(value),
        _ => Err(findings),
    }
}

/// What is to be said where `field` is missing.
pub(super) fn missing_field(field: &str) -> String {
    format!("the field `{field}` is missing")
}

/// What is to be said of the key `key` that the struct `name` with `fields` has not.
fn unknown_field(key: &str, name: &str, fields: &[&str]) -> String {
    if let Some(what) = later::field(name, key) {
        return format!("`{key}` is not supported yet: {what} come with a later release");
    }
    if name == "Manifest" && OF_COMPONENTS.contains(&key) {
        return format!(
            "unknown field `{key}`: it belongs to a component, `components.<name>.{key}`"
        );
    }
    format!("unknown field `{key}`: {}", super::one_of(key, fields))
}
