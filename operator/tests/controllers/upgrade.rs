//! The gate: what may follow what, and that a refusal changes nothing (R-5, R-21; design.md,
//! invariants 3 and 4).

use crate::world::Scene;
use anyhow::Result;
use api::{App, Group, crd::app::AppPhase};
use serde_json::json;

#[tokio::test]
async fn a_new_version_changes_nothing_that_runs() -> Result<()> {
    let scene = Scene::new("newversion").await?;
    scene.active("1.0.0").await?;
    scene
        .put_app("cache", "1.0.0", json!({"topology": "replication"}))
        .await?;
    scene.run_pods_until("cache", "Running").await?;
    let before = scene.versions().await?;
    let app = scene.api::<App>().get("cache").await?;
    scene.active("1.1.0").await?;
    scene.active("2.0.0").await?;
    assert_eq!(scene.versions().await?, before);
    let after = scene.api::<App>().get("cache").await?;
    assert_eq!(
        after.metadata.resource_version,
        app.metadata.resource_version
    );
    Ok(())
}

#[tokio::test]
async fn a_refused_upgrade_leaves_everything_untouched() -> Result<()> {
    let scene = Scene::new("gate").await?;
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        scene.active(version).await?;
    }
    scene
        .put_app("cache", "1.0.0", json!({"topology": "replication"}))
        .await?;
    scene.run_pods_until("cache", "Running").await?;
    let before = scene.versions().await?;
    scene
        .edit_app(
            "cache",
            json!({"pluginVersion": "2.0.0", "components": {"redis": {"replicas": 5}}}),
        )
        .await?;
    let said = scene
        .app_says("cache", "PinAccepted", "NotInUpgradeFrom")
        .await?;
    assert_eq!(said.status, "False");
    assert!(
        said.message.contains("it may be set to: 1.1.0"),
        "{}",
        said.message
    );
    let ready = scene.app_says("cache", "Ready", "Running").await?;
    assert_eq!(ready.status, "True");
    let status = scene
        .api::<App>()
        .get("cache")
        .await?
        .status
        .unwrap_or_default();
    assert_eq!(
        status
            .pin
            .map(|pin| pin.plugin_version.to_string())
            .as_deref(),
        Some("1.0.0")
    );
    assert_eq!(scene.versions().await?, before);
    Ok(())
}

#[tokio::test]
async fn an_accepted_upgrade_rolls_and_is_remembered() -> Result<()> {
    let scene = Scene::new("rolls").await?;
    scene.active("1.0.0").await?;
    scene.active("1.1.0").await?;
    scene
        .put_app("cache", "1.0.0", json!({"topology": "replication"}))
        .await?;
    scene.run_pods_until("cache", "Running").await?;
    let groups = scene.api::<Group>();
    let before = groups.get("cache-redis-0").await?.spec;
    scene
        .edit_app("cache", json!({"pluginVersion": "1.1.0"}))
        .await?;
    scene.app_says("cache", "PinAccepted", "Accepted").await?;
    scene.run_pods_until("cache", "Running").await?;
    let after = groups.get("cache-redis-0").await?.spec;
    // 1.1.0 has another redis.conf, and another probe.
    assert_ne!(before.revision, after.revision);
    assert_ne!(before.content_revision, after.content_revision);
    let status = scene
        .api::<App>()
        .get("cache")
        .await?
        .status
        .unwrap_or_default();
    assert_eq!(status.phase, Some(AppPhase::Running));
    let past: Vec<String> = status
        .history
        .iter()
        .map(|past| past.pin.plugin_version.to_string())
        .collect();
    assert_eq!(past, ["1.0.0"]);
    Ok(())
}
