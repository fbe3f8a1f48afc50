//! The boundary to the evaluator of untrusted templates and schemas: what it is asked, what it
//! answers. Nothing is evaluated in this crate.

use crate::Finding;
use api::Version;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// The most bytes that one template may render to: a configuration file, in a ConfigMap with others.
pub const MAX_OUTPUT_BYTES: usize = 1 << 20;

/// One template to be rendered.
#[derive(Clone, Copy, Debug)]
pub struct RenderRequest<'a> {
    /// Every template of the package, by its name in `templates/`: what `include` may name.
    pub templates: &'a BTreeMap<&'a str, &'a str>,
    /// The name of the one that is rendered.
    pub template: &'a str,
    /// What it may refer to: an object.
    pub context: &'a serde_json::Value,
}

/// What an App's parameters are checked against.
#[derive(Clone, Copy, Debug)]
pub struct SchemaRequest<'a> {
    /// The files of the schema, by name in `schema/`: together they are one CUE package.
    pub files: &'a BTreeMap<&'a str, &'a str>,
    /// The version of the middleware.
    pub runtime: &'a Version,
    /// The values that are set, by parameter.
    pub values: &'a serde_json::Map<String, serde_json::Value>,
    /// Whether each parameter is described, and its default judged: for people, and at the door. It
    /// takes longer than the values; without it, the effects alone are said.
    pub describe: bool,
}

/// The parameters of a component, after the schema.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    /// What is in force, by parameter: as set, else the schema's default. A parameter with neither is
    /// absent.
    pub values: serde_json::Map<String, serde_json::Value>,
    /// Everything that the schema declares, by parameter.
    pub declared: BTreeMap<String, Parameter>,
}

/// One parameter, as the schema declares it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Parameter {
    /// How another value takes effect.
    pub effect: Effect,
    /// What is allowed, as the schema says it.
    pub allowed: String,
    /// The value where none is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// The schema's comment.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// How another value of a parameter takes effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// It is set while the process runs.
    Dynamic,
    /// The process reads its configuration again.
    Reload,
    /// The process starts again; so it is where the schema says nothing.
    #[default]
    Restart,
}

/// One value that the schema refuses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// The parameter; a path in it where its value is an object or a list.
    pub parameter: String,
    /// Its value, as JSON; absent where a value is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is wrong, and what is allowed.
    pub message: String,
    /// Where the rule stands: file with its folder, line and column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
}

/// Where a rule stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// The file, such as `schema/redis.cue`.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// Renders templates and checks parameters within limits. The same request gets the same answer,
/// wherever there is one.
pub trait Evaluate: Send + Sync {
    /// The rendered text, of at most [`MAX_OUTPUT_BYTES`].
    ///
    /// # Errors
    /// [`EvaluateError::Refused`] is the template's own fault and final; with
    /// [`EvaluateError::Unavailable`] there is no verdict.
    fn render(&self, request: &RenderRequest<'_>) -> Result<String, EvaluateError>;

    /// The parameters in force.
    ///
    /// # Errors
    /// [`ValidateError::Schema`] is the schema's own fault, [`ValidateError::Values`] that of the
    /// values, both final; with [`ValidateError::Unavailable`] there is no verdict.
    fn validate(&self, request: &SchemaRequest<'_>) -> Result<Parameters, ValidateError>;
}

impl<E: Evaluate + ?Sized> Evaluate for &E {
    fn render(&self, request: &RenderRequest<'_>) -> Result<String, EvaluateError> {
        (**self).render(request)
    }

    fn validate(&self, request: &SchemaRequest<'_>) -> Result<Parameters, ValidateError> {
        (**self).validate(request)
    }
}

/// An evaluator of which every answer describes the parameters ([`SchemaRequest::describe`]).
#[derive(Clone, Copy, Debug, Default)]
pub struct Describing<E>(pub E);

impl<E: Evaluate> Evaluate for Describing<E> {
    fn render(&self, request: &RenderRequest<'_>) -> Result<String, EvaluateError> {
        self.0.render(request)
    }

    fn validate(&self, request: &SchemaRequest<'_>) -> Result<Parameters, ValidateError> {
        self.0.validate(&SchemaRequest {
            describe: true,
            ..*request
        })
    }
}

/// A template was not rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// The template is at fault; the file is its name in `templates/`, prefix included.
    #[error("{0}")]
    Refused(Finding),
    /// The evaluator gave no verdict; ask again later.
    #[error("the evaluator gave no verdict: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

/// Parameters are not in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidateError {
    /// The schema is no schema, whatever the values.
    #[error("{}", crate::check::words::lines(.0))]
    Schema(Vec<Finding>),
    /// The schema refuses values.
    #[error("{}", listed(.0))]
    Values(Vec<Violation>),
    /// The evaluator gave no verdict; ask again later.
    #[error("the evaluator gave no verdict: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.parameter)?;
        if let Some(value) = &self.value {
            write!(f, "{value}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.rule {
            Some(Rule { file, line, column }) => write!(f, " ({file}:{line}:{column})"),
            None => Ok(()),
        }
    }
}

fn listed(violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    lines.join("; ")
}
