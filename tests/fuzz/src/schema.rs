//! Schemas: the same answer each time; what is in force was set, or is a default that the schema
//! declares, and set by itself it is in force again; what is refused names a parameter and a rule in a
//! file that there is. Without descriptions, the verdict on values is the same.
//!
//! An input is a CUE file. Its first line may set values: `// values: {"port": 1}`.

use crate::{Corpus, Target, ensure, shape};
use arbitrary::{Result, Unstructured};
use evaluate::Host;
use package::{
    Evaluate as _, Parameters, SchemaRequest, ValidateError, Violation,
    evaluate::Effect,
    tree::{MAX_FILE_BYTES, SCHEMA_PREFIX},
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub(crate) const TARGET: Target = Target {
    name: "schema",
    make,
    check: holds,
    words,
    more: Vec::new,
};

const NAME: &str = "main.cue";
const VALUES: &str = "// values: ";

const WORDS: [&str; 52] = [
    "parameters: {",
    "}",
    "port: ",
    "mode: ",
    "memory: ",
    "ratio: ",
    "list: ",
    "\"max-clients\": ",
    "int",
    "string",
    "bool",
    "number",
    "float",
    "uint16",
    "null",
    "_",
    "_|_",
    "...",
    "[...int]",
    "[string]: int",
    "#A",
    "#A: int",
    "_hidden: 1",
    " | *1",
    "*6379 | int",
    " & ",
    ">=1",
    "<=65535",
    ">1 & <10",
    "=~\"^[a-z]+$\"",
    "!~\"x\"",
    "!=\"\"",
    "\"a\" | \"b\" | *\"c\"",
    "port?: ",
    "port!: ",
    "@effect(dynamic)",
    "@effect(reload)",
    "@effect(now)",
    "@effect()",
    "// What it is.\n",
    "if parameters.port > 1 { mode: \"a\" }",
    "runtime.major",
    "runtime.version",
    "import \"strings\"\n",
    "strings.MaxRunes(5)",
    "import \"list\"\n",
    "list.Range(0, 9, 1)",
    "for i in [1,2] ",
    "parameters.port",
    "let x = 1",
    "close({})",
    "package main\n",
];

fn words() -> Vec<String> {
    let more = [
        "// values: {\"port\": 1}\n",
        "\"port\": ",
        "{}",
        "[]",
        "null",
        "1e999999999",
    ];
    WORDS
        .into_iter()
        .chain(more)
        .chain(shape::SCALARS)
        .map(str::to_owned)
        .collect()
}

/// A few fields with types, ranges, defaults and effects, and values for some of them.
fn make(u: &mut Unstructured<'_>, _: &Corpus) -> Result<Vec<u8>> {
    let mut fields = String::new();
    let mut values = Map::new();
    let names = ["port", "mode", "memory", "ratio", "list", "max-clients"];
    for name in names {
        if u.ratio(1, 3)? {
            continue;
        }
        let mark = u.choose(&["", "", "", "?", "!"])?;
        let (kind, fits, not) = *u.choose(&[
            ("int | *6379", "1", "\"x\""),
            (">=1 & <=65535 | *80", "65535", "0"),
            ("\"a\" | *\"b\"", "\"a\"", "\"c\""),
            ("=~\"^[a-z]+$\" | *\"x\"", "\"abc\"", "\"A\""),
            ("bool | *false", "true", "null"),
            ("number | *0.5", "1.0", "\"1\""),
            ("[...int] | *[1]", "[]", "[\"a\"]"),
            ("{a: int | *1, b?: string}", "{\"b\": \"x\"}", "{\"c\": 1}"),
            ("string", "\"yes\"", "014"),
            ("int", "9007199254740993", "1.5"),
            ("*parameters.port + 1 | int", "7", "[]"),
        ])?;
        let effect = u.choose(&[
            "",
            " @effect(dynamic)",
            " @effect(reload)",
            " @effect(restart)",
            " @effect(soon)",
        ])?;
        fields.push_str(&format!(
            "\t// What {name} is.\n\t\"{name}\"{mark}: {kind}{effect}\n"
        ));
        if u.ratio(1, 2)? {
            let value = if u.ratio(2, 3)? { fits } else { not };
            values.insert(
                name.to_owned(),
                serde_json::from_str(value).unwrap_or(Value::Null),
            );
        }
    }
    if u.ratio(1, 8)? {
        values.insert("prot".to_owned(), 1.into());
    }
    let rule = u.choose(&[
        "",
        "",
        "\tif port > 100 { mode: \"a\" }\n",
        "\tlist: [for i in [1] { i }]\n",
        "\tport: <memory\n",
    ])?;
    let values = Value::Object(values);
    Ok(format!("{VALUES}{values}\nparameters: {{\n{fields}{rule}}}\n").into_bytes())
}

fn holds(input: &[u8]) -> std::result::Result<(), String> {
    let Some(text) = std::str::from_utf8(input)
        .ok()
        .filter(|text| text.len() <= MAX_FILE_BYTES)
    else {
        return Ok(());
    };
    let values = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix(VALUES));
    let values: Map<String, Value> = values
        .and_then(|v| serde_json::from_str(v).ok())
        .unwrap_or_default();
    let first = validated(text, &values, true);
    ensure!(
        first == validated(text, &values, true),
        "two answers to one request"
    );
    undescribed(&first, &validated(text, &values, false))?;
    match first {
        Ok(parameters) => in_force(text, &values, &parameters),
        Err(ValidateError::Unavailable { reason }) => Err(format!("no verdict: {reason}")),
        Err(ValidateError::Schema(findings)) => {
            ensure!(!findings.is_empty(), "refused without a finding");
            for finding in &findings {
                ensure!(!finding.message.trim().is_empty(), "an empty message");
                placed(text, &finding.file, finding.line, &finding.to_string())?;
            }
            Ok(())
        }
        Err(ValidateError::Values(violations)) => {
            ensure!(!violations.is_empty(), "refused without a violation");
            violations
                .iter()
                .try_for_each(|violation| refused(text, &values, violation))
        }
    }
}

/// Without descriptions, schema and values are evaluated at once where that is enough.
fn undescribed(described: &Answer, plain: &Answer) -> std::result::Result<(), String> {
    let same = match (described, plain) {
        (Ok(described), Ok(plain)) => {
            described.values == plain.values && effects(described) == effects(plain)
        }
        (Err(ValidateError::Values(_)), plain) => described == plain,
        // A default that is wrong is not looked at where it is not described, or another value is set.
        (Err(ValidateError::Schema(_)), plain) => {
            !matches!(plain, Err(ValidateError::Unavailable { .. }))
        }
        _ => false,
    };
    ensure!(
        same,
        "described it is {described:?}, and otherwise {plain:?}"
    );
    Ok(())
}

fn effects(parameters: &Parameters) -> Vec<(&str, Effect)> {
    let declared = parameters.declared.iter();
    declared
        .map(|(name, parameter)| (name.as_str(), parameter.effect))
        .collect()
}

fn in_force(
    text: &str,
    values: &Map<String, Value>,
    parameters: &Parameters,
) -> std::result::Result<(), String> {
    for (name, value) in values {
        let now = parameters.values.get(name);
        ensure!(
            now.is_some_and(|now| is_alike(now, value)),
            "`{name}` is {now:?}, and was set to {value}"
        );
    }
    for name in parameters.values.keys() {
        // A pattern (`[string]: int`) declares what is set, and nothing by name.
        let named = parameters.declared.contains_key(name) || values.contains_key(name);
        ensure!(named, "`{name}` is in force, and neither declared nor set");
    }
    for (name, parameter) in &parameters.declared {
        let unset = parameter.default.is_some() && !values.contains_key(name);
        ensure!(
            !unset || parameters.values.contains_key(name),
            "`{name}` has a default, and is not in force"
        );
    }
    // A number with more digits than a float has is another one when it comes out.
    if parameters.values.values().any(is_large) {
        return Ok(());
    }
    let again = validated(text, &parameters.values, true);
    let again = again.map_err(|error| format!("what is in force is refused: {error}"))?;
    ensure!(
        is_alike(
            &again.values.clone().into(),
            &parameters.values.clone().into()
        ),
        "set by itself, {:?} is {:?}",
        parameters.values,
        again.values
    );
    Ok(())
}

/// Whether a number in it is beyond those that every reader of JSON has exactly.
fn is_large(value: &Value) -> bool {
    match value {
        Value::Number(number) => number
            .as_f64()
            .is_some_and(|n| number.is_f64() && n.abs() > 1e15),
        Value::Array(items) => items.iter().any(is_large),
        Value::Object(fields) => fields.values().any(is_large),
        _ => false,
    }
}

/// Whether a value is the one that was set; an object may have got defaults, and 1.0 may be 1.
fn is_alike(now: &Value, set: &Value) -> bool {
    match (now, set) {
        (Value::Object(now), Value::Object(set)) => set
            .iter()
            .all(|(key, set)| now.get(key).is_some_and(|now| is_alike(now, set))),
        (Value::Array(now), Value::Array(set)) => {
            now.len() == set.len() && now.iter().zip(set).all(|(now, set)| is_alike(now, set))
        }
        (Value::Number(now), Value::Number(set)) => now == set || now.as_f64() == set.as_f64(),
        _ => now == set,
    }
}

fn refused(
    text: &str,
    values: &Map<String, Value>,
    violation: &Violation,
) -> std::result::Result<(), String> {
    let said = violation.to_string();
    ensure!(!violation.message.trim().is_empty(), "an empty message");
    let named = |name: &str| text.contains(name) || values.contains_key(name);
    let root = violation
        .parameter
        .split(['.', '['])
        .next()
        .unwrap_or_default();
    let known = named(root)
        || named(&violation.parameter)
        || values
            .keys()
            .any(|key| violation.parameter.starts_with(key));
    ensure!(known, "a parameter that nobody names: {said}");
    match &violation.rule {
        Some(rule) => placed(text, &rule.file, Some(rule.line), &said),
        None => Ok(()),
    }
}

fn placed(
    text: &str,
    file: &str,
    line: Option<u32>,
    said: &str,
) -> std::result::Result<(), String> {
    let known =
        file.is_empty() || file.trim_end_matches('/') == SCHEMA_PREFIX.trim_end_matches('/');
    ensure!(
        known || file == format!("{SCHEMA_PREFIX}{NAME}"),
        "no such file: {said}"
    );
    let lines = text.split('\n').count();
    ensure!(
        line.is_none_or(|line| (1..=lines).contains(&(line as usize))),
        "no such line of {lines}: {said}"
    );
    Ok(())
}

type Answer = std::result::Result<Parameters, ValidateError>;

fn validated(text: &str, values: &Map<String, Value>, describe: bool) -> Answer {
    let files = BTreeMap::from([(NAME, text)]);
    Host.validate(&SchemaRequest {
        files: &files,
        runtime: &api::Version::new(7, 0, 15),
        values,
        describe,
    })
}
