//! How a Component is: as its Group says.

use super::COMPOSER;
use api::{Group, conditions::READY, crd::app::AppPhase};

/// Where the Component stands, by its Group.
pub fn phase(group: Option<&Group>, before: Option<AppPhase>) -> AppPhase {
    let Some(group) = group else {
        return AppPhase::Creating;
    };
    let status = group.status.as_ref();
    let current = status.is_some_and(|s| s.observed_generation == group.metadata.generation);
    match status.and_then(|s| s.phase) {
        Some(phase) if current => phase,
        Some(AppPhase::Creating) | None if matches!(before, None | Some(AppPhase::Creating)) => {
            AppPhase::Creating
        }
        _ => AppPhase::Updating,
    }
}

/// Whether the Group says that every member is ready and of its present spec.
pub fn is_rolled_out(group: &Group) -> bool {
    phase(Some(group), None) == AppPhase::Running
}

/// How many members are wanted and how many of them are ready.
pub fn members(group: Option<&Group>) -> (u32, u32) {
    let Some(group) = group else { return (0, 0) };
    let ready = group
        .status
        .as_ref()
        .and_then(|s| s.ready_replicas)
        .unwrap_or_default();
    (group.spec.replicas, ready.min(group.spec.replicas))
}

/// What the Group says for people.
pub fn message(group: Option<&Group>) -> String {
    let Some(group) = group else {
        return "the Group is being made".to_owned();
    };
    let conditions = group.status.iter().flat_map(|s| &s.conditions);
    let ready = conditions.into_iter().find(|c| c.type_ == READY);
    ready.map_or_else(
        || "the Group was not looked at yet".to_owned(),
        |c| c.message.clone(),
    )
}

/// The message about pods that an older release composed.
pub fn outdated(group: Option<&Group>) -> Option<String> {
    let composer = group
        .map(|group| group.spec.composer)
        .filter(|composer| *composer < COMPOSER)?;
    Some(format!(
        "the pods were composed by composer {composer}, and this release has {COMPOSER}; they get \
         the newer composition with the next change that restarts them"
    ))
}
