//! A steady state makes no write (R-24; design.md, invariant 8), and a new version costs few round
//! trips.

use crate::world::{AGENT, Scene};
use anyhow::Result;
use api::crd::addon::AddonPhase;
use serde_json::json;
use std::time::Duration;

/// How long nothing may be written; the story counts a whole minute.
const REST: Duration = Duration::from_secs(5);

#[tokio::test]
async fn at_rest_nothing_is_written() -> Result<()> {
    let scene = Scene::new("quiet").await?;
    scene.active("1.0.0").await?;
    for name in ["a", "b", "c"] {
        scene
            .put_app(name, "1.0.0", json!({"topology": "replication"}))
            .await?;
    }
    for name in ["a", "b", "c"] {
        scene.run_pods_until(name, "Running").await?;
    }
    scene.is_quiet().await?;
    let mark = scene.plane.audit().mark()?;
    tokio::time::sleep(REST).await;
    assert_eq!(scene.writes(mark)?, Vec::<String>::new());
    scene
        .edit_app("a", json!({"components": {"redis": {"replicas": 2}}}))
        .await?;
    scene.run_pods_until("a", "Running").await
}

#[tokio::test]
async fn a_version_is_published_with_two_writes_one_after_the_other() -> Result<()> {
    let scene = Scene::new("fewtrips").await?;
    scene.active("1.0.0").await?;
    let files = scene.redis("1.1.0");
    scene.put_content("1.1.0", &files, "").await?;
    let mark = scene.plane.audit().mark()?;
    scene.put_registered("1.1.0", &files).await?;
    scene.addon_is("1.1.0", AddonPhase::Active).await?;
    let about = |e: &kit::Event| e.name().starts_with(&scene.plugin) && e.resource() != "events";
    let all = scene.plane.audit().since(mark)?.by(AGENT).filter(about);
    // The ledger was written for 1.0.0 and is known. Content that the watch has not brought yet is read.
    let asked: Vec<String> = all
        .iter()
        .map(|e| format!("{} {}", e.verb, e.resource()))
        .filter(|asked| asked != "get configmaps")
        .collect();
    let expected = ["update addonledgers", "patch middlewareaddons/status"];
    assert_eq!(asked, expected, "{all}");
    assert!(all.sequential() <= 3, "{all}");
    Ok(())
}
