//! The API server's audit log: who asked for what. It is written before the answer is sent
//! (`--audit-log-mode blocking`), so a test never counts too early.

use anyhow::{Context, Result};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde::Deserialize;
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// The verbs that change something.
const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// The audit log of one API server.
#[derive(Clone, Debug)]
pub struct AuditLog {
    path: PathBuf,
}

/// A place in the log, to read on from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark(u64);

impl AuditLog {
    /// The log at `path`.
    pub fn new(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_owned();
        Self { path }
    }

    /// The end of the log now.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn mark(&self) -> Result<Mark> {
        Ok(Mark(
            std::fs::metadata(&self.path)
                .with_context(|| self.name())?
                .len(),
        ))
    }

    /// Every answered request since the API server began.
    ///
    /// # Errors
    /// As for [`AuditLog::since`].
    pub fn events(&self) -> Result<Events> {
        self.since(Mark::default())
    }

    /// Every answered request since `mark`, in the order of the answers. A watch counts once, when
    /// it begins.
    ///
    /// # Errors
    /// The log cannot be read, or a line is no audit event.
    pub fn since(&self, mark: Mark) -> Result<Events> {
        let mut text = String::new();
        let mut file = File::open(&self.path).with_context(|| self.name())?;
        file.seek(SeekFrom::Start(mark.0))?;
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let events = whole.lines().map(|line| {
            serde_json::from_str(line).with_context(|| format!("{}: {line}", self.name()))
        });
        let events: Vec<Event> = events.collect::<Result<_>>()?;
        Ok(Events(events.into_iter().filter(Event::counts).collect()))
    }

    fn name(&self) -> String {
        format!("audit log {}", self.path.display())
    }
}

/// One answered request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// `ResponseComplete`, or `ResponseStarted` for a watch that goes on.
    pub stage: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// The path and query.
    #[serde(rename = "requestURI")]
    pub uri: String,
    /// The client program, as it names itself.
    #[serde(default)]
    pub user_agent: String,
    /// Who asked.
    pub user: User,
    /// What was asked for, where it is an object or a collection.
    pub object_ref: Option<ObjectRef>,
    /// How it ended.
    pub response_status: Option<ResponseStatus>,
    /// When the request came.
    pub request_received_timestamp: MicroTime,
    /// When the answer was sent.
    pub stage_timestamp: MicroTime,
}

/// Who asked.
#[derive(Clone, Debug, Deserialize)]
pub struct User {
    /// For example `system:serviceaccount:paamesh-system:paamesh-operator`.
    #[serde(default)]
    pub username: String,
}

/// What was asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectRef {
    /// The plural, for example `pods`.
    pub resource: String,
    /// For example `status`; empty for the object itself.
    pub subresource: String,
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    /// Empty for collections, and for objects whose name the server makes.
    pub name: String,
}

/// How a request ended.
#[derive(Clone, Debug, Deserialize)]
pub struct ResponseStatus {
    /// The HTTP status.
    #[serde(default)]
    pub code: u16,
}

impl Event {
    /// The resource with its subresource, for example `pods` or `middlewareaddons/status`.
    pub fn resource(&self) -> String {
        match &self.object_ref {
            Some(o) if o.subresource.is_empty() => o.resource.clone(),
            Some(o) => format!("{}/{}", o.resource, o.subresource),
            None => String::new(),
        }
    }

    /// The object's name; empty for a collection.
    pub fn name(&self) -> &str {
        self.object_ref.as_ref().map_or("", |o| o.name.as_str())
    }

    /// Whether the request was to change something.
    pub fn is_write(&self) -> bool {
        WRITES.contains(&self.verb.as_str())
    }

    fn counts(&self) -> bool {
        self.stage
            == if self.verb == "watch" {
                "ResponseStarted"
            } else {
                "ResponseComplete"
            }
    }
}

impl std::fmt::Display for Event {
    /// `patch pods/status default/x by paamesh/0.1.0: 200`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let namespace = self
            .object_ref
            .as_ref()
            .map_or("", |o| o.namespace.as_str());
        let code = self.response_status.as_ref().map_or(0, |s| s.code);
        let (verb, resource, name) = (&self.verb, self.resource(), self.name());
        write!(
            f,
            "{verb} {resource} {namespace}/{name} by {}: {code}",
            self.user_agent
        )
    }
}

/// Requests, to be narrowed down and counted.
#[derive(Clone, Debug, Default)]
pub struct Events(Vec<Event>);

impl Events {
    /// Those that `keep` accepts.
    pub fn filter(&self, keep: impl Fn(&Event) -> bool) -> Self {
        Self(self.0.iter().filter(|e| keep(e)).cloned().collect())
    }

    /// Those of programs whose user agent begins with `prefix`.
    pub fn by(&self, prefix: &str) -> Self {
        self.filter(|e| e.user_agent.starts_with(prefix))
    }

    /// Those to change something.
    pub fn writes(&self) -> Self {
        self.filter(Event::is_write)
    }

    /// Those with the verb.
    pub fn verb(&self, verb: &str) -> Self {
        self.filter(|e| e.verb == verb)
    }

    /// Those of a resource, for example `pods` or `apps/status`.
    pub fn resource(&self, resource: &str) -> Self {
        self.filter(|e| e.resource() == resource)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, in the order of the answers.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.0.iter()
    }

    /// The most requests of which each began after the one before was answered: how many round trips
    /// one after another the client needed at least, so that parallel ones count once.
    pub fn sequential(&self) -> usize {
        let mut by_end: Vec<_> = self.0.iter().collect();
        by_end.sort_by(|a, b| a.stage_timestamp.cmp(&b.stage_timestamp));
        let mut chain: Vec<&Event> = Vec::new();
        for event in by_end {
            let after = |last: &&Event| event.request_received_timestamp > last.stage_timestamp;
            if chain.last().is_none_or(after) {
                chain.push(event);
            }
        }
        chain.len()
    }
}

impl std::fmt::Display for Events {
    /// One line for each, for the message of a test that fails.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(from: u32, to: u32) -> Event {
        serde_json::from_value(serde_json::json!({
            "stage": "ResponseComplete", "verb": "get", "requestURI": "/", "user": {},
            "requestReceivedTimestamp": format!("2026-01-01T00:00:{from:02}.000000Z"),
            "stageTimestamp": format!("2026-01-01T00:00:{to:02}.000000Z"),
        }))
        .unwrap()
    }

    #[test]
    fn parallel_requests_count_once() {
        let one_after_another = Events(vec![event(0, 1), event(2, 3), event(4, 5)]);
        assert_eq!(one_after_another.sequential(), 3);
        let parallel = Events(vec![event(0, 9), event(0, 2), event(1, 3), event(4, 5)]);
        assert_eq!(parallel.sequential(), 2);
        assert_eq!(Events::default().sequential(), 0);
    }
}
