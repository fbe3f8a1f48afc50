//! The account of a Group's pods and what it may do: read and patch these pods, and read and write
//! the Group's record. Nothing else, and nothing of another Group (design.md, section 6).

use crate::{children::metadata, group::place};
use api::{Group, names};
use k8s_openapi::api::{
    core::v1::ServiceAccount,
    rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject},
};
use kube::ResourceExt as _;
use std::collections::BTreeSet;

/// The account that the pods run as. Its token is mounted nowhere by itself.
pub fn account(group: &Group) -> ServiceAccount {
    ServiceAccount {
        metadata: metadata(group, group.name_any(), place(group).labels()),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

/// What the account may do: `ordinals` are those whose pods are there or are to be.
pub fn role(group: &Group, ordinals: &BTreeSet<u32>) -> Role {
    let name = group.name_any();
    let pods: Vec<String> = ordinals.iter().map(|o| names::pod(&name, *o)).collect();
    let mut rules = vec![rule(
        "coordination.k8s.io",
        "leases",
        vec![name.clone()],
        ["get", "update"],
    )];
    // An empty list of names would mean every pod.
    if !pods.is_empty() {
        rules.push(rule("", "pods", pods, ["get", "patch"]));
    }
    Role {
        metadata: metadata(group, name, place(group).labels()),
        rules: Some(rules),
    }
}

fn rule(group: &str, resource: &str, names: Vec<String>, verbs: [&str; 2]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![group.to_owned()]),
        resources: Some(vec![resource.to_owned()]),
        resource_names: Some(names),
        verbs: verbs.map(str::to_owned).to_vec(),
        ..PolicyRule::default()
    }
}

/// The Role given to the account.
pub fn binding(group: &Group) -> RoleBinding {
    let name = group.name_any();
    RoleBinding {
        metadata: metadata(group, name.clone(), place(group).labels()),
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io".to_owned(),
            kind: "Role".to_owned(),
            name: name.clone(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".to_owned(),
            name,
            namespace: group.namespace(),
            ..Subject::default()
        }]),
    }
}
