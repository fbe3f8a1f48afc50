//! An evaluator that asks another one the same thing about a schema once only, and to judge all of it.
//!
//! The cases of a check differ in their topology, and a schema does not see that. What templates see
//! differs in every case, so their answers are not kept.

use crate::{
    Evaluate, EvaluateError, Parameters, RenderRequest, SchemaRequest, ValidateError,
    evaluate::Describing,
};
use api::Version;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The names of the files, the runtime version, the values as JSON.
type Question = (Vec<String>, Version, String);
type Answer = Result<Parameters, ValidateError>;

/// Answers of `evaluate`, for the files of one package.
pub(super) struct Memo<'a> {
    evaluate: Describing<&'a dyn Evaluate>,
    answers: Mutex<BTreeMap<Question, Answer>>,
}

impl<'a> Memo<'a> {
    pub(super) fn new(evaluate: &'a dyn Evaluate) -> Self {
        Self {
            evaluate: Describing(evaluate),
            answers: Mutex::default(),
        }
    }
}

impl Evaluate for Memo<'_> {
    fn render(&self, request: &RenderRequest<'_>) -> Result<String, EvaluateError> {
        self.evaluate.render(request)
    }

    fn validate(&self, request: &SchemaRequest<'_>) -> Answer {
        let files = request
            .files
            .keys()
            .map(|name| (*name).to_owned())
            .collect();
        let values = serde_json::to_string(request.values).unwrap_or_default();
        let question = (files, request.runtime.clone(), values);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.entry(question);
        answer
            .or_insert_with(|| self.evaluate.validate(request))
            .clone()
    }
}

#[cfg(test)]
mod tests;
