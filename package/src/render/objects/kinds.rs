//! Whether an object is one of Kubernetes' own: its kind, its version, and no field that its type does
//! not have.

use crate::{
    Finding,
    check::{document::Node, read},
    manifest::ObjectKind,
};
use k8s_openapi::{
    api::{
        core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service},
        networking::v1::{Ingress, NetworkPolicy},
        policy::v1::PodDisruptionBudget,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// An object of a kind whose type is not Kubernetes' own: its outer shape.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "its fields are read to see whether they can be")]
struct Monitoring {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: Map<String, Value>,
}

/// What is wrong with `node` as an object of `kind`.
pub(super) fn faults(kind: ObjectKind, node: &Node) -> Vec<Finding> {
    let faults = identity(kind, node);
    if !faults.is_empty() {
        return faults;
    }
    match kind {
        ObjectKind::Service => typed::<Service>(node),
        ObjectKind::ConfigMap => typed::<ConfigMap>(node),
        ObjectKind::Secret => typed::<Secret>(node),
        ObjectKind::PersistentVolumeClaim => typed::<PersistentVolumeClaim>(node),
        ObjectKind::Ingress => typed::<Ingress>(node),
        ObjectKind::NetworkPolicy => typed::<NetworkPolicy>(node),
        ObjectKind::PodDisruptionBudget => typed::<PodDisruptionBudget>(node),
        ObjectKind::ServiceMonitor | ObjectKind::PodMonitor | ObjectKind::PrometheusRule => {
            typed::<Monitoring>(node)
        }
    }
}

fn identity(kind: ObjectKind, node: &Node) -> Vec<Finding> {
    if !matches!(node.value, crate::check::document::Value::Map(_)) {
        return vec![
            node.finding("want one object: a map with `apiVersion`, `kind` and `metadata`"),
        ];
    }
    let mut faults = Vec::new();
    for (field, want) in [("apiVersion", kind.api_version()), ("kind", kind.name())] {
        match node.get(field).map(|node| (node, node.text())) {
            Some((_, Some(is))) if is == want => {}
            Some((at, is)) => {
                let is = is.map_or_else(|| "something else".to_owned(), |is| format!("`{is}`"));
                faults.push(at.finding(format!("want `{want}`, as the manifest says, not {is}")));
            }
            None => {
                let message = format!("the field `{field}` is missing; want `{want}`");
                faults.push(node.finding(message));
            }
        }
    }
    faults
}

fn typed<T: DeserializeOwned>(node: &Node) -> Vec<Finding> {
    read::read::<T>(node).err().unwrap_or_default()
}
