//! What is said of a version without changing it: withdrawn, deprecated, end of support.

use crate::world::{SOON, Scene, condition};
use anyhow::{Result, ensure};
use api::crd::addon::AddonPhase::Active;
use kit::eventually;
use kube::{
    ResourceExt as _,
    api::{Patch, PatchParams},
};
use serde_json::json;

#[tokio::test]
async fn withdrawn_takes_no_new_pins_and_its_apps_keep_every_function() -> Result<()> {
    let scene = Scene::new("withdrawn").await?;
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        scene.active(version).await?;
    }
    let spec = json!({"topology": "replication"});
    scene.put_app("cache", "1.1.0", spec.clone()).await?;
    scene.put_app("older", "1.0.0", spec.clone()).await?;
    for app in ["cache", "older"] {
        scene.run_pods_until(app, "Running").await?;
    }
    let before = scene.versions().await?;
    scene
        .say("1.1.0", json!({"withdrawn": "it loses data, use 2.0.0"}))
        .await?;
    let said = scene.addon_says("1.1.0", "Withdrawn").await?;
    assert!(
        said.message.ends_with("it loses data, use 2.0.0"),
        "{}",
        said.message
    );
    let status = scene
        .addon_is("1.1.0", Active)
        .await?
        .status
        .unwrap_or_default();
    assert_eq!(status.lifecycle.as_deref(), Some("Withdrawn"));
    assert_eq!(condition(&status.conditions, "Ready").status, "True");

    scene.put_app("late", "1.1.0", spec).await?;
    let late = scene
        .app_says("late", "PinAccepted", "VersionWithdrawn")
        .await?;
    for part in ["it loses data, use 2.0.0", "there are: 2.0.0, 1.0.0"] {
        assert!(late.message.contains(part), "{}", late.message);
    }
    scene
        .edit_app("older", json!({"pluginVersion": "1.1.0"}))
        .await?;
    let older = scene
        .app_says("older", "PinAccepted", "VersionWithdrawn")
        .await?;
    assert!(
        older.message.contains("The App stays on 1.0.0"),
        "{}",
        older.message
    );

    eventually(SOON, "the App that uses it says so", async || {
        let accepted = scene.app_says("cache", "PinAccepted", "Accepted").await?;
        ensure!(
            accepted.message.contains("withdrawn: it loses data"),
            "{}",
            accepted.message
        );
        Ok(())
    })
    .await?;
    assert_eq!(
        scene.versions().await?,
        before,
        "nothing that runs was touched"
    );
    let settings = json!({"redis": {"replicas": 2, "resources": {"limits": {"memory": "300Mi"}}}});
    scene
        .edit_app("cache", json!({"components": settings}))
        .await?;
    scene.app_says("cache", "PinAccepted", "Accepted").await?;
    scene.run_pods_until("cache", "Running").await?;

    scene.say("1.1.0", json!({"withdrawn": null})).await?;
    scene.app_says("late", "PinAccepted", "Accepted").await?;
    Ok(())
}

#[tokio::test]
async fn deprecation_is_told_once_at_the_pin_and_stands_with_the_apps() -> Result<()> {
    let scene = Scene::new("deprecated").await?;
    scene.active("1.0.0").await?;
    scene
        .put_app("early", "1.0.0", json!({"topology": "standalone"}))
        .await?;
    scene.run_pods_until("early", "Running").await?;
    let advisory = json!({"id": "CVE-2026-12345", "severity": "high", "summary": "it leaks"});
    scene
        .say(
            "1.0.0",
            json!({"endOfSupport": "2026-03-31", "advisories": [advisory]}),
        )
        .await?;
    let said = scene.addon_says("1.0.0", "Deprecated").await?;
    let text = "its support ended on 2026-03-31; CVE-2026-12345 (high): it leaks";
    assert_eq!(said.message, text);
    let status = scene
        .addon_is("1.0.0", Active)
        .await?
        .status
        .unwrap_or_default();
    assert_eq!(status.lifecycle.as_deref(), Some("EndOfSupport"));

    scene
        .put_app("late", "1.0.0", json!({"topology": "standalone"}))
        .await?;
    for app in ["early", "late"] {
        eventually(SOON, "the App says it", async || {
            let accepted = scene.app_says(app, "PinAccepted", "Accepted").await?;
            ensure!(accepted.message.ends_with(text), "{}", accepted.message);
            Ok(())
        })
        .await?;
    }
    scene.run_pods_until("late", "Running").await?;
    scene.is_quiet().await?;
    let told = scene.events("Deprecated").await?;
    assert_eq!(told.len(), 1, "at the pin of the late one alone: {told:?}");
    Ok(())
}

#[tokio::test]
async fn a_person_may_change_lifecycle_and_nothing_else() -> Result<()> {
    let scene = Scene::new("onlylife").await?;
    let addon = scene.active("1.0.0").await?;
    for spec in [
        json!({"version": "1.0.1"}),
        json!({"digest": format!("sha256:{}", "a".repeat(64))}),
        json!({"content": []}),
    ] {
        let patch = Patch::Merge(json!({"spec": spec}));
        let refused = scene
            .addons()
            .patch(&addon.name_any(), &PatchParams::default(), &patch)
            .await;
        ensure!(refused.is_err(), "{spec}");
    }
    scene.say("1.0.0", json!({"deprecated": "use 2.x"})).await?;
    scene.addon_says("1.0.0", "Deprecated").await?;
    scene.say("1.0.0", json!({"deprecated": null})).await?;
    eventually(SOON, "nothing is said of it any more", async || {
        let status = scene
            .addon_is("1.0.0", Active)
            .await?
            .status
            .unwrap_or_default();
        ensure!(
            status.lifecycle.is_none() && status.conditions.len() == 1,
            "{status:?}"
        );
        Ok(())
    })
    .await
}
