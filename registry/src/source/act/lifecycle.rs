//! Writes to MiddlewareAddons that are there: what is said of them, and that they go. Each write names
//! the object that was seen, so that it makes none and meets no other.

use super::{
    super::plan::{Doomed, Vouched, Withdrawn},
    ActError, Acting,
};
use api::{API_VERSION, MiddlewareAddon, labels};
use kube::{
    Resource as _,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use serde_json::{Value, json};

impl Acting<'_> {
    /// Whether it was deleted now.
    pub(super) async fn delete(&self, doomed: &Doomed) -> Result<bool, ActError> {
        let Doomed {
            name,
            uid,
            resource_version,
        } = doomed;
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(uid.clone()),
                resource_version: resource_version.clone(),
            }),
            ..DeleteParams::default()
        };
        match self.context.addons().delete(name, &params).await {
            Ok(_) => {
                tracing::info!(name, "deleted");
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => {
                // Gone, or another object by now: the next plan sees it.
                Ok(false)
            }
            Err(source) => Err(ActError::Delete {
                name: name.clone(),
                source: Box::new(source),
            }),
        }
    }

    /// Says that nothing new may pin it, where nobody else says something of it.
    pub(super) async fn withdraw(&self, withdrawn: &Withdrawn) -> Result<bool, ActError> {
        let Withdrawn { name, uid, why, .. } = withdrawn;
        let patch = Patch::Apply(json!({
            "apiVersion": API_VERSION,
            "kind": MiddlewareAddon::kind(&()),
            "metadata": {"name": name, "uid": uid},
            "spec": {"lifecycle": {"withdrawn": why}},
        }));
        let params = PatchParams::apply(labels::manager::REGISTRY);
        self.patch(name, &params, &patch).await
    }

    /// Takes it back.
    pub(super) async fn reinstate(&self, withdrawn: &Withdrawn) -> Result<bool, ActError> {
        let Withdrawn { name, uid, .. } = withdrawn;
        let patch = Patch::Merge(json!({
            "metadata": {"uid": uid},
            "spec": {"lifecycle": {"withdrawn": null}},
        }));
        self.patch(name, &merging(), &patch).await
    }

    /// Signs anew where it comes from.
    pub(super) async fn vouch(&self, vouched: &Vouched) -> Result<bool, ActError> {
        let provenance = self.provenance_again(vouched);
        let provenance = serde_json::to_string(&provenance).unwrap_or_default();
        let patch = Patch::Merge(json!({"metadata": {
            "uid": vouched.uid,
            "annotations": {labels::PROVENANCE: provenance},
            "labels": {labels::SOURCE: self.observed.source},
        }}));
        self.patch(&vouched.name, &merging(), &patch).await
    }

    /// Whether it was written; not where the object is gone, or somebody else was first.
    async fn patch(
        &self,
        name: &str,
        params: &PatchParams,
        patch: &Patch<Value>,
    ) -> Result<bool, ActError> {
        match self.context.addons().patch(name, params, patch).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => {
                Ok(false)
            }
            Err(source) => Err(ActError::Patch {
                name: name.to_owned(),
                source: Box::new(source),
            }),
        }
    }
}

fn merging() -> PatchParams {
    PatchParams {
        field_manager: Some(labels::manager::REGISTRY.to_owned()),
        ..PatchParams::default()
    }
}
