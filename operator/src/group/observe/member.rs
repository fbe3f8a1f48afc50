//! One pod of a Group, and how it is.
//!
//! In: a pod as the cache holds it. Out: [`Member`]: which revision it was made from, and one of four
//! lives. The revision is read from the pod's own annotation, never from its spec, which admission
//! may have changed.

use super::Versions;
use crate::group::cache::Pod;
use api::{labels, names::RoleName, probe};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, PodStatus};
use kube::ResourceExt as _;
use serde::{Deserialize, Serialize};

/// A pod of the Group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// Its ordinal.
    pub ordinal: u32,
    /// Which pod of that name it is.
    pub uid: String,
    /// At which version it was seen.
    pub resource_version: String,
    /// The revision that it was made from.
    pub revision: String,
    /// The revision of scripts and actions that it runs.
    pub content_revision: String,
    /// The revision of the configuration files that it runs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub config_revision: String,
    /// The versions in its labels.
    #[serde(default)]
    pub versions: Versions,
    /// The role that its agent says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// How it is.
    pub life: Life,
    /// Why it is not ready, for people; empty while it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// How a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Life {
    /// It serves.
    Ready,
    /// It does not serve yet, or no longer.
    NotReady {
        /// Since when.
        since: Timestamp,
        /// Whether the kubelet or the scheduler says that it gets nowhere.
        #[serde(default, skip_serializing_if = "super::is_false")]
        stuck: bool,
    },
    /// It is asked to go, and is there until its node says that it ended.
    Terminating {
        /// When its grace ends.
        until: Timestamp,
    },
    /// It ended and does not start again: Failed, Succeeded or evicted.
    Finished {
        /// When it was made.
        made: Timestamp,
    },
}

/// What a container waits for while it gets nowhere.
const STUCK: [&str; 8] = [
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "RunContainerError",
];

/// The most bytes of a member's message.
const MAX_MESSAGE: usize = 1000;

impl Member {
    /// The pod as a member of the Group of that name; `None` where its name is not of the Group.
    pub(in crate::group) fn of(group: &str, pod: &Pod) -> Option<Self> {
        let name = pod.name_any();
        let ordinal = name.strip_prefix(group)?.strip_prefix('-')?.parse().ok()?;
        let annotation = |key: &str| pod.annotations().get(key).cloned().unwrap_or_default();
        let label = |key: &str| pod.labels().get(key).cloned().unwrap_or_default();
        let (life, message) = life(pod);
        Some(Self {
            ordinal,
            uid: pod.uid().unwrap_or_default(),
            resource_version: pod.resource_version().unwrap_or_default(),
            revision: annotation(labels::REVISION),
            content_revision: annotation(labels::CONTENT_REVISION),
            config_revision: annotation(labels::CONFIG_REVISION),
            versions: Versions {
                plugin: label(labels::VERSION),
                runtime: label(labels::K8S_VERSION),
            },
            role: label(labels::ROLE).parse().ok(),
            life,
            message: cut(message),
        })
    }

    /// Whether it serves.
    pub fn is_ready(&self) -> bool {
        self.life == Life::Ready
    }

    /// Whether it is on its way out.
    pub fn is_terminating(&self) -> bool {
        matches!(self.life, Life::Terminating { .. })
    }

    /// Whether it is there, ready or not, and stays.
    pub fn is_alive(&self) -> bool {
        matches!(self.life, Life::Ready | Life::NotReady { .. })
    }
}

fn life(pod: &Pod) -> (Life, String) {
    let empty = PodStatus::default();
    let status = pod.status.as_ref().unwrap_or(&empty);
    if let Some(until) = &pod.metadata.deletion_timestamp {
        let node = pod.node_name().unwrap_or("no node");
        return (
            Life::Terminating { until: until.0 },
            format!("is terminating on {node}"),
        );
    }
    let phase = status.phase.as_deref().unwrap_or("Pending");
    let made = pod.metadata.creation_timestamp.as_ref().map(|t| t.0);
    if matches!(phase, "Failed" | "Succeeded") {
        let made = made.unwrap_or_default();
        return (Life::Finished { made }, finished(phase, status));
    }
    match condition(status, "Ready") {
        Some(("True", _)) => (Life::Ready, String::new()),
        other => {
            let since = other.and_then(|(_, since)| since).or(made);
            let (stuck, message) = trouble(pod, status);
            let since = since.unwrap_or_default();
            (Life::NotReady { since, stuck }, message)
        }
    }
}

fn condition<'a>(status: &'a PodStatus, type_: &str) -> Option<(&'a str, Option<Timestamp>)> {
    let found = status
        .conditions
        .iter()
        .flatten()
        .find(|c| c.type_ == type_)?;
    let since = found.last_transition_time.as_ref().map(|t| t.0);
    Some((&found.status, since))
}

fn finished(phase: &str, status: &PodStatus) -> String {
    let said = [status.reason.as_deref(), status.message.as_deref()];
    let said: Vec<&str> = said.into_iter().flatten().collect();
    match said.is_empty() {
        true => phase.to_owned(),
        false => format!("{phase}: {}", said.join(": ")),
    }
}

/// Whether the pod gets nowhere, and why it is not ready: what the scheduler, the kubelet or the
/// member's own agent says, in this order.
fn trouble(pod: &Pod, status: &PodStatus) -> (bool, String) {
    if let Some(message) = unscheduled(status) {
        return (true, message);
    }
    if let Some(message) = containers(status).find_map(waiting) {
        return (true, message);
    }
    let ended = containers(status).find_map(ended);
    let said = ended.or_else(|| observed(pod));
    (false, said.unwrap_or_else(|| "is starting".to_owned()))
}

fn unscheduled(status: &PodStatus) -> Option<String> {
    let conditions = status.conditions.as_deref().unwrap_or_default();
    let found = conditions.iter().find(|c| {
        c.type_ == "PodScheduled"
            && c.status == "False"
            && c.reason.as_deref() == Some("Unschedulable")
    })?;
    let why = found.message.as_deref().unwrap_or_default();
    Some(format!("Unschedulable: {why}"))
}

fn containers(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    let init = status.init_container_statuses.iter().flatten();
    init.chain(status.container_statuses.iter().flatten())
}

/// What a container waits for that gets nowhere. Waiting for anything else is the ordinary start.
fn waiting(container: &ContainerStatus) -> Option<String> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref().unwrap_or_default();
    let why = waiting.message.as_deref().unwrap_or_default();
    let last = container.last_state.as_ref();
    let last = last.and_then(|state| state.terminated.as_ref());
    let last = last.map_or_else(String::new, |last| format!(" ({})", end(last)));
    let stuck = STUCK.contains(&reason);
    stuck.then(|| format!("container {}: {reason}: {why}{last}", container.name))
}

/// How a container ended that is not started again yet; an init container that did its work is no
/// news.
fn ended(container: &ContainerStatus) -> Option<String> {
    let ended = container.state.as_ref()?.terminated.as_ref()?;
    (ended.exit_code != 0).then(|| format!("container {}: {}", container.name, end(ended)))
}

fn end(ended: &ContainerStateTerminated) -> String {
    let reason = ended.reason.as_deref().unwrap_or("Error");
    let said = ended.message.as_deref().map(str::trim).unwrap_or_default();
    let colon = if said.is_empty() { "" } else { ": " };
    format!("ended with {}, {reason}{colon}{said}", ended.exit_code)
}

/// What the member's agent observed last, where it says that something is wrong.
fn observed(pod: &Pod) -> Option<String> {
    let text = pod.annotations().get(labels::OBSERVED)?;
    let observed: probe::Observed = serde_json::from_str(text).ok()?;
    let said = !observed.healthy && !observed.message.is_empty();
    said.then_some(observed.message)
}

fn cut(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests;
