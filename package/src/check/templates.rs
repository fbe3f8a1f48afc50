//! Whether every configuration file renders: for every topology, every runtime, with the defaults.

use super::{Package, Refusal};
use crate::{
    Evaluate, EvaluateError, Finding, RenderRequest,
    manifest::{ConfigFile, FILE},
    render::{self, Context, Instance},
};
use api::{Version, names::TopologyName};
use std::collections::BTreeMap;

/// The most bytes of the configuration files of one component: two revisions of them stand in one
/// ConfigMap.
const MAX_CONFIG_BYTES: usize = 450 << 10;

/// What each finding was found in.
type Found = BTreeMap<Finding, Vec<String>>;

/// Everything that does not render.
pub(super) fn check(package: &Package, evaluate: &dyn Evaluate) -> Result<Vec<Finding>, Refusal> {
    let mut found = Found::new();
    let mut cases = 0;
    for topology in package.manifest.topology_names() {
        for runtime in package.manifest.runtime_versions() {
            cases += 1;
            let case = format!("topology {topology}, runtime {runtime}");
            let instance = with_defaults(&topology, &runtime)?;
            match Context::new(package, &instance) {
                Ok(context) => case_findings(package, &context, evaluate, &case, &mut found)?,
                Err(error) => note(&mut found, whole(FILE, error.to_string()), &case),
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|(finding, within)| told(finding, &within, cases))
        .collect())
}

/// The App that sets nothing.
fn with_defaults(topology: &TopologyName, runtime: &Version) -> Result<Instance, Refusal> {
    let app = "app".parse().map_err(|error| Refusal::NotJudged {
        reason: format!("{error}"),
    })?;
    Ok(Instance {
        app,
        namespace: "default".to_owned(),
        topology: topology.clone(),
        runtime: runtime.clone(),
        components: BTreeMap::new(),
    })
}

fn case_findings(
    package: &Package,
    context: &Context,
    evaluate: &dyn Evaluate,
    case: &str,
    found: &mut Found,
) -> Result<(), Refusal> {
    let templates = render::templates(package);
    for (name, component) in &package.manifest.components {
        let Some(context) = context.of(name) else {
            continue;
        };
        let mut bytes = 0;
        for ConfigFile { template, .. } in &component.config {
            let request = RenderRequest {
                templates: &templates,
                template,
                context: &context,
            };
            match evaluate.render(&request) {
                Ok(text) => bytes += text.len(),
                Err(EvaluateError::Refused(finding)) => note(found, finding, case),
                Err(EvaluateError::Unavailable { reason }) => {
                    return Err(Refusal::NotJudged { reason });
                }
            }
        }
        if bytes > MAX_CONFIG_BYTES {
            let most = MAX_CONFIG_BYTES;
            let message = format!(
                "the configuration files of `{name}` have {bytes} bytes, and at most {most} are allowed"
            );
            note(found, whole(FILE, message), case);
        }
    }
    Ok(())
}

fn note(found: &mut Found, finding: Finding, case: &str) {
    let within = found.entry(finding).or_default();
    if within.last().is_none_or(|last| last != case) {
        within.push(case.to_owned());
    }
}

/// The finding, with where it was found unless that is everywhere.
fn told(mut finding: Finding, within: &[String], cases: usize) -> Finding {
    if let [first, ..] = within
        && within.len() < cases
    {
        finding.message = format!("{} ({first})", finding.message);
    }
    finding
}

fn whole(file: &str, message: String) -> Finding {
    Finding {
        file: file.to_owned(),
        line: None,
        column: None,
        message,
    }
}
