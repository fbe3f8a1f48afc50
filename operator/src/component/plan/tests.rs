//! Plans as data, and what several plans in a row come to.

use super::*;
use crate::apply::hash;
use serde_json::json;

crate::golden::golden!("component", Observed, |observed| plan(&observed).unwrap());

/// A component whose configuration is `config`, rendered from inputs that restart pods where they
/// change, and from others; `live` is what there is.
fn observed(config: &str, restarts: Option<&str>, live: Option<&Group>) -> Observed {
    let text =
        include_str!("../../../tests/golden/component/made_for_the_first_time/observed.yaml");
    let mut observed: Observed = serde_saphyr::from_str(text).unwrap();
    let Rendering::Done(rendered) = &mut observed.rendering else {
        panic!("rendered")
    };
    rendered.config = [("redis.conf".to_owned(), config.to_owned())].into();
    rendered.restart_inputs = restarts.map(str::to_owned);
    observed.inputs = hash(&json!([config, restarts]));
    observed.group = live.cloned();
    observed
}

fn group(observed: &Observed) -> Group {
    *plan(observed).unwrap().children.unwrap().group
}

#[test]
fn parameters_that_take_effect_by_a_reload_make_no_pod_again() {
    let first = group(&observed("a", Some("r"), None));
    let second = group(&observed("b", Some("r"), Some(&first)));
    assert_eq!(second.spec.revision, first.spec.revision);
    assert_ne!(second.spec.config_revision, first.spec.config_revision);
    let third = group(&observed("c", Some("r"), Some(&second)));
    assert_eq!(third.spec.revision, first.spec.revision);
    let unchanged = group(&observed("c", Some("r"), Some(&third)));
    assert_eq!(
        (&unchanged.spec, &unchanged.metadata),
        (&third.spec, &third.metadata)
    );
    let back = group(&observed("a", Some("r"), Some(&third)));
    assert_eq!(back.spec, first.spec);
}

#[test]
fn everything_else_that_changes_the_configuration_makes_pods_again() {
    let first = group(&observed("a", Some("r"), None));
    let reloaded = group(&observed("b", Some("r"), Some(&first)));
    let restarted = group(&observed("c", Some("s"), Some(&reloaded)));
    assert_ne!(restarted.spec.revision, first.spec.revision);
    // The same pods, had they been made with this configuration from the beginning.
    let fresh = group(&observed("c", Some("s"), None));
    assert_eq!(restarted.spec, fresh.spec);
    assert!(
        !restarted
            .annotations()
            .contains_key(labels::RESTART_REVISION)
    );
}

#[test]
fn without_a_reload_action_every_other_configuration_makes_pods_again() {
    let first = group(&observed("a", None, None));
    let second = group(&observed("b", None, Some(&first)));
    assert_ne!(second.spec.revision, first.spec.revision);
    assert!(!second.annotations().contains_key(labels::RESTART_INPUTS));
}

#[test]
fn other_inputs_with_the_same_files_make_no_pod_again() {
    let first = group(&observed("a", Some("r"), None));
    let reloaded = group(&observed("b", Some("r"), Some(&first)));
    let same = group(&observed("b", Some("s"), Some(&reloaded)));
    assert_eq!(same.spec, reloaded.spec);
    // From here on these are the inputs that count.
    let next = group(&observed("c", Some("s"), Some(&same)));
    assert_eq!(next.spec.revision, first.spec.revision);
}
