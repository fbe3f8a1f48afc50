//! A restarted operator finds everything as it is to be: it writes nothing, and no pod changes
//! (design.md, invariants 3 and 8).

use crate::world::{AGENT, Operator, SOON, Scene};
use anyhow::{Result, ensure};
use kit::{ControlPlane, eventually};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_restart_writes_nothing_and_what_came_meanwhile_is_done() -> Result<()> {
    let plane = Box::leak(Box::new(ControlPlane::start_with_controllers().await?));
    let first = Operator::start(plane).await?;
    let scene = Scene::on(plane, "restart").await?;
    scene.active("1.0.0").await?;
    for name in ["a", "b"] {
        scene
            .put_app(name, "1.0.0", json!({"topology": "replication"}))
            .await?;
    }
    for name in ["a", "b"] {
        scene.run_pods_until(name, "Running").await?;
    }
    scene.is_quiet().await?;
    first.stop();
    let before = scene.versions().await?;
    let mark = plane.audit().mark()?;
    let second = Operator::start(plane).await?;
    // Reads say that it is at work: it looks at every child once.
    eventually(SOON, "every ConfigMap was read", async || {
        let reads = plane
            .audit()
            .since(mark)?
            .by(AGENT)
            .verb("get")
            .resource("configmaps");
        ensure!(reads.len() >= 6, "{} reads", reads.len());
        Ok(())
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let writes = plane.audit().since(mark)?.by(AGENT).writes();
    assert!(
        writes.is_empty(),
        "{:?}",
        writes.iter().map(ToString::to_string).collect::<Vec<_>>()
    );
    assert_eq!(scene.versions().await?, before);
    second.stop();

    scene
        .edit_app("a", json!({"components": {"redis": {"replicas": 2}}}))
        .await?;
    let third = Operator::start(plane).await?;
    scene.run_pods_until("a", "Running").await?;
    third.stop();
    Ok(())
}
