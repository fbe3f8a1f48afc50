//! The pod template: the author's container under the agent, and what the platform adds. What
//! differs between members (name, account, claims, the agent's image) is the Group controller's.
//!
//! A change of what is composed here is another [`crate::component::COMPOSER`].

mod volumes;

use super::BuildError;
use crate::{apply::strip_nulls, component::render::Rendered};
use api::{
    Component,
    agent::{AGENT_BINARY, INSTALL_CONTAINER, MAIN_CONTAINER, SIDECAR_CONTAINER},
    crd::app::Resources,
};
use k8s_openapi::{
    api::core::v1::{
        Capabilities, Container, ContainerPort, EnvVar, ExecAction, PodSecurityContext, PodSpec,
        PodTemplateSpec, Probe, ResourceRequirements, SeccompProfile, SecurityContext,
    },
    apimachinery::pkg::api::resource::Quantity,
};
use package::{
    duration,
    manifest::{RunAs, Stop},
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use volumes::{install_mounts, main_mounts, sidecar_mounts, volumes};

/// Who a process is where the addon says nothing.
const NOBODY: RunAs = RunAs {
    user: 65532,
    group: 65532,
};
/// What the kubelet waits beyond the addon's own stop time: the supervisor kills and reaps in it.
const STOP_SLACK: Duration = Duration::from_secs(10);

/// The template of every member's pod.
///
/// # Errors
/// It has no JSON form.
pub fn template(component: &Component, rendered: &Rendered) -> Result<Value, BuildError> {
    let template = PodTemplateSpec {
        metadata: None,
        spec: Some(spec(component, rendered)),
    };
    let mut template = serde_json::to_value(template).map_err(|source| BuildError::Form {
        what: "the pod template",
        source,
    })?;
    strip_nulls(&mut template);
    Ok(template)
}

fn spec(component: &Component, rendered: &Rendered) -> PodSpec {
    let run_as = rendered.declared.run_as.unwrap_or(NOBODY);
    let stop = duration::parse(&rendered.declared.stop.timeout).unwrap_or_default() + STOP_SLACK;
    PodSpec {
        init_containers: Some(vec![install()]),
        containers: vec![main(component, rendered), sidecar(rendered)],
        volumes: Some(volumes(component, &rendered.declared)),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(run_as.user),
            run_as_group: Some(run_as.group),
            fs_group: Some(run_as.group),
            // Claims are large: their files change hands only where they are somebody else's.
            fs_group_change_policy: Some("OnRootMismatch".to_owned()),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        termination_grace_period_seconds: i64::try_from(stop.as_secs()).ok(),
        ..PodSpec::default()
    }
}

fn restricted(read_only: bool) -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities {
            drop: Some(vec!["ALL".to_owned()]),
            add: None,
        }),
        read_only_root_filesystem: read_only.then_some(true),
        ..SecurityContext::default()
    }
}

/// Brings the agent and the pod's files. The image is set by the Group controller when it makes a
/// pod: a newer agent changes no pod that runs.
fn install() -> Container {
    Container {
        name: INSTALL_CONTAINER.to_owned(),
        command: Some(words(&["/paamesh-agent", "install"])),
        termination_message_policy: last_words(),
        volume_mounts: Some(install_mounts()),
        resources: Some(small()),
        security_context: Some(restricted(true)),
        ..Container::default()
    }
}

fn main(component: &Component, rendered: &Rendered) -> Container {
    let declared = &rendered.declared;
    let in_force = rendered.in_force.resources.as_ref();
    let ports = declared.ports.iter().map(|port| ContainerPort {
        name: Some(port.name.clone()),
        container_port: i32::from(port.port),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    });
    Container {
        name: MAIN_CONTAINER.to_owned(),
        image: Some(rendered.image.clone()),
        command: Some(supervised(component, rendered)),
        termination_message_policy: last_words(),
        env: Some(env(&declared.env)),
        ports: Some(ports.collect()),
        resources: in_force.map(resources),
        volume_mounts: Some(main_mounts(declared)),
        liveness_probe: Some(exec("live", 10, 6)),
        security_context: Some(restricted(false)),
        ..Container::default()
    }
}

/// The middleware's command, under the supervisor.
fn supervised(component: &Component, rendered: &Rendered) -> Vec<String> {
    let Stop { signal, timeout } = &rendered.declared.stop;
    let name = component.spec.component.as_str();
    let mut command = words(&[
        AGENT_BINARY,
        "supervisor",
        "--name",
        name,
        "--stop-signal",
        signal,
        "--stop-timeout",
        timeout,
        "--",
    ]);
    command.extend(rendered.declared.command.iter().cloned());
    command
}

/// The agent beside the middleware, from the middleware's own image: it has its tools.
fn sidecar(rendered: &Rendered) -> Container {
    Container {
        name: SIDECAR_CONTAINER.to_owned(),
        image: Some(rendered.image.clone()),
        command: Some(words(&[AGENT_BINARY, "sidecar"])),
        termination_message_policy: last_words(),
        env: Some(env(&rendered.declared.env)),
        volume_mounts: Some(sidecar_mounts(&rendered.declared)),
        // Each run of a probe costs the container runtime a process: every second only until the
        // member is ready for the first time, however long it loads its data.
        startup_probe: Some(exec("ready", 1, i32::MAX)),
        readiness_probe: Some(exec("ready", 5, 2)),
        resources: Some(small()),
        security_context: Some(restricted(true)),
        ..Container::default()
    }
}

/// `kubectl describe` shows the last lines of a container that failed.
fn last_words() -> Option<String> {
    Some("FallbackToLogsOnError".to_owned())
}

fn exec(job: &str, period: i32, failures: i32) -> Probe {
    Probe {
        exec: Some(ExecAction {
            command: Some(words(&[AGENT_BINARY, job])),
        }),
        period_seconds: Some(period),
        timeout_seconds: Some(5),
        failure_threshold: Some(failures),
        ..Probe::default()
    }
}

/// What the platform's own containers need; the limit leaves room for a probe's client.
fn small() -> ResourceRequirements {
    let quantities = |pairs: &[(&str, &str)]| {
        Some(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), Quantity((*v).to_owned())))
                .collect(),
        )
    };
    ResourceRequirements {
        requests: quantities(&[("cpu", "10m"), ("memory", "16Mi")]),
        limits: quantities(&[("memory", "64Mi")]),
        ..ResourceRequirements::default()
    }
}

fn resources(set: &Resources) -> ResourceRequirements {
    let quantities = |set: &BTreeMap<String, String>| {
        let set = set.iter().map(|(k, v)| (k.clone(), Quantity(v.clone())));
        Some(set.collect::<BTreeMap<_, _>>()).filter(|set| !set.is_empty())
    };
    ResourceRequirements {
        requests: quantities(&set.requests),
        limits: quantities(&set.limits),
        ..ResourceRequirements::default()
    }
}

fn env(variables: &BTreeMap<String, String>) -> Vec<EnvVar> {
    let variable = |(name, value): (&String, &String)| EnvVar {
        name: name.clone(),
        value: Some(value.clone()),
        value_from: None,
    };
    variables.iter().map(variable).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
