//! Requests and answers of the programs as JSON, and what they mean to the crate `package`: the same
//! for every [`Run`].

use crate::{
    Host, Process,
    program::{Program, Run, Stopped},
};
use package::{
    Evaluate, EvaluateError, Finding, Parameters, RenderRequest, SchemaRequest, ValidateError,
    Violation, evaluate::MAX_OUTPUT_BYTES, tree,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What Tera's program is asked.
#[derive(Serialize)]
struct Template<'a> {
    templates: &'a BTreeMap<&'a str, &'a str>,
    template: &'a str,
    context: &'a Value,
    most: usize,
}

/// What it answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Rendered {
    Text(String),
    Refused(Finding),
}

/// What CUE's program is asked.
#[derive(Serialize)]
struct Schema<'a> {
    files: &'a BTreeMap<&'a str, &'a str>,
    runtime: Runtime,
    values: &'a Map<String, Value>,
    describe: bool,
}

#[derive(Serialize)]
struct Runtime {
    version: String,
    major: u64,
    minor: u64,
    patch: u64,
}

/// What it answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Checked {
    Parameters(Parameters),
    Schema(Vec<Finding>),
    Values(Vec<Violation>),
}

/// [`Evaluate::render`] by `run`.
fn render(run: &dyn Run, request: &RenderRequest<'_>) -> Result<String, EvaluateError> {
    let asked = Template {
        templates: request.templates,
        template: request.template,
        context: request.context,
        most: MAX_OUTPUT_BYTES,
    };
    let file = format!("{}{}", tree::TEMPLATES_PREFIX, request.template);
    match ask(run, Program::Templates, &asked) {
        Ok(Rendered::Text(text)) => Ok(text),
        Ok(Rendered::Refused(finding)) => Err(EvaluateError::Refused(finding)),
        Err(Stopped::Unavailable(reason)) => Err(EvaluateError::Unavailable { reason }),
        Err(stopped) => Err(EvaluateError::Refused(whole(file, &stopped))),
    }
}

/// [`Evaluate::validate`] by `run`.
fn validate(run: &dyn Run, request: &SchemaRequest<'_>) -> Result<Parameters, ValidateError> {
    let version = request.runtime.semver();
    let asked = Schema {
        files: request.files,
        runtime: Runtime {
            version: request.runtime.to_string(),
            major: version.major,
            minor: version.minor,
            patch: version.patch,
        },
        values: request.values,
        describe: request.describe,
    };
    match ask(run, Program::Cue, &asked) {
        Ok(Checked::Parameters(parameters)) => Ok(parameters),
        Ok(Checked::Schema(findings)) => Err(ValidateError::Schema(findings)),
        Ok(Checked::Values(violations)) => Err(ValidateError::Values(violations)),
        Err(Stopped::Unavailable(reason)) => Err(ValidateError::Unavailable { reason }),
        Err(stopped) => {
            let file = request.files.keys().next().copied().unwrap_or_default();
            let finding = whole(format!("{}{file}", tree::SCHEMA_PREFIX), &stopped);
            Err(ValidateError::Schema(vec![finding]))
        }
    }
}

impl Evaluate for Host {
    fn render(&self, request: &RenderRequest<'_>) -> Result<String, EvaluateError> {
        render(self, request)
    }

    fn validate(&self, request: &SchemaRequest<'_>) -> Result<Parameters, ValidateError> {
        validate(self, request)
    }
}

impl Evaluate for Process {
    fn render(&self, request: &RenderRequest<'_>) -> Result<String, EvaluateError> {
        render(self, request)
    }

    fn validate(&self, request: &SchemaRequest<'_>) -> Result<Parameters, ValidateError> {
        validate(self, request)
    }
}

fn whole(file: String, stopped: &Stopped) -> Finding {
    Finding {
        file,
        message: stopped.to_string(),
        ..Finding::default()
    }
}

fn ask<A: for<'a> Deserialize<'a>>(
    run: &dyn Run,
    program: Program,
    request: &impl Serialize,
) -> Result<A, Stopped> {
    let outside = |error: serde_json::Error| Stopped::Unavailable(error.to_string());
    let request = serde_json::to_vec(request).map_err(outside)?;
    let answer = run.run(program, &request)?;
    // It answers the same each time, a number of a thousand digits for one: that is a verdict.
    let told =
        |error: serde_json::Error| Stopped::Failed(format!("what it gives is no value: {error}"));
    serde_json::from_slice(&answer).map_err(told)
}
