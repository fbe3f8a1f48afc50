//! The boundary to the evaluator of untrusted templates: what it is asked, what it answers. Nothing
//! is evaluated in this crate.

use crate::Finding;
use std::collections::BTreeMap;

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

/// Renders templates within limits. The same request gets the same answer, wherever there is one.
pub trait Evaluate: Send + Sync {
    /// The rendered text, of at most [`MAX_OUTPUT_BYTES`].
    ///
    /// # Errors
    /// [`EvaluateError::Refused`] is the template's own fault and final; with
    /// [`EvaluateError::Unavailable`] there is no verdict.
    fn render(&self, request: &RenderRequest<'_>) -> Result<String, EvaluateError>;
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
