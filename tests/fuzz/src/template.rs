//! Templates: the same text or the same fault each time, within bounds; what is no template comes out
//! as it went in; a fault has a place in a file that there is.

use crate::{Corpus, Target, ensure, shape};
use arbitrary::{Result, Unstructured};
use evaluate::Host;
use package::{
    Evaluate as _, EvaluateError, RenderRequest,
    evaluate::MAX_OUTPUT_BYTES,
    tree::{MAX_FILE_BYTES, TEMPLATES_PREFIX},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::LazyLock};

pub(crate) const TARGET: Target = Target {
    name: "template",
    make,
    check: holds,
    words,
    more: Vec::new,
};

const NAME: &str = "main.conf";
const INCLUDED: (&str, &str) = ("part.conf", "part of {{ app.name }}\n");

/// What a template may refer to, as the shipped addons do.
static CONTEXT: LazyLock<Value> = LazyLock::new(|| {
    let component = json!({
        "name": "redis", "fullName": "shop-redis", "group": "shop-redis-0", "replicas": 3,
        "leader": "shop-redis-0-0.shop-redis-0-h", "ports": {"redis": 6379},
        "resources": {"requests": {"cpu": "50m"}, "limits": {"memory": "256Mi"}},
        "volumes": {"data": {"mountPath": "/data", "size": "1Gi"}},
        "parameters": {"maxmemory-policy": "noeviction", "timeout": 0, "save": true, "ratio": 0.1},
    });
    json!({
        "app": {"name": "shop", "namespace": "default"},
        "addon": {"name": "redis", "version": "2.0.0"},
        "runtime": {"version": "7.0.15"},
        "topology": "replication", "profile": null,
        "values": {"list": [1, "two", null], "text": "yes", "014": "0o14", "deep": {"er": {"est": [[]]}}},
        "component": component, "components": {"redis": component},
    })
});

const WORDS: [&str; 58] = [
    "{{ app.name }}",
    "{{ ",
    " }}",
    "{% ",
    " %}",
    "{%- ",
    " -%}",
    "{# ",
    " #}",
    "{% if topology %}",
    "{% else %}",
    "{% elif ",
    "{% endif %}",
    "{% for x in values.list %}",
    "{% for k, v in component.ports %}",
    "{% for i in range(end=9) %}",
    "{% endfor %}",
    "{% set x = 1 %}",
    "{% set_global x = x ~ x %}",
    "{% raw %}",
    "{% endraw %}",
    "{% include \"part.conf\" %}",
    "{% include \"main.conf\" %}",
    "{% break %}",
    "{% continue %}",
    "{% filter upper %}",
    "{% endfilter %}",
    "{% block a %}",
    "{% extends \"part.conf\" %}",
    "{{ loop.index }}",
    "component.ports.redis",
    "values.list",
    "values.deep.er",
    "runtime.version",
    "component.resources.limits.memory",
    " | quantity",
    " | percent(of=75)",
    " | quote",
    " | to_yaml",
    " | to_json",
    " | indent(width=2)",
    " | default(value=1)",
    " | int",
    " | join(sep=\",\")",
    " | length",
    " | upper",
    " | millis",
    " | mebibytes",
    " is defined",
    " and ",
    " or ",
    " not ",
    " in ",
    " ~ ",
    " + 1",
    " * 99999999999",
    "\"a\"",
    "[1, 2]",
];

fn words() -> Vec<String> {
    WORDS
        .into_iter()
        .chain(shape::SCALARS)
        .map(str::to_owned)
        .collect()
}

/// Balanced tags around words.
fn make(u: &mut Unstructured<'_>, _: &Corpus) -> Result<Vec<u8>> {
    let mut text = String::new();
    block(u, &mut text, 0)?;
    Ok(text.into_bytes())
}

fn block(u: &mut Unstructured<'_>, text: &mut String, depth: usize) -> Result<()> {
    for _ in 0..u.int_in_range(1..=4)? {
        match u.int_in_range(0..=7)? {
            0 | 1 => text.push_str(
                u.choose(&["port ", "dir ", "\n", "# é\n", "a: b\n", "{ }", "\r\n", "%"])?,
            ),
            2 | 3 => {
                let value = value(u)?;
                text.push_str(&format!("{{{{ {value} }}}}"));
            }
            4 if depth < 4 => {
                let value = value(u)?;
                text.push_str(&format!("{{% if {value} %}}"));
                block(u, text, depth + 1)?;
                text.push_str("{% endif %}");
            }
            5 if depth < 4 => {
                let of = u.choose(&[
                    "values.list",
                    "range(end=3)",
                    "component.ports",
                    "range(end=300)",
                    "\"text\"",
                ])?;
                text.push_str(&format!("{{% for x in {of} %}}"));
                block(u, text, depth + 1)?;
                text.push_str("{% endfor %}");
            }
            6 => text.push_str("{% include \"part.conf\" %}"),
            _ => text.push_str(u.choose(&WORDS)?),
        }
    }
    Ok(())
}

fn value(u: &mut Unstructured<'_>) -> Result<String> {
    let mut value = (*u.choose(&[
        "app.name",
        "component.ports.redis",
        "component.resources.limits.memory",
        "component.replicas",
        "values",
        "values.list",
        "components",
        "profile",
        "1",
        "\"x\"",
        "x",
        "component.parameters.ratio",
        "nope",
    ])?)
    .to_owned();
    for _ in 0..u.int_in_range(0..=2)? {
        value.push_str(u.choose(&WORDS[35..])?);
    }
    Ok(value)
}

fn holds(input: &[u8]) -> std::result::Result<(), String> {
    let Some(text) = std::str::from_utf8(input)
        .ok()
        .filter(|text| text.len() <= MAX_FILE_BYTES)
    else {
        return Ok(()); // The tree's matter, and the check's.
    };
    let first = rendered(text);
    ensure!(first == rendered(text), "two answers to one request");
    match &first {
        Ok(output) => {
            ensure!(
                output.len() <= MAX_OUTPUT_BYTES,
                "{} bytes of output",
                output.len()
            );
            if !text.contains('{') {
                ensure!(output == text, "what is no template changed: {output:?}");
            }
            // Literal text before it comes out before it, and changes nothing else.
            let before = "# before\n.";
            if output.len() + before.len() < MAX_OUTPUT_BYTES && !text.contains("extends") {
                let longer = rendered(&format!("{before}{text}"));
                let wanted = format!("{before}{output}");
                ensure!(
                    longer.as_ref() == Ok(&wanted),
                    "with text before it: {longer:?}"
                );
            }
            Ok(())
        }
        Err(EvaluateError::Unavailable { reason }) => Err(format!("no verdict: {reason}")),
        Err(EvaluateError::Refused(finding)) => {
            let said = finding.to_string();
            ensure!(!finding.message.trim().is_empty(), "an empty message");
            let name = finding.file.strip_prefix(TEMPLATES_PREFIX);
            let known = [(NAME, text), INCLUDED]
                .into_iter()
                .find(|(file, _)| Some(*file) == name);
            let Some((_, text)) = known else {
                return Err(format!("no such file: {said}"));
            };
            let lines = text.split('\n').count();
            ensure!(
                finding
                    .line
                    .is_none_or(|line| (1..=lines).contains(&(line as usize))),
                "no such line of {lines}: {said}"
            );
            for of_ours in ["wasm", "panicked", ".rs:", "backtrace"] {
                ensure!(
                    !finding.message.contains(of_ours) || text.contains(of_ours),
                    "our own words: {said}"
                );
            }
            Ok(())
        }
    }
}

fn rendered(text: &str) -> std::result::Result<String, EvaluateError> {
    let templates = BTreeMap::from([(NAME, text), INCLUDED]);
    Host.render(&RenderRequest {
        templates: &templates,
        template: NAME,
        context: &CONTEXT,
    })
}
