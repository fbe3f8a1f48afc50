//! How versions and Apps go.

use crate::world::{SOON, Scene, condition};
use anyhow::{Result, ensure};
use api::{App, Component};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kit::eventually;
use kube::{Api, api::DeleteParams};
use serde_json::json;

#[tokio::test]
async fn a_version_in_use_is_held_and_goes_after_its_last_user() -> Result<()> {
    let scene = Scene::new("inuse").await?;
    scene.active("1.0.0").await?;
    scene
        .put_app("cache", "1.0.0", json!({"topology": "standalone"}))
        .await?;
    scene.run_pods_until("cache", "Running").await?;
    scene
        .addons()
        .delete("inuse-1.0.0", &DeleteParams::default())
        .await?;
    eventually(SOON, "deletion is held for the user", async || {
        let addon = scene.addons().get("inuse-1.0.0").await?;
        let conditions = addon.status.unwrap_or_default().conditions;
        let held = conditions.iter().find(|c| c.type_ == "DeletionHeld");
        ensure!(
            held.is_some_and(|c| c.message.contains("inuse/cache")),
            "{conditions:?}"
        );
        Ok(())
    })
    .await?;
    scene
        .put_app("late", "1.0.0", json!({"topology": "standalone"}))
        .await?;
    scene
        .app_says("late", "PinAccepted", "VersionTerminating")
        .await?;
    scene
        .edit_app(
            "cache",
            json!({"components": {"redis": {"resources": {"limits": {"memory": "300Mi"}}}}}),
        )
        .await?;
    scene.app_says("cache", "PinAccepted", "Accepted").await?;
    scene.run_pods_until("cache", "Running").await?;
    scene
        .api::<App>()
        .delete("cache", &DeleteParams::default())
        .await?;
    eventually(SOON, "the version is gone", async || {
        end_pods(&scene).await?;
        let addon = scene.addons().get_opt("inuse-1.0.0").await?;
        ensure!(addon.is_none(), "{addon:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_protected_app_runs_on() -> Result<()> {
    let scene = Scene::new("protected").await?;
    scene.active("1.0.0").await?;
    let spec = json!({"topology": "standalone", "deletionPolicy": "Protected"});
    scene.put_app("cache", "1.0.0", spec).await?;
    scene.run_pods_until("cache", "Running").await?;
    let apps: Api<App> = scene.api();
    apps.delete("cache", &DeleteParams::default()).await?;
    scene.app_says("cache", "DeletionHeld", "Protected").await?;
    let app = apps.get("cache").await?;
    assert_eq!(
        condition(&app.status.unwrap_or_default().conditions, "Ready").status,
        "True"
    );
    scene.api::<Component>().get("cache-redis").await?;
    scene
        .edit_app("cache", json!({"deletionPolicy": "KeepVolumes"}))
        .await?;
    gone(&scene).await?;
    let claims = scene
        .api::<PersistentVolumeClaim>()
        .list(&Default::default())
        .await?;
    assert_eq!(claims.items.len(), 1, "the volume stays");
    Ok(())
}

#[tokio::test]
async fn volumes_go_where_the_policy_says_so() -> Result<()> {
    let scene = Scene::new("voldelete").await?;
    scene.active("1.0.0").await?;
    let spec = json!({"topology": "replication", "deletionPolicy": "Delete"});
    scene.put_app("cache", "1.0.0", spec).await?;
    scene.run_pods_until("cache", "Running").await?;
    scene
        .api::<App>()
        .delete("cache", &DeleteParams::default())
        .await?;
    gone(&scene).await?;
    eventually(SOON, "the volumes are gone", async || {
        let claims = scene
            .api::<PersistentVolumeClaim>()
            .list(&Default::default())
            .await?;
        ensure!(
            claims
                .items
                .iter()
                .all(|c| c.metadata.deletion_timestamp.is_some()),
            "{claims:?}"
        );
        Ok(())
    })
    .await
}

/// Waits until the App `cache` is gone, and ends its pods as a kubelet would.
async fn gone(scene: &Scene) -> Result<()> {
    eventually(SOON, "the App is gone", async || {
        end_pods(scene).await?;
        let app = scene.api::<App>().get_opt("cache").await?;
        ensure!(app.is_none(), "{app:?}");
        Ok(())
    })
    .await
}

async fn end_pods(scene: &Scene) -> Result<()> {
    let pods = scene.api::<Pod>();
    for pod in pods.list(&Default::default()).await? {
        if pod.metadata.deletion_timestamp.is_some() {
            let now = DeleteParams::default().grace_period(0);
            let _ = pods
                .delete(&pod.metadata.name.unwrap_or_default(), &now)
                .await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_version_that_an_app_may_go_back_to_is_held_and_lets_it_back() -> Result<()> {
    let scene = Scene::new("goback").await?;
    // 1.0.0 takes Apps of 1.1.0 back.
    let mut files = scene.redis("1.0.0");
    files.entry("addon.yaml".to_owned()).and_modify(|text| {
        *text = text.replace("\nruntimes:", "\nupgradeFrom: [\"1.1.x\"]\nruntimes:");
    });
    scene.publish("1.0.0", &files).await?;
    scene
        .addon_is("1.0.0", api::crd::addon::AddonPhase::Active)
        .await?;
    scene.active("1.1.0").await?;
    scene
        .put_app("cache", "1.0.0", json!({"topology": "standalone"}))
        .await?;
    scene.run_pods_until("cache", "Running").await?;
    scene
        .edit_app("cache", json!({"pluginVersion": "1.1.0"}))
        .await?;
    scene.app_says("cache", "PinAccepted", "Accepted").await?;
    scene.run_pods_until("cache", "Running").await?;
    scene
        .addons()
        .delete("goback-1.0.0", &DeleteParams::default())
        .await?;
    let held = scene.addon_says("1.0.0", "InUse").await?;
    assert!(
        held.message
            .starts_with("1 App may go back to this version, from which it came: goback/cache"),
        "{}",
        held.message
    );
    scene
        .put_app("late", "1.0.0", json!({"topology": "standalone"}))
        .await?;
    scene
        .app_says("late", "PinAccepted", "VersionTerminating")
        .await?;
    scene
        .edit_app("cache", json!({"pluginVersion": "1.0.0"}))
        .await?;
    scene.app_says("cache", "PinAccepted", "Accepted").await?;
    for app in ["cache", "late"] {
        scene
            .api::<App>()
            .delete(app, &DeleteParams::default())
            .await?;
    }
    eventually(SOON, "the version is gone", async || {
        end_pods(&scene).await?;
        let addon = scene.addons().get_opt("goback-1.0.0").await?;
        ensure!(addon.is_none(), "{addon:?}");
        Ok(())
    })
    .await
}
