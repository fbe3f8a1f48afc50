//! The part of the middleware's container that the manifest and an App decide, in Kubernetes' own
//! words. The agent, volumes and settings that every pod has are the operator's.

use api::crd::app::{AppComponent, Resources};
use package::manifest::Component;
use serde::Serialize;
use std::collections::BTreeMap;

/// The part of a container.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    /// The image of every member.
    pub(super) image: String,
    command: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<Variable>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ports: Vec<Port>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<Resources>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_context: Option<RunAs>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volume_mounts: Vec<Mount>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Variable {
    name: String,
    value: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    name: String,
    container_port: u16,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct RunAs {
    run_as_user: i64,
    run_as_group: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Mount {
    name: String,
    mount_path: String,
}

impl Container {
    /// What `declared` says, with the settings in force.
    pub(super) fn of(declared: &Component, settings: &AppComponent, image: String) -> Self {
        let env = declared.env.iter().map(|(name, value)| Variable {
            name: name.clone(),
            value: value.clone(),
        });
        let ports = declared.ports.iter().map(|port| Port {
            name: port.name.clone(),
            container_port: port.port,
        });
        let mounts = declared.volumes.iter().map(|volume| Mount {
            name: volume.name.to_string(),
            mount_path: volume.mount_path.clone(),
        });
        Self {
            image,
            command: declared.command.clone(),
            env: env.collect(),
            ports: ports.collect(),
            resources: settings.resources.clone(),
            security_context: declared.run_as.map(|run_as| RunAs {
                run_as_user: run_as.user,
                run_as_group: run_as.group,
            }),
            volume_mounts: mounts.collect(),
        }
    }

    /// Where the volume is mounted; empty where it is not.
    pub(super) fn mount(&self, volume: &str) -> &str {
        let mut mounts = self.volume_mounts.iter();
        let mount = mounts.find(|mount| mount.name == volume);
        mount
            .map(|mount| mount.mount_path.as_str())
            .unwrap_or_default()
    }

    /// What there is, for people: a label and a value each.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let env = self
            .env
            .iter()
            .map(|v| format!("{}={}", v.name, word(&v.value)));
        let ports = self
            .ports
            .iter()
            .map(|p| format!("{} {}", p.name, p.container_port));
        let command = self.command.iter().map(|text| word(text));
        let run_as = self.security_context.iter();
        let run_as = run_as.map(|r| format!("{}, group {}", r.run_as_user, r.run_as_group));
        let all = [
            ("command", command.collect::<Vec<_>>().join(" ")),
            ("env", env.collect::<Vec<_>>().join(" ")),
            ("ports", ports.collect::<Vec<_>>().join(", ")),
            (
                "resources",
                self.resources.as_ref().map(quantities).unwrap_or_default(),
            ),
            ("user", run_as.collect()),
        ];
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }
}

fn quantities(Resources { requests, limits }: &Resources) -> String {
    let listed = |what: &str, quantities: &BTreeMap<String, String>| {
        let quantities = quantities
            .iter()
            .map(|(name, value)| format!("{name} {value}"));
        let quantities: Vec<String> = quantities.collect();
        match quantities.is_empty() {
            true => None,
            false => Some(format!("{what} {}", quantities.join(", "))),
        }
    };
    let both = [listed("requests", requests), listed("limits", limits)];
    both.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The text as it is, in quotes where it would not be one word.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("{text:?}"),
    }
}
