use super::*;
use api::agent::ProbeOutput;

#[test]
fn an_addon_without_topologies_has_one_with_everything_once() {
    let manifest: Manifest = serde_json::from_value(serde_json::json!({
        "apiVersion": API_VERSION, "kind": KIND, "name": "a", "version": "1.0.0",
        "runtimes": [{"version": "1.9.0", "image": "a:1"}, {"version": "1.10.0", "image": "a:2"}],
        "components": {"b": {}, "c": {}},
    }))
    .unwrap();
    let [topology] = &manifest.topologies()[..] else {
        panic!("one topology")
    };
    assert_eq!(
        manifest.topology_names(),
        std::slice::from_ref(&topology.name)
    );
    assert_eq!(topology.name.as_str(), DEFAULT_TOPOLOGY);
    let members = |c: &TopologyComponent| (c.min(), c.replicas(), c.max());
    assert!(
        topology
            .components
            .values()
            .all(|c| members(c) == (1, 1, 1))
    );
    assert_eq!(topology.components.len(), 2);
    let newest = manifest.runtime_versions()[0].clone();
    assert_eq!(newest.to_string(), "1.10.0");
    assert_eq!(
        manifest.runtime(&newest).map(|r| r.image.as_str()),
        Some("a:2")
    );
}

#[test]
fn a_probe_with_a_pattern_is_told_the_agent_so() {
    let probe: Probe = serde_json::from_value(serde_json::json!({
        "command": ["who"], "pattern": "is (\\w+)", "roles": {"master": "primary"}, "timeout": "1500ms",
    }))
    .unwrap();
    let component = Component {
        probe: Some(probe),
        ..Component::default()
    };
    let action = component.actions().unwrap().probe.unwrap();
    assert_eq!(
        (action.interval_millis, action.timeout_millis),
        (2000, 1500)
    );
    let ProbeOutput::Pattern { pattern, roles } = action.output else {
        panic!("a pattern")
    };
    assert_eq!(pattern, r"is (\w+)");
    assert_eq!(roles["master"], "primary");
}
