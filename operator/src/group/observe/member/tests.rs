//! Pods as a cluster shows them, and the members that they are.

use super::*;
use serde_json::{Value, json};

fn member(name: &str, metadata: &Value, status: &Value) -> Option<Member> {
    let mut pod = json!({
        "metadata": {
            "name": name,
            "uid": "u",
            "resourceVersion": "7",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {labels::ROLE: "replica", labels::VERSION: "1.0.0", labels::K8S_VERSION: "7.0.15"},
            "annotations": {labels::REVISION: "aaaaaaaa", labels::CONTENT_REVISION: "cccccccc"},
        },
        "spec": {"nodeName": "node1", "containers": []},
        "status": status,
    });
    merge(&mut pod["metadata"], metadata);
    Member::of("orders-redis-0", &serde_json::from_value(pod).unwrap())
}

fn merge(into: &mut Value, from: &Value) {
    for (key, value) in from.as_object().into_iter().flatten() {
        match &mut into[key] {
            Value::Object(fields) => fields.extend(value.as_object().cloned().unwrap_or_default()),
            other => *other = value.clone(),
        }
    }
}

fn second(status: &Value) -> Member {
    member("orders-redis-0-1", &json!({}), status).unwrap()
}

fn not_ready(at: &str, stuck: bool) -> Life {
    let since = at.parse().unwrap();
    Life::NotReady { since, stuck }
}

#[test]
fn a_ready_pod_has_no_message_and_says_what_it_was_made_from() {
    let ready =
        json!([{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:01:00Z"}]);
    let member = second(&json!({"phase": "Running", "conditions": ready}));
    assert_eq!((member.ordinal, member.life), (1, Life::Ready));
    assert_eq!(
        (&*member.revision, &*member.content_revision),
        ("aaaaaaaa", "cccccccc")
    );
    assert_eq!(
        (&*member.versions.plugin, &*member.versions.runtime),
        ("1.0.0", "7.0.15")
    );
    assert_eq!(member.role.unwrap().as_str(), "replica");
    assert_eq!(member.message, "");
}

#[test]
fn only_names_of_the_group_are_its_members() {
    let status = json!({"phase": "Pending"});
    for name in [
        "orders-redis-0",
        "orders-redis-0-x",
        "orders-redis-1-0",
        "orders-redis-0-1-2",
    ] {
        assert_eq!(member(name, &json!({}), &status), None, "{name}");
    }
}

#[test]
fn a_new_pod_is_not_ready_since_it_was_made() {
    let member = second(&json!({"phase": "Pending"}));
    assert_eq!(member.life, not_ready("2026-01-01T00:00:00Z", false));
    assert_eq!(member.message, "is starting");
}

#[test]
fn a_container_that_crashes_says_how_it_ended() {
    let member = second(&json!({"phase": "Running", "containerStatuses": [{
        "name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": "no such option\n"}},
    }]}));
    assert_eq!(member.life, not_ready("2026-01-01T00:00:00Z", true));
    assert_eq!(
        member.message,
        "container main: CrashLoopBackOff: back-off 40s (ended with 1, Error: no such option)"
    );
}

#[test]
fn an_ordinary_start_is_not_stuck() {
    let member = second(&json!({"phase": "Pending", "initContainerStatuses": [{
        "name": "paamesh-install", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 0, "reason": "Completed"}},
    }], "containerStatuses": [{
        "name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "PodInitializing"}},
    }]}));
    assert_eq!(member.life, not_ready("2026-01-01T00:00:00Z", false));
    assert_eq!(member.message, "is starting");
}

#[test]
fn a_pod_that_fits_nowhere_is_stuck() {
    let member = second(&json!({"phase": "Pending", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient memory.",
    }]}));
    assert_eq!(member.life, not_ready("2026-01-01T00:00:00Z", true));
    assert!(
        member.message.ends_with("3 Insufficient memory."),
        "{}",
        member.message
    );
}

#[test]
fn what_the_agent_observed_says_why_a_running_pod_is_not_ready() {
    let observed = json!({"healthy": false, "message": "replication link is down"}).to_string();
    let member = member(
        "orders-redis-0-1",
        &json!({"annotations": {labels::OBSERVED: observed}}),
        &json!({"phase": "Running", "conditions": [
            {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:02:00Z"},
        ]}),
    )
    .unwrap();
    assert_eq!(member.life, not_ready("2026-01-01T00:02:00Z", false));
    assert_eq!(member.message, "replication link is down");
}

#[test]
fn a_pod_that_ends_is_finished_unless_it_is_going_already() {
    let status = json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"});
    let ended = second(&status);
    let made = "2026-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(ended.life, Life::Finished { made });
    assert_eq!(ended.message, "Failed: Evicted: low on memory");
    let going = json!({"deletionTimestamp": "2026-01-01T00:03:00Z"});
    let going = member("orders-redis-0-1", &going, &status).unwrap();
    let until = "2026-01-01T00:03:00Z".parse().unwrap();
    assert_eq!(going.life, Life::Terminating { until });
    assert_eq!(going.message, "is terminating on node1");
}

#[test]
fn a_malformed_role_or_observation_is_none() {
    let labels =
        json!({"labels": {labels::ROLE: "Not A Role"}, "annotations": {labels::OBSERVED: "{"}});
    let member = member("orders-redis-0-1", &labels, &json!({"phase": "Running"})).unwrap();
    assert_eq!(member.role, None);
    assert_eq!(member.message, "is starting");
}
