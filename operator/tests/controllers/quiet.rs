//! A steady state makes no write (R-24; design.md, invariant 8), and a new version costs few round
//! trips.

use crate::world::{AGENT, Scene};
use anyhow::Result;
use serde_json::json;
use std::time::Duration;

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
    // What the last change caused is over when nothing was written for a second.
    let audit = scene.plane.audit();
    let ours = |mark| -> Result<Vec<String>> {
        let writes = audit.since(mark)?.by(AGENT).writes();
        let here = writes.iter().filter(|e| {
            e.object_ref.as_ref().is_some_and(|o| {
                o.namespace == "quiet" || e.name().starts_with("quiet")
            })
        });
        Ok(here
            .map(|e| format!("{} {} {}", e.verb, e.resource(), e.name()))
            .collect())
    };
    let mut mark = audit.mark()?;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if ours(mark)?.is_empty() {
            break;
        }
        mark = audit.mark()?;
    }
    let mark = audit.mark()?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(ours(mark)?, Vec::<String>::new());
    Ok(())
}
