//! A YAML document with the place of every value in it.
//!
//! In: text, of a manifest or of an object that a template rendered to. Out: [`Node`]s, or the place
//! at which the text is no YAML. Duplicate keys and numbers
//! that YAML 1.1 and 1.2 read differently are refused here; which fields there may be is
//! [`super::read`]'s matter.

use crate::Finding;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::Value as Json;
use serde_saphyr::{Location, Spanned};
use std::{cell::Cell, fmt};

/// How deep maps and lists may lie in each other: everything that walks a document is recursive, and a
/// thread of two MiB ends at about 45 in a build without optimization. A manifest nests 6.
const MAX_DEPTH: usize = 24;

/// How many values there may be, those that aliases repeat counted again: no manifest has a tenth of
/// that, and each costs memory.
const MAX_VALUES: usize = 50_000;

/// A value and its place.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
    /// Whether a finding was made of it, so that nothing more is to be said of it.
    pub(crate) refused: Cell<bool>,
}

/// Where something begins: line and column, from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    line: u32,
    column: u32,
    /// Bytes of the source: where it begins, and how many there are.
    bytes: (usize, usize),
}

/// What stands at a place.
#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Whole(i128),
    Decimal(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key and its place.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) place: Place,
    pub(crate) text: String,
}

impl Node {
    /// The document that `text`, the manifest, is.
    ///
    /// # Errors
    /// The first place at which it is no YAML.
    pub(crate) fn parse(text: &str) -> Result<Self, Finding> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_VALUES },
            with_snippet: false,
        };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let place = error.location().map(Place::of);
            let message = error.without_snippet().to_string();
            Finding {
                file: crate::manifest::FILE.to_owned(),
                line: place.map(|p| p.line),
                column: place.map(|p| p.column),
                message: format!("no YAML: {}", plainly(without_place(&message))),
            }
        })
    }

    /// The value of `key`, where this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        let entry = entries.iter().find(|(k, _)| k.text == key);
        entry.map(|(_, node)| node)
    }

    /// The value of `key`, or this where there is none: the nearest place to point at.
    pub(crate) fn key(&self, key: impl fmt::Display) -> &Self {
        self.get(&key.to_string()).unwrap_or(self)
    }

    /// The element `index`, or this where there is none.
    pub(crate) fn index(&self, index: usize) -> &Self {
        match &self.value {
            Value::List(items) => items.get(index).unwrap_or(self),
            _ => self,
        }
    }

    /// The text, where this is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The node that `path` leads to, key by key.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        let mut at = self;
        for key in path {
            at = at.get(key)?;
        }
        Some(at)
    }

    /// The keys and values, where this is a map.
    pub(crate) fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements, where this is a list.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The same as JSON, without places.
    pub(crate) fn json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::from(*value),
            Value::Whole(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => Json::from(value),
                (_, Ok(value)) => Json::from(value),
                _ => Json::from(value.to_string()),
            },
            Value::Decimal(value) => Json::from(*value),
            Value::Text(text) => Json::from(text.as_str()),
            Value::List(items) => items.iter().map(Self::json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|(key, node)| (key.text.clone(), node.json()))
                .collect(),
        }
    }

    /// What is wrong here.
    pub(crate) fn finding(&self, message: impl Into<String>) -> Finding {
        self.place.finding(message)
    }

    /// Refuses every whole number of `text` that begins with 0: `014` is 12 in YAML 1.1, which
    /// kubectl reads, and 14 in YAML 1.2.
    pub(crate) fn refuse_octals(&self, text: &str, findings: &mut Vec<Finding>) {
        match &self.value {
            Value::List(items) => items.iter().for_each(|n| n.refuse_octals(text, findings)),
            Value::Map(entries) => {
                entries
                    .iter()
                    .for_each(|(_, n)| n.refuse_octals(text, findings));
            }
            Value::Whole(_) | Value::Decimal(_) | Value::Text(_) => {
                let raw = self.place.source(text);
                let block = self.text().is_some() && self.place.begins_a_line(text);
                if is_octal(raw) && !block {
                    self.refused.set(true);
                    findings.push(self.finding(format!(
                        "`{raw}` is an octal number to some readers; write it without the leading \
                         0, or in quotes where it is text"
                    )));
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

impl Place {
    fn of(location: Location) -> Self {
        let bytes = (location.span().byte_offset(), location.span().byte_len());
        let size = |n: Option<u64>| n.and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        Self {
            line: u32::try_from(location.line()).unwrap_or(u32::MAX).max(1),
            column: u32::try_from(location.column()).unwrap_or(u32::MAX).max(1),
            bytes: (size(bytes.0), size(bytes.1)),
        }
    }

    /// What is wrong here.
    pub(crate) fn finding(self, message: impl Into<String>) -> Finding {
        Finding {
            file: crate::manifest::FILE.to_owned(),
            line: Some(self.line),
            column: Some(self.column),
            message: message.into(),
        }
    }

    /// Whether nothing but blanks stands before it in its line of `text`: so do the lines of a block.
    fn begins_a_line(self, text: &str) -> bool {
        let before = text.get(..self.bytes.0).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        line.trim().is_empty()
    }

    /// Where it begins in the source, and how many bytes there are; none where that is not known.
    pub(crate) fn span(self) -> Option<(usize, usize)> {
        (self.bytes.1 > 0).then_some(self.bytes)
    }

    /// What stands here in `text`, the source of the document; empty where that is not known.
    pub(crate) fn source(self, text: &str) -> &str {
        let (start, len) = self.bytes;
        text.get(start..start + len).unwrap_or_default()
    }
}

/// `014`, `-014`, `0o14`; not `0`, `0.5`, `0x1F`, `0e1`.
fn is_octal(raw: &str) -> bool {
    let digits = raw.trim_start_matches(['+', '-']);
    let Some(rest) = digits.strip_prefix('0') else {
        return false;
    };
    let rest = rest.strip_prefix(['o', 'O']).unwrap_or(rest);
    !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

/// What the parser says, without the place, which a finding has in fields of its own, and without
/// advice to programmers.
fn without_place(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let ends = [" at line ", ", set DuplicateKeyPolicy"];
    let cut = ends.iter().filter_map(|end| line.find(end)).min();
    &line[..cut.unwrap_or(line.len())]
}

/// The same for those who do not program the parser.
fn plainly(message: &str) -> String {
    let said = [
        (
            "budget breached: Nodes",
            format!("more than {MAX_VALUES} values, with those that aliases repeat"),
        ),
        (
            "budget breached: Depth",
            format!("maps and lists lie in each other more than {MAX_DEPTH} deep"),
        ),
        (
            "recursion limit",
            format!("maps and lists lie in each other more than {MAX_DEPTH} deep"),
        ),
        (
            "recursive references",
            "an alias stands in what it refers to".to_owned(),
        ),
        (
            "alias references unknown",
            "an alias refers to an anchor that is not before it".to_owned(),
        ),
        (
            "multiple YAML documents",
            "a second document begins here, and want one".to_owned(),
        ),
        (
            "cannot deserialize null into string",
            "a key is missing or `null`".to_owned(),
        ),
        ("expected string scalar", "want text for a key".to_owned()),
        (
            "non-finite float",
            "a number without an end: want a finite one".to_owned(),
        ),
    ];
    let plain = said
        .into_iter()
        .find(|(begins, _)| message.starts_with(begins));
    plain.map_or_else(|| message.to_owned(), |(_, plain)| plain)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self {
            place: Place::of(spanned.referenced),
            value: spanned.value,
            refused: Cell::new(false),
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Whole(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Whole(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Whole(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Decimal(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let place = Place::of(key.referenced);
            let key = Key {
                place,
                text: key.value,
            };
            map.push((key, entries.next_value()?));
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests;
