//! The caches that the Group controller reads beside the operator's common ones: pods, claims,
//! accounts, Roles, bindings and records, all by the platform's label.
//!
//! Bodies are not kept: of a pod the metadata, the node and the status, of everything else the
//! metadata alone.

use crate::{
    children::Labels,
    watch::{Feed, Feeds, Meta},
};
use api::{Group, labels, names};
use futures::future::{BoxFuture, FutureExt as _, join_all};
use k8s_openapi::{
    api::{
        coordination::v1::Lease,
        core::v1::{self, PersistentVolumeClaim, PodStatus, Service, ServiceAccount},
        rbac::v1::{Role, RoleBinding},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{Api, Client, Resource, ResourceExt as _, runtime::watcher};
use serde::Deserialize;
use std::{borrow::Cow, fmt::Debug, sync::Arc};

/// A pod without most of its spec.
#[derive(Clone, Debug, Deserialize)]
pub struct Pod {
    /// Its metadata.
    pub metadata: ObjectMeta,
    spec: Option<Placed>,
    /// What the kubelet says of it.
    pub status: Option<PodStatus>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placed {
    node_name: Option<String>,
}

impl Pod {
    /// The node that it was bound to.
    pub fn node_name(&self) -> Option<&str> {
        self.spec.as_ref()?.node_name.as_deref()
    }
}

impl Resource for Pod {
    type DynamicType = ();
    type Scope = <v1::Pod as Resource>::Scope;

    fn kind(_: &()) -> Cow<'_, str> {
        v1::Pod::kind(&())
    }

    fn group(_: &()) -> Cow<'_, str> {
        v1::Pod::group(&())
    }

    fn version(_: &()) -> Cow<'_, str> {
        v1::Pod::version(&())
    }

    fn plural(_: &()) -> Cow<'_, str> {
        v1::Pod::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// The caches of what a Group is made of.
#[derive(Clone)]
pub struct Caches {
    /// The pods of all Groups.
    pub pods: Feed<Pod>,
    /// Their volume claims.
    pub claims: Feed<Meta<PersistentVolumeClaim>>,
    /// The service accounts.
    pub accounts: Feed<Meta<ServiceAccount>>,
    /// The Roles.
    pub roles: Feed<Meta<Role>>,
    /// The bindings of account and Role.
    pub bindings: Feed<Meta<RoleBinding>>,
    /// The records.
    pub records: Feed<Meta<Lease>>,
    /// The Services, shared with the Component controller.
    pub services: Feed<Meta<Service>>,
}

/// The caches, and the future that keeps them; it never ends by itself.
pub fn start(client: &Client, feeds: &Feeds) -> (Caches, BoxFuture<'static, ()>) {
    let ours = watcher::Config::default().labels(&format!(
        "{}={},{}",
        labels::MANAGED_BY,
        labels::MANAGED_BY_PAAMESH,
        labels::GROUP
    ));
    let (pods, w1) = Feed::guarded(Api::all(client.clone()), ours.clone());
    let (claims, w2) = Feed::plain(Api::all(client.clone()), ours.clone());
    let (accounts, w3) = Feed::plain(Api::all(client.clone()), ours.clone());
    let (roles, w4) = Feed::plain(Api::all(client.clone()), ours.clone());
    let (bindings, w5) = Feed::plain(Api::all(client.clone()), ours.clone());
    let (records, w6) = Feed::plain(Api::all(client.clone()), ours);
    let caches = Caches {
        pods,
        claims,
        accounts,
        roles,
        bindings,
        records,
        services: feeds.services.clone(),
    };
    (caches, join_all([w1, w2, w3, w4, w5, w6]).map(drop).boxed())
}

impl Caches {
    /// Resolves when every cache was filled once. A cache whose watch ended says so in the log, and
    /// is read as it is.
    pub async fn wait_until_ready(&self) {
        let Self {
            pods,
            claims,
            accounts,
            roles,
            bindings,
            records,
            services,
        } = self;
        futures::join!(
            pods.filled(),
            claims.filled(),
            accounts.filled(),
            roles.filled(),
            bindings.filled(),
            records.filled(),
            services.filled(),
        );
    }

    /// The pods whose labels say that they are of `group`, by ordinal.
    pub fn pods_of(&self, group: &Group) -> Vec<Arc<Pod>> {
        let mut pods = self.pods.store().state_filter(|pod| is_of(pod, group));
        pods.sort_by_cached_key(|pod| ordinal(pod.labels()));
        pods
    }

    /// The claims whose labels say that they are of `group`, or that have one of its names.
    pub fn claims_of(&self, group: &Group) -> Vec<ObjectMeta> {
        let claims = self.claims.store().state_filter(|claim| {
            claim.metadata.namespace == group.metadata.namespace
                && (is_of(claim, group) || has_name_of_member(&claim.name_any(), group))
        });
        claims.iter().map(|claim| claim.metadata.clone()).collect()
    }

    /// The metadata of the record.
    pub fn record(&self, group: &Group) -> Option<ObjectMeta> {
        find(&self.records, group, &group.name_any())
    }

    /// The metadata of account, Role, binding and headless Service, as far as they are there.
    pub fn supports(&self, group: &Group) -> Vec<(&'static str, ObjectMeta)> {
        let name = group.name_any();
        let service = names::headless_service(&name);
        let found = [
            ("ServiceAccount", find(&self.accounts, group, &name)),
            ("Role", find(&self.roles, group, &name)),
            ("RoleBinding", find(&self.bindings, group, &name)),
            ("Service", find(&self.services, group, &service)),
        ];
        let there = found.into_iter();
        there
            .filter_map(|(kind, meta)| Some((kind, meta?)))
            .collect()
    }
}

/// The metadata of the object of that name in the namespace of `group`.
fn find<K>(feed: &Feed<K>, group: &Group, name: &str) -> Option<ObjectMeta>
where
    K: Resource<DynamicType = ()> + Clone + Debug + for<'de> Deserialize<'de> + Send + Sync,
{
    let object = feed.get(name, group.metadata.namespace.as_deref())?;
    Some(object.meta().clone())
}

fn is_of(object: &impl Resource, group: &Group) -> bool {
    let empty = Labels::new();
    let labels = object.meta().labels.as_ref().unwrap_or(&empty);
    let has = |key, value: &str| labels.get(key).map(String::as_str) == Some(value);
    object.meta().namespace == group.metadata.namespace
        && has(labels::APP, group.spec.app.as_str())
        && has(labels::COMPONENT, group.spec.component.as_str())
        && has(labels::GROUP, group.spec.group.as_str())
}

fn has_name_of_member(claim: &str, group: &Group) -> bool {
    let pods = format!("-{}-", group.name_any());
    group.spec.volumes.iter().any(|volume| {
        claim
            .strip_prefix(volume.name.as_str())
            .and_then(|rest| rest.strip_prefix(&pods))
            .is_some_and(|ordinal| ordinal.parse::<u32>().is_ok())
    })
}

/// The ordinal in the labels of a pod or a claim.
pub fn ordinal(labels: &Labels) -> Option<u32> {
    labels.get(labels::ORDINAL)?.parse().ok()
}
