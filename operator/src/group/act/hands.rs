//! The hands of [`act`](super::act): one function for each kind of change.

use super::{ActError, Done};
use crate::{
    apply::Applied,
    error,
    group::{
        Room, build, observe,
        observe::{Claim, Observed, Whose},
        plan::{Step, ordinals},
    },
    metrics::Controller,
    watch::{Feed, Meta},
};
use api::{Group, labels::manager, names::VolumeName};
use k8s_openapi::{
    api::{
        coordination::v1::Lease,
        core::v1::{PersistentVolumeClaim, Pod},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Resource, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions},
    core::NamespaceResourceScope,
};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// What changes the cluster for one Group.
pub(super) struct Hands<'a> {
    pub(super) room: &'a Room,
    pub(super) group: &'a Group,
}

impl Hands<'_> {
    fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        let namespace = self.group.namespace().unwrap_or_default();
        Api::namespaced(self.room.context.client.clone(), &namespace)
    }

    /// Account, Role with its binding (only where there are roles), headless Service.
    pub(super) async fn hold_supports(&self, observed: &Observed) -> Result<(), ActError> {
        let (group, caches) = (self.group, &self.room.caches);
        let (account, service) = (build::account(group), build::service(group));
        let rights = async {
            if group.spec.roles.is_empty() {
                return Ok(());
            }
            let mut ordinals = ordinals::wanted(&observed.wanted);
            ordinals.extend(observed.members.iter().map(|m| m.ordinal));
            self.hold(&build::role(group, &ordinals), &caches.roles)
                .await?;
            self.hold(&build::binding(group), &caches.bindings).await
        };
        futures::try_join!(
            self.hold(&account, &caches.accounts),
            rights,
            self.hold(&service, &caches.services),
        )?;
        Ok(())
    }

    /// Applies `desired` where it differs.
    async fn hold<K>(&self, desired: &K, cache: &Feed<Meta<K>>) -> Result<(), ActError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + Serialize
            + DeserializeOwned
            + Send
            + Sync
            + 'static,
    {
        let namespace = desired.namespace();
        let known = cache.get(&desired.name_any(), namespace.as_deref());
        let known = known.and_then(|meta| meta.resource_version());
        let applier = &self.room.context.applier;
        let applied = applier
            .apply(desired, manager::GROUP, known.as_deref())
            .await?;
        if applied == Applied::Written {
            let label = Controller {
                controller: "group",
            };
            self.room
                .context
                .metrics
                .applied
                .get_or_create(&label)
                .inc();
        }
        Ok(())
    }

    /// Does one step.
    pub(super) async fn take(&self, step: Step) -> Result<Option<Done>, ActError> {
        match step {
            Step::CreateRecord { bootstrap } => self.create_record(bootstrap).await.map(|()| None),
            Step::CreateClaim { ordinal, volume } => {
                self.create_claim(ordinal, &volume).await.map(|()| None)
            }
            Step::CreateMember { ordinal } => self.create_member(ordinal).await,
            Step::PatchMember {
                ordinal,
                uid,
                resource_version,
            } => self
                .patch_member(ordinal, &uid, &resource_version)
                .await
                .map(|()| None),
            Step::DeleteMember {
                ordinal,
                uid,
                resource_version,
                purpose,
                because,
            } => {
                let preconditions = Preconditions {
                    uid: Some(uid),
                    resource_version: Some(resource_version),
                };
                let pod = self.delete_member(ordinal, preconditions).await?;
                Ok(pod.map(|pod| Done::Deleted {
                    pod,
                    purpose,
                    because,
                }))
            }
        }
    }

    async fn create_record(&self, bootstrap: bool) -> Result<(), ActError> {
        let record = build::record(self.group, bootstrap);
        let is_ours = |live: &Lease| observe::whose(live.meta(), self.group);
        self.create(&record, is_ours).await.map(drop)
    }

    async fn create_claim(&self, ordinal: u32, volume: &VolumeName) -> Result<(), ActError> {
        let volumes = &self.group.spec.volumes;
        let Some(volume) = volumes.iter().find(|v| v.name == *volume) else {
            return Ok(());
        };
        let claim = build::claim(self.group, ordinal, volume);
        let is_ours = |live: &PersistentVolumeClaim| match observe::claim(live.meta(), self.group) {
            Claim::Ours => Whose::Ours,
            Claim::Terminating => Whose::Leftover,
            Claim::Foreign => Whose::Foreign,
        };
        self.create(&claim, is_ours).await.map(drop)
    }

    async fn create_member(&self, ordinal: u32) -> Result<Option<Done>, ActError> {
        let pod = build::pod(self.group, ordinal, &self.room.context.settings.agent_image)?;
        let is_ours = |live: &Pod| observe::whose(live.meta(), self.group);
        let made = self.create(&pod, is_ours).await?;
        Ok(made.map(|pod| Done::Created { pod: pod.metadata }))
    }

    /// Makes an object; `None` where it is there already and ours.
    async fn create<K>(
        &self,
        object: &K,
        whose: impl Fn(&K) -> Whose,
    ) -> Result<Option<K>, ActError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + Serialize
            + DeserializeOwned,
    {
        let api = self.api::<K>();
        let (kind, name) = (K::kind(&()).into_owned(), object.name_any());
        let params = PostParams {
            field_manager: Some(manager::GROUP.to_owned()),
            ..PostParams::default()
        };
        let source = match api.create(&params, object).await {
            Ok(made) => {
                tracing::info!(kind, name, "created");
                return Ok(Some(made));
            }
            Err(error) if error::is_conflict(&error) => error,
            Err(error) => return Err(failed::<K>("create", &name, error)),
        };
        match api.get_opt(&name).await {
            // It went between the two requests.
            Ok(None) => Err(failed::<K>("create", &name, source)),
            Ok(Some(live)) => match whose(&live) {
                Whose::Ours => Ok(None),
                Whose::Leftover => Err(ActError::Leftover { kind, name }),
                Whose::Foreign => Err(ActError::NameTaken { kind, name }),
            },
            Err(error) => Err(failed::<K>("read", &name, error)),
        }
    }

    async fn patch_member(
        &self,
        ordinal: u32,
        uid: &str,
        resource_version: &str,
    ) -> Result<(), ActError> {
        let name = api::names::pod(&self.group.name_any(), ordinal);
        let patch = Patch::Merge(build::patch(self.group, uid, resource_version));
        let params = PatchParams {
            field_manager: Some(manager::GROUP.to_owned()),
            ..PatchParams::default()
        };
        match self
            .api::<Pod>()
            .patch_metadata(&name, &params, &patch)
            .await
        {
            Ok(_) => tracing::info!(name, "patched in place"),
            Err(error) if is_too_late(&error) => tracing::debug!(name, "has changed meanwhile"),
            Err(error) => return Err(failed::<Pod>("patch", &name, error)),
        }
        Ok(())
    }

    /// Deletes the pod that is meant, and no other; `None` where it is another by now.
    async fn delete_member(
        &self,
        ordinal: u32,
        preconditions: Preconditions,
    ) -> Result<Option<ObjectMeta>, ActError> {
        let name = api::names::pod(&self.group.name_any(), ordinal);
        let pod = ObjectMeta {
            name: Some(name.clone()),
            uid: preconditions.uid.clone(),
            ..ObjectMeta::default()
        };
        let params = DeleteParams {
            preconditions: Some(preconditions),
            ..DeleteParams::default()
        };
        match self.api::<Pod>().delete(&name, &params).await {
            Ok(_) => {
                tracing::info!(name, "deleted");
                Ok(Some(pod))
            }
            Err(error) if is_too_late(&error) => {
                tracing::debug!(name, "has changed meanwhile");
                Ok(None)
            }
            Err(error) => Err(failed::<Pod>("delete", &name, error)),
        }
    }
}

/// Whether the object is another by now, or gone: the cache will say so.
fn is_too_late(error: &kube::Error) -> bool {
    error::is_conflict(error) || error::is_not_found(error)
}

fn failed<K: Resource<DynamicType = ()>>(
    verb: &'static str,
    name: &str,
    source: kube::Error,
) -> ActError {
    ActError::Api {
        verb,
        kind: K::kind(&()).into_owned(),
        name: name.to_owned(),
        source: Box::new(source),
    }
}
