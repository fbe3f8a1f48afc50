//! Whether an App may move from the pin that it has.

use super::{Refused, goes_back, is_open, known, verified, words::listed};
use crate::app::observe::{Known, Observed};
use api::{
    Version,
    crd::app::{AppReason as Reason, Pin},
};
use package::graph::{Graph, Node, RefusedStep, State};

/// The pin that follows the present one.
pub(super) fn step(observed: &Observed, present: &Pin) -> Result<(Version, api::Digest), Refused> {
    let from = State {
        addon: present.plugin_version.clone(),
        runtime: present.runtime_version.clone(),
    };
    let to = State {
        addon: observed.spec.plugin_version.clone(),
        runtime: observed
            .spec
            .runtime_version
            .clone()
            .unwrap_or_else(|| from.runtime.clone()),
    };
    if from == to {
        return Ok((from.runtime, present.digest.clone()));
    }
    let returns = goes_back(observed).then_some(&to.addon);
    let nodes = observed.versions.iter().map(|known| Node {
        // One that is being deleted lets back in who came from it.
        open: is_open(known) || returns == Some(&known.version),
        ..node(known)
    });
    let graph = Graph::new(nodes);
    if from.addon != to.addon {
        known(observed).map_err(|refused| with_ways(&refused, &graph, &from, &to))?;
    }
    if let Err(refused) = graph.step(&from, &to) {
        let refused = Refused::new(reason(&refused), refused.to_string());
        return Err(with_ways(&refused, &graph, &from, &to));
    }
    if from.addon != to.addon {
        verified(observed).map_err(|refused| with_ways(&refused, &graph, &from, &to))?;
    }
    let digest = match from.addon == to.addon {
        true => present.digest.clone(),
        false => known(observed)?
            .digest
            .clone()
            .unwrap_or_else(|| present.digest.clone()),
    };
    Ok((to.runtime, digest))
}

pub(super) fn node(known: &Known) -> Node {
    let migrations = known.migrate_from.iter();
    Node {
        version: known.version.clone(),
        runtimes: known.runtimes.clone(),
        upgrade_from: known.upgrade_from.clone(),
        migrate_from: migrations
            .map(|m| (m.runtime.clone(), m.from.clone()))
            .collect(),
        open: is_open(known),
    }
}

pub(super) fn reason(refused: &RefusedStep) -> Reason {
    match refused {
        RefusedStep::UnknownVersion { .. } => Reason::UnknownVersion,
        RefusedStep::NotOpen { .. } => Reason::VersionNotActive,
        RefusedStep::NotInUpgradeFrom { .. } => Reason::NotInUpgradeFrom,
        RefusedStep::RuntimeUnsupported { .. } => Reason::UnknownRuntime,
        RefusedStep::NotInMigrateFrom { .. } => Reason::NotInMigrateFrom,
    }
}

/// The refusal, with what can be reached from here and the shortest way to what is asked for.
pub(super) fn with_ways(refused: &Refused, graph: &Graph, from: &State, to: &State) -> Refused {
    let next: Vec<String> = graph.next(from).iter().map(State::to_string).collect();
    let reached = graph.reachable(from).len();
    let mut message = format!(
        "{}. The App stays on {from}; it may be set to: {}",
        refused.message.trim_end_matches('.'),
        listed(&next)
    );
    if reached > next.len() {
        message += &format!(", and over these to {} more", reached - next.len());
    }
    if let Some(path) = graph.path(from, to).filter(|path| path.len() > 1) {
        let hops: Vec<String> = path.iter().map(State::to_string).collect();
        message += &format!(". The shortest way to {to}: {}", hops.join(", then "));
    }
    Refused::new(refused.reason, message)
}
