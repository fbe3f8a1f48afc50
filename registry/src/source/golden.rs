//! Golden tests as data: every directory of `tests/golden/source/` is one behaviour, with what was
//! observed in `observed.yaml`, and the plan and what is said in `plan.snap`.

use super::{Observed, Plan, act::Acted, plan, status};
use jiff::Timestamp;
use serde::Serialize;
use std::path::Path;

/// What a person sees at the end, beside the plan itself.
#[derive(Serialize)]
struct Seen {
    plan: Plan,
    status: Option<api::AddonSourceStatus>,
}

#[test]
fn plans_are_the_accepted_ones() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/source");
    let entries = std::fs::read_dir(&root).unwrap();
    let mut behaviours: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    behaviours.sort();
    assert!(!behaviours.is_empty());
    for directory in behaviours {
        let text = std::fs::read_to_string(directory.join("observed.yaml")).unwrap();
        let observed: Observed = serde_saphyr::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let plan = plan(&observed);
        assert_eq!(plan, super::plan(&observed), "the same again");
        let status =
            (!plan.quiet).then(|| status::status(&observed, &plan, &Acted::default(), now));
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&directory);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_yaml_snapshot!("plan", Seen { plan, status }));
    }
}
