//! The kinds that an addon may own, as the API server knows them.

use kube::api::ApiResource;
use package::manifest::ObjectKind;

/// Where the API server serves the kind.
pub fn resource(kind: ObjectKind) -> ApiResource {
    let (group, version, plural) = match kind {
        ObjectKind::Service => ("", "v1", "services"),
        ObjectKind::ConfigMap => ("", "v1", "configmaps"),
        ObjectKind::Secret => ("", "v1", "secrets"),
        ObjectKind::PersistentVolumeClaim => ("", "v1", "persistentvolumeclaims"),
        ObjectKind::Ingress => ("networking.k8s.io", "v1", "ingresses"),
        ObjectKind::NetworkPolicy => ("networking.k8s.io", "v1", "networkpolicies"),
        ObjectKind::PodDisruptionBudget => ("policy", "v1", "poddisruptionbudgets"),
        ObjectKind::ServiceMonitor => (MONITORING, "v1", "servicemonitors"),
        ObjectKind::PodMonitor => (MONITORING, "v1", "podmonitors"),
        ObjectKind::PrometheusRule => (MONITORING, "v1", "prometheusrules"),
    };
    let api_version = match group {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    };
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version,
        kind: format!("{kind:?}"),
        plural: plural.to_owned(),
    }
}

const MONITORING: &str = "monitoring.coreos.com";

/// The kind of that name.
pub fn named(name: &str) -> Option<ObjectKind> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

/// Whether a cluster may lack the kind.
pub fn is_extra(kind: ObjectKind) -> bool {
    resource(kind).group == MONITORING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_its_name() {
        for kind in [ObjectKind::Service, ObjectKind::PrometheusRule] {
            assert_eq!(named(&resource(kind).kind), Some(kind));
        }
        assert_eq!(named("Pod"), None);
        assert!(is_extra(ObjectKind::PodMonitor) && !is_extra(ObjectKind::Ingress));
    }
}
