//! The volume claims of a member.
//!
//! A claim has no owner: it outlives its pod, its Group and its App, until a policy or a person says
//! otherwise (design.md, invariant 5). Its labels say whose it is, so that it can be taken again.

use crate::group::place;
use api::{Group, crd::group::GroupVolume, labels, names};
use k8s_openapi::{
    api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements},
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta},
};
use kube::ResourceExt as _;
use std::collections::BTreeMap;

/// The claim of the member `ordinal` for `volume`.
pub fn claim(group: &Group, ordinal: u32, volume: &GroupVolume) -> PersistentVolumeClaim {
    let pod = names::pod(&group.name_any(), ordinal);
    let mut all = place(group).labels();
    all.insert(labels::ORDINAL.to_owned(), ordinal.to_string());
    all.insert(labels::VOLUME.to_owned(), volume.name.to_string());
    let size = volume.storage.size.iter().map(|s| Quantity(s.clone()));
    let requests: BTreeMap<String, Quantity> =
        size.map(|size| ("storage".to_owned(), size)).collect();
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(names::claim(&volume.name, &pod)),
            namespace: group.namespace(),
            labels: Some(all),
            ..ObjectMeta::default()
        },
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            storage_class_name: volume.storage.storage_class.clone(),
            resources: Some(VolumeResourceRequirements {
                requests: Some(requests),
                ..VolumeResourceRequirements::default()
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    }
}
