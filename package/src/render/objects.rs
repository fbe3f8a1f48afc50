//! The further objects of one component: each template becomes one Kubernetes object, or every
//! reason why not.
//!
//! In: a package, a context, an evaluator. Out: objects that the operator may apply as they are:
//! their kind is one that an addon may own, they lie in the App's namespace under a name that is
//! theirs, and have no field that Kubernetes does not know.

mod kinds;
mod metadata;
mod origin;
mod owner;
mod specs;
mod syntax;

use super::{Context, RenderError, Source};
use crate::{
    Evaluate, Finding, Package,
    check::document::Node,
    manifest::{self, ObjectKind},
    tree::TEMPLATES_PREFIX,
};
use api::names::ComponentName;
use owner::Owner;
use serde_json::Value;
use std::collections::BTreeSet;

/// An object that a component has beside what the platform makes.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderedObject {
    /// Its kind.
    pub kind: ObjectKind,
    /// Whether it is left out where the cluster does not know its kind.
    pub optional: bool,
    /// The object, with `apiVersion`, `kind` and `metadata.name`.
    pub object: Value,
}

/// The further objects of `component`, as declared; an optional one whose template renders to nothing
/// is absent.
///
/// # Errors
/// The component is not in the context, a template is at fault or renders to what is no object that
/// the addon may have ([`RenderError::Objects`], all findings at once), or there is no verdict.
pub fn objects(
    package: &Package,
    component: &ComponentName,
    context: &Context,
    evaluate: &dyn Evaluate,
) -> Result<Vec<RenderedObject>, RenderError> {
    let (objects, findings) = all(package, component, context, evaluate)?;
    if findings.is_empty() {
        return Ok(objects);
    }
    Err(RenderError::Objects(findings))
}

/// The same, with everything that is wrong.
pub(crate) fn all(
    package: &Package,
    component: &ComponentName,
    context: &Context,
    evaluate: &dyn Evaluate,
) -> Result<(Vec<RenderedObject>, Vec<Finding>), RenderError> {
    let source = Source::new(package, component, context, evaluate)?;
    let mut rendered = Vec::new();
    let mut findings = Vec::new();
    for object in &source.declared.objects {
        match source.render(&object.template)? {
            Ok(text) => rendered.push(Text { object, text }),
            Err(finding) => findings.push(finding),
        }
    }
    let mut owner = Owner::new(package, component, context);
    let mut parsed = Vec::new();
    for text in &rendered {
        match text.node() {
            Ok(Some(node)) => parsed.push((text, node)),
            Ok(None) => {}
            Err(faults) => findings.extend(text.told(&source, faults)),
        }
    }
    owner.services.extend(parsed.iter().filter_map(own_service));
    let mut seen = BTreeSet::new();
    let mut objects = Vec::new();
    for (text, node) in &parsed {
        let mut faults = faults(&owner, text.object.kind, node);
        faults.extend(twice(&mut seen, text.object.kind, node));
        findings.extend(text.told(&source, faults));
        objects.push(RenderedObject {
            kind: text.object.kind,
            optional: text.object.optional,
            object: node.json(),
        });
    }
    Ok((objects, findings))
}

/// Everything that is wrong with one object.
fn faults(owner: &Owner<'_>, kind: ObjectKind, node: &Node) -> Vec<Finding> {
    let mut faults = kinds::faults(kind, node);
    if faults.is_empty() {
        faults.extend(metadata::faults(owner, kind, node));
        faults.extend(specs::faults(owner, kind, node));
    }
    faults
}

fn own_service((text, node): &(&Text<'_>, Node)) -> Option<String> {
    let name = node.at(&["metadata", "name"])?.text()?;
    (text.object.kind == ObjectKind::Service).then(|| name.to_owned())
}

fn twice(
    seen: &mut BTreeSet<(ObjectKind, String)>,
    kind: ObjectKind,
    node: &Node,
) -> Option<Finding> {
    let name = node.at(&["metadata", "name"])?;
    let text = name.text()?;
    let message = || {
        format!(
            "the {} `{text}` is there twice; give it another name",
            kind.name()
        )
    };
    (!seen.insert((kind, text.to_owned()))).then(|| name.finding(message()))
}

/// What one template rendered to.
struct Text<'a> {
    object: &'a manifest::Object,
    text: String,
}

impl Text<'_> {
    /// The object; `None` where it is left out.
    fn node(&self) -> Result<Option<Node>, Vec<Finding>> {
        if is_blank(&self.text) {
            let message =
                "it renders to nothing; want one object, or `optional: true` in the manifest";
            let nothing = Finding {
                message: message.to_owned(),
                ..Finding::default()
            };
            return if self.object.optional {
                Ok(None)
            } else {
                Err(vec![nothing])
            };
        }
        let node = Node::parse(&self.text).map_err(|finding| vec![finding])?;
        let mut octals = Vec::new();
        node.refuse_octals(&self.text, &mut octals);
        if octals.is_empty() {
            Ok(Some(node))
        } else {
            Err(octals)
        }
    }

    /// `faults`, which have places in the text, as findings in the template, where it is known which
    /// of its lines became that line of the text.
    fn told(&self, source: &Source<'_>, faults: Vec<Finding>) -> Vec<Finding> {
        let name = self.object.template.as_str();
        let template = source.templates.get(name).copied().unwrap_or_default();
        let told = |fault: Finding| {
            let origin = fault
                .line
                .and_then(|line| origin::of(template, &self.text, line));
            let line = origin.map(|origin| origin.line);
            let column = origin.zip(fault.column);
            let message = match (fault.line, line) {
                (Some(of_text), None) => {
                    format!("{} (line {of_text} of what it renders to)", fault.message)
                }
                _ => fault.message,
            };
            Finding {
                file: format!("{TEMPLATES_PREFIX}{name}"),
                column: column.map(|(origin, column)| column.min(origin.fixed)),
                line,
                message,
            }
        };
        faults.into_iter().map(told).collect()
    }
}

/// Whether there is nothing but comments and the marks of a document.
fn is_blank(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    lines.all(|line| line.is_empty() || line.starts_with('#') || line == "---" || line == "...")
}

#[cfg(test)]
mod tests;
