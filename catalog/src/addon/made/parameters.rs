//! The parameters of a component as people see them: a table, and what differs between two.

use crate::output::{Paint, WIDTH, count, one_line, wrapped};
use api::{crd::app::AppComponent, names::ComponentName};
use package::{Parameters, evaluate};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// The widest column of names; a longer name pushes what follows it.
const MAX_NAME: usize = 40;
/// The widest column of values.
const MAX_VALUE: usize = 24;
/// What stands before the lines below a parameter.
const INDENT: &str = "      ";

/// A parameter, and what is in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Parameter {
    name: String,
    /// The value in force; absent where neither App, profile nor schema has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    /// Who says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Origin>,
    #[serde(flatten)]
    declared: evaluate::Parameter,
}

/// Who sets a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Origin {
    App,
    Profile,
    Default,
}

/// What differs in one parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in super::super) struct Change {
    component: ComponentName,
    parameter: String,
    /// The value before; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    /// The value after; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
    /// Whether the parameter is declared on one side only.
    #[serde(skip_serializing_if = "Option::is_none")]
    declared: Option<Side>,
    /// How the other value takes effect.
    effect: evaluate::Effect,
}

/// The side on which a parameter is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Side {
    Before,
    After,
}

/// Every declared parameter, by name. `own` is what the App says, `settings` that with its profile.
pub(crate) fn list(
    said: &Parameters,
    own: &AppComponent,
    settings: &AppComponent,
) -> Vec<Parameter> {
    let origin = |name: &String| match (&own.config.parameters, &settings.config.parameters) {
        (own, _) if own.contains_key(name) => Origin::App,
        (_, both) if both.contains_key(name) => Origin::Profile,
        _ => Origin::Default,
    };
    let declared = said.declared.iter();
    declared
        .map(|(name, declared)| {
            let value = said.values.get(name).cloned();
            Parameter {
                from: value.as_ref().map(|_| origin(name)),
                name: name.clone(),
                value,
                declared: declared.clone(),
            }
        })
        .collect()
}

/// `2 of them set`.
pub(super) fn set(parameters: &[Parameter]) -> String {
    match parameters.iter().filter(|p| p.is_set()).count() {
        0 => "none of them set".to_owned(),
        set => format!("{set} of them set"),
    }
}

/// Everything about `parameters`, in lines of a terminal's width.
pub(super) fn table(component: &ComponentName, parameters: &[Parameter], paint: Paint) -> String {
    format!(
        "{}: {}, {}\n\n{}",
        paint.bold(component.as_str()),
        count(parameters.len(), "parameter"),
        set(parameters),
        rows(parameters, paint)
    )
}

/// The same without a head of its own.
pub(crate) fn rows(parameters: &[Parameter], paint: Paint) -> String {
    let rows = parameters.iter().map(|parameter| {
        let value = shown(parameter.value.as_ref());
        [
            parameter.name.clone(),
            value,
            effect(parameter.declared.effect),
        ]
    });
    let rows: Vec<[String; 3]> = rows.collect();
    let heads = ["parameter", "value", "effect"].map(str::to_owned);
    let width = |column: usize, most: usize| {
        let all = rows.iter().chain([&heads]);
        let all = all.map(|row| row[column].chars().count());
        all.filter(|width| *width <= most).max().unwrap_or_default()
    };
    let (name, value) = (width(0, MAX_NAME), width(1, MAX_VALUE));
    let row = |[n, v, effect]: &[String; 3]| format!("{n:name$}  {v:value$}  {effect}");
    let mut text = format!("  {}\n", row(&heads));
    for (parameter, cells) in parameters.iter().zip(&rows) {
        let cells = match parameter.is_set() {
            true => paint.bold(&row(cells)),
            false => row(cells),
        };
        text.push_str(&format!("  {cells}\n"));
        text.extend(parameter.about().iter().map(|line| {
            let line = wrapped(&one_line(line), WIDTH - INDENT.len(), INDENT);
            format!("{INDENT}{line}")
        }));
    }
    text
}

/// What differs from `before` to `after`, by name.
pub(super) fn changes(
    component: &ComponentName,
    before: &[Parameter],
    after: &[Parameter],
) -> Vec<Change> {
    let names: BTreeSet<&str> = before
        .iter()
        .chain(after)
        .map(|p| p.name.as_str())
        .collect();
    let change = |name: &str| {
        let find = |list: &'_ [Parameter]| list.iter().find(|p| p.name == name).cloned();
        let (old, new) = (find(before), find(after));
        let declared = match (&old, &new) {
            (Some(_), None) => Some(Side::Before),
            (None, Some(_)) => Some(Side::After),
            _ => None,
        };
        let value = |side: &Option<Parameter>| side.as_ref().and_then(|p| p.value.clone());
        let (was, is) = (value(&old), value(&new));
        if declared.is_none() && was == is {
            return None;
        }
        Some(Change {
            component: component.clone(),
            parameter: name.to_owned(),
            before: was,
            after: is,
            declared,
            effect: new.or(old)?.declared.effect,
        })
    };
    names.into_iter().filter_map(change).collect()
}

impl Parameter {
    /// What is allowed and what it is for.
    fn about(&self) -> Vec<String> {
        let default = self.declared.default.as_ref();
        let default = default.map(|default| format!("default {}", shown(Some(default))));
        let allowed = Some(self.declared.allowed.clone()).filter(|text| !text.is_empty());
        let rule: Vec<String> = [allowed, default].into_iter().flatten().collect();
        let lines = [rule.join(", "), self.declared.description.clone()];
        lines
            .into_iter()
            .filter(|line| !line.trim().is_empty())
            .collect()
    }

    /// Whether App or profile set it.
    fn is_set(&self) -> bool {
        matches!(self.from, Some(Origin::App | Origin::Profile))
    }
}

impl Change {
    /// How the other value takes effect.
    pub(in super::super) fn effect(&self) -> evaluate::Effect {
        self.effect
    }

    /// One line.
    pub(in super::super) fn text(&self) -> String {
        let (component, parameter) = (&self.component, one_line(&self.parameter));
        let value = |value: &Option<Value>| match value {
            Some(_) => shown(value.as_ref()),
            None => "nothing".to_owned(),
        };
        let (before, after) = (value(&self.before), value(&self.after));
        let effect = effect(self.effect);
        let what = match self.declared {
            Some(Side::Before) => format!("is gone; it was {before}"),
            Some(Side::After) => format!("is new: {after} ({effect})"),
            None => format!("{before} becomes {after} ({effect})"),
        };
        wrapped(
            &format!("{component}.{parameter} {what}"),
            WIDTH - 2,
            "    ",
        )
    }
}

fn effect(effect: evaluate::Effect) -> String {
    let name = match effect {
        evaluate::Effect::Dynamic => "dynamic",
        evaluate::Effect::Reload => "reload",
        evaluate::Effect::Restart => "restart",
    };
    name.to_owned()
}

/// The value as one would write it in YAML; `-` where there is none.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "-".to_owned(),
        Some(Value::String(text)) if is_plain(text) => one_line(text),
        Some(value) => one_line(&value.to_string()),
    }
}

/// Whether the text without quotes is itself.
fn is_plain(text: &str) -> bool {
    let read = serde_saphyr::from_str::<Value>(text);
    text != "-" && read.is_ok_and(|read| read == *text)
}

#[cfg(test)]
mod tests;
