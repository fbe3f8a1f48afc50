//! Values in the shape that a JSON Schema says, and words that stand in it: so that a field which is
//! added to the manifest tomorrow is fuzzed tomorrow.

use arbitrary::{Result, Unstructured};
use regex::Regex;
use serde_json::{Map, Value, json};
use std::{cell::RefCell, collections::HashMap};

/// How deep values are made.
const MAX_DEPTH: usize = 8;
/// Texts of which the first that a pattern allows is taken.
const TEXTS: [&str; 24] = [
    "demo",
    "a",
    "data",
    "primary",
    "1.2.3",
    "v1.2.3",
    "2.0.0-rc.1",
    "^1.2.0",
    ">=1.28",
    "1.0.x || 2.0.0",
    "demo:1",
    "/data",
    "/scripts/start.sh",
    "main.conf",
    "main.cue",
    "start.sh",
    "2s",
    "1m30s",
    "250ms",
    "64Mi",
    "1Gi",
    "500m",
    "SIGTERM",
    "SIGHUP",
];

/// A value of the shape `schema`, whose references are in `root`.
pub(crate) fn value(
    u: &mut Unstructured<'_>,
    schema: &Value,
    root: &Value,
    depth: usize,
) -> Result<Value> {
    if let Some(schema) = referenced(schema, root) {
        return value(u, schema, root, depth);
    }
    for one_of in ["oneOf", "anyOf", "allOf"] {
        if let Some(choices) = schema[one_of].as_array().filter(|c| !c.is_empty()) {
            let choice = u.choose(choices)?;
            return value(u, choice, root, depth);
        }
    }
    if let Some(choices) = schema["enum"].as_array().filter(|c| !c.is_empty()) {
        return u.choose(choices).cloned();
    }
    if let Some(only) = schema.get("const") {
        return Ok(only.clone());
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => u.choose(kinds)?.as_str().unwrap_or_default(),
        kind => kind.as_str().unwrap_or_default(),
    };
    Ok(match kind {
        "object" if depth < MAX_DEPTH => Value::Object(object(u, schema, root, depth)?),
        "array" if depth < MAX_DEPTH => {
            let items = 0..u.int_in_range(0..=3)?;
            items
                .map(|_| value(u, &schema["items"], root, depth + 1))
                .collect::<Result<_>>()?
        }
        "string" => text(u, schema)?.into(),
        "integer" => number(u, schema)?,
        "boolean" => u.arbitrary::<bool>()?.into(),
        "null" => Value::Null,
        _ => free(u, depth)?,
    })
}

fn object(
    u: &mut Unstructured<'_>,
    schema: &Value,
    root: &Value,
    depth: usize,
) -> Result<Map<String, Value>> {
    let mut object = Map::new();
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|r| r == name));
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if is_required(name) || u.ratio(1, 4)? {
            object.insert(name.clone(), value(u, schema, root, depth + 1)?);
        }
    }
    if let Some(schema) = schema.get("additionalProperties").filter(|s| s.is_object()) {
        for _ in 0..u.int_in_range(0..=2)? {
            let name = (*u.choose(&TEXTS)?).to_owned();
            object.insert(name, value(u, schema, root, depth + 1)?);
        }
    }
    Ok(object)
}

/// A value of no shape.
fn free(u: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    Ok(match u.int_in_range(0..=6)? {
        0 => json!(u.arbitrary::<i64>()?),
        1 => json!(u.arbitrary::<u64>()?),
        2 => json!(f64::from(u.arbitrary::<i32>()?) / 8.0),
        3 => json!(u.arbitrary::<f64>()?),
        4 if depth < MAX_DEPTH => json!([free(u, depth + 1)?]),
        5 if depth < MAX_DEPTH => json!({ hostile(u)?: free(u, depth + 1)? }),
        _ => json!(hostile(u)?),
    })
}

fn number(u: &mut Unstructured<'_>, schema: &Value) -> Result<Value> {
    let most = schema["maximum"].as_u64().unwrap_or(100_000);
    let small = u.int_in_range(0..=most.min(10))?;
    Ok(if u.ratio(9, 10)? {
        small.into()
    } else {
        u.int_in_range(0..=most)?.into()
    })
}

fn text(u: &mut Unstructured<'_>, schema: &Value) -> Result<String> {
    if u.ratio(1, 40)? {
        return hostile(u);
    }
    let Some(pattern) = schema["pattern"].as_str() else {
        return u.choose(&TEXTS).map(|text| (*text).to_owned());
    };
    thread_local! {
        static FITTING: RefCell<HashMap<String, Vec<&'static str>>> = RefCell::default();
    }
    let fitting = FITTING.with_borrow_mut(|known| {
        let fitting = known.entry(pattern.to_owned()).or_insert_with(|| {
            let pattern = Regex::new(pattern).ok();
            let fits = |text: &&str| pattern.as_ref().is_none_or(|p| p.is_match(text));
            TEXTS.into_iter().filter(fits).collect()
        });
        fitting.clone()
    });
    if fitting.is_empty() {
        return hostile(u);
    }
    u.choose(&fitting).map(|text| (*text).to_owned())
}

/// A text that looks like something else, or like nothing.
fn hostile(u: &mut Unstructured<'_>) -> Result<String> {
    match u.int_in_range(0..=3)? {
        0 => u.choose(&SCALARS).map(|text| (*text).to_owned()),
        1 => u.arbitrary::<&str>().map(str::to_owned),
        2 => {
            let chars = [
                "a", "-", ".", " ", "\n", "\t", "\u{feff}", "\u{85}", "é", "#", ":", "\"", "'",
                "\\", "0",
            ];
            let length = u.int_in_range(0..=6)?;
            (0..length).map(|_| u.choose(&chars).copied()).collect()
        }
        _ => u.choose(&TEXTS).map(|text| (*text).to_owned()),
    }
}

/// What YAML 1.1 and 1.2 read differently, and what means something to YAML.
pub(crate) const SCALARS: [&str; 56] = [
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "Yes",
    "NO",
    "~",
    "null",
    "Null",
    "true",
    "True",
    "false",
    "014",
    "0o14",
    "0b11",
    "0x1F",
    "-014",
    "1e3",
    "1E400",
    "1_000",
    "1:30",
    "190:20:30",
    ".inf",
    "-.INF",
    ".nan",
    "-0",
    "0.10",
    "1.",
    ".5",
    "2001-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "!!binary aGk=",
    "!!str 1",
    "!!int \"1\"",
    "&a",
    "*a",
    "<<: *a",
    "? ",
    "- ",
    ": ",
    "|",
    ">-",
    "'",
    "\"",
    "\t",
    "\u{feff}",
    "---",
    "...",
    "%YAML 1.1",
    "{",
    "}",
    "[",
    "]",
    "\r\n",
];

/// Every name and word that stands in a schema.
pub(crate) fn words(schema: &Value) -> Vec<String> {
    let mut words = Vec::new();
    collect(schema, &mut words);
    words.sort();
    words.dedup();
    words
}

fn collect(schema: &Value, words: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(properties) = map.get("properties").and_then(Value::as_object) {
                words.extend(properties.keys().map(|name| format!("{name}: ")));
            }
            for key in ["const", "default"] {
                words.extend(map.get(key).and_then(Value::as_str).map(str::to_owned));
            }
            let choices = map.get("enum").and_then(Value::as_array);
            words.extend(
                choices
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_owned),
            );
            map.values().for_each(|value| collect(value, words));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        _ => {}
    }
}

fn referenced<'a>(schema: &Value, root: &'a Value) -> Option<&'a Value> {
    let pointer = schema["$ref"].as_str()?.strip_prefix('#')?;
    root.pointer(pointer)
}
