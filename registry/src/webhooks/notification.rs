//! Notifications of an OCI registry: the envelope of the distribution project
//! (<https://distribution.github.io/distribution/about/notifications/>).

use api::AddonSource;
use serde::Deserialize;

#[derive(Deserialize)]
struct Envelope {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    action: String,
    #[serde(default)]
    target: Target,
}

#[derive(Default, Deserialize)]
struct Target {
    #[serde(default)]
    repository: String,
}

/// Whether an event says that the source's repository changed. That something was pulled changes
/// nothing: our own looks pull, and would ask for the next look.
///
/// # Errors
/// The body is no envelope.
pub fn concerns(source: &AddonSource, body: &[u8]) -> Result<bool, ()> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|_| ())?;
    let oci = source.spec.oci.as_ref();
    let Some(repository) = oci.and_then(|oci| repository(&oci.url)) else {
        return Ok(false);
    };
    let of_it = |event: &Event| {
        matches!(event.action.as_str(), "push" | "delete") && event.target.repository == repository
    };
    Ok(envelope.events.iter().any(of_it))
}

/// `oci://host[:port]/path` → `path`.
fn repository(url: &str) -> Option<&str> {
    let (_, path) = url.strip_prefix("oci://")?.split_once('/')?;
    let path = path.trim_end_matches('/');
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn source(url: &str) -> AddonSource {
        serde_json::from_value(json!({
            "apiVersion": api::API_VERSION, "kind": "AddonSource",
            "metadata": {"name": "redis"}, "spec": {"oci": {"url": url}},
        }))
        .unwrap()
    }

    fn concerned(url: &str, events: &serde_json::Value) -> Result<bool, ()> {
        let body = json!({ "events": events }).to_string();
        concerns(&source(url), body.as_bytes())
    }

    #[test]
    fn only_changes_of_the_repository_count() {
        let event = |action: &str, repository: &str| json!({"id": "1", "action": action, "target": {"repository": repository, "tag": "1.0.0"}});
        let url = "oci://registry.example:5000/addons/redis";
        for (action, repository, want) in [
            ("push", "addons/redis", true),
            ("delete", "addons/redis", true),
            ("pull", "addons/redis", false),
            ("mount", "addons/redis", false),
            ("push", "addons/redis2", false),
            ("push", "redis", false),
        ] {
            let found = concerned(url, &json!([event("pull", "x"), event(action, repository)]));
            assert_eq!(found, Ok(want), "{action} {repository}");
        }
        assert_eq!(concerned(url, &json!([])), Ok(false));
    }

    #[test]
    fn what_is_no_envelope_is_said_to_be_none() {
        for body in ["", "[]", "{}", "{\"events\": 1}", "null"] {
            let found = concerns(&source("oci://registry.example/redis"), body.as_bytes());
            assert_eq!(found, Err(()), "{body}");
        }
    }
}
