//! Whether the pod's object is to be written, and with what. Pure.

use super::Written;
use super::api_server::Pod;
use api::probe::Observed;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A message that changes all the time, as that of a process that crashes again and again, is
/// written this often at most.
pub const BETWEEN_MESSAGES: Duration = Duration::from_secs(30);

/// What is to be changed about the pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The pod as it was when it was compared.
    pub resource_version: String,
    /// The new role label; `None` leaves it.
    pub role: Option<String>,
    /// The new annotation; `None` leaves it.
    pub observed: Option<Observed>,
}

/// When the pod's object is to be compared again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// With this.
    Now(Observed),
    /// At this time, unless something more than the message changes before.
    At(Instant),
    /// When something changes.
    Changed,
}

/// Whether `wanted` is to be written, after `written`.
pub fn when(written: Option<&Written>, wanted: Option<&Observed>) -> When {
    let Some(wanted) = wanted else {
        return When::Changed;
    };
    match written {
        Some(Written { observed, .. }) if observed == wanted => When::Changed,
        Some(Written { observed, at }) if same_but_message(observed, wanted) => {
            When::At(*at + BETWEEN_MESSAGES)
        }
        _ => When::Now(wanted.clone()),
    }
}

/// What is to be changed so that `pod` says `wanted`; `None` if it already does. A role that is not
/// known yet leaves the label as the last agent wrote it.
pub fn plan(pod: &Pod, wanted: &Observed) -> Option<Patch> {
    let role = wanted
        .role
        .clone()
        .filter(|role| pod.role.as_ref() != Some(role));
    let observed = (pod.observed.as_ref() != Some(wanted)).then(|| wanted.clone());
    let resource_version = pod.resource_version.clone();
    (role.is_some() || observed.is_some()).then_some(Patch {
        resource_version,
        role,
        observed,
    })
}

impl Patch {
    /// As a JSON merge patch (RFC 7396) of the pod.
    ///
    /// # Errors
    /// None in practice: an observation is always JSON.
    pub fn to_merge_patch(&self) -> serde_json::Result<Value> {
        let mut metadata = json!({ "resourceVersion": self.resource_version });
        if let Some(role) = &self.role {
            metadata["labels"] = json!({ api::labels::ROLE: role });
        }
        if let Some(observed) = &self.observed {
            let observed = serde_json::to_string(observed)?;
            metadata["annotations"] = json!({ api::labels::OBSERVED: observed });
        }
        Ok(json!({ "metadata": metadata }))
    }
}

fn same_but_message(one: &Observed, other: &Observed) -> bool {
    let silent = |observed: &Observed| Observed {
        message: String::new(),
        ..observed.clone()
    };
    silent(one) == silent(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(role: &str, message: &str) -> Observed {
        Observed {
            healthy: message.is_empty(),
            role: Some(role.to_owned()),
            message: message.to_owned(),
            ..Observed::default()
        }
    }

    fn pod(role: Option<&str>, observed: Option<Observed>) -> Pod {
        Pod {
            resource_version: "42".to_owned(),
            role: role.map(str::to_owned),
            observed,
        }
    }

    #[test]
    fn a_pod_that_already_says_so_is_left_alone() {
        let wanted = observed("primary", "");
        assert_eq!(
            plan(&pod(Some("primary"), Some(wanted.clone())), &wanted),
            None
        );
    }

    #[test]
    fn the_patch_holds_what_differs_and_the_version_that_was_compared() {
        let wanted = observed("replica", "");
        let patch = plan(&pod(Some("primary"), None), &wanted)
            .unwrap()
            .to_merge_patch()
            .unwrap();
        let metadata = &patch["metadata"];
        assert_eq!(metadata["resourceVersion"], "42");
        assert_eq!(metadata["labels"]["middleware.io/role"], "replica");
        let annotation = metadata["annotations"]["middleware.io/observed"]
            .as_str()
            .unwrap();
        assert_eq!(
            serde_json::from_str::<Observed>(annotation).unwrap(),
            wanted
        );

        let only_label = plan(&pod(None, Some(wanted.clone())), &wanted).unwrap();
        assert_eq!(only_label.observed, None);
    }

    #[test]
    fn a_role_that_is_not_known_yet_leaves_the_label() {
        let unknown = Observed {
            message: "nothing yet".to_owned(),
            ..Observed::default()
        };
        assert_eq!(
            plan(&pod(Some("primary"), None), &unknown).unwrap().role,
            None
        );
    }

    #[test]
    fn a_message_alone_waits_and_all_else_does_not() {
        let at = Instant::now();
        let written = Written {
            observed: observed("primary", "restarts: 1"),
            at,
        };
        let message = observed("primary", "restarts: 2");
        assert_eq!(
            when(Some(&written), Some(&message)),
            When::At(at + BETWEEN_MESSAGES)
        );
        let role = observed("replica", "restarts: 2");
        assert_eq!(when(Some(&written), Some(&role)), When::Now(role));
        let healthy = observed("primary", "");
        assert_eq!(when(Some(&written), Some(&healthy)), When::Now(healthy));
        assert_eq!(when(Some(&written), Some(&written.observed)), When::Changed);
    }
}
