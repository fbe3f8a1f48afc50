//! The addon's own objects: made, put right, removed, and never taken from somebody else; and
//! components that run only where they are enabled.

use crate::{
    store,
    world::{SOON, Scene, condition},
};
use anyhow::{Result, ensure};
use api::{Component, Group};
use k8s_openapi::api::{
    core::v1::{ConfigMap, PersistentVolumeClaim},
    networking::v1::NetworkPolicy,
};
use kit::eventually;
use kube::{
    ResourceExt as _,
    api::{DeleteParams, PostParams},
};
use serde_json::json;

const POLICY: &str = "      - {kind: NetworkPolicy, template: policy.yaml}\n";
const MONITOR: &str = "{kind: ServiceMonitor, template: monitor.yaml, optional: true}";

#[tokio::test]
async fn objects_are_made_for_the_component_and_removed_when_nobody_wants_them() -> Result<()> {
    let scene = Scene::new("objects").await?;
    store::active(&scene, "1.0.0", &[]).await?;
    scene.put_app("a", "1.0.0", json!({})).await?;
    scene.run_pods_until("a", "Running").await?;
    let policy = scene.api::<NetworkPolicy>().get("a-store-clients").await?;
    assert_eq!(policy.owner_references()[0].name, "a-store");
    let labels = policy.labels();
    assert_eq!(labels["middleware.io/app"], "a");
    assert_eq!(labels["app.kubernetes.io/managed-by"], "paamesh");
    let notes = scene.api::<ConfigMap>().get("a-store-notes").await?;
    assert_eq!(notes.labels()["team"], "store");
    assert_eq!(notes.data.unwrap_or_default()["address"], "a-store:7000");
    let status = scene.api::<Component>().get("a-store").await?.status;
    let noted: Vec<String> = status
        .unwrap_or_default()
        .objects
        .iter()
        .map(|object| format!("{} {}", object.kind, object.name))
        .collect();
    // There is no monitoring in this cluster: the ServiceMonitor is optional.
    assert_eq!(
        noted,
        [
            "ConfigMap a-store-notes",
            "Ingress a-store-web",
            "NetworkPolicy a-store-clients",
            "PodDisruptionBudget a-store-budget",
            "Secret a-store-licence",
        ]
    );
    scene.is_quiet().await?;

    // A ConfigMap is watched: what is deleted by hand comes back by itself.
    let maps = scene.api::<ConfigMap>();
    maps.delete("a-store-notes", &DeleteParams::default())
        .await?;
    eventually(SOON, "the notes are back", async || {
        maps.get("a-store-notes").await?;
        Ok(())
    })
    .await?;
    scene.is_quiet().await?;

    // Others come back with the next change; the profile does without notes.
    let policies = scene.api::<NetworkPolicy>();
    policies
        .delete("a-store-clients", &DeleteParams::default())
        .await?;
    scene
        .edit_app("a", json!({"profile": "production"}))
        .await?;
    eventually(SOON, "the policy is back, the notes are gone", async || {
        scene.run_pods_until("a", "Running").await?;
        policies.get("a-store-clients").await?;
        let notes = scene.api::<ConfigMap>().get_opt("a-store-notes").await?;
        ensure!(notes.is_none(), "{notes:?}");
        Ok(())
    })
    .await?;
    scene.api::<ConfigMap>().get("a-store-config").await?;
    Ok(())
}

#[tokio::test]
async fn a_version_without_the_object_removes_it() -> Result<()> {
    let scene = Scene::new("objectsgone").await?;
    store::active(&scene, "1.0.0", &[]).await?;
    let mut files = store::files(&scene, "1.1.0", &[(POLICY, "")]);
    files.remove("templates/policy.yaml");
    scene.publish("1.1.0", &files).await?;
    scene
        .addon_is("1.1.0", api::crd::addon::AddonPhase::Active)
        .await?;
    scene.put_app("a", "1.0.0", json!({})).await?;
    scene.run_pods_until("a", "Running").await?;
    scene.api::<NetworkPolicy>().get("a-store-clients").await?;
    scene
        .edit_app("a", json!({"pluginVersion": "1.1.0"}))
        .await?;
    scene.run_pods_until("a", "Running").await?;
    let left = scene
        .api::<NetworkPolicy>()
        .get_opt("a-store-clients")
        .await?;
    assert!(left.is_none(), "{left:?}");
    scene.api::<ConfigMap>().get("a-store-notes").await?;
    Ok(())
}

#[tokio::test]
async fn an_object_of_somebody_else_is_never_taken_nor_removed() -> Result<()> {
    let scene = Scene::new("objectstaken").await?;
    store::active(&scene, "1.0.0", &[]).await?;
    let theirs: NetworkPolicy = serde_json::from_value(json!({
        "metadata": {"name": "a-store-clients"}, "spec": {"podSelector": {}},
    }))?;
    let policies = scene.api::<NetworkPolicy>();
    let theirs = policies.create(&PostParams::default(), &theirs).await?;
    scene.put_app("a", "1.0.0", json!({})).await?;
    let said = scene.app_says("a", "Ready", "Failed").await?;
    let word = "NetworkPolicy `a-store-clients` exists";
    assert!(said.message.contains(word), "{}", said.message);
    // It is noted, for it was about to be made, and is not ours to delete.
    scene
        .edit_app("a", json!({"components": {"store": {"replicas": 2}}}))
        .await?;
    scene.app_says("a", "Ready", "Failed").await?;
    let live = policies.get("a-store-clients").await?;
    assert_eq!(live.resource_version(), theirs.resource_version());
    policies
        .delete("a-store-clients", &DeleteParams::default())
        .await?;
    scene.run_pods_until("a", "Running").await
}

#[tokio::test]
async fn a_claim_is_data_that_no_update_takes_away() -> Result<()> {
    let scene = Scene::new("objectsdata").await?;
    store::active(&scene, "1.0.0", &[store::WITH_CLAIM]).await?;
    store::active(&scene, "1.1.0", &[]).await?;
    scene.put_app("a", "1.0.0", json!({})).await?;
    scene.run_pods_until("a", "Running").await?;
    let claims = scene.api::<PersistentVolumeClaim>();
    let made = claims.get("a-store-dump").await?;
    assert!(made.owner_references().is_empty());
    scene
        .edit_app("a", json!({"pluginVersion": "1.1.0"}))
        .await?;
    scene.run_pods_until("a", "Running").await?;
    scene.is_quiet().await?;
    let kept = claims.get("a-store-dump").await?;
    assert_eq!(kept.metadata, made.metadata);
    Ok(())
}

#[tokio::test]
async fn a_kind_that_the_cluster_must_know_is_asked_for() -> Result<()> {
    let scene = Scene::new("objectskind").await?;
    let must = "{kind: ServiceMonitor, template: monitor.yaml}";
    store::active(&scene, "1.0.0", &[(MONITOR, must)]).await?;
    scene.put_app("a", "1.0.0", json!({})).await?;
    let said = scene.app_says("a", "Ready", "Failed").await?;
    let word = "ServiceMonitor `a-store-metrics`";
    assert!(said.message.contains(word), "{}", said.message);
    let component = scene.api::<Component>().get("a-store").await?;
    let conditions = component.status.unwrap_or_default().conditions;
    assert_eq!(condition(&conditions, "Ready").reason, "UnknownKind");
    Ok(())
}

#[tokio::test]
async fn an_optional_component_runs_only_while_it_is_enabled() -> Result<()> {
    let scene = Scene::new("optional").await?;
    store::active(&scene, "1.0.0", &[]).await?;
    scene.put_app("a", "1.0.0", json!({})).await?;
    scene.run_pods_until("a", "Running").await?;
    let components = scene.api::<Component>();
    assert!(components.get_opt("a-exporter").await?.is_none());
    let before = scene.api::<Group>().get("a-store-0").await?.spec;
    scene
        .edit_app("a", json!({"components": {"exporter": {"enabled": true}}}))
        .await?;
    eventually(SOON, "the exporter runs", async || {
        scene.run_pods_until("a", "Running").await?;
        components.get("a-exporter").await?;
        Ok(())
    })
    .await?;
    assert_eq!(
        scene.api::<Group>().get("a-store-0").await?.spec,
        before,
        "no pod else"
    );
    scene
        .edit_app("a", json!({"components": {"exporter": {"enabled": false}}}))
        .await?;
    eventually(SOON, "the exporter is gone", async || {
        scene.run_pods_until("a", "Running").await?;
        ensure!(
            components.get_opt("a-exporter").await?.is_none(),
            "it is there"
        );
        Ok(())
    })
    .await?;
    scene
        .edit_app("a", json!({"components": {"watch": {"enabled": false}}}))
        .await?;
    let said = scene
        .app_says("a", "PinAccepted", "InvalidSettings")
        .await?;
    assert!(
        said.message.contains("does not do without"),
        "{}",
        said.message
    );
    scene.is_quiet().await
}
