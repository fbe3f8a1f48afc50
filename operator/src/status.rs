//! Writes the status of one of our own resources.

use crate::{
    apply::strip_nulls,
    error::{is_conflict, is_not_found},
};
use kube::{
    Api, Resource, ResourceExt as _,
    api::{Patch, PatchParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use std::fmt::Debug;

/// Applies `status` to `object` as `manager`, whole: what is not in it any more goes. An object that
/// is gone, or another one of the same name by now (the uid tells), is left alone. Says whether the object
/// is another than `object` now, so that a watch brings it.
///
/// # Errors
/// The API server refused, or could not be asked.
pub async fn write<K>(
    api: &Api<K>,
    object: &K,
    status: &impl Serialize,
    manager: &str,
) -> Result<bool, Box<kube::Error>>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let form = |error| Box::new(kube::Error::SerdeError(error));
    let mut status = serde_json::to_value(status).map_err(form)?;
    strip_nulls(&mut status);
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": object.name_any(), "uid": object.uid()},
        "status": status,
    });
    let params = PatchParams::apply(manager).force();
    match api
        .patch_status(&object.name_any(), &params, &Patch::Apply(patch))
        .await
    {
        Err(error) if is_not_found(&error) || is_conflict(&error) => Ok(false),
        Err(error) => Err(Box::new(error)),
        Ok(written) => Ok(written.resource_version() != object.resource_version()),
    }
}
