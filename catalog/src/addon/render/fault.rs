//! Why a valid addon is nothing for one App: its schema refuses parameters, or its templates do not
//! render with them.

use super::super::{checked::Located, evaluator::evaluator};
use crate::output::{Paint, count, one_line};
use anyhow::bail;
use api::{crd::app::AppComponent, names::ComponentName};
use package::{
    Finding, Package, ValidateError, Violation, defaults, manifest,
    render::{Instance, RenderError},
};
use serde::Serialize;
use std::path::Path;

/// All that is wrong.
#[derive(Debug, Serialize)]
pub(in super::super) struct Fault {
    directory: String,
    /// What the schema refuses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Refused>,
    /// What does not render.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Located>,
}

/// A value that a schema refuses, with the place of the rule.
#[derive(Debug, Serialize)]
struct Refused {
    component: ComponentName,
    parameter: String,
    /// As JSON; absent where a value is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(flatten)]
    rule: Located,
}

/// What the schemas of all components refuse; `None` where that is nothing.
///
/// # Errors
/// There is no verdict.
pub(super) fn of_parameters(
    directory: &Path,
    package: &Package,
    instance: &Instance,
) -> anyhow::Result<Option<Fault>> {
    let mut fault = Fault::empty(directory);
    for (name, own) in &settings(package, instance) {
        let parameters = &own.config.parameters;
        let said = package::parameters(package, &instance.runtime, name, parameters, evaluator());
        match said {
            Ok(_) => {}
            Err(ValidateError::Values(violations)) => fault.refuse(directory, name, violations),
            Err(error) => {
                return Fault::new(directory, RenderError::parameters(name, error)).map(Some);
            }
        }
    }
    Ok((!fault.violations.is_empty()).then_some(fault))
}

/// The settings in force of the components that run.
fn settings(package: &Package, instance: &Instance) -> Vec<(ComponentName, AppComponent)> {
    let (manifest, none) = (&package.manifest, AppComponent::default());
    let topology = manifest.topology(&instance.topology);
    let names = topology
        .into_iter()
        .flat_map(|topology| topology.components.into_keys());
    names
        .map(|name| {
            let own = instance.components.get(&name).unwrap_or(&none);
            let (topology, profile) = (&instance.topology, instance.profile.as_ref());
            let settings = defaults::in_force(manifest, topology, profile, &name, own);
            (name, settings)
        })
        .filter(|(_, settings)| settings.enabled != Some(false))
        .collect()
}

impl Fault {
    /// What the error says.
    ///
    /// # Errors
    /// It says that there is no verdict, or that the App asks for what the addon has not.
    pub(super) fn new(directory: &Path, error: RenderError) -> anyhow::Result<Self> {
        let mut fault = Self::empty(directory);
        match error {
            RenderError::Parameters {
                component,
                violations,
            } => fault.refuse(directory, &component, violations),
            RenderError::Template(finding) => fault.find(directory, &[finding]),
            RenderError::Schema(findings) | RenderError::Objects(findings) => {
                fault.find(directory, &findings);
            }
            other => bail!(other),
        }
        Ok(fault)
    }

    fn empty(directory: &Path) -> Self {
        Self {
            directory: directory.display().to_string(),
            violations: Vec::new(),
            findings: Vec::new(),
        }
    }

    fn find(&mut self, directory: &Path, findings: &[Finding]) {
        let located = findings
            .iter()
            .map(|finding| Located::new(directory, finding));
        self.findings.extend(located);
    }

    fn refuse(&mut self, directory: &Path, name: &ComponentName, violations: Vec<Violation>) {
        for violation in violations {
            let rule = violation.rule;
            let finding = Finding {
                file: rule
                    .as_ref()
                    .map_or(manifest::FILE, |rule| &rule.file)
                    .to_owned(),
                line: rule.as_ref().map(|rule| rule.line),
                column: rule.as_ref().map(|rule| rule.column),
                message: violation.message,
            };
            self.violations.push(Refused {
                component: name.clone(),
                parameter: violation.parameter,
                value: violation.value,
                rule: Located::new(directory, &finding),
            });
        }
    }

    /// One thing after the other, and how many there are.
    pub(super) fn text(&self, paint: Paint) -> String {
        let mut text: String = self.violations.iter().map(|v| v.text(paint)).collect();
        text.extend(self.findings.iter().map(|finding| finding.text(paint)));
        let number = self.violations.len() + self.findings.len();
        let what = match self.violations.is_empty() {
            true => format!("{} in what is rendered", count(number, "finding")),
            false => format!("{} refused by the schema", count(number, "parameter value")),
        };
        text + &format!("\n{what}; nothing is rendered\n")
    }
}

impl Refused {
    fn text(&self, paint: Paint) -> String {
        let mut what = format!("{}.{}: ", self.component, one_line(&self.parameter));
        if let Some(value) = &self.value {
            what.push_str(&format!("{value}: "));
        }
        what.push_str(self.rule.message());
        self.rule.told(&what, paint)
    }
}
