//! What there is of a Group: its wishes, its pods, its claims, its record.
//!
//! In: the Group and the caches. Out: [`Observed`], plain data that `plan` decides on and that golden
//! tests are written in. Nothing is asked of the API server here: the caches are filled before a
//! controller is woken, and whatever was done on an older view is refused by the preconditions of
//! `act`.

mod member;

pub use member::{Life, Member};

use super::{
    cache::{Caches, Pod},
    place,
};
use api::{
    Group,
    crd::{
        app::AppPhase,
        group::{GroupReason, StartOrder},
    },
    labels,
    names::{self, RoleName, VolumeName},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt as _};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Everything that the next step of a Group depends on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Observed {
    /// What the Group's spec asks for.
    pub wanted: Wanted,
    /// What its status said before.
    #[serde(default)]
    pub before: Before,
    /// The record, a Lease; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Whose>,
    /// Other objects under the Group's names that are not its own: kind and name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub in_the_way: BTreeMap<String, Whose>,
    /// Volume claims by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, Claim>,
    /// Its pods, by ordinal.
    #[serde(default)]
    pub members: Vec<Member>,
}

/// What a Group's spec asks for, as far as `plan` decides on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wanted {
    /// The Group's full name.
    pub name: String,
    /// How many members.
    pub replicas: u32,
    /// Ordinals that are not used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<u32>,
    /// What a pod is to be made from.
    pub revision: String,
    /// The scripts and actions that a pod is to run.
    pub content_revision: String,
    /// The configuration files that a pod of the wanted revision is to run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub config_revision: String,
    /// Labels that follow a version; patched in place.
    #[serde(default)]
    pub versions: Versions,
    /// The roles; the first leads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleName>,
    /// The volumes of each member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<VolumeName>,
    /// How members start for the first time.
    #[serde(default)]
    pub start: StartOrder,
    /// Whether the Group is left alone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
    /// Whether it is being deleted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deleting: bool,
}

/// The versions that stand in a pod's labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Versions {
    /// The addon's.
    pub plugin: String,
    /// The middleware's own.
    pub runtime: String,
}

/// What the Group's status said before: a hint that outlives a restart of the operator. Without it
/// nothing is done wrong, only in a more careful order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Before {
    /// The phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<AppPhase>,
    /// The reason of the condition Ready.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The ordinals that had a pod.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub started: BTreeSet<u32>,
}

impl Before {
    /// Whether Ready had that reason.
    pub fn was(&self, reason: GroupReason) -> bool {
        self.reason == reason.as_str()
    }
}

/// To whom an object under one of the Group's names belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whose {
    /// To this Group.
    Ours,
    /// To an earlier Group of this name, or it is being deleted: it goes by itself.
    Leftover,
    /// To somebody else.
    Foreign,
}

/// A volume claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Claim {
    /// It has our labels: it is taken, or taken again.
    Ours,
    /// It has our labels and goes when no pod uses it.
    Terminating,
    /// It has the name, and other labels.
    Foreign,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature that serde asks for
fn is_false(value: &bool) -> bool {
    !value
}

/// What there is of `group` now.
pub(super) fn observe(group: &Group, caches: &Caches) -> Observed {
    let name = group.name_any();
    let pods = caches.pods_of(group);
    Observed {
        wanted: wanted(group),
        before: before(group),
        record: caches.record(group).map(|meta| whose(&meta, group)),
        in_the_way: in_the_way(group, &pods, caches),
        claims: claims(group, caches),
        members: pods
            .iter()
            .filter(|pod| whose(pod.meta(), group) == Whose::Ours)
            .filter_map(|pod| Member::of(&name, pod))
            .collect(),
    }
}

fn wanted(group: &Group) -> Wanted {
    let spec = &group.spec;
    Wanted {
        name: group.name_any(),
        replicas: spec.replicas,
        reserved: spec.reserved_ordinals.clone(),
        revision: spec.revision.clone(),
        content_revision: spec.content_revision.clone(),
        config_revision: spec.config_revision.clone(),
        versions: Versions {
            plugin: spec.pin.plugin_version.to_string(),
            runtime: spec.pin.runtime_version.to_string(),
        },
        roles: spec.roles.clone(),
        volumes: spec.volumes.iter().map(|v| v.name.clone()).collect(),
        start: spec.start,
        suspend: spec.suspend,
        deleting: group.metadata.deletion_timestamp.is_some(),
    }
}

fn before(group: &Group) -> Before {
    let Some(status) = &group.status else {
        return Before::default();
    };
    let ready = status
        .conditions
        .iter()
        .find(|c| c.type_ == api::conditions::READY);
    Before {
        phase: status.phase,
        reason: ready.map(|c| c.reason.clone()).unwrap_or_default(),
        started: status.members.iter().map(|m| m.ordinal).collect(),
    }
}

/// To whom an object with that metadata belongs, seen from `group`.
pub(super) fn whose(meta: &ObjectMeta, group: &Group) -> Whose {
    let Some(owner) = crate::children::controller(meta) else {
        return Whose::Foreign;
    };
    let named_so = owner.kind == Group::kind(&()) && owner.name == group.name_any();
    match (Some(&owner.uid) == group.meta().uid.as_ref(), named_so) {
        (true, _) => Whose::Ours,
        (false, true) => Whose::Leftover,
        (false, false) => Whose::Foreign,
    }
}

/// Supporting objects and pods that are not of this Group. Only what carries the platform's labels
/// is in the caches; anything else is met when it refuses to be made.
fn in_the_way(group: &Group, pods: &[Arc<Pod>], caches: &Caches) -> BTreeMap<String, Whose> {
    let pods = pods.iter().map(|p| ("Pod", p.meta().clone()));
    caches
        .supports(group)
        .into_iter()
        .chain(pods)
        .map(|(kind, meta)| (format!("{kind} {}", name_of(&meta)), whose(&meta, group)))
        .filter(|(_, whose)| *whose != Whose::Ours)
        .collect()
}

fn name_of(meta: &ObjectMeta) -> &str {
    meta.name.as_deref().unwrap_or_default()
}

fn claims(group: &Group, caches: &Caches) -> BTreeMap<String, Claim> {
    let seen = caches.claims_of(group);
    seen.iter()
        .map(|meta| (name_of(meta).to_owned(), claim(meta, group)))
        .collect()
}

/// What a claim with that metadata is to `group`: ours where labels and name say the same.
pub(super) fn claim(meta: &ObjectMeta, group: &Group) -> Claim {
    let label = |key: &str| meta.labels.as_ref()?.get(key).map(String::as_str);
    let selector = place(group).selector();
    let of_group = selector.iter().all(|(k, v)| label(k) == Some(v.as_str()));
    let named = label(labels::VOLUME)
        .zip(label(labels::ORDINAL))
        .and_then(|(volume, ordinal)| Some((volume.parse().ok()?, ordinal.parse().ok()?)))
        .is_some_and(|(volume, ordinal): (VolumeName, u32)| {
            name_of(meta) == names::claim(&volume, &names::pod(&group.name_any(), ordinal))
        });
    match (of_group && named, meta.deletion_timestamp.is_some()) {
        (false, _) => Claim::Foreign,
        (true, true) => Claim::Terminating,
        (true, false) => Claim::Ours,
    }
}
