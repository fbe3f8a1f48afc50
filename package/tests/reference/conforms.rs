//! Whether a document is what a JSON Schema says: as much of draft 2020-12 as our schema uses, and a
//! panic at a keyword beyond that.

use regex::Regex;
use serde_json::{Map, Value};

/// Keywords that say nothing about a document.
const REMARKS: [&str; 8] = [
    "$schema",
    "$id",
    "$defs",
    "title",
    "description",
    "examples",
    "default",
    "$ref",
];

/// Everything that is wrong with `document`, each with its path.
pub fn faults(root: &Value, document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    Check {
        root,
        faults: &mut faults,
    }
    .value(root, document, "");
    faults
}

struct Check<'a> {
    root: &'a Value,
    faults: &'a mut Vec<String>,
}

impl Check<'_> {
    fn require(&mut self, holds: bool, path: &str, keyword: &str) {
        if !holds {
            self.faults.push(format!("{path}: {keyword}"));
        }
    }

    fn value(&mut self, schema: &Value, value: &Value, path: &str) {
        let Value::Object(keywords) = schema else {
            return self.require(schema != &Value::Bool(false), path, "false");
        };
        if let Some(name) = keywords.get("$ref") {
            let pointer = name.as_str().unwrap().strip_prefix('#').unwrap();
            let schema = self.root.pointer(pointer).unwrap();
            self.value(schema, value, path);
        }
        for (keyword, want) in keywords {
            if !REMARKS.contains(&keyword.as_str()) {
                self.keyword(keywords, keyword, want, value, path);
            }
        }
    }

    fn keyword(
        &mut self,
        all: &Map<String, Value>,
        keyword: &str,
        want: &Value,
        value: &Value,
        path: &str,
    ) {
        let bound = || want.as_f64().unwrap();
        let number = value.as_f64();
        let text = value.as_str();
        let count = match value {
            Value::Array(items) => items.len(),
            Value::Object(fields) => fields.len(),
            _ => text.map_or(0, |text| text.chars().count()),
        } as f64;
        let holds = match keyword {
            "type" => is_of(want.as_str().unwrap(), value),
            "const" => want == value,
            "enum" => want.as_array().unwrap().contains(value),
            "pattern" => text.is_none_or(|text| is_match(want.as_str().unwrap(), text)),
            "minimum" => number.is_none_or(|number| number >= bound()),
            "maximum" => number.is_none_or(|number| number <= bound()),
            "minLength" | "minItems" | "minProperties" => count >= bound(),
            "maxLength" | "maxItems" | "maxProperties" => count <= bound(),
            "required" => want
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "oneOf" => self.fitting(want, value, path) == 1,
            "properties" | "patternProperties" | "additionalProperties" => {
                return self.fields(all, keyword, want, value, path);
            }
            "items" => return self.items(want, value, path),
            other => panic!("the keyword `{other}` is not known here"),
        };
        self.require(holds, path, keyword);
    }

    fn fitting(&self, choices: &Value, value: &Value, path: &str) -> usize {
        let fits = |choice: &&Value| {
            let mut faults = Vec::new();
            Check {
                root: self.root,
                faults: &mut faults,
            }
            .value(choice, value, path);
            faults.is_empty()
        };
        choices.as_array().unwrap().iter().filter(fits).count()
    }

    fn items(&mut self, want: &Value, value: &Value, path: &str) {
        for (i, item) in value.as_array().into_iter().flatten().enumerate() {
            self.value(want, item, &format!("{path}/{i}"));
        }
    }

    fn fields(
        &mut self,
        all: &Map<String, Value>,
        keyword: &str,
        want: &Value,
        value: &Value,
        path: &str,
    ) {
        let declared = |name: &str| {
            all.get("properties")
                .is_some_and(|all| all.get(name).is_some())
        };
        let patterns = all.get("patternProperties").and_then(Value::as_object);
        let by_pattern =
            |name: &str| patterns.is_some_and(|all| all.keys().any(|p| is_match(p, name)));
        for (name, value) in value.as_object().into_iter().flatten() {
            let path = format!("{path}/{name}");
            match keyword {
                "properties" if declared(name) => self.value(&want[name.as_str()], value, &path),
                "patternProperties" => {
                    let fitting = want
                        .as_object()
                        .unwrap()
                        .iter()
                        .filter(|(p, _)| is_match(p, name));
                    fitting.for_each(|(_, schema)| self.value(schema, value, &path));
                }
                "additionalProperties" if !declared(name) && !by_pattern(name) => {
                    self.value(want, value, &path);
                }
                _ => {}
            }
        }
    }
}

fn is_match(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).unwrap().is_match(text)
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        other => panic!("the type `{other}` is not known here"),
    }
}
