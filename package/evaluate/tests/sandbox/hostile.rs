//! Schemas and templates that are meant to harm: each is stopped by what is counted, the same way every
//! time, and what comes after it is evaluated as if it had not been there.

use crate::schema::answer_to;
use evaluate::Host;
use package::{EvaluateError, RenderRequest};
use serde_json::json;
use std::{collections::BTreeMap, fmt::Write as _};

/// The most characters of an answer that a snapshot shows.
const SHOWN: usize = 160;

fn schemas() -> Vec<(&'static str, String)> {
    let mut laughs = "a0: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n".to_owned();
    let mut choices = String::new();
    let mut doubled = "s0: \"0123456789\"\n".to_owned();
    for n in 1..12 {
        let last = n - 1;
        writeln!(
            laughs,
            "a{n}: [for x in a{last} for y in a{last} {{[x, y]}}]"
        )
        .unwrap();
        writeln!(choices, "c{n}: {{x{n}: 1 | 2 | 3 | 4}}").unwrap();
    }
    for n in 1..40 {
        writeln!(doubled, "s{n}: \"\\(s{})\\(s{})\"", n - 1, n - 1).unwrap();
    }
    let all: Vec<String> = (1..12).map(|n| format!("c{n}")).collect();
    let all = all.join(" & ");
    let braces = "{a: ".repeat(20_000);
    vec![
        ("lists of lists", format!("{laughs}parameters: x: a11")),
        ("products of choices", format!("{choices}parameters: x: ({all}) & ({{x1: 1}} | {{x1: 2}}) & (c1 | c2 | c3 | c4) & (c5 | c6 | c7 | c8) & (c9 | c10 | c11)")),
        ("a long comprehension", "import \"list\"\nparameters: x: [for i in list.Range(0, 100000000, 1) {i}]".to_owned()),
        ("deep brackets", format!("parameters: x: {}1{}", "[".repeat(20_000), "]".repeat(20_000))),
        ("deep structs", format!("parameters: x: {braces}1{}", "}".repeat(20_000))),
        ("deep parentheses", format!("parameters: x: {}1{}", "(".repeat(20_000), ")".repeat(20_000))),
        ("a list repeated", "import \"list\"\nparameters: x: list.Repeat([1], 1000000000)".to_owned()),
        ("a text repeated", "import \"strings\"\nparameters: x: strings.Repeat(\"abc\", 10000000000)".to_owned()),
        ("a text doubled", format!("{doubled}parameters: x: s39")),
        ("a huge power", "import \"math\"\nparameters: x: math.Pow(10, 1000000000)".to_owned()),
        ("a huge exponent", "parameters: x: 1e999999999 * 1e999999999".to_owned()),
        ("a struct in itself", "#A: {next: #A}\nparameters: x: #A".to_owned()),
        ("a regular expression", "parameters: x: =~\"((((a{1,100}){1,100}){1,100}){1,100})$\" & \"aaaaaaaaaaaaaaaaaaaaaaab\"".to_owned()),
        ("a file", "@extern(embed)\nparameters: x: _ @embed(file=\"/etc/passwd\", type=text)".to_owned()),
        ("a program", "import \"tool/exec\"\nparameters: x: exec.Run & {cmd: \"id\"}".to_owned()),
        ("values in a circle", "parameters: {x: y + 1, y: x + 1}".to_owned()),
        ("a million fields", "import \"list\"\nparameters: {for i in list.Range(0, 1000000, 1) {\"p\\(i)\": int | *i}}".to_owned()),
    ]
}

fn templates() -> Vec<(&'static str, String)> {
    let times = "{% for i in range(end=100000) %}".repeat(6);
    let ends = "{% endfor %}".repeat(6);
    let doubled = "{% set s = s ~ s %}".repeat(40);
    vec![
        ("nested loops", format!("{times}{ends}")),
        (
            "a text doubled",
            format!("{{% set s = \"0123456789\" %}}{doubled}{{{{ s }}}}"),
        ),
        (
            "a long text",
            "{% for i in range(end=100000) %}0123456789012345{% endfor %}".to_owned(),
        ),
        (
            "a template in itself",
            "{% include \"a.conf\" %}".to_owned(),
        ),
        (
            "deep parentheses",
            format!("{{{{ {}1{} }}}}", "(".repeat(20_000), ")".repeat(20_000)),
        ),
        (
            "deep blocks",
            format!(
                "{}{}",
                "{% if true %}".repeat(20_000),
                "{% endif %}".repeat(20_000)
            ),
        ),
        (
            "deep lists",
            format!("{{{{ {}1{} }}}}", "[".repeat(20_000), "]".repeat(20_000)),
        ),
        (
            "a long chain",
            format!("{{{{ 1 {} }}}}", "+ 1 ".repeat(100_000)),
        ),
    ]
}

/// The text of the template `a.conf`, or what is said of it.
pub fn rendered(evaluate: &dyn package::Evaluate, template: &str) -> String {
    let templates = BTreeMap::from([("a.conf", template)]);
    let request = RenderRequest {
        templates: &templates,
        template: "a.conf",
        context: &json!({"port": 1, "map": {"b": [1, "yes"], "a": 1.5}}),
    };
    match evaluate.render(&request) {
        Ok(text) => text,
        Err(EvaluateError::Refused(finding)) => finding.to_string(),
        Err(EvaluateError::Unavailable { reason }) => panic!("no verdict: {reason}"),
    }
}

fn shown(said: &str) -> String {
    let line = said.replace('\n', " ");
    let mut shown: String = line.chars().take(SHOWN).collect();
    if line.chars().count() > SHOWN {
        shown.push('…');
    }
    shown
}

#[test]
fn hostile_schemas_are_survived() {
    let good = answer_to(&Host, "parameters: a: int | *1");
    let mut said = String::new();
    for (name, schema) in schemas() {
        writeln!(said, "{name}: {}", shown(&answer_to(&Host, &schema))).unwrap();
        assert_eq!(
            answer_to(&Host, "parameters: a: int | *1"),
            good,
            "after {name}"
        );
    }
    insta::assert_snapshot!(said);
}

#[test]
fn hostile_templates_are_survived() {
    let mut said = String::new();
    for (name, template) in templates() {
        writeln!(said, "{name}: {}", shown(&rendered(&Host, &template))).unwrap();
        assert_eq!(rendered(&Host, "{{ port }}"), "1", "after {name}");
    }
    insta::assert_snapshot!(said);
}
