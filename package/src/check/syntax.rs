//! What is wrong with templates whatever they are given: a text that is none, an unknown filter, a
//! missing file in an `include`.
//!
//! In: a package and an evaluator. Out: the findings, and the package without the templates that they
//! are about or that are not there, so that nothing is said of those again.

use super::{Package, Refusal};
use crate::{Evaluate, EvaluateError, Finding, RenderRequest, render};
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// A character of which names of templates are made that no package has.
const NOWHERE: char = '\u{1}';

/// The templates that components name, each by itself.
pub(super) fn check<'a>(
    package: &'a Package,
    evaluate: &dyn Evaluate,
) -> Result<(Cow<'a, Package>, Vec<Finding>), Refusal> {
    let templates = render::templates(package);
    let (mut findings, mut left_out) = (Vec::new(), BTreeSet::new());
    for name in named(package) {
        if !templates.contains_key(name) {
            left_out.insert(name);
        } else if let Some(finding) = fault(&templates, name, evaluate)? {
            findings.push(finding);
            left_out.insert(name);
        }
    }
    Ok((without(package, &left_out), findings))
}

fn named(package: &Package) -> BTreeSet<&str> {
    let components = package.manifest.components.values();
    let named = components.flat_map(|component| {
        let config = component.config.iter().map(|config| &config.template);
        config.chain(component.objects.iter().map(|object| &object.template))
    });
    named.map(String::as_str).collect()
}

/// What is wrong with the template `name`, where another one that includes it, and renders nothing,
/// cannot be read.
fn fault(
    templates: &BTreeMap<&str, &str>,
    name: &str,
    evaluate: &dyn Evaluate,
) -> Result<Option<Finding>, Refusal> {
    let mut reader = NOWHERE.to_string();
    while templates.values().any(|text| text.contains(&reader)) {
        reader.push(NOWHERE);
    }
    let text = format!("{{% if false %}}{{% include \"{name}\" %}}{{% endif %}}");
    let mut all = templates.clone();
    all.insert(&reader, &text);
    match refused(&all, &reader, evaluate)? {
        None => Ok(None),
        // Its own words, in which the other one is not named.
        Some(_) => refused(templates, name, evaluate),
    }
}

/// What is wrong with the template `name` where there is nothing to refer to.
fn refused(
    templates: &BTreeMap<&str, &str>,
    name: &str,
    evaluate: &dyn Evaluate,
) -> Result<Option<Finding>, Refusal> {
    let request = RenderRequest {
        templates,
        template: name,
        context: &Value::Object(serde_json::Map::new()),
    };
    match evaluate.render(&request) {
        Ok(_) => Ok(None),
        Err(EvaluateError::Refused(finding)) => Ok(Some(finding)),
        Err(EvaluateError::Unavailable { reason }) => Err(Refusal::NotJudged { reason }),
    }
}

/// The package without the files and objects that come of these templates.
fn without<'a>(package: &'a Package, templates: &BTreeSet<&str>) -> Cow<'a, Package> {
    if templates.is_empty() {
        return Cow::Borrowed(package);
    }
    let mut rest = package.clone();
    for component in rest.manifest.components.values_mut() {
        let stays = |template: &str| !templates.contains(template);
        component.config.retain(|config| stays(&config.template));
        component.objects.retain(|object| stays(&object.template));
    }
    Cow::Owned(rest)
}
