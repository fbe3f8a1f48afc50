use super::*;

/// A request to CUE's program, one that fills its memory, and one to Tera's.
const SCHEMA: &str = r#"{"files": {"a.cue": "parameters: {a: int | *1, b: string | *\"x\"}"},
    "runtime": {"version": "1.0.0", "major": 1}, "values": {"a": 2}}"#;
const HOSTILE: &str = r#"{"files": {"a.cue": "import \"strings\"\nparameters: x: strings.Repeat(\"0123456789\", 5000000)"}}"#;
const TEMPLATE: &str =
    r#"{"templates": {"a": "{{ x }}"}, "template": "a", "context": {"x": 1}, "most": 100}"#;

fn ran(program: Program, request: &str) -> (Result<Vec<u8>, Stopped>, u64) {
    let ran = run(program, request.as_bytes()).unwrap();
    (ran.answer, ran.fuel)
}

#[test]
fn every_run_begins_in_the_same_state() {
    for (program, request) in [(Program::Cue, SCHEMA), (Program::Templates, TEMPLATE)] {
        let first = ran(program, request);
        assert!(first.0.is_ok(), "{first:?}");
        // After good ones, hostile ones and none at all, it takes the same steps to the same answer.
        for other in [request, HOSTILE, "{", ""] {
            let _ = ran(program, other);
            assert_eq!(ran(program, request), first, "after {other}");
        }
    }
}

#[test]
fn cue_is_there_as_it_was_after_its_start() {
    let module = loaded(Program::Cue).unwrap().module();
    let exports: Vec<&str> = module.exports().map(|export| export.name()).collect();
    // Nothing that starts it again.
    assert_eq!(exports, ["evaluate", "memory"]);
    // The start alone took ten times that.
    let (_, left) = ran(Program::Cue, SCHEMA);
    let taken = Program::Cue.limits().fuel - left;
    assert!(taken < 10_000_000, "{taken}");
}
