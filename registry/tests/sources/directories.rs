//! Directories that their authors write to.

use crate::{
    stage::says,
    world::{World, is, manifest, ready},
};
use anyhow::{Result, ensure};
use api::conditions::READY;
use kit::eventually;
use serde_json::json;
use std::{
    path::Path,
    time::{Duration, Instant},
};

fn save(root: &Path, path: &str, text: &str) -> Result<()> {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap())?;
    Ok(std::fs::write(path, text)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_saved_state_is_a_pre_release_of_its_own() -> Result<()> {
    let mut world = World::new().await?;
    let root = world.authors();
    let spec = json!({"interval": "1h", "directory": {"path": "redis"}});
    world.create("redis", spec).await?;
    let relative = "directory.path is relative to the registry's root of directories";
    world
        .seen_of("redis", |s| says(s, "FetchFailed", relative))
        .await?;

    save(&root, "redis/addon.yaml", &manifest("redis", "1.2.0"))?;
    save(&root, "redis/scripts/start.sh", "#!/bin/sh\nexec sleep 1\n")?;
    let first = world.addon("redis-1.2.0-dev.1").await?;
    assert_eq!(first.spec.version.to_string(), "1.2.0-dev.1");
    world.publish("redis-1.2.0-dev.1").await?;
    world.seen_of("redis", ready).await?;

    // A file that is written bit by bit is one state.
    let begun = Instant::now();
    for lines in 1..=5 {
        let text = "#!/bin/sh\n".to_owned() + &"# more\n".repeat(lines) + "exec sleep 2\n";
        save(&root, "redis/scripts/start.sh", &text)?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.addon("redis-1.2.0-dev.2").await?;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    world.publish("redis-1.2.0-dev.2").await?;

    // One that is refused is said, and takes no number; nor does one that stands already.
    save(&root, "redis/addon.yaml", "apiVersion: [\n")?;
    world
        .seen_of("redis", |s| is(s, READY, "False", "AddonsFailed"))
        .await?;
    save(&root, "redis/addon.yaml", &manifest("redis", "1.2.0-dev.4"))?;
    let own = "write the version itself";
    world
        .seen_of("redis", |s| says(s, "AddonsFailed", own))
        .await?;
    save(&root, "redis/addon.yaml", &manifest("redis", "1.2.0"))?;
    world.seen_of("redis", ready).await?;

    // The registry starts anew and knows where it was; the next state is the next number.
    world.stop().await?;
    world.start().await?;
    world.look_at("redis", ready).await?;
    save(&root, "redis/README.md", "# Redis\n")?;
    world.addon("redis-1.2.0-dev.3").await?;
    world.publish("redis-1.2.0-dev.3").await?;
    world.seen_of("redis", ready).await?;

    // Another version begins at 1 again.
    save(&root, "redis/addon.yaml", &manifest("redis", "1.3.0"))?;
    world.addon("redis-1.3.0-dev.1").await?;
    let addons = world
        .addons()
        .list(&kube::api::ListParams::default())
        .await?;
    assert_eq!(addons.items.len(), 4, "no state twice, and none half-saved");
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn states_that_are_saved_one_after_the_other_lose_none_and_change_none() -> Result<()> {
    const STATES: usize = 6;
    let world = World::shared("saved").await?;
    let root = world.authors();
    save(&root, "saved/a/addon.yaml", &manifest("saved-a", "1.0.0"))?;
    save(
        &root,
        "saved/a/scripts/start.sh",
        "#!/bin/sh\n# 1\nexec sleep 1\n",
    )?;
    save(&root, "saved/b/addon.yaml", &manifest("saved-b", "1.0.0"))?;
    save(
        &root,
        "saved/b/scripts/start.sh",
        "#!/bin/sh\nexec sleep 1\n",
    )?;
    let spec = json!({"interval": "1h", "directory": {"path": "saved"}});
    world.create("saved", spec).await?;
    world.addon("saved-a-1.0.0-dev.1").await?;
    world.addon("saved-b-1.0.0-dev.1").await?;
    for n in 2..=STATES {
        let text = format!("#!/bin/sh\n# {n}\nexec sleep 1\n");
        save(&root, "saved/a/scripts/start.sh", &text)?;
        let name = format!("saved-a-1.0.0-dev.{n}");
        eventually(Duration::from_secs(30), &name, async || {
            ensure!(world.addons().get_opt(&name).await?.is_some());
            Ok(())
        })
        .await?;
    }
    let states = world.versions_of("saved-a").await?;
    let digests = states.iter().map(|addon| &addon.spec.digest);
    let digests: std::collections::BTreeSet<_> = digests.collect();
    assert_eq!((states.len(), digests.len()), (STATES, STATES));
    let others = world.versions_of("saved-b").await?;
    assert_eq!(others.len(), 1, "it was not saved again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_leads_out_of_the_root_is_not_read() -> Result<()> {
    let world = World::shared("outside").await?;
    for (name, path) in [("up", "../data"), ("absolute", "/etc")] {
        let spec = json!({"interval": "1h", "directory": {"path": path}});
        world.create(name, spec).await?;
        world
            .seen_of(name, |s| says(s, "FetchFailed", "directory.path"))
            .await?;
    }
    Ok(())
}
