//! What the schemas of a version say of an App's parameters. The same question is asked once.

use super::Observed;
use crate::{app::resolve, apply::hash, context::Context};
use api::{Version, names::ComponentName};
use package::{Evaluate, Package, ValidateError, defaults::in_force};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What the schemas say of the parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Judged {
    /// Nothing against them; or just this spec was accepted before, and nobody was asked.
    #[default]
    Fine,
    /// Each value that is refused: field, value, what is wrong, where the rule stands.
    Refused(Vec<String>),
    /// There is no verdict.
    Unavailable(String),
}

/// How many verdicts are remembered; beyond that all are forgotten, and asked for once more.
const REMEMBERED: usize = 10_000;

/// The verdicts that were given lately: what is refused, by question.
#[derive(Default)]
pub struct Verdicts(Mutex<HashMap<String, Vec<String>>>);

impl Verdicts {
    fn get(&self, key: &str) -> Option<Vec<String>> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(key).cloned()
    }

    fn put(&self, key: String, refused: Vec<String>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= REMEMBERED {
            held.clear();
        }
        held.insert(key, refused);
    }
}

/// What a schema is asked.
struct Question {
    component: ComponentName,
    runtime: Version,
    values: Map<String, Value>,
}

/// Asks the schema of each component that the App would run, outside of the async threads.
pub(super) async fn judge(observed: &Observed, package: Arc<Package>, context: &Context) -> Judged {
    let mut refused = Vec::new();
    for question in questions(observed, &package) {
        let key = question.key(&package);
        let said = match context.verdicts.get(&key) {
            Some(said) => said,
            None => match ask(question, package.clone(), context).await {
                Ok(said) => {
                    context.verdicts.put(key, said.clone());
                    said
                }
                Err(reason) => return Judged::Unavailable(reason),
            },
        };
        refused.extend(said);
    }
    match refused.is_empty() {
        true => Judged::Fine,
        false => Judged::Refused(refused),
    }
}

/// The questions; none where the App is refused for another reason.
fn questions(observed: &Observed, package: &Package) -> Vec<Question> {
    let Ok(resolved) = resolve::resolve(observed) else {
        return Vec::new();
    };
    let (pin, spec) = (&resolved.pin, &observed.spec);
    let components = resolved.topology.iter().flat_map(|t| t.components.keys());
    let manifest = &package.manifest;
    let has_schema = |name: &&ComponentName| {
        let declared = manifest.components.get(*name);
        declared.is_some_and(|declared| !declared.schema.is_empty())
    };
    components
        .filter(has_schema)
        .map(|name| {
            let set = spec.components.get(name).cloned().unwrap_or_default();
            let profile = spec.profile.as_ref();
            let in_force = in_force(manifest, &pin.topology, profile, name, &set);
            Question {
                component: name.clone(),
                runtime: pin.runtime_version.clone(),
                values: in_force.config.parameters,
            }
        })
        .collect()
}

async fn ask(
    question: Question,
    package: Arc<Package>,
    context: &Context,
) -> Result<Vec<String>, String> {
    let evaluate = context.evaluate.clone();
    let work = move || question.answer(&package, &*evaluate);
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|stopped| Err(stopped.to_string()))
}

impl Question {
    fn key(&self, package: &Package) -> String {
        hash(&json!({
            "digest": package.digest,
            "runtime": self.runtime,
            "component": self.component,
            "values": self.values,
        }))
    }

    /// What is refused; `Err` where there is no verdict.
    fn answer(&self, package: &Package, evaluate: &dyn Evaluate) -> Result<Vec<String>, String> {
        let Self {
            component,
            runtime,
            values,
        } = self;
        let field = format!("spec.components.{component}.config.parameters");
        match package::parameters(package, runtime, component, values, evaluate) {
            Ok(_) => Ok(Vec::new()),
            Err(ValidateError::Values(violations)) => {
                Ok(violations.iter().map(|v| format!("{field}.{v}")).collect())
            }
            Err(ValidateError::Schema(findings)) => Ok(findings
                .iter()
                .map(|finding| format!("{field}: the addon's schema is at fault: {finding}"))
                .collect()),
            Err(ValidateError::Unavailable { reason }) => Err(reason),
        }
    }
}
