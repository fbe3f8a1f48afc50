//! Which pin an App gets: the gate of. Every refusal says what would be accepted.

use super::{
    observe::{Known, Observed},
    settings,
};
use api::{
    Version,
    crd::{
        addon::AddonPhase,
        app::{AppReason as Reason, Pin},
    },
    names::{PluginName, TopologyName},
};
use package::{
    graph::{Graph, Node, RefusedStep, State},
    manifest::Topology,
};
use std::fmt::Display;

/// How many choices a message lists.
const LISTED: usize = 20;

/// What an App asks for is refused, and it stays what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// In one word.
    pub reason: Reason,
    /// What is wrong, and what would be accepted.
    pub message: String,
}

impl Refused {
    /// A refusal.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}

/// What an App is bound to, and the arrangement that this means.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The pin.
    pub pin: Pin,
    /// Its topology; `None` where nothing changed and the content cannot be read: children stay.
    pub topology: Option<Topology>,
}

/// The pin for what the App asks for.
///
/// # Errors
/// The reason why the App stays what it is.
pub fn resolve(observed: &Observed) -> Result<Resolved, Refused> {
    let (runtime, digest) = match &observed.present {
        Some(present) => step(observed, present)?,
        None => entry(observed)?,
    };
    let Some(shape) = &observed.shape else {
        return without_shape(observed);
    };
    let topology = topology(observed, &shape.topologies)?;
    settings::check(&observed.spec.components, topology, shape)?;
    let pin = Pin {
        plugin_version: observed.spec.plugin_version.clone(),
        digest,
        runtime_version: runtime,
        topology: topology.name.clone(),
    };
    Ok(Resolved {
        pin,
        topology: Some(topology.clone()),
    })
}

/// What runs needs no content: only a change that was not accepted before is refused for its lack.
fn without_shape(observed: &Observed) -> Result<Resolved, Refused> {
    let seen = observed.status.observed_generation == observed.generation;
    match &observed.present {
        Some(pin) if pin.plugin_version == observed.spec.plugin_version && seen => Ok(Resolved {
            pin: pin.clone(),
            topology: None,
        }),
        _ => Err(Refused::new(
            Reason::ContentUnavailable,
            observed
                .unavailable
                .clone()
                .unwrap_or_else(|| "the content was not read".to_owned()),
        )),
    }
}

/// The pin of something new.
fn entry(observed: &Observed) -> Result<(Version, api::Digest), Refused> {
    let spec = &observed.spec;
    if observed.versions.is_empty() {
        let plugins: Vec<&str> = observed.plugins.iter().map(PluginName::as_str).collect();
        return Err(Refused::new(
            Reason::UnknownPlugin,
            format!(
                "there is no plugin `{}`{}; there are: {}",
                spec.plugin,
                meant(spec.plugin.as_str(), &plugins),
                listed(&plugins)
            ),
        ));
    }
    let known = known(observed)?;
    let runtime = match &spec.runtime_version {
        Some(runtime) if known.runtimes.contains(runtime) => runtime.clone(),
        Some(runtime) => return Err(unknown_runtime(known, runtime)),
        None => known
            .runtimes
            .first()
            .cloned()
            .ok_or_else(|| not_active(known))?,
    };
    Ok((
        runtime,
        known.digest.clone().ok_or_else(|| not_active(known))?,
    ))
}

/// The pin that follows the present one.
fn step(observed: &Observed, present: &Pin) -> Result<(Version, api::Digest), Refused> {
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
    let graph = Graph::new(observed.versions.iter().map(node));
    if from.addon != to.addon {
        known(observed).map_err(|refused| with_ways(&refused, &graph, &from, &to))?;
    }
    if let Err(refused) = graph.step(&from, &to) {
        let refused = Refused::new(reason(&refused), refused.to_string());
        return Err(with_ways(&refused, &graph, &from, &to));
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

fn node(known: &Known) -> Node {
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

fn is_open(known: &Known) -> bool {
    known.phase == Some(AddonPhase::Active) && !known.terminating
}

fn reason(refused: &RefusedStep) -> Reason {
    match refused {
        RefusedStep::UnknownVersion { .. } => Reason::UnknownVersion,
        RefusedStep::NotOpen { .. } => Reason::VersionNotActive,
        RefusedStep::NotInUpgradeFrom { .. } => Reason::NotInUpgradeFrom,
        RefusedStep::RuntimeUnsupported { .. } => Reason::UnknownRuntime,
        RefusedStep::NotInMigrateFrom { .. } => Reason::NotInMigrateFrom,
    }
}

/// The refusal, with what can be reached from here and the shortest way to what is asked for.
fn with_ways(refused: &Refused, graph: &Graph, from: &State, to: &State) -> Refused {
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

/// The version that is asked for, where something may be bound to it.
fn known(observed: &Observed) -> Result<&Known, Refused> {
    let wanted = &observed.spec.plugin_version;
    let Some(known) = observed.versions.iter().find(|k| k.version == *wanted) else {
        return Err(unknown_version(observed));
    };
    match known.phase {
        _ if known.terminating => Err(Refused::new(
            Reason::VersionTerminating,
            format!(
                "{} {wanted} is being deleted and takes no new users; there are: {}",
                observed.spec.plugin,
                listed(&open_versions(observed))
            ),
        )),
        Some(AddonPhase::Active) => Ok(known),
        _ => Err(not_active(known)),
    }
}

fn not_active(known: &Known) -> Refused {
    let phase = known
        .phase
        .map_or("not looked at yet".to_owned(), |phase| format!("{phase:?}"));
    Refused::new(
        Reason::VersionNotActive,
        format!("version {} is {phase}: {}", known.version, known.message),
    )
}

fn unknown_version(observed: &Observed) -> Refused {
    let wanted = &observed.spec.plugin_version;
    let nearest = nearest(observed, wanted).map_or_else(String::new, |version| {
        format!(" (did you mean `{version}`?)")
    });
    Refused::new(
        Reason::UnknownVersion,
        format!(
            "{} has no version {wanted}{nearest}; there are: {}",
            observed.spec.plugin,
            listed(&open_versions(observed))
        ),
    )
}

/// The newest version of the same minor release, else of the same major one.
fn nearest<'a>(observed: &'a Observed, wanted: &Version) -> Option<&'a Version> {
    let wanted = wanted.semver();
    let open = || {
        observed
            .versions
            .iter()
            .filter(|k| is_open(k))
            .map(|k| &k.version)
    };
    let same_major = |version: &&Version| version.semver().major == wanted.major;
    let same_minor =
        |version: &&Version| same_major(version) && version.semver().minor == wanted.minor;
    open().find(same_minor).or_else(|| open().find(same_major))
}

fn open_versions(observed: &Observed) -> Vec<String> {
    observed
        .versions
        .iter()
        .filter(|k| is_open(k))
        .map(|k| k.version.to_string())
        .collect()
}

fn unknown_runtime(known: &Known, wanted: &Version) -> Refused {
    let message = format!(
        "version {} does not run {wanted}; it runs: {}",
        known.version,
        listed(&known.runtimes)
    );
    Refused::new(Reason::UnknownRuntime, message)
}

/// The arrangement: the one that is asked for, the present one, or the only one.
fn topology<'a>(observed: &Observed, topologies: &'a [Topology]) -> Result<&'a Topology, Refused> {
    let present = observed.present.as_ref().map(|pin| &pin.topology);
    let wanted = match (&observed.spec.topology, present) {
        (Some(wanted), Some(present)) if wanted != present => {
            let message = format!(
                "the topology of this App is `{present}` and never changes; create another App for `{wanted}`"
            );
            return Err(Refused::new(Reason::TopologyChanged, message));
        }
        (wanted, present) => wanted.as_ref().or(present),
    };
    let names: Vec<&TopologyName> = topologies.iter().map(|t| &t.name).collect();
    match (wanted, topologies) {
        (None, [sole]) => Ok(sole),
        (None, _) => Err(Refused::new(
            Reason::UnknownTopology,
            format!(
                "the addon has several topologies; set spec.topology to one of: {}",
                listed(&names)
            ),
        )),
        (Some(wanted), _) => topologies
            .iter()
            .find(|t| t.name == *wanted)
            .ok_or_else(|| {
                let words: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
                Refused::new(
                    Reason::UnknownTopology,
                    format!(
                        "version {} has no topology `{wanted}`{}; it has: {}",
                        observed.spec.plugin_version,
                        meant(wanted.as_str(), &words),
                        listed(&names)
                    ),
                )
            }),
    }
}

/// The first choices, or `none`.
pub fn listed(choices: &[impl Display]) -> String {
    let shown: Vec<String> = choices
        .iter()
        .take(LISTED)
        .map(ToString::to_string)
        .collect();
    match choices.len() {
        0 => "none".to_owned(),
        n if n > LISTED => format!("{} and {} more", shown.join(", "), n - LISTED),
        _ => shown.join(", "),
    }
}

/// ` (did you mean `x`?)` where a choice is much like `word`.
pub fn meant(word: &str, choices: &[&str]) -> String {
    const ALIKE: f64 = 0.8;
    let best = choices
        .iter()
        .map(|choice| (strsim::jaro_winkler(word, choice), choice))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(String::new, |(_, choice)| {
        format!(" (did you mean `{choice}`?)")
    })
}
