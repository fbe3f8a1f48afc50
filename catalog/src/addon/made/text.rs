//! A component as people read it: names in lines, files and objects in full.

use super::{Credentials, Made, parameters, yaml};
use crate::output::{Paint, WIDTH, count, one_line, wrapped};
use api::agent;

/// What stands before the values of a component's lines.
const LABEL: usize = 11;

impl Made {
    /// All of it for people.
    pub(in super::super) fn text(&self, paint: Paint) -> String {
        let members = count(self.replicas as usize, "member");
        let name = paint.bold(self.component.as_str());
        let mut text = format!("{name}: {members} of {}\n", one_line(&self.container.image));
        text.push_str(&line("pods", &range(&self.pods)));
        for (label, value) in self.container.lines() {
            text.push_str(&line(label, &value));
        }
        for claim in &self.claims {
            let (names, mount) = (range(&claim.names), self.container.mount(&claim.volume));
            let value = format!("{names}, {} each, at {mount}", claim.size);
            text.push_str(&line("claims", &value));
        }
        for (i, service) in self.services.iter().enumerate() {
            text.push_str(&line(if i == 0 { "services" } else { "" }, service));
        }
        if let Some(Credentials { secret, keys }) = &self.credentials {
            let value = format!("{} in the Secret {secret}", keys.join(", "));
            text.push_str(&line("credentials", &value));
        }
        if !self.actions.is_empty() {
            text.push_str(&line("actions", &self.actions.join(", ")));
        }
        if !self.parameters.is_empty() {
            let (number, set) = (self.parameters.len(), parameters::set(&self.parameters));
            let value = format!("{number}, {set}; --parameters lists them");
            text.push_str(&line("parameters", &value));
        }
        text.push_str(&self.contents(paint));
        text
    }

    /// Configuration files and objects in full.
    fn contents(&self, paint: Paint) -> String {
        let mut text = String::new();
        let mut part = |head: &str, content: &str| {
            let head = paint.bold(&format!("==> {}", one_line(head)));
            text.push_str(&format!("\n{head}\n{content}"));
            if !content.ends_with('\n') {
                text.push('\n');
            }
        };
        for (file, content) in &self.config {
            part(&format!("{}/{file}", agent::MIDDLEWARE_CONFIG_DIR), content);
        }
        for object in &self.objects {
            let optional = match object.optional {
                true => ", where the cluster knows the kind",
                false => "",
            };
            let head = format!("{} {}{optional}", object.kind, object.name);
            part(&head, &yaml(&object.object).unwrap_or_default());
        }
        text
    }

    /// The parameters for people; empty where there is none.
    pub(in super::super) fn parameters(&self, paint: Paint) -> String {
        match self.parameters.is_empty() {
            true => format!("{}: no parameters\n", paint.bold(self.component.as_str())),
            false => parameters::table(&self.component, &self.parameters, paint),
        }
    }
}

/// `  label        value`, wrapped under itself.
fn line(label: &str, value: &str) -> String {
    let indent = " ".repeat(LABEL + 4);
    let value = wrapped(&one_line(value), WIDTH - LABEL - 4, &indent);
    format!("  {label:LABEL$}  {value}")
}

/// The first and the last of many names.
fn range(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [first, second] => format!("{first}, {second}"),
        [first, .., last] => format!("{first} … {last}"),
    }
}
