//! The metadata of an addon's object: its name, its namespace, and nothing that is the platform's.

use super::{
    Owner,
    syntax::{is_dns, is_key, is_label_value},
};
use crate::{
    Finding,
    check::{document::Node, one_of},
    manifest::ObjectKind,
};

/// What the metadata of an addon's object may have.
const FIELDS: [&str; 4] = ["annotations", "labels", "name", "namespace"];
/// What names of labels and annotations begin with that are the platform's.
const OWN_DOMAIN: &str = "middleware.io/";
/// The most characters of a Service's name, a DNS label.
const MAX_LABEL: usize = 63;
/// The most characters of another object's name, a DNS subdomain.
const MAX_SUBDOMAIN: usize = 253;

/// What is wrong with the metadata of `object`.
pub(super) fn faults(owner: &Owner<'_>, kind: ObjectKind, object: &Node) -> Vec<Finding> {
    let mut faults = Vec::new();
    if let Some(status) = object.get("status") {
        faults.push(status.finding("`status` is written by the cluster; leave it out"));
    }
    let metadata = object.key("metadata");
    for (key, node) in metadata.entries() {
        if !FIELDS.contains(&key.text.as_str()) {
            let message = format!(
                "`metadata.{}` is not the addon's to set: {}",
                key.text,
                one_of(&key.text, &FIELDS)
            );
            faults.push(node.finding(message));
        }
    }
    faults.extend(name_fault(owner, kind, metadata));
    faults.extend(namespace_fault(owner, metadata));
    for field in ["labels", "annotations"] {
        let entries = metadata.get(field).map(Node::entries);
        for (key, node) in entries.unwrap_or_default() {
            faults.extend(entry_fault(field, &key.text, node));
        }
    }
    faults
}

/// What is wrong with one label or annotation.
fn entry_fault(field: &str, key: &str, node: &Node) -> Option<Finding> {
    if key.starts_with(OWN_DOMAIN) {
        return Some(node.finding(format!(
            "`{key}`: {field} that begin with {OWN_DOMAIN} are the platform's, which sets them on \
             every object; leave it out"
        )));
    }
    if !is_key(key) {
        return Some(node.finding(format!(
            "`{key}` cannot be a key of {field}: want at most 63 letters, digits, `-`, `.` and `_`, \
             with a domain and `/` before them or not"
        )));
    }
    let value = node.text()?;
    let message = || {
        format!(
            "`{value}` cannot be the value of a label: want at most 63 letters, digits, `-`, `.` and \
             `_`, starting and ending with a letter or digit; an annotation takes any text"
        )
    };
    (field == "labels" && !is_label_value(value)).then(|| node.finding(message()))
}

fn name_fault(owner: &Owner<'_>, kind: ObjectKind, metadata: &Node) -> Option<Finding> {
    let Some(node) = metadata.get("name") else {
        let message = format!("`metadata.name` is missing; want `{}…`", owner.prefix);
        return Some(metadata.finding(message));
    };
    let name = node.text()?;
    let most = if kind == ObjectKind::Service {
        MAX_LABEL
    } else {
        MAX_SUBDOMAIN
    };
    let dots = kind != ObjectKind::Service;
    if !owner.may_be_called(name) {
        return Some(node.finding(format!(
            "`{name}` cannot be the name: want `{{{{ component.fullName }}}}-…`, here `{}…`, followed \
             by a word of your own; `config`, `content`, `credentials`, numbers, and what ends in `-h` \
             or `-svc` are the platform's",
            owner.prefix
        )));
    }
    if name.len() > most || !is_dns(name, dots) {
        return Some(node.finding(format!(
            "`{name}` is no name of a {}: want at most {most} lower-case letters, digits and `-`{}, \
             not ending in `-`",
            kind.name(),
            if dots { " and `.`" } else { "" }
        )));
    }
    None
}

fn namespace_fault(owner: &Owner<'_>, metadata: &Node) -> Option<Finding> {
    let node = metadata.get("namespace")?;
    let is = node.text()?;
    let message = || {
        let own = owner.namespace;
        format!(
            "the object cannot lie in the namespace `{is}`: leave it out, or want the App's, `{own}`"
        )
    };
    (is != owner.namespace).then(|| node.finding(message()))
}
