//! What an App sets is checked before anything changes, takes effect as the schema says, and
//! its profile stands behind it.

use crate::{
    store,
    world::{SOON, Scene},
};
use anyhow::{Context as _, Result, ensure};
use api::{App, Component, Group};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kit::eventually;
use kube::ResourceExt as _;
use serde_json::{Value, json};

fn store(parameters: &Value) -> Value {
    json!({"components": {"store": {"config": {"parameters": parameters}}}})
}

#[tokio::test]
async fn parameters_are_refused_before_anything_changes() -> Result<()> {
    let scene = Scene::new("params").await?;
    store::active(&scene, "1.0.0", &[]).await?;
    scene
        .put_app(
            "a",
            "1.0.0",
            store(&json!({"clients": 5000, "memory": "much"})),
        )
        .await?;
    let said = scene
        .app_says("a", "PinAccepted", "InvalidSettings")
        .await?;
    for word in [
        "spec.components.store.config.parameters.clients: 5000",
        "spec.components.store.config.parameters.memory: \"much\"",
        "schema/store.cue:3",
        "schema/store.cue:5",
    ] {
        assert!(said.message.contains(word), "{word}: {}", said.message);
    }
    let made = scene.api::<Component>().list(&Default::default()).await?;
    assert!(made.items.is_empty(), "{made:?}");

    scene
        .edit_app("a", store(&json!({"clients": 500, "memory": null})))
        .await?;
    scene.run_pods_until("a", "Running").await?;
    assert_eq!(config(&scene).await?, "clients 500\nmemory 64\n");
    scene.is_quiet().await?;
    let before = scene.versions().await?;
    scene
        .edit_app(
            "a",
            json!({"components": {"store": {
            "replicas": 3, "config": {"parameters": {"client": 7}}}}}),
        )
        .await?;
    let said = scene
        .app_says("a", "PinAccepted", "InvalidSettings")
        .await?;
    assert!(said.message.contains("did you mean"), "{}", said.message);
    assert!(said.message.contains("clients"), "{}", said.message);
    assert_eq!(
        scene.app_says("a", "Ready", "Running").await?.status,
        "True"
    );
    scene.is_quiet().await?;
    assert_eq!(scene.versions().await?, before, "the App goes on as it was");

    let none = json!({"components": {
        "store": {"config": {"parameters": {"client": null}}},
        "watch": {"config": {"parameters": {"interval": 1}}},
    }});
    scene.edit_app("a", none).await?;
    let said = scene
        .app_says("a", "PinAccepted", "InvalidSettings")
        .await?;
    let word = "spec.components.watch.config.parameters: the addon declares no parameters";
    assert!(said.message.contains(word), "{}", said.message);
    Ok(())
}

#[tokio::test]
async fn what_takes_effect_by_a_reload_restarts_nothing() -> Result<()> {
    let scene = Scene::new("reload").await?;
    store::active(&scene, "1.0.0", &[]).await?;
    scene
        .put_app("a", "1.0.0", store(&json!({"clients": 10})))
        .await?;
    scene.run_pods_until("a", "Running").await?;
    let (groups, pods) = (scene.api::<Group>(), scene.api::<Pod>());
    let (before, pod) = (
        groups.get("a-store-0").await?,
        pods.get("a-store-0-0").await?,
    );

    scene.edit_app("a", store(&json!({"clients": 20}))).await?;
    eventually(
        SOON,
        "the pod is told of the new configuration",
        async || {
            let group = groups.get("a-store-0").await?.spec;
            let told = pods.get("a-store-0-0").await?;
            let told = &told.annotations()["middleware.io/config-revision"];
            ensure!(
                group.config_revision != before.spec.config_revision,
                "the same"
            );
            ensure!(*told == group.config_revision, "{told}");
            Ok(())
        },
    )
    .await?;
    scene.app_says("a", "Ready", "Running").await?;
    let after = groups.get("a-store-0").await?;
    assert_eq!(after.spec.revision, before.spec.revision);
    assert_eq!(
        pods.get("a-store-0-0").await?.uid(),
        pod.uid(),
        "no restart"
    );
    assert_eq!(config(&scene).await?, "clients 20\nmemory 64\n");
    scene.is_quiet().await?;

    // With it a parameter that needs a restart: the pod is made again.
    scene
        .edit_app("a", store(&json!({"clients": 30, "memory": 128})))
        .await?;
    eventually(SOON, "another pod", async || {
        scene.run_pods_until("a", "Running").await?;
        ensure!(
            pods.get("a-store-0-0").await?.uid() != pod.uid(),
            "the same"
        );
        Ok(())
    })
    .await?;
    assert_ne!(
        groups.get("a-store-0").await?.spec.revision,
        before.spec.revision
    );
    assert_eq!(config(&scene).await?, "clients 30\nmemory 128\n");
    Ok(())
}

#[tokio::test]
async fn a_profile_stands_behind_what_the_app_sets() -> Result<()> {
    let scene = Scene::new("profile").await?;
    store::active(&scene, "1.0.0", &[]).await?;
    scene
        .put_app("a", "1.0.0", json!({"profile": "productoin"}))
        .await?;
    let said = scene.app_says("a", "PinAccepted", "UnknownProfile").await?;
    let word = "did you mean `production`";
    assert!(said.message.contains(word), "{}", said.message);

    scene.edit_app("a", json!({"profile": null})).await?;
    scene.run_pods_until("a", "Running").await?;
    assert_eq!(members(&scene).await?, "2/2");
    scene
        .edit_app("a", json!({"profile": "production"}))
        .await?;
    eventually(SOON, "the profile is in force", async || {
        scene.run_pods_until("a", "Running").await?;
        let members = members(&scene).await?;
        ensure!(members == "4/4", "{members}");
        Ok(())
    })
    .await?;
    assert_eq!(config(&scene).await?, "clients 100\nmemory 256\n");
    // What the App sets goes before it, parameter by parameter.
    let set =
        json!({"components": {"store": {"replicas": 2, "config": {"parameters": {"clients": 1}}}}});
    scene.edit_app("a", set).await?;
    eventually(SOON, "the App's own is in force", async || {
        scene.run_pods_until("a", "Running").await?;
        let config = config(&scene).await?;
        ensure!(config == "clients 1\nmemory 256\n", "{config}");
        ensure!(members(&scene).await? == "3/3");
        Ok(())
    })
    .await
}

async fn members(scene: &Scene) -> Result<String> {
    let app = scene.api::<App>().get("a").await?;
    app.status
        .and_then(|status| status.members)
        .context("members")
}

/// The configuration that the store of `a` is to run by.
async fn config(scene: &Scene) -> Result<String> {
    let group = scene.api::<Group>().get("a-store-0").await?;
    let map = scene.api::<ConfigMap>().get("a-store-config").await?;
    let key = format!("{}.store.conf", group.spec.config_revision);
    map.data.unwrap_or_default().remove(&key).context(key)
}
