//! The plan of a Group: golden cases, and what holds whatever happens.
//!
//! A golden case is a directory `golden/group/<behaviour>/` with `observed.yaml`; the plan at
//! [`NOW`] stands beside it in `plan.snap`.

// Functions beside the tests fail as the tests do.
#![allow(clippy::panic, clippy::unwrap_used)]

use jiff::Timestamp;
use operator::group::{
    observe::Observed,
    plan::{Step, plan},
};
use std::{fs, path::Path};

/// The time of every golden case.
const NOW: &str = "2026-01-01T00:10:00Z";

fn check(case: &Path) {
    let text = fs::read_to_string(case.join("observed.yaml")).unwrap();
    let observed: Observed =
        serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", case.display()));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(case);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_input_file("observed.yaml");
    let now: Timestamp = NOW.parse().unwrap();
    settings.bind(|| insta::assert_yaml_snapshot!("plan", plan(&observed, now)));
}

#[test]
fn golden() {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/group");
    let mut cases: Vec<_> = fs::read_dir(all)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(cases.len() >= 20, "only {} golden cases", cases.len());
    let failed: Vec<_> = cases
        .iter()
        .filter(|case| std::panic::catch_unwind(|| check(case)).is_err())
        .collect();
    assert!(failed.is_empty(), "these differ: {failed:#?}");
}

#[test]
fn at_rest_nothing_is_done() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/group/at_rest");
    let text = fs::read_to_string(case.join("observed.yaml")).unwrap();
    let observed: Observed = serde_saphyr::from_str(&text).unwrap();
    let plan = plan(&observed, NOW.parse().unwrap());
    assert_eq!(plan.steps, Vec::<Step>::new());
    assert_eq!(plan.look_again, None);
}
