//! Which pin an App gets: the gate of. Every refusal says what would be accepted.

mod gate;
mod words;

pub use words::{listed, meant};

use super::{
    observe::{Known, Observed, Shape},
    settings,
};
use api::{
    Version,
    crd::{
        addon::AddonPhase,
        app::{AppReason as Reason, Pin},
    },
    names::{PluginName, ProfileName, TopologyName},
};
use gate::step;
use package::manifest::Topology;

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
    /// Its topology without the components that are not enabled; `None` where nothing changed and
    /// the content cannot be read: children stay.
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
    kubernetes(observed, shape)?;
    profile(observed, &shape.profiles)?;
    settings::check(&observed.spec.components, topology, shape)?;
    let pin = Pin {
        plugin_version: observed.spec.plugin_version.clone(),
        digest,
        runtime_version: runtime,
        topology: topology.name.clone(),
    };
    Ok(Resolved {
        pin,
        topology: Some(settings::enabled(&observed.spec.components, topology)),
    })
}

/// Whether the version runs on this cluster. What runs by it already is not asked again: an upgrade
/// of the cluster is no reason to leave an App alone.
fn kubernetes(observed: &Observed, shape: &Shape) -> Result<(), Refused> {
    let wanted = &observed.spec.plugin_version;
    let stays = observed
        .present
        .as_ref()
        .is_some_and(|pin| pin.plugin_version == *wanted);
    match (&shape.kubernetes, &observed.cluster) {
        (Some(range), Some(cluster)) if !stays && !range.matches(cluster) => Err(Refused::new(
            Reason::UnsupportedKubernetes,
            format!(
                "version {wanted} runs on Kubernetes {}, and this cluster is {cluster}",
                range.as_str()
            ),
        )),
        _ => Ok(()),
    }
}

fn profile(observed: &Observed, profiles: &[ProfileName]) -> Result<(), Refused> {
    let Some(wanted) = &observed.spec.profile else {
        return Ok(());
    };
    if profiles.contains(wanted) {
        return Ok(());
    }
    let words: Vec<&str> = profiles.iter().map(ProfileName::as_str).collect();
    Err(Refused::new(
        Reason::UnknownProfile,
        format!(
            "version {} has no profile `{wanted}`{}; it has: {}",
            observed.spec.plugin_version,
            meant(wanted.as_str(), &words),
            listed(&words)
        ),
    ))
}

/// What runs needs no content: only a change that was not accepted before is refused for its lack.
fn without_shape(observed: &Observed) -> Result<Resolved, Refused> {
    let accepted = observed.was_accepted();
    match &observed.present {
        Some(pin) if pin.plugin_version == observed.spec.plugin_version && accepted => {
            Ok(Resolved {
                pin: pin.clone(),
                topology: None,
            })
        }
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
    verified(observed)?;
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

fn is_open(known: &Known) -> bool {
    known.phase == Some(AddonPhase::Active) && !known.terminating && known.withdrawn.is_none()
}

/// Whether the App came from the version, and goes back to it: that is no new user.
fn goes_back(observed: &Observed) -> bool {
    let last = observed.status.history.first();
    last.is_some_and(|past| past.pin.plugin_version == observed.spec.plugin_version)
}

/// The version that is asked for, where something may be bound to it.
fn known(observed: &Observed) -> Result<&Known, Refused> {
    let wanted = &observed.spec.plugin_version;
    let Some(known) = observed.versions.iter().find(|k| k.version == *wanted) else {
        return Err(unknown_version(observed));
    };
    match known.phase {
        _ if known.terminating && !goes_back(observed) => Err(Refused::new(
            Reason::VersionTerminating,
            format!(
                "{} {wanted} is being deleted and takes no new users; there are: {}",
                observed.spec.plugin,
                listed(&open_versions(observed))
            ),
        )),
        _ if let Some(why) = &known.withdrawn => Err(Refused::new(
            Reason::VersionWithdrawn,
            format!(
                "{} {wanted} is withdrawn and takes no new users: {why}; there are: {}",
                observed.spec.plugin,
                listed(&open_versions(observed))
            ),
        )),
        Some(AddonPhase::Active) => Ok(known),
        _ => Err(not_active(known)),
    }
}

/// Whether the policies let the version be pinned that is asked for.
fn verified(observed: &Observed) -> Result<(), Refused> {
    match &observed.unverified {
        Some(refusal) => Err(Refused::new(Reason::Unverified, refusal)),
        None => Ok(()),
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
