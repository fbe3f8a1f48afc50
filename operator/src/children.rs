//! What every child of an App has in common: labels and owner references.

use api::{
    labels,
    names::{AppName, ComponentName, GroupName, PluginName},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;
use std::collections::BTreeMap;

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// Of what a child is a part.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The App.
    pub app: &'a AppName,
    /// The addon.
    pub plugin: &'a PluginName,
    /// The component, for what lies below it.
    pub component: Option<&'a ComponentName>,
    /// The group, for what lies below it.
    pub group: Option<&'a GroupName>,
}

impl Place<'_> {
    /// The labels that never change in an object's life: the recommended ones and ours.
    pub fn labels(&self) -> Labels {
        let mut labels = Labels::from([
            (
                labels::MANAGED_BY.to_owned(),
                labels::MANAGED_BY_PAAMESH.to_owned(),
            ),
            (labels::K8S_NAME.to_owned(), self.plugin.to_string()),
            (labels::K8S_INSTANCE.to_owned(), self.app.to_string()),
            (labels::APP.to_owned(), self.app.to_string()),
            (labels::PLUGIN.to_owned(), self.plugin.to_string()),
        ]);
        if let Some(component) = self.component {
            labels.insert(labels::K8S_COMPONENT.to_owned(), component.to_string());
            labels.insert(labels::COMPONENT.to_owned(), component.to_string());
        }
        if let Some(group) = self.group {
            labels.insert(labels::GROUP.to_owned(), group.to_string());
        }
        labels
    }

    /// What selects the pods below: nothing that could ever change.
    pub fn selector(&self) -> Labels {
        let mut selector = Labels::from([(labels::APP.to_owned(), self.app.to_string())]);
        if let Some(component) = self.component {
            selector.insert(labels::COMPONENT.to_owned(), component.to_string());
        }
        if let Some(group) = self.group {
            selector.insert(labels::GROUP.to_owned(), group.to_string());
        }
        selector
    }
}

/// The metadata of a child of `owner`, in its namespace.
pub fn metadata<O: Resource<DynamicType = ()>>(
    owner: &O,
    name: String,
    labels: Labels,
) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: owner.meta().namespace.clone(),
        labels: Some(labels),
        owner_references: owner.controller_owner_ref(&()).map(|owner| {
            // A deletion in the foreground of the owner waits for the child.
            vec![OwnerReference {
                block_owner_deletion: Some(true),
                ..owner
            }]
        }),
        ..ObjectMeta::default()
    }
}

/// Whether `child` is controlled by the object of that uid.
pub fn is_owned(child: &ObjectMeta, uid: &str) -> bool {
    controller(child).is_some_and(|owner| owner.uid == uid)
}

/// The one owner reference that says who controls `child`.
pub fn controller(child: &ObjectMeta) -> Option<&OwnerReference> {
    child
        .owner_references
        .iter()
        .flatten()
        .find(|owner| owner.controller == Some(true))
}
