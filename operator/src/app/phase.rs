//! Where an App stands in its life: rolled up from its Components.

use super::observe::Child;
use api::crd::app::{AppComponentStatus, AppPhase};

/// How the children of an App are, together.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollup {
    /// Each component.
    pub components: Vec<AppComponentStatus>,
    /// How many members are ready, of all components.
    pub ready: u32,
    /// How many members are wanted.
    pub wanted: u32,
    /// What the component that is worst off says.
    pub message: String,
}

/// What the Components say, in order of their names.
pub fn rollup(children: &[Child]) -> Rollup {
    let components: Vec<AppComponentStatus> = children.iter().map(component).collect();
    let worst = children.iter().filter(|c| phase_of(c) != AppPhase::Running);
    let worst = worst.max_by_key(|child| phase_of(child));
    Rollup {
        ready: components.iter().map(|c| c.ready).sum(),
        wanted: components.iter().map(|c| c.replicas).sum(),
        message: worst.map(message).unwrap_or_default(),
        components,
    }
}

fn component(child: &Child) -> AppComponentStatus {
    AppComponentStatus {
        name: child.spec.component.clone(),
        phase: phase_of(child),
        replicas: child.status.replicas.unwrap_or_default(),
        ready: child.status.ready.unwrap_or_default(),
    }
}

/// The phase of a Component; one that did not look at its spec yet is on its way.
pub fn phase_of(child: &Child) -> AppPhase {
    let said = child.status.phase.unwrap_or(AppPhase::Creating);
    match said {
        AppPhase::Running if child.status.observed_generation != child.generation => {
            AppPhase::Updating
        }
        said => said,
    }
}

fn message(child: &Child) -> String {
    let ready = child
        .status
        .conditions
        .iter()
        .find(|c| c.type_ == api::conditions::READY);
    ready.map_or_else(
        || format!("{}: not looked at yet", child.name),
        |c| format!("{}: {}", child.name, c.message),
    )
}

/// The phase of an App with a pin. `before` is its last phase; `moved` is whether this very
/// reconcile moves it to another version, `applied` whether every Component is as wanted.
pub fn phase(
    before: Option<AppPhase>,
    phases: &[AppPhase],
    moved: bool,
    applied: bool,
) -> AppPhase {
    use AppPhase::{Creating, Degraded, Failed, Pending, Running, Updating, Upgrading};
    let all_run = applied && !phases.is_empty() && phases.iter().all(|p| *p == Running);
    match before {
        _ if phases.contains(&Failed) => Failed,
        _ if all_run => Running,
        None | Some(Pending | Creating) => Creating,
        _ if moved => Upgrading,
        Some(Upgrading) => Upgrading,
        _ if !applied || phases.iter().any(|p| matches!(p, Updating | Creating)) => Updating,
        _ => Degraded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AppPhase::{Creating, Degraded, Failed, Running, Updating, Upgrading};

    #[test]
    fn the_life_of_an_app() {
        let life = [
            (None, vec![], false, false, Creating),
            (Some(Creating), vec![Creating], false, true, Creating),
            (Some(Creating), vec![Running, Running], false, true, Running),
            (Some(Running), vec![Running], true, false, Upgrading),
            (Some(Upgrading), vec![Degraded], false, true, Upgrading),
            (Some(Upgrading), vec![Running], false, true, Running),
            (Some(Running), vec![Running], false, false, Updating),
            (
                Some(Updating),
                vec![Updating, Running],
                false,
                true,
                Updating,
            ),
            (
                Some(Running),
                vec![Degraded, Running],
                false,
                true,
                Degraded,
            ),
            (Some(Degraded), vec![Failed, Running], false, true, Failed),
        ];
        for (before, phases, moved, applied, after) in life {
            assert_eq!(
                phase(before, &phases, moved, applied),
                after,
                "{before:?} {phases:?}"
            );
        }
    }
}
