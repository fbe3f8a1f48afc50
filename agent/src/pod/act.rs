//! Patches the pod.

use super::api_server::{ApiError, Patched, PodApi};
use super::plan::Patch;

/// One attempt. A conflict is an answer, not an error.
pub(super) async fn act(api: &PodApi, patch: &Patch) -> Result<Patched, ApiError> {
    api.patch(&patch.to_merge_patch().map_err(ApiError::Json)?)
        .await
}
