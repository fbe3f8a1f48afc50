//! What the objects of an addon may not do, kind by kind: reach pods, Services, volumes or Secrets that
//! are not the App's own, or outlive their use.

use super::{Owner, syntax::is_data_key};
use crate::{
    Finding,
    check::{
        document::{Node, Value},
        one_of,
    },
    manifest::ObjectKind,
};

/// The types of a Service that an addon may have: `ExternalName` leads out of the cluster.
const SERVICE_TYPES: [&str; 3] = ["ClusterIP", "LoadBalancer", "NodePort"];
/// What begins the types of Secrets from which credentials of the cluster come.
const CLUSTER_SECRETS: [&str; 2] = [
    "kubernetes.io/service-account-token",
    "bootstrap.kubernetes.io/",
];

/// Fields of monitors that name a file of the scraper.
const SCRAPERS_FILES: [&str; 5] = [
    "bearerTokenFile",
    "caFile",
    "certFile",
    "credentialsFile",
    "keyFile",
];

/// What is wrong with the contents of `object`, whose fields are those of its kind.
pub(super) fn faults(owner: &Owner<'_>, kind: ObjectKind, object: &Node) -> Vec<Finding> {
    let mut faults = Faults {
        owner,
        found: Vec::new(),
    };
    match kind {
        ObjectKind::Service => faults.service(object),
        ObjectKind::ConfigMap => faults.data(object),
        ObjectKind::Secret => faults.secret(object),
        ObjectKind::PersistentVolumeClaim => faults.claim(object),
        ObjectKind::Ingress => faults.ingress(object),
        ObjectKind::NetworkPolicy => {
            faults.selects(object, &["spec", "podSelector", "matchLabels"]);
        }
        ObjectKind::PodDisruptionBudget => faults.budget(object),
        ObjectKind::ServiceMonitor | ObjectKind::PodMonitor => faults.monitor(object),
        ObjectKind::PrometheusRule => {}
    }
    faults.found
}

struct Faults<'a> {
    owner: &'a Owner<'a>,
    found: Vec<Finding>,
}

impl Faults<'_> {
    fn refuse(&mut self, at: &Node, message: impl Into<String>) {
        self.found.push(at.finding(message));
    }

    /// Refuses every one of `fields` that `at` has.
    fn without(&mut self, at: Option<&Node>, fields: &[(&str, &str)]) {
        for (field, why) in fields {
            if let Some(node) = at.and_then(|at| at.get(field))
                && !matches!(node.value, Value::Null)
            {
                self.refuse(node, format!("`{field}` is not allowed: {why}"));
            }
        }
    }

    /// The labels at `path` must be the App's own.
    fn selects(&mut self, object: &Node, path: &[&str]) {
        let (key, value) = self.owner.label();
        let labels = object.at(path);
        if labels.and_then(|labels| labels.get(key)?.text()) == Some(value) {
            return;
        }
        let path = path.join(".");
        let message = format!(
            "`{path}` reaches beyond the App: want `{key}: {{{{ app.name }}}}` in it, here `{key}: {value}`"
        );
        self.refuse(labels.unwrap_or(object), message);
    }

    fn service(&mut self, object: &Node) {
        self.selects(object, &["spec", "selector"]);
        let outside =
            "traffic of others could be led to the App's pods, or the App's out of the cluster";
        self.without(
            object.get("spec"),
            &[("externalIPs", outside), ("externalName", outside)],
        );
        if let Some(node) = object.at(&["spec", "type"])
            && let Some(is) = node.text()
            && !SERVICE_TYPES.contains(&is)
        {
            let message = format!("`{is}` is not allowed: {}", one_of(is, &SERVICE_TYPES));
            self.refuse(node, message);
        }
        let ports = object.at(&["spec", "ports"]).map(Node::items);
        let ports = ports.unwrap_or_default();
        if ports.is_empty() {
            let message = "`spec.ports` is missing or empty: want at least one port";
            self.refuse(object.key("spec"), message);
        }
        for port in ports {
            let number = port.key("port");
            if !matches!(number.value, Value::Whole(1..=65535)) {
                self.refuse(number, "want `port`, a number from 1 to 65535");
            }
            if ports.len() > 1 && port.get("name").is_none() {
                self.refuse(port, "of several ports each needs a `name`");
            }
        }
    }

    fn data(&mut self, object: &Node) {
        let why = "another version of the addon could not change it";
        self.without(Some(object), &[("immutable", why)]);
        for field in ["data", "binaryData", "stringData"] {
            let entries = object.get(field).map(Node::entries);
            for (key, node) in entries.unwrap_or_default() {
                if !is_data_key(&key.text) {
                    let message = format!(
                        "`{}` cannot be a key: want letters, digits, `-`, `.` and `_`",
                        key.text
                    );
                    self.refuse(node, message);
                }
            }
        }
    }

    fn secret(&mut self, object: &Node) {
        self.data(object);
        if let Some(node) = object.get("type")
            && let Some(is) = node.text()
            && CLUSTER_SECRETS.iter().any(|own| is.starts_with(own))
        {
            let message = format!("`{is}` is not allowed: it holds credentials of the cluster");
            self.refuse(node, message);
        }
    }

    fn claim(&mut self, object: &Node) {
        let foreign = "the data of others could come with it";
        self.without(
            object.get("spec"),
            &[
                ("dataSource", foreign),
                ("dataSourceRef", foreign),
                ("selector", foreign),
                ("volumeName", foreign),
            ],
        );
        let path = ["spec", "resources", "requests", "storage"];
        if object.at(&path).is_none() {
            let message = format!("`{}` is missing: want the size", path.join("."));
            self.refuse(object.key("spec"), message);
        }
        if object
            .at(&["spec", "accessModes"])
            .is_none_or(|modes| modes.items().is_empty())
        {
            let message = "`spec.accessModes` is missing: want for example `[ReadWriteOnce]`";
            self.refuse(object.key("spec"), message);
        }
    }

    fn budget(&mut self, object: &Node) {
        self.selects(object, &["spec", "selector", "matchLabels"]);
        let limits = ["maxUnavailable", "minAvailable"];
        let set = limits
            .iter()
            .filter(|limit| object.at(&["spec", limit]).is_some());
        if set.count() != 1 {
            let message = "want one of `spec.minAvailable` and `spec.maxUnavailable`";
            self.refuse(object.key("spec"), message);
        }
    }

    fn monitor(&mut self, object: &Node) {
        self.selects(object, &["spec", "selector", "matchLabels"]);
        let why = "it looks in the namespace of the App alone";
        self.without(object.get("spec"), &[("namespaceSelector", why)]);
        if let Some(spec) = object.get("spec") {
            self.scraped_with(spec);
        }
    }

    /// What a scraper shows to the pods that it scrapes must be the component's own: its Secrets, and
    /// no file of the scraper.
    fn scraped_with(&mut self, at: &Node) {
        let why = "it would show a file of the scraper to the pods; want a Secret of the component";
        self.without(Some(at), &SCRAPERS_FILES.map(|field| (field, why)));
        let chosen = at.get("name").filter(|_| at.get("key").is_some());
        if let Some(node) = chosen
            && let Some(name) = node.text()
            && !name.starts_with(&self.owner.prefix)
        {
            self.foreign(node, name);
        }
        at.entries()
            .iter()
            .for_each(|(_, node)| self.scraped_with(node));
        at.items().iter().for_each(|node| self.scraped_with(node));
    }

    fn foreign(&mut self, at: &Node, name: &str) {
        let prefix = &self.owner.prefix;
        let message =
            format!("`{name}` is not the component's: want a name that begins with `{prefix}`");
        self.refuse(at, message);
    }

    fn ingress(&mut self, object: &Node) {
        let Some(spec) = object.get("spec") else {
            return self.refuse(object, "`spec` is missing");
        };
        self.backend(spec.get("defaultBackend"));
        for rule in spec.get("rules").map(Node::items).unwrap_or_default() {
            let paths = rule.at(&["http", "paths"]).map(Node::items);
            for path in paths.unwrap_or_default() {
                self.backend(path.get("backend"));
            }
        }
        for tls in spec.get("tls").map(Node::items).unwrap_or_default() {
            if let Some(node) = tls.get("secretName")
                && let Some(name) = node.text()
                && !name.starts_with(&self.owner.prefix)
            {
                self.foreign(node, name);
            }
        }
    }

    fn backend(&mut self, backend: Option<&Node>) {
        let Some(backend) = backend else {
            return;
        };
        self.without(
            Some(backend),
            &[("resource", "want `service`, one of the App's own")],
        );
        if let Some(node) = backend.at(&["service", "name"])
            && let Some(name) = node.text()
            && !self.owner.services.contains(name)
        {
            let own: Vec<&str> = self.owner.services.iter().map(String::as_str).collect();
            let message = format!(
                "the Service `{name}` is not the App's: {}",
                one_of(name, &own)
            );
            self.refuse(node, message);
        }
    }
}
