//! What every CustomResourceDefinition of ours keeps to: a sentence for each field (`kubectl
//! explain`), a bound for each list, map and string (CEL cost), and a size that fits one release.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

fn check(path: &str, schema: &JSONSchemaProps, faults: &mut Vec<String>) {
    if schema
        .description
        .as_deref()
        .is_none_or(|d| d.trim().is_empty())
    {
        faults.push(format!("{path}: no sentence for kubectl explain"));
    }
    check_bounds(path, schema, faults);
    for (name, property) in schema.properties.iter().flatten() {
        check(&format!("{path}.{name}"), property, faults);
    }
}

fn check_bounds(path: &str, schema: &JSONSchemaProps, faults: &mut Vec<String>) {
    match schema.type_.as_deref() {
        Some("string") => {
            let bounded =
                schema.max_length.is_some() || schema.enum_.is_some() || schema.format.is_some();
            if !bounded {
                faults.push(format!("{path}: a string without maxLength"));
            }
        }
        Some("array") if schema.max_items.is_none() => {
            faults.push(format!("{path}: a list without maxItems"));
        }
        _ => {}
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        check_bounds(&format!("{path}[]"), items, faults);
        for (name, property) in items.properties.iter().flatten() {
            check(&format!("{path}[].{name}"), property, faults);
        }
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
        if schema.max_properties.is_none() {
            faults.push(format!("{path}: a map without maxProperties"));
        }
        check_bounds(&format!("{path}{{}}"), values, faults);
        for (name, property) in values.properties.iter().flatten() {
            check(&format!("{path}{{}}.{name}"), property, faults);
        }
    }
}

#[test]
fn every_field_has_a_sentence_and_a_bound() {
    let mut faults = Vec::new();
    for crd in api::crd::all() {
        let kind = crd.spec.names.kind;
        for version in crd.spec.versions {
            let schema = version.schema.and_then(|s| s.open_api_v3_schema).unwrap();
            for (name, property) in schema.properties.iter().flatten() {
                check(&format!("{kind}.{name}"), property, &mut faults);
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn all_definitions_together_are_under_300_kb() {
    let bytes: usize = api::crd::all()
        .iter()
        .map(|crd| serde_json::to_string(crd).unwrap().len())
        .sum();
    assert!(bytes < 300_000, "{bytes} bytes");
}
