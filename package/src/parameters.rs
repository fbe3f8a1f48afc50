//! The parameters of one component: which files are its schema, and what they say to values.
//!
//! In: a package, a runtime version, values. Out: what is in force, and all that is declared. The one
//! way to the schema: checks, admission and rendering ask here.

use crate::{Evaluate, Package, Parameters, SchemaRequest, ValidateError, Violation, tree};
use api::{Version, names::ComponentName};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The parameters of `component` that are in force for `values`, those of the App and its profile
/// together: as set, else the schema's default. A component without a schema takes none.
///
/// # Errors
/// [`ValidateError::Values`] where the schema refuses them, [`ValidateError::Schema`] where it is
/// none (never for a checked package), [`ValidateError::Unavailable`] where there is no verdict.
pub fn parameters(
    package: &Package,
    runtime: &Version,
    component: &ComponentName,
    values: &Map<String, Value>,
    evaluate: &dyn Evaluate,
) -> Result<Parameters, ValidateError> {
    let files = schema_files(package, runtime, component);
    if !files.is_empty() {
        return evaluate.validate(&SchemaRequest {
            files: &files,
            runtime,
            values,
            describe: false,
        });
    }
    if values.is_empty() {
        return Ok(Parameters::default());
    }
    Err(ValidateError::Values(
        values
            .iter()
            .map(|(name, value)| no_schema(component, name, value))
            .collect(),
    ))
}

/// The schema of `component` for `runtime`: its files, by name in `schema/`.
fn schema_files<'a>(
    package: &'a Package,
    runtime: &Version,
    component: &ComponentName,
) -> BTreeMap<&'a str, &'a str> {
    let declared = package.manifest.components.get(component);
    let named = declared.into_iter().flat_map(|declared| &declared.schema);
    named
        .filter(|file| file.is_for(runtime))
        .filter_map(|file| {
            let bytes = package
                .tree
                .get(&format!("{}{}", tree::SCHEMA_PREFIX, file.file))?;
            Some((file.file.as_str(), std::str::from_utf8(bytes).ok()?))
        })
        .collect()
}

fn no_schema(component: &ComponentName, name: &str, value: &Value) -> Violation {
    Violation {
        parameter: name.to_owned(),
        value: Some(value.to_string()),
        message: format!("the component `{component}` has no schema, and takes no parameters"),
        rule: None,
    }
}

#[cfg(test)]
mod tests;
