//! A JSON Schema as a page to read: a section for each object, in the order in which they are met, with
//! a table of its fields.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// What stands before the sections.
const HEAD: &str = "\
# The manifest, field by field

Generated from the types by `make generate`. `addon.yaml` is read strictly: a field that is not here is
an error, with what was probably meant. [addon.schema.json](addon.schema.json) is the same for editors;
those with the YAML language server complete and check while you write, if the first line of the
manifest names it:

```yaml
# yaml-language-server: $schema=https://raw.githubusercontent.com/paamesh/paamesh/main/docs/reference/addon.schema.json
```

`kubectl middleware addon lint` checks what a schema cannot: that names resolve, files exist, ranges
match, schemas accept their defaults and every template renders. How to write an addon is told in the
[author's guide](../authors-guide.md). A field in **bold** is required.
";

/// The page of `schema`.
pub fn reference(schema: &Value) -> String {
    let page = Page { schema };
    let order = page.order();
    let mut text = HEAD.to_owned();
    text.push_str("\n## Contents\n\n");
    for (title, anchor, _) in order.iter().map(|name| page.titled(name)) {
        let _ = writeln!(text, "- [{title}](#{anchor})");
    }
    for name in &order {
        page.section(name, &mut text);
    }
    text
}

struct Page<'a> {
    schema: &'a Value,
}

impl<'a> Page<'a> {
    fn definition(&self, name: &str) -> &'a Value {
        if name.is_empty() {
            self.schema
        } else {
            &self.schema["$defs"][name]
        }
    }

    /// The title of a section, its anchor, and the schema.
    fn titled(&self, name: &str) -> (&'a str, String, &'a Value) {
        let definition = self.definition(name);
        let title = definition["title"].as_str().unwrap_or(name_of_root());
        (title, title.to_lowercase().replace(' ', "-"), definition)
    }

    /// The names of all definitions, each where it is first met; the root is the empty name.
    fn order(&self) -> Vec<String> {
        let mut order = vec![String::new()];
        let mut at = 0;
        while let Some(name) = order.get(at).cloned() {
            let mut met = Vec::new();
            references(self.definition(&name), name.is_empty(), &mut met);
            for name in met {
                if !order.contains(&name) {
                    order.push(name);
                }
            }
            at += 1;
        }
        order
    }

    fn section(&self, name: &str, text: &mut String) {
        let (title, _, definition) = self.titled(name);
        let about = definition["description"].as_str().unwrap_or_default();
        let _ = write!(text, "\n## {title}\n\n");
        if !name.is_empty() {
            let _ = write!(text, "{}\n\n", escaped(about));
        }
        match definition["properties"].as_object() {
            Some(fields) => self.fields(definition, fields, text),
            None => choices(definition, text),
        }
    }

    fn fields(&self, definition: &Value, fields: &Map<String, Value>, text: &mut String) {
        text.push_str(
            "| field | type | default | meaning | example |\n| --- | --- | --- | --- | --- |\n",
        );
        let required = definition["required"].as_array();
        let is_required =
            |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
        let (first, rest): (Vec<_>, Vec<_>) =
            fields.iter().partition(|(name, _)| is_required(name));
        for (name, field) in first.into_iter().chain(rest) {
            let is_required = is_required(name);
            let shown = if is_required {
                format!("**`{name}`**")
            } else {
                format!("`{name}`")
            };
            let meaning = field["description"].as_str().unwrap_or_default();
            let row = [
                shown,
                self.type_of(field),
                default(field, is_required),
                escaped(&format!("{meaning}{}", limits(field))),
                inline(&field["examples"][0]),
            ];
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
    }

    /// What a value is, with a link where it has a section of its own.
    fn type_of(&self, field: &Value) -> String {
        if let Some(name) = referred(field) {
            let (title, anchor, _) = self.titled(&name);
            return format!("[{}](#{anchor})", title.to_lowercase());
        }
        if let Some(constant) = field.get("const") {
            return inline(constant);
        }
        match field["type"].as_str() {
            Some("array") => format!("list of {}", self.type_of(&field["items"])),
            Some("object") => match value_of_map(field) {
                Some(value) => format!("map to {}", self.type_of(value)),
                None => "map".to_owned(),
            },
            Some("string") => "text".to_owned(),
            Some("integer") => "whole number".to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            _ => "anything".to_owned(),
        }
    }
}

fn name_of_root() -> &'static str {
    "Manifest"
}

/// The schema of the values of a map by name.
fn value_of_map(field: &Value) -> Option<&Value> {
    let by_pattern = field["patternProperties"]
        .as_object()
        .and_then(|all| all.values().next());
    let any = field
        .get("additionalProperties")
        .filter(|any| any.is_object());
    by_pattern.or(any)
}

fn referred(field: &Value) -> Option<String> {
    Some(field["$ref"].as_str()?.strip_prefix("#/$defs/")?.to_owned())
}

/// Every definition that `schema` refers to, in order; those of the root are under `$defs`.
fn references(schema: &Value, is_root: bool, met: &mut Vec<String>) {
    met.extend(referred(schema));
    match schema {
        Value::Object(fields) => {
            let inner = fields
                .iter()
                .filter(|(key, _)| !(is_root && *key == "$defs"));
            inner.for_each(|(_, value)| references(value, false, met));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, false, met)),
        _ => {}
    }
}

/// The values of an enum, with what each means.
fn choices(definition: &Value, text: &mut String) {
    let described = definition["oneOf"].as_array().into_iter().flatten();
    for choice in described {
        let value = choice.get("const").map(inline);
        let several = choice["enum"].as_array().into_iter().flatten().map(inline);
        let about = choice["description"].as_str().unwrap_or_default();
        for value in several.chain(value) {
            let _ = writeln!(text, "- {value}: {}", escaped(about));
        }
    }
    for value in definition["enum"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "- {}", inline(value));
    }
}

/// The bounds of a value, as a sentence of its own.
fn limits(field: &Value) -> String {
    let number = |key: &str| field.get(key).and_then(Value::as_u64);
    let range = match (number("minimum"), number("maximum")) {
        (Some(min), Some(max)) => format!("From {min} to {max}."),
        _ => String::new(),
    };
    let most = ["maxItems", "maxProperties"].into_iter().find_map(number);
    let most = most
        .map(|most| format!("At most {most}."))
        .unwrap_or_default();
    let one_of = field["enum"]
        .as_array()
        .filter(|all| !all.is_empty())
        .map(|all| {
            let all: Vec<String> = all.iter().map(inline).collect();
            format!("One of {}.", all.join(", "))
        });
    [range, most, one_of.unwrap_or_default()]
        .iter()
        .filter(|sentence| !sentence.is_empty())
        .map(|sentence| format!(" {sentence}"))
        .collect()
}

/// What holds where the field is absent; of a switch that is «off», though the types do not write it.
fn default(field: &Value, is_required: bool) -> String {
    match (&field["default"], field["type"].as_str()) {
        (Value::Null, Some("boolean")) if !is_required => inline(&Value::Bool(false)),
        (default, _) => inline(default),
    }
}

/// A value as YAML in one line, as code; nothing where there is none.
fn inline(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        value => format!("`{}`", flow(value).replace('|', "\\|")),
    }
}

/// YAML's flow style, with quotes only where a text could be read as something else.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| format!("{key}: {}", flow(value));
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn is_plain(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '/';
    let word = text.starts_with(first) && !text.contains([':', '#', ',', '[', '{', '\\', '(']);
    let version = text.split('.').count() == 3 && text.starts_with(|c: char| c.is_ascii_digit());
    let quantity =
        text.ends_with("Gi") || text.ends_with("Mi") || text.ends_with('m') || text.ends_with('s');
    word || version || quantity
}

/// Markdown in which a bar ends no cell and a name in angle brackets is no tag.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    let mut code = false;
    for c in text.chars() {
        match c {
            '`' => {
                code = !code;
                escaped.push(c);
            }
            '|' => escaped.push_str("\\|"),
            '<' if !code => escaped.push_str("&lt;"),
            c => escaped.push(c),
        }
    }
    escaped
}
