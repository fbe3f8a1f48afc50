//! Puts a finalizer on an object, or takes it off.

use crate::error::is_not_found;
use kube::{
    Api, Resource, ResourceExt as _,
    api::{Patch, PatchParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use std::fmt::Debug;

/// What becomes of a finalizer of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Finalizer {
    /// Nothing.
    Keep,
    /// It is put on.
    Add,
    /// It is taken off.
    Remove,
}

/// Writes what becomes of `ours` on `object`, unless the object changed since it was read.
///
/// # Errors
/// The API server refused, or could not be asked.
pub async fn write<K>(
    api: &Api<K>,
    object: &K,
    finalizer: Finalizer,
    ours: &str,
) -> Result<(), Box<kube::Error>>
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    let mut finalizers = object.finalizers().to_vec();
    match finalizer {
        Finalizer::Keep => return Ok(()),
        Finalizer::Add => finalizers.push(ours.to_owned()),
        Finalizer::Remove => finalizers.retain(|finalizer| finalizer != ours),
    }
    let patch = json!({"metadata": {
        "finalizers": finalizers,
        "uid": object.uid(),
        "resourceVersion": object.resource_version(),
    }});
    let params = PatchParams::default();
    match api
        .patch(&object.name_any(), &params, &Patch::Merge(patch))
        .await
    {
        Err(error) if finalizer == Finalizer::Remove && is_not_found(&error) => Ok(()),
        Err(error) => Err(Box::new(error)),
        Ok(_) => Ok(()),
    }
}
