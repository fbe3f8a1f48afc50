//! What happens to an App and its pods while it moves. Pure.

use super::voice::Tone;
use crate::output::count;
use api::{App, conditions::READY, labels};
use k8s_openapi::api::core::v1::{ContainerState, Pod};
use kube::ResourceExt as _;
use std::collections::BTreeMap;

/// What can be seen at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The App's phase and why it is not Ready.
    app: String,
    pods: BTreeMap<String, Member>,
}

/// One pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Member {
    uid: String,
    ready: bool,
    ending: bool,
    restarts: i32,
    /// Why a container does not run, such as `ImagePullBackOff: …`.
    trouble: Option<String>,
    /// The revisions of scripts and configuration that it is to run.
    revisions: Vec<String>,
}

impl Seen {
    /// What the objects show.
    pub(super) fn of(app: &App, pods: &[Pod]) -> Self {
        let pods = pods.iter().map(|pod| (pod.name_any(), Member::of(pod)));
        Self {
            app: said(app),
            pods: pods.collect(),
        }
    }
}

/// What the App says of itself, where it is not simply well.
fn said(app: &App) -> String {
    let Some(status) = &app.status else {
        return String::new();
    };
    let ready = status.conditions.iter().find(|c| c.type_ == READY);
    let phase = status
        .phase
        .map(|phase| format!("{phase:?}"))
        .unwrap_or_default();
    match ready {
        Some(ready) if ready.status != "True" && !ready.message.is_empty() => {
            format!("{phase}: {}", ready.message)
        }
        _ => phase,
    }
}

impl Member {
    fn of(pod: &Pod) -> Self {
        let status = pod.status.clone().unwrap_or_default();
        let conditions = status.conditions.unwrap_or_default();
        let containers = status.container_statuses.unwrap_or_default();
        let init = status.init_container_statuses.unwrap_or_default();
        let states = init
            .iter()
            .chain(&containers)
            .filter_map(|c| c.state.as_ref());
        let revision = |key: &str| {
            pod.annotations()
                .get(key)
                .or(pod.labels().get(key))
                .cloned()
        };
        let keys = [labels::CONTENT_REVISION, labels::CONFIG_REVISION];
        Self {
            uid: pod.uid().unwrap_or_default(),
            ready: conditions
                .iter()
                .any(|c| c.type_ == "Ready" && c.status == "True"),
            ending: pod.metadata.deletion_timestamp.is_some(),
            restarts: containers.iter().map(|c| c.restart_count).sum(),
            trouble: states.filter_map(trouble).next(),
            revisions: keys.into_iter().filter_map(revision).collect(),
        }
    }
}

/// Why a container does not run; that it begins to is no trouble.
fn trouble(state: &ContainerState) -> Option<String> {
    let waiting = state.waiting.as_ref()?;
    let reason = waiting.reason.clone().unwrap_or_default();
    let usual = matches!(
        reason.as_str(),
        "" | "ContainerCreating" | "PodInitializing"
    );
    let message = waiting.message.clone().unwrap_or_default();
    (!usual).then(|| format!("{reason}: {message}"))
}

/// What changed from `before` to `after`, in order of pods; the App last.
pub(super) fn changes(before: &Seen, after: &Seen) -> Vec<(Tone, String)> {
    let mut lines = Vec::new();
    for (name, now) in &after.pods {
        let was = before.pods.get(name);
        lines.extend(
            of_pod(was, now)
                .into_iter()
                .map(|(tone, what)| (tone, format!("{name} {what}"))),
        );
    }
    for name in before
        .pods
        .keys()
        .filter(|name| !after.pods.contains_key(*name))
    {
        lines.push((Tone::Plain, format!("{name} is gone")));
    }
    if before.app != after.app && !after.app.is_empty() {
        lines.push((Tone::Plain, format!("the App: {}", after.app)));
    }
    lines
}

fn of_pod(was: Option<&Member>, now: &Member) -> Vec<(Tone, String)> {
    let plain = |what: &str| (Tone::Plain, what.to_owned());
    let mut lines = Vec::new();
    let old = was.filter(|was| was.uid == now.uid);
    match (was, old) {
        (None, _) => lines.push(plain("is created")),
        (Some(_), None) => lines.push(plain("is created anew")),
        (_, Some(old)) if !old.ending && now.ending => {
            lines.push(plain("ends, to be created anew"));
        }
        (_, Some(old)) if old.restarts < now.restarts => lines.push(plain("restarts in its place")),
        (_, Some(old)) if old.revisions != now.revisions => {
            lines.push(plain("takes new files in its place, without a restart"));
        }
        _ => {}
    }
    let was_trouble = old.and_then(|old| old.trouble.as_ref());
    if let Some(trouble) = now.trouble.as_ref().filter(|now| Some(*now) != was_trouble) {
        lines.push((Tone::Bad, format!("waits, {trouble}")));
    }
    let was_ready = old.is_some_and(|old| old.ready);
    match (was_ready, now.ready) {
        (false, true) => lines.push((Tone::Good, "is ready".to_owned())),
        (true, false) if !now.ending => lines.push(plain("is not ready")),
        _ => {}
    }
    lines
}

/// `1 pod created anew, 2 left as they were`
pub(super) fn summary(before: &Seen, after: &Seen) -> String {
    let same = |(name, now): (&String, &Member)| {
        let was = before.pods.get(name);
        was.is_some_and(|was| was.uid == now.uid && was.restarts == now.restarts)
    };
    let left = after.pods.iter().filter(|pod| same(*pod)).count();
    let restarted = after.pods.iter().filter(|(name, now)| {
        let was = before.pods.get(*name);
        was.is_some_and(|was| was.uid == now.uid && was.restarts < now.restarts)
    });
    let restarted = restarted.count();
    let made = after.pods.len() - left - restarted;
    let mut words = Vec::new();
    if made > 0 {
        words.push(format!("{} created", count(made, "pod")));
    }
    if restarted > 0 {
        words.push(format!("{} restarted in place", count(restarted, "pod")));
    }
    match (left, words.is_empty()) {
        (0, true) => "no pod was seen".to_owned(),
        (0, false) => words.join(", "),
        (left, true) => format!("no pod restarted, {left} left as they were"),
        (left, false) => format!("{}, {left} left as they were", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str, uid: &str, ready: bool, more: serde_json::Value) -> Pod {
        let ready = if ready { "True" } else { "False" };
        let mut pod = json!({
            "metadata": {"name": name, "uid": uid},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        });
        merge(&mut pod, more);
        serde_json::from_value(pod).unwrap()
    }

    fn merge(into: &mut serde_json::Value, more: serde_json::Value) {
        match (into, more) {
            (serde_json::Value::Object(into), serde_json::Value::Object(more)) => {
                for (key, value) in more {
                    merge(into.entry(key).or_insert(json!({})), value);
                }
            }
            (into, more) => *into = more,
        }
    }

    fn app(phase: &str, ready: &str, message: &str) -> App {
        let time = "2026-01-01T00:00:00Z";
        serde_json::from_value(json!({
            "metadata": {"name": "cache"},
            "spec": {"plugin": "redis", "pluginVersion": "1.0.0"},
            "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready,
                "reason": phase, "message": message, "lastTransitionTime": time}]},
        }))
        .unwrap()
    }

    fn told(before: &Seen, after: &Seen) -> Vec<String> {
        changes(before, after)
            .into_iter()
            .map(|(_, line)| line)
            .collect()
    }

    #[test]
    fn a_rollout_is_told_pod_by_pod() {
        let running = app("Running", "True", "");
        let rolling = app("Upgrading", "False", "1 of 2 members are of 1.0.1");
        let deleted = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        let at = |app: &App, pods: &[Pod]| Seen::of(app, pods);
        let first = at(
            &running,
            &[
                pod("a-0", "1", true, json!({})),
                pod("a-1", "2", true, json!({})),
            ],
        );
        let second = at(
            &rolling,
            &[
                pod("a-0", "1", true, json!({})),
                pod("a-1", "2", true, deleted),
            ],
        );
        let third = at(
            &rolling,
            &[
                pod("a-0", "1", true, json!({})),
                pod("a-1", "3", false, json!({})),
            ],
        );
        let last = at(
            &running,
            &[
                pod("a-0", "1", true, json!({})),
                pod("a-1", "3", true, json!({})),
            ],
        );
        assert_eq!(
            told(&first, &second),
            [
                "a-1 ends, to be created anew",
                "the App: Upgrading: 1 of 2 members are of 1.0.1"
            ]
        );
        assert_eq!(told(&second, &third), ["a-1 is created anew"]);
        assert_eq!(told(&third, &last), ["a-1 is ready", "the App: Running"]);
        assert_eq!(told(&last, &last), Vec::<String>::new());
        assert_eq!(summary(&first, &last), "1 pod created, 1 left as they were");
        assert_eq!(
            summary(&first, &first),
            "no pod restarted, 2 left as they were"
        );
    }

    #[test]
    fn what_needs_no_new_pod_is_told_apart() {
        let app = app("Running", "True", "");
        let with = |more| Seen::of(&app, &[pod("a-0", "1", true, more)]);
        let files = json!({"metadata": {"annotations": {"middleware.io/content-revision": "x"}}});
        assert_eq!(
            told(&with(json!({})), &with(files)),
            ["a-0 takes new files in its place, without a restart"]
        );
        let status = |restarts: i32| {
            json!({"status": {"containerStatuses": [{"name": "main", "image": "x", "imageID": "",
                "ready": true, "restartCount": restarts}]}})
        };
        let (before, after) = (with(status(0)), with(status(1)));
        assert_eq!(told(&before, &after), ["a-0 restarts in its place"]);
        assert_eq!(summary(&before, &after), "1 pod restarted in place");
    }

    #[test]
    fn why_a_pod_does_not_run_is_told_once() {
        let app = app("Creating", "False", "");
        let waits = |reason: &str| {
            json!({"status": {"containerStatuses": [{"name": "main", "image": "x", "imageID": "",
                "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": reason, "message": "no such image"}}}]}})
        };
        let with = |reason| Seen::of(&app, &[pod("a-0", "1", false, waits(reason))]);
        assert_eq!(
            told(&with("ContainerCreating"), &with("PodInitializing")),
            Vec::<String>::new()
        );
        let pull = with("ImagePullBackOff");
        assert_eq!(
            told(&with("ContainerCreating"), &pull),
            ["a-0 waits, ImagePullBackOff: no such image"]
        );
        assert_eq!(told(&pull, &pull), Vec::<String>::new());
    }
}
