//! A suspended App is left alone, all the way down.

use crate::world::{SOON, Scene};
use anyhow::{Result, ensure};
use api::Group;
use k8s_openapi::api::core::v1::{Pod, Service};
use kit::eventually;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_suspended_app_is_left_alone_and_goes_on_later() -> Result<()> {
    let scene = Scene::new("suspended").await?;
    scene.active("1.0.0").await?;
    scene
        .put_app("cache", "1.0.0", json!({"topology": "standalone"}))
        .await?;
    scene.run_pods_until("cache", "Running").await?;
    scene.edit_app("cache", json!({"suspend": true})).await?;
    suspended_is(&scene, true).await?;
    let (services, now) = (
        scene.api::<Service>(),
        DeleteParams::default().grace_period(0),
    );
    let edit = Patch::Merge(json!({"spec": {"selector": {"middleware.io/app": "other"}}}));
    services
        .patch("cache-redis", &PatchParams::default(), &edit)
        .await?;
    scene.api::<Pod>().delete("cache-redis-0-0", &now).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let selector = services
        .get("cache-redis")
        .await?
        .spec
        .unwrap_or_default()
        .selector;
    assert_eq!(selector.unwrap_or_default()["middleware.io/app"], "other");
    assert!(
        scene
            .api::<Pod>()
            .get_opt("cache-redis-0-0")
            .await?
            .is_none()
    );
    scene.edit_app("cache", json!({"suspend": false})).await?;
    suspended_is(&scene, false).await?;
    eventually(SOON, "everything is as it is to be", async || {
        scene.run_pods_until("cache", "Running").await?;
        scene.api::<Pod>().get("cache-redis-0-0").await?;
        let selector = services
            .get("cache-redis")
            .await?
            .spec
            .unwrap_or_default()
            .selector;
        ensure!(selector.unwrap_or_default()["middleware.io/app"] == "cache");
        Ok(())
    })
    .await
}

async fn suspended_is(scene: &Scene, wanted: bool) -> Result<()> {
    eventually(
        SOON,
        &format!("suspend of the Group is {wanted}"),
        async || {
            let group = scene.api::<Group>().get("cache-redis-0").await?;
            ensure!(group.spec.suspend == wanted, "{}", group.spec.suspend);
            Ok(())
        },
    )
    .await
}
