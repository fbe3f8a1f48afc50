//! Components go one after the other where the addon says so, and a version says on which
//! Kubernetes it runs.

use crate::{
    store,
    world::{SOON, Scene},
};
use anyhow::{Result, ensure};
use api::{Component, Group};
use kit::eventually;
use serde_json::json;
use std::time::Duration;

const PLAIN: &str = "values: {open: true}\n";
const ORDERED: &str =
    "values: {open: true}\norders:\n  provision: [store, watch]\n  upgrade: [watch, store]\n";
const NEWER: &str = "values: {open: true}\nkubernetes: \">=1.99\"\n";

#[tokio::test]
async fn an_app_is_provisioned_and_upgraded_in_the_order_of_the_addon() -> Result<()> {
    let scene = Scene::new("orders").await?;
    store::active(&scene, "1.0.0", &[(PLAIN, ORDERED)]).await?;
    store::active(&scene, "1.1.0", &[(PLAIN, ORDERED)]).await?;
    scene.put_app("a", "1.0.0", json!({})).await?;
    let groups = scene.api::<Group>();
    let said = scene.app_says("a", "Ready", "Creating").await?;
    eventually(SOON, "the store is made, and the watch waits", async || {
        groups.get("a-store-0").await?;
        let watch = scene.api::<Component>().get("a-watch").await?;
        ensure!(watch.spec.hold, "{watch:?}");
        Ok(())
    })
    .await?;
    assert!(
        said.message.contains("watch waits for store"),
        "{}",
        said.message
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(
        groups.get_opt("a-watch-0").await?.is_none(),
        "before its turn"
    );
    scene.run_pods_until("a", "Running").await?;
    groups.get("a-watch-0").await?;
    scene.is_quiet().await?;

    // Nobody says that the pods of the watch are ready: the store stays on the older version.
    scene
        .edit_app("a", json!({"pluginVersion": "1.1.0"}))
        .await?;
    let version = |group: Group| group.spec.pin.plugin_version.to_string();
    eventually(SOON, "the watch is upgraded", async || {
        let version = version(groups.get("a-watch-0").await?);
        ensure!(version == "1.1.0", "{version}");
        Ok(())
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        version(groups.get("a-store-0").await?),
        "1.0.0",
        "before its turn"
    );
    let store = scene.api::<Component>().get("a-store").await?;
    assert_eq!(
        store.spec.pin.plugin_version.to_string(),
        "1.1.0",
        "it has the pin"
    );
    let said = scene.app_says("a", "Ready", "Upgrading").await?;
    assert!(
        said.message.contains("store waits for watch"),
        "{}",
        said.message
    );
    scene.run_pods_until("a", "Running").await?;
    assert_eq!(version(groups.get("a-store-0").await?), "1.1.0");
    scene.is_quiet().await
}

#[tokio::test]
async fn a_version_for_another_kubernetes_is_refused() -> Result<()> {
    let scene = Scene::new("kubernetes").await?;
    store::active(&scene, "1.0.0", &[]).await?;
    store::active(&scene, "1.1.0", &[(PLAIN, NEWER)]).await?;
    scene.put_app("a", "1.0.0", json!({})).await?;
    scene.run_pods_until("a", "Running").await?;
    scene
        .edit_app("a", json!({"pluginVersion": "1.1.0"}))
        .await?;
    let said = scene
        .app_says("a", "PinAccepted", "UnsupportedKubernetes")
        .await?;
    let word = "version 1.1.0 runs on Kubernetes >=1.99, and this cluster is 1.";
    assert!(said.message.contains(word), "{}", said.message);
    assert_eq!(
        scene.app_says("a", "Ready", "Running").await?.status,
        "True"
    );
    Ok(())
}
