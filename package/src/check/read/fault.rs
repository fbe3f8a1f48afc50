//! Why a document could not be read, and where.

use crate::{
    Finding,
    check::document::{Node, Place, Value},
};
use serde::de;
use std::fmt;

/// The first thing at which a reader stopped.
#[derive(Debug)]
pub(super) struct Fault<'a> {
    /// The value at fault.
    pub(super) node: Option<&'a Node>,
    /// Where to point, where that is not the value itself.
    place: Option<Place>,
    why: Why,
}

#[derive(Debug)]
enum Why {
    /// The value is not as it must be.
    Wrong(String),
    /// The map has no such field.
    Missing(&'static str),
}

impl<'a> Fault<'a> {
    /// `node` is not as it must be.
    pub(super) fn wrong(node: &'a Node, message: impl Into<String>) -> Self {
        Self {
            node: Some(node),
            place: None,
            why: Why::Wrong(message.into()),
        }
    }

    /// The same, of `node`, where nothing more precise is known.
    pub(super) fn of(mut self, node: &'a Node) -> Self {
        self.node.get_or_insert(node);
        self
    }

    /// The same, of the key at `place` whose value is `node`.
    pub(super) fn at_key(mut self, place: Place, node: &'a Node) -> Self {
        self.node = Some(node);
        self.place = Some(place);
        self
    }

    /// What is to be said of it; nothing where it only follows from what was said already.
    pub(super) fn finding(&self, document: &'a Node) -> Option<Finding> {
        let node = self.node.unwrap_or(document);
        let message = match &self.why {
            Why::Wrong(message) => message.clone(),
            Why::Missing(field) if node.get(field).is_some() => return None,
            Why::Missing(field) => super::missing_field(field),
        };
        Some(self.place.unwrap_or(node.place).finding(message))
    }
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Wrong(message) => f.write_str(message),
            Why::Missing(field) => f.write_str(&super::missing_field(field)),
        }
    }
}

impl std::error::Error for Fault<'_> {}

impl de::Error for Fault<'_> {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            node: None,
            place: None,
            why: Why::Wrong(message.to_string()),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            node: None,
            place: None,
            why: Why::Missing(field),
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let want = crate::check::one_of(variant, expected);
        Self::custom(format!("`{variant}` cannot stand here: {want}"))
    }
}

/// What a value is, for people.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("the boolean `{value}`"),
        Value::Whole(value) => format!("the number `{value}`"),
        Value::Decimal(value) => format!("the number `{value}`"),
        Value::Text(text) => format!("the text `{text}`"),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
    }
}
