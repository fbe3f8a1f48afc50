//! Credentials are generated once and never rewritten: they are data, like volumes.

use crate::{
    store,
    world::{Operator, SOON, Scene},
};
use anyhow::{Context as _, Result, ensure};
use api::{App, Group};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kit::{ControlPlane, eventually};
use kube::{
    ResourceExt as _,
    api::{DeleteParams, PostParams},
};
use serde_json::json;
use std::collections::BTreeMap;

const NAME: &str = "a-store-credentials";
const ONE: &str = "credentials: [{name: admin, username: root}]";
const TWO: &str = "credentials: [{name: admin, username: toor}, {name: metrics}]";

async fn secret(scene: &Scene) -> Result<Secret> {
    Ok(scene.api::<Secret>().get(NAME).await?)
}

fn texts(secret: &Secret) -> BTreeMap<String, String> {
    let data = secret.data.iter().flatten();
    data.map(|(key, value)| (key.clone(), String::from_utf8(value.0.clone()).unwrap()))
        .collect()
}

#[tokio::test]
async fn credentials_are_generated_once_and_only_added_to() -> Result<()> {
    let scene = Scene::new("creds").await?;
    store::active(&scene, "1.0.0", &[]).await?;
    store::active(&scene, "1.1.0", &[(ONE, TWO)]).await?;
    scene.put_app("a", "1.0.0", json!({})).await?;
    scene.put_app("b", "1.0.0", json!({})).await?;
    scene.run_pods_until("a", "Running").await?;
    scene.run_pods_until("b", "Running").await?;
    let made = secret(&scene).await?;
    let first = texts(&made);
    assert_eq!(first["admin-username"], "root");
    let password = &first["admin-password"];
    assert!(password.len() == 32 && password.bytes().all(|b| b.is_ascii_alphanumeric()));
    let other = scene.api::<Secret>().get("b-store-credentials").await?;
    assert_ne!(*password, texts(&other)["admin-password"]);
    assert!(made.owner_references().is_empty(), "it is data");
    let group = scene.api::<Group>().get("a-store-0").await?;
    assert!(made.creation_timestamp() <= group.creation_timestamp());

    // A change of anything else, and nobody touches it.
    scene
        .edit_app("a", json!({"components": {"store": {"replicas": 2}}}))
        .await?;
    scene.run_pods_until("a", "Running").await?;
    assert_eq!(
        secret(&scene).await?.resource_version(),
        made.resource_version()
    );

    // The next version declares another user, and another name for the first.
    scene
        .edit_app("a", json!({"pluginVersion": "1.1.0"}))
        .await?;
    scene.run_pods_until("a", "Running").await?;
    let mut second = texts(&secret(&scene).await?);
    assert_eq!(
        second.remove("metrics-username").as_deref(),
        Some("metrics")
    );
    assert_eq!(second.remove("metrics-password").map(|p| p.len()), Some(32));
    assert_eq!(second, first, "what was there is as it was");
    Ok(())
}

#[tokio::test]
async fn credentials_stay_with_the_volumes_and_go_with_them() -> Result<()> {
    let scene = Scene::new("credskept").await?;
    store::active(&scene, "1.0.0", &[]).await?;
    scene.put_app("a", "1.0.0", json!({})).await?;
    scene.run_pods_until("a", "Running").await?;
    let first = secret(&scene).await?;
    delete(&scene).await?;
    let kept = secret(&scene).await?;
    assert_eq!((kept.uid(), texts(&kept)), (first.uid(), texts(&first)));

    scene
        .put_app("a", "1.0.0", json!({"deletionPolicy": "Delete"}))
        .await?;
    scene.run_pods_until("a", "Running").await?;
    assert_eq!(texts(&secret(&scene).await?), texts(&first), "taken again");
    delete(&scene).await?;
    let left = scene.api::<Secret>().get_opt(NAME).await?;
    assert!(left.is_none(), "{left:?}");
    Ok(())
}

/// Deletes the App `a`, and ends its pods as a kubelet would.
async fn delete(scene: &Scene) -> Result<()> {
    scene
        .api::<App>()
        .delete("a", &DeleteParams::default())
        .await?;
    eventually(SOON, "the App and its pods are gone", async || {
        let pods = scene.api::<Pod>();
        let left = pods.list(&Default::default()).await?.items;
        for pod in left
            .iter()
            .filter(|p| p.metadata.deletion_timestamp.is_some())
        {
            let now = DeleteParams::default().grace_period(0);
            let _ = pods.delete(&pod.name_any(), &now).await;
        }
        let app = scene.api::<App>().get_opt("a").await?;
        ensure!(app.is_none() && left.is_empty(), "{app:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_secret_of_somebody_else_is_never_taken() -> Result<()> {
    let scene = Scene::new("credstaken").await?;
    store::active(&scene, "1.0.0", &[]).await?;
    let theirs: Secret = serde_json::from_value(json!({
        "metadata": {"name": NAME}, "stringData": {"admin-password": "theirs"},
    }))?;
    let theirs = scene
        .api::<Secret>()
        .create(&PostParams::default(), &theirs)
        .await?;
    scene.put_app("a", "1.0.0", json!({})).await?;
    let said = scene.app_says("a", "Ready", "Failed").await?;
    let word = format!("Secret `{NAME}` exists");
    assert!(said.message.contains(&word), "{}", said.message);
    let group = scene.api::<Group>().get_opt("a-store-0").await?;
    assert!(group.is_none(), "no pod without its credentials");
    assert_eq!(
        secret(&scene).await?.resource_version(),
        theirs.resource_version()
    );
    scene
        .api::<Secret>()
        .delete(NAME, &DeleteParams::default())
        .await?;
    scene.run_pods_until("a", "Running").await?;
    assert_ne!(texts(&secret(&scene).await?)["admin-password"], "theirs");
    Ok(())
}

#[tokio::test]
async fn a_restarted_operator_finds_credentials_and_objects_as_they_are_to_be() -> Result<()> {
    let plane = Box::leak(Box::new(ControlPlane::start_with_controllers().await?));
    let first = Operator::start(plane).await?;
    let scene = Scene::on(plane, "credsrestart").await?;
    store::active(&scene, "1.0.0", &[]).await?;
    scene.put_app("a", "1.0.0", json!({})).await?;
    scene.run_pods_until("a", "Running").await?;
    scene.is_quiet().await?;
    first.stop();
    let before = secret(&scene).await?;
    let versions = scene.versions().await?;
    let mark = plane.audit().mark()?;
    let second = Operator::start(plane).await?;
    eventually(SOON, "the Secret was read", async || {
        let reads = plane.audit().since(mark)?.verb("get").resource("secrets");
        let reads = reads.by(crate::world::AGENT);
        reads.iter().next().map(drop).context("no read")
    })
    .await?;
    scene.is_quiet().await?;
    assert_eq!(scene.writes(mark)?, Vec::<String>::new());
    assert_eq!(secret(&scene).await?, before);
    assert_eq!(scene.versions().await?, versions);
    second.stop();
    Ok(())
}
