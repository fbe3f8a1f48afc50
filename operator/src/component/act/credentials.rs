//! The Secret with the credentials: made before the pods that mount it, and then only ever added to.

use super::ActError;
use crate::{
    apply::{Applied, can_be_taken},
    component::build::secret::{is_ours, missing, secret},
    context::Context,
    error::{self, Consequence},
};
use api::{Component, labels::manager};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams, PostParams},
};
use package::manifest::Credential;
use serde_json::json;

/// Credentials could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The system has no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(#[source] getrandom::Error),
    /// The API server refused, or could not be asked.
    #[error("Secret `{name}` could not be {verb}: {source}")]
    Api {
        /// What was tried.
        verb: &'static str,
        /// The Secret.
        name: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
}

impl CredentialsError {
    /// What happens next.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::Random(_) => Consequence::Retry,
            Self::Api { source, .. } => error::of_kube(source),
        }
    }
}

/// Sees to it that the Secret of `component` has every one of `credentials`. What it has is left as it
/// is, whoever changed it.
pub(super) async fn hold(
    component: &Component,
    credentials: &[Credential],
    context: &Context,
) -> Result<(), ActError> {
    if credentials.is_empty() {
        return Ok(());
    }
    let namespace = component.namespace().unwrap_or_default();
    let secrets = Api::<Secret>::namespaced(context.client.clone(), &namespace);
    let name = api::names::credentials_secret(&component.name_any());
    let failed = |verb| {
        let name = name.clone();
        move |source| CredentialsError::Api {
            verb,
            name,
            source: Box::new(source),
        }
    };
    let live = secrets.get_opt(&name).await.map_err(failed("read"))?;
    if let Some(live) = &live {
        can_be_taken("Secret", live, is_ours(component, live))?;
    }
    let data =
        missing(credentials, live.as_ref(), getrandom::fill).map_err(CredentialsError::Random)?;
    if data.is_empty() {
        return Ok(());
    }
    let written = match live {
        None => {
            let params = PostParams {
                field_manager: Some(manager::COMPONENT.to_owned()),
                ..PostParams::default()
            };
            secrets.create(&params, &secret(component, data)).await
        }
        // Another writer meanwhile: the version tells, and it is looked at again.
        Some(live) => {
            let patch = Patch::Merge(json!({
                "metadata": {"uid": live.uid(), "resourceVersion": live.resource_version()},
                "data": data,
            }));
            secrets.patch(&name, &PatchParams::default(), &patch).await
        }
    };
    written.map_err(failed("written"))?;
    tracing::info!(name, "credentials were generated");
    context.count("component", Applied::Written);
    Ok(())
}
