//! What one evaluation costs: `cargo bench -p paamesh-evaluate`. The programs are compiled before; the
//! start of a child and of its program is a case of its own.

use divan::{Bencher, black_box};
use evaluate::{Host, Process, Settings};
use package::{Evaluate, RenderRequest, SchemaRequest};
use std::collections::BTreeMap;

#[path = "../tests/sandbox/hundred.rs"]
mod hundred;

const TEMPLATE: &str = "{% for name, port in ports %}port-{{ name }} {{ port }}\n{% endfor %}\
    maxmemory {{ memory | quantity | percent(of=75) }}\n{{ values | to_yaml }}\n";

fn main() {
    divan::main();
}

fn child() -> Process {
    Process::with(Settings {
        command: vec![env!("CARGO_BIN_EXE_paamesh-evaluate").into()],
        ..Settings::default()
    })
}

fn validate(bencher: Bencher<'_, '_>, evaluate: &dyn Evaluate, describe: bool) {
    let (schema, values) = (hundred::schema(), hundred::good());
    let files = BTreeMap::from([("hundred.cue", schema.as_str())]);
    let runtime = api::Version::new(16, 4, 0);
    let request = SchemaRequest {
        files: &files,
        runtime: &runtime,
        values: &values,
        describe,
    };
    assert!(evaluate.validate(&request).is_ok());
    bencher.bench_local(|| evaluate.validate(black_box(&request)));
}

fn render(bencher: Bencher<'_, '_>, evaluate: &dyn Evaluate) {
    let context = serde_json::json!({
        "ports": {"redis": 6379, "bus": 16379}, "memory": "1.5Gi",
        "values": {"a": [1, 2, 3], "b": {"c": "yes"}},
    });
    let templates = BTreeMap::from([("a.conf", TEMPLATE)]);
    let request = RenderRequest {
        templates: &templates,
        template: "a.conf",
        context: &context,
    };
    assert!(evaluate.render(&request).is_ok());
    bencher.bench_local(|| evaluate.render(black_box(&request)));
}

#[divan::bench]
fn validate_a_hundred_parameters_here(bencher: Bencher<'_, '_>) {
    validate(bencher, &Host, false);
}

#[divan::bench]
fn validate_a_hundred_parameters_in_a_child(bencher: Bencher<'_, '_>) {
    validate(bencher, &child(), false);
}

/// What the door and people ask: each parameter described, its default judged.
#[divan::bench]
fn describe_a_hundred_parameters_here(bencher: Bencher<'_, '_>) {
    validate(bencher, &Host, true);
}

#[divan::bench]
fn render_a_template_here(bencher: Bencher<'_, '_>) {
    render(bencher, &Host);
}

#[divan::bench]
fn render_a_template_in_a_child(bencher: Bencher<'_, '_>) {
    render(bencher, &child());
}

/// The start of a child, the load of its compiled program, and one validation.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn start_a_child_and_validate(bencher: Bencher<'_, '_>) {
    let values = serde_json::Map::new();
    let files = BTreeMap::from([("a.cue", "parameters: a: int | *1")]);
    let runtime = api::Version::new(16, 4, 0);
    let request = SchemaRequest {
        files: &files,
        runtime: &runtime,
        values: &values,
        describe: false,
    };
    bencher.bench_local(|| child().validate(black_box(&request)));
}
