//! Parameters against schemas: what is in force, and what each refusal says.

use evaluate::Host;
use package::{Evaluate, SchemaRequest, ValidateError};
use std::collections::BTreeMap;

/// What `evaluate` says of `values` by the schema of one file, `a.cue`, for runtime 16.4.0.
pub fn validate_by(evaluate: &dyn Evaluate, schema: &str, values: serde_json::Value) -> String {
    let files = BTreeMap::from([("a.cue", schema)]);
    validate_all(evaluate, &files, "16.4.0", values)
}

fn validate_all(
    evaluate: &dyn Evaluate,
    files: &BTreeMap<&str, &str>,
    runtime: &str,
    values: serde_json::Value,
) -> String {
    let serde_json::Value::Object(values) = values else {
        panic!("values are an object")
    };
    let request = SchemaRequest {
        files,
        runtime: &runtime.parse().unwrap(),
        values: &values,
    };
    match evaluate.validate(&request) {
        Ok(parameters) => serde_json::to_string_pretty(&parameters).unwrap(),
        Err(ValidateError::Values(violations)) => {
            let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
            lines.join("\n")
        }
        Err(other) => other.to_string(),
    }
}

fn validate(schema: &str, values: serde_json::Value) -> String {
    validate_by(&Host, schema, values)
}

#[test]
fn smoke() {
    let t = std::time::Instant::now();
    for _ in 0..5 {
        println!("{}", validate("parameters: {a: int & >1 | *3, b?: string}", serde_json::json!({"a": 0, "bb": 1})));
        println!("{:?}", t.elapsed());
    }
    println!("{}", validate("parameters: {a: int & >1 | *3, b?: string}", serde_json::json!({"a": 7})));
}
