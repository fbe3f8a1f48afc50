//! An App is pinned and made, or refused with what would be accepted (R-20, R-22, R-25).

use crate::world::{SOON, Scene};
use anyhow::{Context as _, Result, ensure};
use api::{App, Component, Group, crd::app::AppPhase};
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kit::eventually;
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::json;

#[tokio::test]
async fn an_app_becomes_component_config_maps_services_and_group() -> Result<()> {
    let scene = Scene::new("made").await?;
    let addon = scene.active("1.0.0").await?;
    scene
        .put_app("cache", "1.0.0", json!({"topology": "replication"}))
        .await?;
    scene.run_pods_until("cache", "Running").await?;
    let app = scene.api::<App>().get("cache").await?;
    let status = app.status.clone().unwrap_or_default();
    assert_eq!(status.phase, Some(AppPhase::Running));
    assert_eq!(status.members.as_deref(), Some("3/3"));
    let pin = status.pin.context("a pin")?;
    assert_eq!(
        Some(&pin.digest),
        addon.status.as_ref().and_then(|s| s.digest.as_ref())
    );

    let component = scene.api::<Component>().get("cache-redis").await?;
    assert_eq!(component.spec.pin, pin);
    let group = scene.api::<Group>().get("cache-redis-0").await?;
    assert_eq!((group.spec.replicas, group.spec.composer), (3, 1));
    let content = scene.api::<ConfigMap>().get("cache-redis-content").await?;
    let keys: Vec<String> = content.data.unwrap_or_default().into_keys().collect();
    let key = |file| format!("{}.{file}", group.spec.content_revision);
    assert_eq!(
        keys,
        [key("actions.json"), key("probe.sh"), key("start.sh")]
    );
    let config = scene.api::<ConfigMap>().get("cache-redis-config").await?;
    let file = format!("{}.redis.conf", group.spec.config_revision);
    assert!(config.data.unwrap_or_default().contains_key(&file));

    let service = scene
        .api::<Service>()
        .get("cache-redis-primary-svc")
        .await?;
    let selector = service
        .spec
        .unwrap_or_default()
        .selector
        .unwrap_or_default();
    assert_eq!(
        selector.get("middleware.io/role").map(String::as_str),
        Some("primary")
    );
    scene.api::<Service>().get("cache-redis").await?;
    let told = scene
        .api::<ConfigMap>()
        .get("cache-metadata")
        .await?
        .data
        .unwrap_or_default();
    assert!(
        told["nodes.json"].contains(r#""cache-redis-0-2": "normal""#),
        "{told:?}"
    );
    let users = scene
        .addons()
        .get("made-1.0.0")
        .await?
        .status
        .and_then(|s| s.users);
    assert_eq!(users, Some(1));
    Ok(())
}

#[tokio::test]
async fn unknown_choices_are_refused_with_the_valid_ones() -> Result<()> {
    let scene = Scene::new("refused").await?;
    scene.active("1.0.0").await?;
    scene
        .put_app("version", "1.0.1", json!({"topology": "standalone"}))
        .await?;
    let said = scene
        .app_says("version", "PinAccepted", "UnknownVersion")
        .await?;
    assert!(
        said.message.contains("there are: 1.0.0"),
        "{}",
        said.message
    );
    let said = scene.app_says("version", "Ready", "UnknownVersion").await?;
    assert_eq!(said.status, "False");
    scene.put_app("topology", "1.0.0", json!({})).await?;
    let said = scene
        .app_says("topology", "PinAccepted", "UnknownTopology")
        .await?;
    assert!(
        said.message.contains("standalone, replication"),
        "{}",
        said.message
    );
    let plugin: App = serde_json::from_value(json!({
        "metadata": {"name": "plugin"}, "spec": {"plugin": "refusedd", "pluginVersion": "1.0.0"},
    }))?;
    scene.api().create(&PostParams::default(), &plugin).await?;
    let said = scene
        .app_says("plugin", "PinAccepted", "UnknownPlugin")
        .await?;
    assert!(
        said.message.contains("did you mean `refused`"),
        "{}",
        said.message
    );
    assert!(
        scene
            .api::<Component>()
            .list(&Default::default())
            .await?
            .items
            .is_empty()
    );
    Ok(())
}

#[tokio::test]
async fn an_app_that_waits_for_its_version_goes_on_when_it_comes() -> Result<()> {
    let scene = Scene::new("awaited").await?;
    scene
        .put_app("early", "1.0.0", json!({"topology": "standalone"}))
        .await?;
    scene
        .app_says("early", "PinAccepted", "UnknownPlugin")
        .await?;
    scene.active("1.0.0").await?;
    scene.app_says("early", "PinAccepted", "Accepted").await?;
    scene.run_pods_until("early", "Running").await
}

#[tokio::test]
async fn what_is_not_ours_is_never_adopted() -> Result<()> {
    let scene = Scene::new("taken").await?;
    scene.active("1.0.0").await?;
    let foreign: Service = serde_json::from_value(json!({
        "metadata": {"name": "cache-redis"}, "spec": {"ports": [{"port": 80}]},
    }))?;
    scene.api().create(&PostParams::default(), &foreign).await?;
    scene
        .put_app("cache", "1.0.0", json!({"topology": "standalone"}))
        .await?;
    let said = scene.app_says("cache", "Ready", "Failed").await?;
    assert!(
        said.message.contains("Service `cache-redis` exists"),
        "{}",
        said.message
    );
    let service = scene.api::<Service>().get("cache-redis").await?;
    assert!(
        service.owner_references().is_empty() && service.labels().is_empty(),
        "{service:?}"
    );
    scene
        .api::<Service>()
        .delete("cache-redis", &DeleteParams::default())
        .await?;
    scene.run_pods_until("cache", "Running").await
}

#[tokio::test]
async fn what_somebody_changed_is_put_right_and_what_was_deleted_is_made_again() -> Result<()> {
    let scene = Scene::new("mended").await?;
    scene.active("1.0.0").await?;
    scene
        .put_app("cache", "1.0.0", json!({"topology": "standalone"}))
        .await?;
    scene.run_pods_until("cache", "Running").await?;
    let services = scene.api::<Service>();
    let edit = Patch::Merge(json!({"spec": {"selector": {"middleware.io/app": "other"}}}));
    services
        .patch("cache-redis", &PatchParams::default(), &edit)
        .await?;
    scene
        .api::<ConfigMap>()
        .delete("cache-redis-config", &DeleteParams::default())
        .await?;
    eventually(SOON, "Service and ConfigMap are as they were", async || {
        let service = services.get("cache-redis").await?;
        let selector = service
            .spec
            .unwrap_or_default()
            .selector
            .unwrap_or_default();
        ensure!(selector["middleware.io/app"] == "cache", "{selector:?}");
        scene.api::<ConfigMap>().get("cache-redis-config").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_lost_status_is_rebuilt_from_what_runs() -> Result<()> {
    let scene = Scene::new("rebuilt").await?;
    scene.active("1.0.0").await?;
    scene
        .put_app("cache", "1.0.0", json!({"topology": "standalone"}))
        .await?;
    scene.run_pods_until("cache", "Running").await?;
    let apps: Api<App> = scene.api();
    let before = apps.get("cache").await?.status.and_then(|s| s.pin);
    let versions = scene.versions().await?;
    let lost = Patch::Merge(json!({"status": null}));
    apps.patch_status("cache", &PatchParams::default(), &lost)
        .await?;
    scene.app_says("cache", "Ready", "Running").await?;
    assert_eq!(apps.get("cache").await?.status.and_then(|s| s.pin), before);
    assert_eq!(scene.versions().await?, versions);
    Ok(())
}

#[tokio::test]
async fn what_is_scaled_below_the_app_stays_and_what_the_app_sets_wins() -> Result<()> {
    let scene = Scene::new("scaled").await?;
    scene.active("1.0.0").await?;
    scene
        .put_app("cache", "1.0.0", json!({"topology": "replication"}))
        .await?;
    scene.run_pods_until("cache", "Running").await?;
    let groups = scene.api::<Group>();
    let scale = Patch::Merge(json!({"spec": {"replicas": 4}}));
    groups
        .patch("cache-redis-0", &PatchParams::default(), &scale)
        .await?;
    eventually(SOON, "4 of 4 run", async || {
        scene.run_pods_until("cache", "Running").await?;
        let members = scene
            .api::<App>()
            .get("cache")
            .await?
            .status
            .and_then(|s| s.members);
        ensure!(members.as_deref() == Some("4/4"), "{members:?}");
        Ok(())
    })
    .await?;
    scene
        .edit_app("cache", json!({"components": {"redis": {"replicas": 2}}}))
        .await?;
    eventually(SOON, "the App's number is in force", async || {
        let replicas = groups.get("cache-redis-0").await?.spec.replicas;
        ensure!(replicas == 2, "{replicas}");
        Ok(())
    })
    .await
}
