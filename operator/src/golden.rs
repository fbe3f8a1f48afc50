//! Golden tests as data: every directory of `tests/golden/<area>/` is one behaviour, with what was
//! observed in `observed.yaml` and the plan in `plan.snap`.

use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;

/// Compares the plan of each behaviour of `area` with the one that was accepted.
pub(crate) fn check<O: DeserializeOwned, P: Serialize>(area: &str, plan: impl Fn(O) -> P) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(area);
    let mut behaviours: Vec<_> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    behaviours.sort();
    assert!(!behaviours.is_empty(), "no behaviour in {}", root.display());
    for directory in behaviours {
        let text = std::fs::read_to_string(directory.join("observed.yaml")).unwrap();
        let observed = serde_saphyr::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&directory);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_yaml_snapshot!("plan", plan(observed)));
    }
}

/// The golden test of one area.
macro_rules! golden {
    ($area:literal, $Observed:ty, $plan:expr) => {
        #[test]
        fn plans_are_the_accepted_ones() {
            crate::golden::check::<$Observed, _>($area, $plan);
        }
    };
}
pub(crate) use golden;
