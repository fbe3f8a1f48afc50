//! One component: its process, ports, configuration files, credentials, objects, roles and probe.

use super::Rules;
use crate::{
    check::document::Node,
    duration,
    manifest::{Component, Probe, SIGNALS},
    quantity::Quantity,
    tree,
};
use api::{Version, crd::app::Resources};
use regex::RegexBuilder;
use std::collections::BTreeSet;

/// Ports of the agent, which shares the pod's address.
const AGENT_PORTS: [u16; 2] = [50051, 50052];
/// The most roles, as many as a Group has.
const MAX_ROLES: usize = 8;
/// The memory that a compiled pattern may take: the agent compiles it too.
const MAX_PATTERN_BYTES: usize = 256 << 10;
/// The most credentials: each is two keys of a Secret.
const MAX_CREDENTIALS: usize = 8;
/// The most further objects, as many as a Component's status lists.
const MAX_OBJECTS: usize = 32;
/// Environment that the platform sets.
const ENV_PREFIX: &str = "PAAMESH_";

impl Rules<'_> {
    pub(super) fn component(&mut self, at: &Node, component: &Component) {
        self.command(at, &component.command);
        self.environment(at.key("env"), component);
        self.spoiling(|rules| rules.seen(at, component));
        self.config(at.key("config"), component);
        self.run_as(at.key("runAs"), component);
        self.actions(at.key("actions"), component);
        self.objects(at.key("objects"), component);
        self.roles(at, component);
        if let Some(probe) = &component.probe {
            self.probe(at.key("probe"), component, probe);
        }
        self.stop(at.key("stop"), component);
        self.content_size(at, component);
    }

    /// What templates see of it.
    fn seen(&mut self, at: &Node, component: &Component) {
        self.ports(at.key("ports"), component);
        if let Some(resources) = &component.resources {
            self.resources(at.key("resources"), resources);
        }
        self.volumes(at.key("volumes"), component);
        self.schema(at.key("schema"), component);
        self.credentials(at.key("credentials"), component);
    }

    fn environment(&mut self, at: &Node, component: &Component) {
        for name in component.env.keys() {
            let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !first || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                let want = "want letters, digits and `_`, not starting with a digit";
                self.refuse(
                    at.key(name),
                    format!("`{name}` is no environment variable: {want}"),
                );
            }
            if name.starts_with(ENV_PREFIX) {
                let message =
                    format!("`{name}`: names that begin with {ENV_PREFIX} are the platform's");
                self.refuse(at.key(name), message);
            }
        }
    }

    fn ports(&mut self, list: &Node, component: &Component) {
        let (mut names, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for (i, port) in component.ports.iter().enumerate() {
            let at = list.index(i);
            if !is_port_name(&port.name) {
                let message = format!(
                    "`{}` is no port name: want at most 15 lower-case letters, digits and single \
                     `-`, with a letter, not starting or ending with `-`",
                    port.name
                );
                self.refuse(at.key("name"), message);
            }
            self.unique(at.key("name"), "the port", &mut names, &port.name);
            self.unique(at.key("port"), "the port number", &mut numbers, port.port);
            if port.port == 0 || AGENT_PORTS.contains(&port.port) {
                let message = "want a port from 1 to 65535; 50051 and 50052 are the agent's";
                self.refuse(at.key("port"), message);
            }
        }
    }

    pub(super) fn resources(&mut self, at: &Node, resources: &Resources) {
        let mut requested = Vec::new();
        for (name, text) in &resources.requests {
            let quantity = self.require(at.key("requests").key(name), text.parse::<Quantity>());
            requested.extend(quantity.map(|quantity| (name, quantity)));
        }
        for (name, text) in &resources.limits {
            let place = at.key("limits").key(name);
            let limit = self.require(place, text.parse::<Quantity>());
            let request = requested.iter().find(|(requested, _)| *requested == name);
            if let (Some(limit), Some((_, request))) = (limit, request)
                && *request > limit
            {
                self.refuse(
                    place,
                    format!("the limit of {name} is below what is requested"),
                );
            }
        }
    }

    fn config(&mut self, list: &Node, component: &Component) {
        let versions = self.manifest.runtime_versions();
        for (i, config) in component.config.iter().enumerate() {
            let at = list.index(i);
            if !tree::is_name(&config.file) {
                self.refuse(at.key("file"), tree::bad_name(&config.file));
            }
            let before = component
                .config
                .iter()
                .take(i)
                .filter(|c| c.file == config.file);
            let both = |version: &&Version| {
                config.is_for(version) && before.clone().any(|other| other.is_for(version))
            };
            if let Some(version) = versions.iter().find(both) {
                let message = format!(
                    "the file `{}` is there twice for runtime {version}; of entries with one name, \
                     `runtimes` must let each runtime have one at most",
                    config.file
                );
                self.refuse(at.key("file"), message);
            }
            self.some_runtime(at, config.runtimes.as_ref());
            self.template(at.key("template"), &config.template);
        }
    }

    fn credentials(&mut self, list: &Node, component: &Component) {
        let credentials = &component.credentials;
        self.at_most(list, "credentials", credentials.len(), MAX_CREDENTIALS);
        let mut names = BTreeSet::new();
        for (i, credential) in credentials.iter().enumerate() {
            let at = list.index(i);
            self.unique(
                at.key("name"),
                "the credential",
                &mut names,
                &credential.name,
            );
            if !is_username(credential.username()) {
                let message = format!(
                    "`{}` is no user: want at most 63 letters, digits, `_`, `.` and `-`, starting with \
                     a letter or `_`",
                    credential.username()
                );
                self.refuse(at.key("username"), message);
            }
        }
    }

    fn objects(&mut self, list: &Node, component: &Component) {
        self.at_most(list, "objects", component.objects.len(), MAX_OBJECTS);
        for (i, object) in component.objects.iter().enumerate() {
            self.template(list.index(i).key("template"), &object.template);
        }
    }

    fn roles(&mut self, at: &Node, component: &Component) {
        let list = at.key("roles");
        self.at_most(list, "roles", component.roles.len(), MAX_ROLES);
        let mut names = BTreeSet::new();
        for (i, role) in component.roles.iter().enumerate() {
            self.unique(
                list.index(i).key("name"),
                "the role",
                &mut names,
                &role.name,
            );
            if role.service && component.ports.is_empty() {
                let message = format!(
                    "the role `{}` cannot have a Service: there is no port",
                    role.name
                );
                self.refuse(list.index(i).key("service"), message);
            }
        }
        if !component.roles.is_empty() && component.probe.is_none() {
            self.refuse(
                list,
                "there are roles and no `probe`, which says who has them",
            );
        }
    }

    fn probe(&mut self, at: &Node, component: &Component, probe: &Probe) {
        self.command(at, &probe.command);
        self.require(at.key("interval"), duration::parse(&probe.interval));
        self.require(at.key("timeout"), duration::parse(&probe.timeout));
        match &probe.pattern {
            Some(pattern) => self.pattern(at, pattern, probe),
            None if !probe.roles.is_empty() => {
                self.refuse(
                    at.key("roles"),
                    "`roles` belongs to `pattern`, and there is none",
                );
            }
            None => {}
        }
        for (said, role) in &probe.roles {
            if !component
                .roles
                .iter()
                .any(|declared| declared.name == *role)
            {
                let declared: Vec<_> = component.roles.iter().map(|r| r.name.as_str()).collect();
                let message = format!(
                    "no role `{role}`: {}",
                    crate::check::one_of(role.as_str(), &declared)
                );
                self.refuse(at.key("roles").key(said), message);
            }
        }
    }

    fn pattern(&mut self, at: &Node, pattern: &str, probe: &Probe) {
        let compiled = RegexBuilder::new(pattern)
            .size_limit(MAX_PATTERN_BYTES)
            .build();
        let place = at.key("pattern");
        match compiled {
            Err(error) => self.refuse(place, format!("no regular expression: {error}")),
            Ok(compiled) if compiled.captures_len() < 2 => {
                self.refuse(place, "want a group, `(…)`, around what names the role");
            }
            Ok(_) => {}
        }
        if probe.roles.is_empty() {
            self.refuse(
                place,
                "`pattern` needs `roles`: what the command says → the role",
            );
        }
    }

    fn stop(&mut self, at: &Node, component: &Component) {
        let signal = &component.stop.signal;
        if !SIGNALS.contains(&signal.as_str()) {
            let message = format!(
                "`{signal}` is no signal that ends a process: {}",
                crate::check::one_of(signal, &SIGNALS)
            );
            self.refuse(at.key("signal"), message);
        }
        self.require(at.key("timeout"), duration::parse(&component.stop.timeout));
    }
}

/// An IANA service name, as Kubernetes wants it (RFC 6335, section 5.1).
fn is_port_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=15).contains(&name.len())
        && name.bytes().all(allowed)
        && name.bytes().any(|b| b.is_ascii_lowercase())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

/// `[A-Za-z_][A-Za-z0-9_.-]{0,62}`: what every middleware takes without quotes.
fn is_username(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let rest = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    text.len() <= 63 && text.starts_with(first) && text.chars().all(rest)
}
