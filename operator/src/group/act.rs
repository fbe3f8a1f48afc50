//! Does what a plan says.
//!
//! In: a [`Plan`]. Out: [`Acted`]: what was done, and the first failure. What cannot be done for one
//! member holds up neither another one's repair nor the report, but after a failure nothing is taken
//! down (design.md, invariant 7).
//!
//! A plan may be older than the world. Creation fails where the name is there by now, patch and
//! deletion carry uid and resourceVersion; a change that comes too late changes nothing, and the
//! cache wakes the controller with the newer state.

use super::{
    Room, build, observe,
    observe::{Claim, Observed, Whose},
    plan::{Plan, Purpose, Step, Verdict, ordinals},
};
use crate::{
    apply::{Applied, ApplyError},
    error::{self, Consequence, Failure},
};
use api::{Group, labels::manager, names::VolumeName};
use jiff::Timestamp;
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
use std::{collections::BTreeSet, fmt::Debug, time::Duration};

/// How often a name is tried again that somebody else has: its owner does not tell us when it goes.
const NAME_TAKEN: Duration = Duration::from_secs(15);

/// Something of a Group could not be made, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// Account, Role, binding or Service.
    #[error(transparent)]
    Support(#[from] ApplyError),
    /// The template is no pod.
    #[error(transparent)]
    Template(#[from] build::TemplateError),
    /// An object of that name is there and not of this Group.
    #[error("{kind} {name} exists and is not of this Group: delete or rename it")]
    NameTaken {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// An object of that name is still there from an earlier Group.
    #[error("{kind} {name} of an earlier Group is not gone yet")]
    Leftover {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The API server did not do it.
    #[error("{verb} {kind} {name} failed: {source}")]
    Api {
        /// `create`, `read`, `patch` or `delete`.
        verb: &'static str,
        /// The kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What it said.
        source: Box<kube::Error>,
    },
    /// The Group's status could not be written.
    #[error("writing the status failed: {0}")]
    Status(Box<kube::Error>),
}

impl ActError {
    /// Whether the cluster refused it, so that a person should know; anything else is tried again in
    /// silence.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Template(_) | Self::NameTaken { .. } => true,
            Self::Leftover { .. } | Self::Status(_) => false,
            Self::Support(ApplyError::NameTaken { .. }) => true,
            Self::Support(ApplyError::Write { source, .. }) | Self::Api { source, .. } => {
                matches!(&**source, kube::Error::Api(s) if matches!(s.code, 400 | 403 | 422))
            }
            Self::Support(_) => false,
        }
    }
}

impl Failure for ActError {
    fn consequence(&self) -> Consequence {
        match self {
            Self::Support(error) => error.consequence(),
            Self::Template(_) => Consequence::Terminal,
            Self::NameTaken { .. } => Consequence::RetryAfter(NAME_TAKEN),
            Self::Leftover { .. } => Consequence::Retry,
            Self::Api { source, .. } | Self::Status(source) => error::of_kube(source),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Support(error) => error.reason(),
            Self::Template(_) => "Invalid",
            Self::NameTaken { .. } => "NameTaken",
            Self::Leftover { .. } => "Terminating",
            Self::Api { .. } => "Refused",
            Self::Status(_) => "StatusFailed",
        }
    }
}

/// What was done.
pub struct Acted {
    /// The pods that came and went.
    pub done: Vec<Done>,
    /// What did not work, first.
    pub failed: Option<ActError>,
    /// What the plan says of the Group.
    pub verdict: Verdict,
    /// When to look again.
    pub look_again: Option<Timestamp>,
}

/// A change that a person may want to know of.
#[derive(Clone, Debug)]
pub enum Done {
    /// A pod was made.
    Created {
        /// The pod's metadata.
        pod: ObjectMeta,
    },
    /// A pod was deleted.
    Deleted {
        /// The pod's metadata.
        pod: ObjectMeta,
        /// What for.
        purpose: Purpose,
        /// Why.
        because: String,
    },
}

/// Does what `plan` says, as far as it goes.
pub(super) async fn act(room: &Room, group: &Group, observed: &Observed, plan: Plan) -> Acted {
    let Plan {
        supports,
        steps,
        verdict,
        look_again,
    } = plan;
    let hands = Hands { room, group };
    let mut acted = Acted {
        done: Vec::new(),
        failed: None,
        verdict,
        look_again,
    };
    if supports && let Err(error) = hands.hold_supports(observed).await {
        acted.failed = Some(error);
        return acted;
    }
    let mut without = BTreeSet::new();
    for step in steps {
        let failed = acted.failed.is_some();
        let skipped = match &step {
            Step::CreateMember { ordinal } | Step::CreateClaim { ordinal, .. } => {
                without.contains(ordinal)
            }
            Step::DeleteMember { .. } => failed,
            Step::CreateRecord { .. } | Step::PatchMember { .. } => false,
        };
        if skipped {
            continue;
        }
        let ordinal = ordinal(&step);
        let before_all = matches!(step, Step::CreateRecord { .. });
        match hands.take(step).await {
            Ok(done) => acted.done.extend(done),
            Err(error) => {
                acted.failed.get_or_insert(error);
                without.extend(ordinal);
                if before_all {
                    break;
                }
            }
        }
    }
    acted
}

fn ordinal(step: &Step) -> Option<u32> {
    match step {
        Step::CreateRecord { .. } => None,
        Step::CreateClaim { ordinal, .. }
        | Step::CreateMember { ordinal }
        | Step::PatchMember { ordinal, .. }
        | Step::DeleteMember { ordinal, .. } => Some(*ordinal),
    }
}

struct Hands<'a> {
    room: &'a Room,
    group: &'a Group,
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
    async fn hold_supports(&self, observed: &Observed) -> Result<(), ActError> {
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
    async fn hold<K>(
        &self,
        desired: &K,
        cache: &crate::watch::Feed<crate::watch::Meta<K>>,
    ) -> Result<(), ActError>
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
            let label = crate::metrics::Controller {
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

    async fn take(&self, step: Step) -> Result<Option<Done>, ActError> {
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
