//! The headless Service: it gives each pod its DNS name, ready or not, because members must find
//! each other before they serve.

use crate::{children::metadata, group::place};
use api::{Group, names};
use k8s_openapi::{
    api::core::v1::{Service, ServicePort, ServiceSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};
use kube::ResourceExt as _;
use serde_json::Value;
use std::collections::BTreeMap;

/// The headless Service with the ports that the template's containers name.
pub fn service(group: &Group) -> Service {
    let place = place(group);
    let name = names::headless_service(&group.name_any());
    Service {
        metadata: metadata(group, name, place.labels()),
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            publish_not_ready_addresses: Some(true),
            selector: Some(place.selector()),
            ports: Some(ports(&group.spec.template)).filter(|ports| !ports.is_empty()),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

/// The named ports of all containers, each name once, by name.
fn ports(template: &Value) -> Vec<ServicePort> {
    let containers = template["spec"]["containers"].as_array();
    let ports = containers.into_iter().flatten();
    let ports = ports.filter_map(|container| container["ports"].as_array());
    let by_name: BTreeMap<String, ServicePort> = ports.flatten().filter_map(port).collect();
    by_name.into_values().collect()
}

fn port(port: &Value) -> Option<(String, ServicePort)> {
    let name = port["name"].as_str()?;
    let number = i32::try_from(port["containerPort"].as_i64()?).ok()?;
    let protocol = port["protocol"].as_str().unwrap_or("TCP");
    let port = ServicePort {
        name: Some(name.to_owned()),
        port: number,
        protocol: Some(protocol.to_owned()),
        target_port: Some(IntOrString::Int(number)),
        ..ServicePort::default()
    };
    Some((name.to_owned(), port))
}
