//! The Services of a Component: one of all ready members, and one that follows each role that asks
//! for it.

use crate::children::{Labels, Place, metadata};
use api::{Component, labels, names};
use k8s_openapi::{
    api::core::v1::{Service, ServicePort, ServiceSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};
use package::manifest::{Component as Declared, Port};

/// The Services; none where the component listens on nothing.
pub fn services(owner: &Component, place: &Place<'_>, declared: &Declared) -> Vec<Service> {
    if declared.ports.is_empty() {
        return Vec::new();
    }
    let spec = &owner.spec;
    let all = service(
        owner,
        names::component(&spec.app, &spec.component),
        place,
        None,
        declared,
    );
    let roles = declared
        .roles
        .iter()
        .filter(|role| role.service)
        .map(|role| {
            let name = names::role_service(&spec.app, &spec.component, &role.name);
            service(owner, name, place, Some(role.name.as_str()), declared)
        });
    std::iter::once(all).chain(roles).collect()
}

/// A Service selects only ready pods: what a member says of itself decides, not the operator.
fn service(
    owner: &Component,
    name: String,
    place: &Place<'_>,
    role: Option<&str>,
    declared: &Declared,
) -> Service {
    let with_role = |mut labels: Labels| {
        labels.extend(role.map(|role| (labels::ROLE.to_owned(), role.to_owned())));
        labels
    };
    Service {
        metadata: metadata(owner, name, with_role(place.labels())),
        spec: Some(ServiceSpec {
            selector: Some(with_role(place.selector())),
            ports: Some(declared.ports.iter().map(port).collect()),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

fn port(port: &Port) -> ServicePort {
    ServicePort {
        name: Some(port.name.clone()),
        port: i32::from(port.port),
        protocol: Some("TCP".to_owned()),
        target_port: Some(IntOrString::String(port.name.clone())),
        ..ServicePort::default()
    }
}
