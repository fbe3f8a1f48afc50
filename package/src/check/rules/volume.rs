//! Volumes and identity of a component: what a restricted pod can have beside the platform's own.

use super::Rules;
use crate::{check::document::Node, manifest::Component, quantity::Quantity};
use api::agent;
use std::collections::BTreeSet;

/// The most volumes, as many as a Group has.
const MAX_VOLUMES: usize = 8;
/// Volumes of every pod.
const OWN_VOLUMES: [&str; 9] = [
    agent::AGENT_VOLUME,
    "credentials",
    "middleware",
    "paamesh-config",
    "paamesh-content",
    "paamesh-pod",
    "paamesh-token",
    "scripts",
    "tmp",
];
/// Where the platform, the kubelet or the kernel mount something.
const OWN_DIRECTORIES: [&str; 14] = [
    agent::AGENT_DIR,
    agent::CONFIG_DIR,
    agent::CONTENT_DIR,
    agent::CREDENTIALS_DIR,
    agent::MIDDLEWARE_DIR,
    agent::POD_DIR,
    agent::SCRIPTS_DIR,
    "/dev",
    "/etc",
    "/proc",
    "/run",
    "/sys",
    "/tmp",
    "/var/run",
];

impl Rules<'_> {
    pub(super) fn volumes(&mut self, list: &Node, component: &Component) {
        self.at_most(list, "volumes", component.volumes.len(), MAX_VOLUMES);
        let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
        for (i, volume) in component.volumes.iter().enumerate() {
            let at = list.index(i);
            self.unique(at.key("name"), "the volume", &mut names, &volume.name);
            self.unique(
                at.key("mountPath"),
                "the mount path",
                &mut paths,
                &volume.mount_path,
            );
            if OWN_VOLUMES.contains(&volume.name.as_str()) {
                let message = format!("`{}` is a volume of the platform; rename it", volume.name);
                self.refuse(at.key("name"), message);
            }
            self.mount_path(at.key("mountPath"), &volume.mount_path);
            self.size(at.key("size"), &volume.size);
        }
    }

    /// The size of a volume.
    pub(super) fn size(&mut self, at: &Node, text: &str) {
        let size = self.require(at, text.parse::<Quantity>());
        if size.is_some_and(Quantity::is_zero) {
            self.refuse(at, "a volume of size 0 holds nothing");
        }
    }

    fn mount_path(&mut self, at: &Node, path: &str) {
        let parts = path.strip_prefix('/').unwrap_or_default().split('/');
        if parts.clone().any(|part| matches!(part, "" | "." | "..")) || path.contains(':') {
            let want = "want an absolute path without `.`, `..`, `:` and doubled `/`";
            self.refuse(at, format!("`{path}` cannot be mounted at: {want}"));
        }
        let below = |dir: &&&str| path.strip_prefix(**dir).is_some_and(is_end_or_below);
        if let Some(own) = OWN_DIRECTORIES.iter().find(below) {
            self.refuse(
                at,
                format!("`{path}` cannot be mounted at: {own} is not the addon's"),
            );
        }
    }

    pub(super) fn run_as(&mut self, at: &Node, component: &Component) {
        let Some(run_as) = component.run_as else {
            return;
        };
        for (field, id) in [("user", run_as.user), ("group", run_as.group)] {
            if !(1..=i64::from(i32::MAX)).contains(&id) {
                let want = "want a number from 1 to 2147483647; 0 is root";
                self.refuse(at.key(field), format!("{id} cannot be the {field}: {want}"));
            }
        }
    }
}

fn is_end_or_below(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}
