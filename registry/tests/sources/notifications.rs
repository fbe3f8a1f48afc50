//! A real registry that says when something was pushed.

use crate::{
    registries::Demands,
    stage::Stage,
    world::{SOON, World, ready},
};
use anyhow::{Result, ensure};
use kit::eventually;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_registry_notifies_of_is_there_long_before_the_interval_ends() -> Result<()> {
    let world = World::shared("notified").await?;
    let hook = format!("http://{}/hook/notified", world.hooks);
    let demands = Demands {
        notifies: Some((hook, "a-token".to_owned())),
        ..Demands::default()
    };
    let stage = Stage::new(world.directory.path(), &demands);
    // Nobody is there yet who could be told of this one: the registry tries again until somebody is.
    stage.push("team/notified", "notified", "1.0.0", "a");
    world
        .secret("notified", json!({"token": "a-token"}))
        .await?;
    let oci = json!({"url": stage.url("team/notified"), "insecure": true});
    let webhook = json!({"type": "oci", "secretRef": {"name": "notified"}});
    let spec = json!({"interval": "24h", "oci": oci, "webhook": webhook});
    world.create("notified", spec).await?;
    world.publish("notified-1.0.0").await?;
    world.seen_of("notified", ready).await?;
    is_quiet(&stage).await?;

    stage.push("team/notified", "notified", "1.1.0", "a");
    world.publish("notified-1.1.0").await?;
    let both = |source: &api::AddonSource| {
        ready(source) && source.status.as_ref().unwrap().versions == Some(2)
    };
    let source = world.seen_of("notified", both).await?;
    let handled = source.status.unwrap().last_handled_reconcile_at;
    assert_eq!(handled, None, "nobody else asked");
    // Our own looks pull, of which the registry tells us as well: they ask for no further look.
    is_quiet(&stage).await?;
    // What is pushed elsewhere is nothing to this source.
    stage.push("team/other", "other", "1.0.0", "a");
    tokio::time::sleep(QUIET).await;
    assert_eq!(stage.server.lines(), [""; 0]);
    Ok(())
}

/// More than the second between two looks.
const QUIET: Duration = Duration::from_millis(1200);

/// Waits until the registry is not asked any more.
async fn is_quiet(stage: &Stage) -> Result<()> {
    eventually(SOON, "nobody asks", async || {
        stage.server.lines();
        tokio::time::sleep(QUIET).await;
        let lines = stage.server.lines();
        ensure!(lines.is_empty(), "{lines:?}");
        Ok(())
    })
    .await
}
