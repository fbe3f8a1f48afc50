//! Which component goes before which: one begins when those before it in the order are done.
//! One that fails holds those behind it, until a person mends it (design.md, invariant 7).
//!
//! One order counts at a time, for all components: that of an upgrade while a Group is still of
//! another pin, that of provision while a component was never ready, else that of an update. So two
//! components never wait for each other.

use super::{
    observe::{Child, Nodes, Observed},
    phase::phase_of,
    plan::is_covered,
};
use api::{
    ComponentSpec,
    crd::app::{AppPhase, Pin},
    names::ComponentName,
};
use package::manifest::Orders;

/// A component that waits for another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The one that waits.
    pub component: ComponentName,
    /// For whom, and how that one is.
    pub behind: String,
}

/// Holds those of `wanted` whose turn has not come, and says who waits for whom.
pub fn hold(observed: &Observed, pin: &Pin, wanted: &mut [ComponentSpec]) -> Vec<Waiting> {
    let orders = observed.shape.as_ref().map(|shape| shape.orders.clone());
    let orders = orders.unwrap_or_default();
    let (mut waiting, mut behind, mut moves) = (Vec::new(), None, false);
    for name in order(observed, pin, wanted, &orders) {
        let Some(spec) = wanted.iter_mut().find(|spec| spec.component == *name) else {
            continue;
        };
        let state = State::of(observed, pin, spec);
        moves |= state.moves;
        if let Some(behind) = behind.clone().filter(|_| moves) {
            spec.hold = true;
            let component = name.clone();
            waiting.push(Waiting { component, behind });
        }
        if !state.is_done() {
            behind = Some(format!("{name} ({})", state.word()));
        }
    }
    waiting
}

/// The held Components whose turn has come while another change of the App is refused: what was
/// accepted before goes on. Nothing where the orders are those of another version.
pub fn released(observed: &Observed) -> Vec<ComponentSpec> {
    let of_present = |pin: &&Pin| pin.plugin_version == observed.spec.plugin_version;
    let Some(pin) = observed.present.as_ref().filter(of_present) else {
        return Vec::new();
    };
    let live = observed.components.iter().map(|child| ComponentSpec {
        hold: false,
        ..child.spec.clone()
    });
    let mut specs: Vec<ComponentSpec> = live.collect();
    hold(observed, pin, &mut specs);
    let was_held = |spec: &ComponentSpec| {
        let mut children = observed.components.iter();
        children.any(|child| child.spec.hold && child.spec.component == spec.component)
    };
    specs.retain(|spec| was_held(spec) && !spec.hold);
    specs
}

fn order<'a>(
    observed: &Observed,
    pin: &Pin,
    wanted: &[ComponentSpec],
    orders: &'a Orders,
) -> &'a [ComponentName] {
    let states = || wanted.iter().map(|spec| State::of(observed, pin, spec));
    if states().any(|state| state.lags) {
        &orders.upgrade
    } else if states().any(|state| !state.was_ready) {
        &orders.provision
    } else {
        &orders.update
    }
}

/// How a component stands to what is wanted of it.
struct State {
    /// Whether it has something to do that it did not begin: it is not as wanted, waits for another,
    /// or did not look yet.
    moves: bool,
    /// Whether its Group is of another pin.
    lags: bool,
    /// Whether it was ready once.
    was_ready: bool,
    /// Where it stands; `None` where it is not there.
    phase: Option<AppPhase>,
}

impl State {
    fn of(observed: &Observed, pin: &Pin, wanted: &ComponentSpec) -> Self {
        let of_it = |child: &&Child| child.spec.component == wanted.component;
        let child = observed.components.iter().find(of_it);
        let groups = || {
            let groups = observed.groups.iter();
            groups.filter(|group| group.component == wanted.component)
        };
        let of_other = |group: &Nodes| group.pin.as_ref().is_some_and(|made_by| made_by != pin);
        let phase = child.map(phase_of);
        let lags = groups().any(of_other);
        let is_made = groups().next().is_some();
        Self {
            moves: lags || !is_made || child.is_none_or(|child| moves(observed, child, wanted)),
            was_ready: is_made
                && !matches!(phase, None | Some(AppPhase::Pending | AppPhase::Creating)),
            lags,
            phase,
        }
    }

    fn is_done(&self) -> bool {
        !self.moves && self.phase == Some(AppPhase::Running)
    }

    fn word(&self) -> String {
        match self.phase {
            None => "not made yet".to_owned(),
            Some(AppPhase::Running) => "about to change".to_owned(),
            Some(phase) => format!("{phase:?}"),
        }
    }
}

/// Whether the Component has something to do that it did not begin.
fn moves(observed: &Observed, child: &Child, wanted: &ComponentSpec) -> bool {
    // What is held is not as wanted: only `hold` itself is decided here.
    let live = ComponentSpec {
        hold: wanted.hold,
        ..child.spec.clone()
    };
    // A parameter that the App sets no more is covered by what is there.
    let removed = !observed.was_accepted() && live.settings.config != wanted.settings.config;
    child.spec.hold
        || child.status.observed_generation != child.generation
        || removed
        || !is_covered(&live, wanted)
}

#[cfg(test)]
mod tests;
