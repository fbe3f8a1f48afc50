//! The reference of the manifest, `docs/reference/`: the JSON Schema that editors use, and the same for
//! people to read. With `PAAMESH_GENERATE=1` (`make generate`) both are written instead of compared.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests stand beside them here"
)]

mod conforms;
mod markdown;

use package::manifest::{self, json_schema};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/reference")
}

/// Writes `text` into `file`, or wants it to be there.
fn same(file: &str, text: &str) {
    let path = folder().join(file);
    if std::env::var_os("PAAMESH_GENERATE").is_some() {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&path, text).unwrap();
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "docs/reference/{file} is old: run `make generate`"
    );
}

/// The schema with its keys in order, whatever else is built into `serde_json`.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> = fields.into_iter().collect();
            fields
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect()
        }
        other => other,
    }
}

#[test]
fn the_schema_is_that_of_the_types() {
    let schema = serde_json::to_string_pretty(&sorted(json_schema())).unwrap();
    same("addon.schema.json", &format!("{schema}\n"));
}

#[test]
fn the_reference_is_that_of_the_schema() {
    same("addon.md", &markdown::reference(&sorted(json_schema())));
}

/// Every object of the schema that has fields.
fn objects(schema: &Value) -> Vec<(&str, &Value)> {
    let definitions = schema["$defs"].as_object().unwrap().iter();
    let definitions = definitions.map(|(name, definition)| (name.as_str(), definition));
    let all = std::iter::once(("Manifest", schema)).chain(definitions);
    all.filter(|(_, object)| object.get("properties").is_some())
        .collect()
}

#[test]
fn it_is_strict_and_says_what_everything_means() {
    let schema = json_schema();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(schema["$id"], manifest::SCHEMA_ID);
    let objects = objects(&schema);
    assert!(objects.len() > 15, "{}", objects.len());
    for (name, object) in objects {
        assert_eq!(
            object["additionalProperties"], false,
            "{name} takes unknown fields"
        );
        assert!(
            object["description"].is_string(),
            "{name} has no description"
        );
        for (field, property) in object["properties"].as_object().unwrap() {
            assert!(
                property["description"].is_string(),
                "{name}.{field} has no description"
            );
        }
    }
}

/// What it takes and refuses is what the manifest's types do: every example is read by them.
#[test]
fn every_example_can_be_read() {
    let schema = json_schema();
    for (name, object) in objects(&schema) {
        let whole = example(&schema, object);
        let text = serde_json::to_string(&whole).unwrap();
        let read = match name {
            "Manifest" => serde_json::from_str::<package::Manifest>(&text).map(drop),
            "Component" => serde_json::from_str::<manifest::Component>(&text).map(drop),
            "Action" => serde_json::from_str::<manifest::Action>(&text).map(drop),
            "Profile" => serde_json::from_str::<manifest::Profile>(&text).map(drop),
            "Topology" => serde_json::from_str::<manifest::Topology>(&text).map(drop),
            "Orders" => serde_json::from_str::<manifest::Orders>(&text).map(drop),
            "Probe" => serde_json::from_str::<manifest::Probe>(&text).map(drop),
            "Stop" => serde_json::from_str::<manifest::Stop>(&text).map(drop),
            _ => Ok(()),
        };
        assert!(read.is_ok(), "{name}: {read:?} of {text}");
    }
}

/// The object with the example of every field that has one, and what is required besides.
fn example(schema: &Value, object: &Value) -> Value {
    let required: Vec<&str> = object["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let fields = object["properties"].as_object().unwrap().iter();
    let fields = fields.filter_map(|(name, field)| {
        let value = match (&field["examples"][0], &field["const"]) {
            (Value::Null, Value::Null) if !required.contains(&name.as_str()) => return None,
            (Value::Null, Value::Null) => of_type(schema, field),
            (Value::Null, constant) => constant.clone(),
            (example, _) => example.clone(),
        };
        Some((name.clone(), value))
    });
    Value::Object(fields.collect())
}

fn of_type(schema: &Value, field: &Value) -> Value {
    let definition = |field: &Value| {
        let name = field["$ref"].as_str()?.strip_prefix("#/$defs/")?.to_owned();
        Some(example(schema, &schema["$defs"][name]))
    };
    match field["type"].as_str() {
        Some("array") => Value::Array(definition(&field["items"]).into_iter().collect()),
        Some("object") => Value::Object(serde_json::Map::new()),
        _ => definition(field).unwrap_or_default(),
    }
}

/// Every manifest in `folder`, or deeper, by its path.
fn manifests(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(manifests(&path));
        } else if path.ends_with(manifest::FILE) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn faults(manifest: &Path) -> Vec<String> {
    let text = fs::read_to_string(manifest).unwrap();
    let document: Value = serde_saphyr::from_str(&text).unwrap();
    conforms::faults(&json_schema(), &document)
}

#[test]
fn every_shipped_addon_conforms_to_the_schema() {
    let shipped = manifests(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../addons"));
    assert!(shipped.len() > 2, "{shipped:?}");
    for manifest in shipped {
        assert_eq!(faults(&manifest), [""; 0], "{}", manifest.display());
    }
}

/// What the checks accept the schema accepts: an editor underlines nothing that is right.
#[test]
fn every_accepted_case_conforms_to_the_schema() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("evaluate/tests/golden/check");
    let mut accepted = 0;
    for manifest in manifests(&cases) {
        let findings = manifest.parent().unwrap().with_file_name("findings.snap");
        if fs::read_to_string(findings)
            .unwrap()
            .contains("\naccepted: ")
        {
            assert_eq!(faults(&manifest), [""; 0], "{}", manifest.display());
            accepted += 1;
        }
    }
    assert!(accepted > 5, "{accepted} cases are accepted");
}

#[test]
fn what_is_plainly_wrong_does_not_conform() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("evaluate/tests/golden/check");
    for (case, says) in [
        ("unknown-fields", "/descripton: false"),
        ("wrong-kinds", "/components/server/ports/0/port: maximum"),
        ("missing-fields", "/runtimes/0: required"),
        ("empty-lists", "/components: minProperties"),
        (
            "objects-foreign-kind",
            "/components/server/objects/0/kind: enum",
        ),
        (
            "actions-broken",
            "/components/server/actions/unknown/signal: enum",
        ),
        ("schema-files", "/components/server/schema/3/file: pattern"),
    ] {
        let faults = faults(&cases.join(case).join("addon/addon.yaml"));
        assert!(
            faults.iter().any(|fault| fault == says),
            "{case}: {faults:?}"
        );
    }
}
