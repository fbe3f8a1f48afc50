//! The manifest as a JSON Schema: what editors complete and check while an author writes.
//!
//! In: the types and their comments. Out: a schema of draft 2020-12. It says less than
//! [`crate::check`](mod@crate::check) does: references and rules between fields are checked there.

use super::Manifest;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// The `$id` of the schema.
pub const SCHEMA_ID: &str = "https://middleware.io/v1alpha1/addon.schema.json";
/// What the schema says of itself.
const DESCRIPTION: &str = "The manifest of an addon, `addon.yaml`. Editors with the YAML language \
    server complete and check it where its first line is `# yaml-language-server: \
    $schema=PATH_OR_URL` with the place of this file; `kubectl middleware addon lint` checks the rest.";
/// Keywords that hold schemas by name.
const BY_NAME: [&str; 3] = ["properties", "patternProperties", "$defs"];
/// Keywords that hold a list of schemas.
const LISTS: [&str; 3] = ["anyOf", "oneOf", "allOf"];
/// Keywords that hold one schema.
const SINGLE: [&str; 2] = ["items", "additionalProperties"];

/// The JSON Schema of the manifest.
pub fn json_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Manifest>().to_value();
    tidy(&mut schema);
    if let Value::Object(root) = &mut schema {
        root.insert("$id".to_owned(), SCHEMA_ID.into());
        root.insert("title".to_owned(), "Addon manifest".into());
        root.insert("description".to_owned(), DESCRIPTION.into());
        if let Some(Value::Object(definitions)) = root.get_mut("$defs") {
            definitions
                .iter_mut()
                .for_each(|(name, definition)| entitle(name, definition));
        }
    }
    schema
}

fn entitle(name: &str, definition: &mut Value) {
    if let Value::Object(definition) = definition {
        definition
            .entry("title")
            .or_insert_with(|| words(name).into());
    }
}

/// `TopologyComponent` → `Topology component`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
            words.push(c.to_ascii_lowercase());
        } else {
            words.push(c);
        }
    }
    words
}

/// Takes away what helps no author: `null` in place of an absent field, empty defaults, the widths of
/// numbers in Rust, line ends within a sentence.
fn tidy(schema: &mut Value) {
    let Value::Object(schema) = schema else {
        return;
    };
    without_null(schema);
    schema.remove("format");
    if schema.get("default").is_some_and(is_nothing) {
        schema.remove("default");
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    for (keyword, value) in schema {
        let name = keyword.as_str();
        match value {
            Value::Object(inner) if BY_NAME.contains(&name) => inner.values_mut().for_each(tidy),
            Value::Array(inner) if LISTS.contains(&name) => inner.iter_mut().for_each(tidy),
            inner if SINGLE.contains(&name) => tidy(inner),
            _ => {}
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// An optional field is left out, and not written as `null`.
fn without_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    let null = |schema: &Value| schema.get("type").is_some_and(|name| name == "null");
    if let Some(Value::Array(any)) = schema.get("anyOf")
        && let [Value::Object(one), other] = &any[..]
        && null(other)
    {
        let one = one.clone();
        schema.remove("anyOf");
        for (keyword, value) in one {
            schema.entry(keyword).or_insert(value);
        }
    }
}
