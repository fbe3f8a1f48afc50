//! What one instance of an addon is made of: what templates may refer to, the configuration files and
//! the further objects that come out.
//!
//! In: a package, what an App adds to it, an evaluator. Out: files and objects. Which pods get them,
//! and who applies them, is the operator's matter.

mod context;
mod objects;

pub use context::Context;
pub(crate) use objects::all as all_objects;
pub use objects::{RenderedObject, objects};

use crate::{
    Evaluate, EvaluateError, Finding, Package, RenderRequest, ValidateError, Violation, check,
};
use api::{
    Version,
    crd::app::AppComponent,
    names::{AppName, ComponentName, ProfileName, TopologyName},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What an App adds to its addon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The App's name.
    pub app: AppName,
    /// The App's namespace.
    pub namespace: String,
    /// The arrangement of components.
    pub topology: TopologyName,
    /// The addon's profile, if the App chose one.
    pub profile: Option<ProfileName>,
    /// The version of the middleware.
    pub runtime: Version,
    /// What differs from the addon's defaults; a component of the topology that is absent here has
    /// the defaults.
    pub components: BTreeMap<ComponentName, AppComponent>,
}

/// Nothing was rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The addon has no such topology.
    #[error("no topology `{topology}`; there are {}", check::listed(.valid))]
    UnknownTopology {
        /// The one that was asked for.
        topology: TopologyName,
        /// The ones that there are.
        valid: Vec<TopologyName>,
    },
    /// The addon has no such profile.
    #[error("no profile `{profile}`; there are {}", check::listed(.valid))]
    UnknownProfile {
        /// The one that was asked for.
        profile: ProfileName,
        /// The ones that there are.
        valid: Vec<ProfileName>,
    },
    /// The addon does not run that version of the middleware.
    #[error("no runtime {runtime}; there are {}", check::listed(.valid))]
    UnknownRuntime {
        /// The one that was asked for.
        runtime: Version,
        /// The ones that there are, newest first.
        valid: Vec<Version>,
    },
    /// The topology has no such component, or the App does not enable it.
    #[error("the topology `{topology}` has no component `{component}`, or it is not enabled")]
    UnknownComponent {
        /// The topology.
        topology: TopologyName,
        /// The component that was asked for.
        component: ComponentName,
    },
    /// The schema refuses parameters.
    #[error("parameters of `{component}`: {}", lines(.violations))]
    Parameters {
        /// The component.
        component: ComponentName,
        /// All that is wrong.
        violations: Vec<Violation>,
    },
    /// A schema is none; a checked package has none such.
    #[error("{}", lines(.0))]
    Schema(Vec<Finding>),
    /// A template does not render.
    #[error("{0}")]
    Template(Finding),
    /// Templates render to what is no object that the addon may have.
    #[error("{}", lines(.0))]
    Objects(Vec<Finding>),
    /// The evaluator gave no verdict; ask again later.
    #[error("the evaluator gave no verdict: {reason}")]
    NotJudged {
        /// Why.
        reason: String,
    },
}

/// The configuration files of `component`, by their names in `/middleware/config/`: those that are for
/// the runtime version.
///
/// # Errors
/// The component is not in the context, a template is at fault, or there is no verdict.
pub fn config_files(
    package: &Package,
    component: &ComponentName,
    context: &Context,
    evaluate: &dyn Evaluate,
) -> Result<BTreeMap<String, String>, RenderError> {
    let (files, findings) = config(package, component, context, evaluate)?;
    match findings.into_iter().next() {
        Some(finding) => Err(RenderError::Template(finding)),
        None => Ok(files),
    }
}

/// The same, with every template that is at fault.
pub(crate) fn config(
    package: &Package,
    component: &ComponentName,
    context: &Context,
    evaluate: &dyn Evaluate,
) -> Result<(BTreeMap<String, String>, Vec<Finding>), RenderError> {
    let source = Source::new(package, component, context, evaluate)?;
    let (mut files, mut findings) = (BTreeMap::new(), Vec::new());
    for file in &source.declared.config {
        if !file.is_for(context.runtime()) {
            continue;
        }
        match source.render(&file.template)? {
            Ok(text) => {
                files.insert(file.file.clone(), text);
            }
            Err(finding) => findings.push(finding),
        }
    }
    Ok((files, findings))
}

/// Where the templates of one component come from, and what they see.
struct Source<'a> {
    declared: &'a crate::manifest::Component,
    templates: BTreeMap<&'a str, &'a str>,
    variables: Value,
    evaluate: &'a dyn Evaluate,
}

impl<'a> Source<'a> {
    fn new(
        package: &'a Package,
        component: &ComponentName,
        context: &Context,
        evaluate: &'a dyn Evaluate,
    ) -> Result<Self, RenderError> {
        let missing = || unknown_component(context.topology(), component);
        let declared = package.manifest.components.get(component);
        Ok(Self {
            declared: declared.ok_or_else(missing)?,
            templates: templates(package),
            variables: context.of(component).ok_or_else(missing)?,
            evaluate,
        })
    }

    /// What `template` renders to, or what is wrong with it.
    fn render(&self, template: &str) -> Result<Result<String, Finding>, RenderError> {
        let request = RenderRequest {
            templates: &self.templates,
            template,
            context: &self.variables,
        };
        match self.evaluate.render(&request) {
            Ok(text) => Ok(Ok(text)),
            Err(EvaluateError::Refused(finding)) => Ok(Err(finding)),
            Err(EvaluateError::Unavailable { reason }) => Err(RenderError::NotJudged { reason }),
        }
    }
}

/// Every template that is text, by name.
pub(crate) fn templates(package: &Package) -> BTreeMap<&str, &str> {
    let files = package.tree.files();
    files
        .filter_map(|(path, bytes)| {
            let name = path.strip_prefix(crate::tree::TEMPLATES_PREFIX)?;
            Some((name, std::str::from_utf8(bytes).ok()?))
        })
        .collect()
}

fn unknown_component(topology: &TopologyName, component: &ComponentName) -> RenderError {
    RenderError::UnknownComponent {
        topology: topology.clone(),
        component: component.clone(),
    }
}

fn lines<T: ToString>(items: &[T]) -> String {
    let lines: Vec<String> = items.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

impl RenderError {
    /// The parameters of `component` are not in force.
    pub fn parameters(component: &ComponentName, error: ValidateError) -> Self {
        match error {
            ValidateError::Schema(findings) => Self::Schema(findings),
            ValidateError::Values(violations) => Self::Parameters {
                component: component.clone(),
                violations,
            },
            ValidateError::Unavailable { reason } => Self::NotJudged { reason },
        }
    }
}

#[cfg(test)]
mod tests;
