//! The schema of PostgreSQL's parameters against the server's own table of them.

use super::client::query;
use crate::stage::Stage;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;

const SCHEMA: &str = "addons/postgresql/1.0.0/schema/postgresql.cue";
/// Where the schema allows less than the server: two files of the log are the least that it accepts in
/// fact, and not every severity or library is for an App.
const NARROWER: [&str; 4] = [
    "min_wal_size",
    "max_wal_size",
    "log_min_messages",
    "shared_preload_libraries",
];
const TABLE: &str = "SELECT json_object_agg(name, json_build_object('context', context, 'type', vartype, \
    'unit', coalesce(unit, ''), 'least', min_val, 'most', max_val, 'words', enumvals)) FROM pg_settings";

/// A parameter as a line of the schema declares it, with the comment above it.
struct Declared<'a> {
    name: &'a str,
    expression: &'a str,
    effect: &'a str,
    comment: &'a str,
}

/// Each parameter of the schema is one of the server's: type, range, words, unit, and when another
/// value takes effect.
pub fn are_the_servers_own(stage: &mut Stage) -> Result<()> {
    let schema = std::fs::read_to_string(stage.checkout(SCHEMA))?;
    let declared = declared(&schema);
    ensure!(declared.len() >= 100, "only {} parameters", declared.len());
    let table: BTreeMap<String, Value> = serde_json::from_str(&query(stage, TABLE)?)?;
    let wrong = declared.iter().filter_map(|declared| {
        let wrong = matches(declared, table.get(declared.name)).err()?;
        Some(format!("{}: {wrong:#}", declared.name))
    });
    let wrong: Vec<String> = wrong.collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    stage.say(format!(
        "{} parameters: types, ranges, words, units and contexts are those of pg_settings",
        declared.len()
    ));
    Ok(())
}

fn matches(declared: &Declared<'_>, server: Option<&Value>) -> Result<()> {
    let server = server.context("the server has no such parameter")?;
    let text = |key: &str| server[key].as_str().unwrap_or_default();
    let effect = match text("context") {
        "postmaster" => "restart",
        "internal" => "none",
        _ => "reload",
    };
    ensure!(
        declared.effect == effect,
        "context {}: {effect}",
        text("context")
    );
    let unit = text("unit");
    let said = declared
        .comment
        .rsplit_once('[')
        .and_then(|(_, rest)| rest.strip_suffix("]."));
    ensure!(said.unwrap_or_default() == unit, "the unit is `{unit}`");
    let expression = declared.expression;
    let narrower = NARROWER.contains(&declared.name);
    match text("type") {
        "bool" => ensure!(expression.starts_with("bool"), "a boolean"),
        "enum" => words(expression, &server["words"], narrower)?,
        "integer" | "real" => {
            let number = if text("type") == "real" {
                "number"
            } else {
                "int"
            };
            ensure!(
                expression.trim_start_matches('(').starts_with(number),
                "want {number}"
            );
            ensure!(
                narrower || range(expression, text("least"), text("most"))?,
                "{server}"
            );
        }
        _ => ensure!(expression.contains('"'), "text"),
    }
    Ok(())
}

/// The words of an enumeration are all of the server's, or some where the schema is narrower.
fn words(expression: &str, server: &Value, narrower: bool) -> Result<()> {
    let server = server.as_array().context("no words")?;
    let server: Vec<&str> = server.iter().filter_map(Value::as_str).collect();
    let said: Vec<&str> = expression.split('"').skip(1).step_by(2).collect();
    ensure!(
        said.iter().all(|word| server.contains(word)),
        "words {server:?}"
    );
    ensure!(narrower || said.len() == server.len(), "words {server:?}");
    // YAML reads `on` and `off` as booleans.
    let switch = server.contains(&"on");
    ensure!(switch == expression.starts_with("bool |"), "a boolean too");
    Ok(())
}

/// Whether the first bounds of the expression are the server's; a bound of the type's own size may be
/// left out.
fn range(expression: &str, least: &str, most: &str) -> Result<bool> {
    let bound = |sign: &str| -> Result<Option<f64>> {
        let Some((_, rest)) = expression.split_once(sign) else {
            return Ok(None);
        };
        let word = rest.split([' ', ')']).next().unwrap_or_default();
        Ok(Some(word.parse().with_context(|| format!("{sign}{word}"))?))
    };
    let (least, most): (f64, f64) = (least.parse()?, most.parse()?);
    let below = bound(">=")? == Some(least);
    Ok(below && bound("<=")?.unwrap_or(f64::MAX).min(1e300) == most.min(1e300))
}

fn declared(schema: &str) -> Vec<Declared<'_>> {
    let mut comment = "";
    let mut all = Vec::new();
    for line in schema.lines().map(str::trim) {
        if let Some(said) = line.strip_prefix("// ") {
            comment = said;
        }
        let field = line
            .strip_suffix(')')
            .and_then(|line| line.rsplit_once(" @effect("));
        let Some((field, effect)) = field else {
            continue;
        };
        let Some((name, expression)) = field.split_once(": ") else {
            continue;
        };
        all.push(Declared {
            name: name.trim_end_matches('?'),
            expression,
            effect,
            comment: std::mem::take(&mut comment),
        });
    }
    all
}
