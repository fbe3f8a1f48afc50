//! Many sources at once.

use crate::{
    git_server::{Fault, GitServer},
    http_server::{HttpServer, Manner, Response},
    world::{SOON, World, addon, ready},
};
use anyhow::{Result, ensure};
use kit::eventually;
use kube::api::DeleteParams;
use serde_json::json;
use std::{
    process::Command,
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_sources_that_hang_delay_no_other() -> Result<()> {
    let mut world = World::new().await?;
    let git = GitServer::start(world.directory.path());
    git.fault(Fault::Hang);
    let oci = HttpServer::start(|_| Response::new(200, "").manner(Manner::Never));
    for n in 0..50 {
        let source = json!({"url": git.url(&format!("{n}.git")), "insecure": true});
        world
            .create(&format!("git-{n}"), json!({"git": source}))
            .await?;
        let url = format!("oci://127.0.0.1:{}/{n}", oci.port);
        let source = json!({"url": url, "insecure": true});
        world
            .create(&format!("oci-{n}"), json!({"oci": source}))
            .await?;
    }
    eventually(SOON, "most of them hang", async || {
        ensure!(git.requests_so_far() >= 40);
        Ok(())
    })
    .await?;
    addon(&world, "redis", "redis", "1.0.0");
    world.repository.push();
    let begun = Instant::now();
    world.source(json!({})).await?;
    world.publish("redis-1.0.0").await?;
    world.seen(ready).await?;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    eventually(SOON, "all of them hang", async || {
        ensure!(git.requests_so_far() == 50);
        Ok(())
    })
    .await?;
    world.stop().await?;
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_of_one_repository_share_their_looks_at_it() -> Result<()> {
    const SOURCES: usize = 20;
    let world = World::shared("crowd").await?;
    for n in 0..SOURCES {
        let name = format!("crowd-{n}");
        addon(&world, &name, &name, "1.0.0");
    }
    let commit = world.repository.push();
    let names: Vec<String> = (0..SOURCES).map(|n| format!("crowd-{n}")).collect();
    for name in &names {
        let url = world.server.url("addons.git");
        let git = json!({"url": url, "insecure": true, "directories": [name]});
        world
            .create(name, json!({"interval": "1s", "git": git}))
            .await?;
    }
    for name in &names {
        world.publish(&format!("{name}-1.0.0")).await?;
    }
    for name in &names {
        world.seen_of(name, ready).await?;
    }
    let mirrors = std::fs::read_dir(world.mirrors())?;
    let holds = |mirror: &std::path::Path| {
        let mut git = Command::new("git");
        git.arg("--git-dir").arg(mirror);
        let said = git.args(["cat-file", "-e", &commit]).output();
        said.unwrap().status.success()
    };
    let mirrors = mirrors.filter(|mirror| holds(&mirror.as_ref().unwrap().path()));
    assert_eq!(mirrors.count(), 1, "one mirror for all");
    // Each looks about once a second; what one saw is as good for half a second.
    world.server.requests();
    let watched = Duration::from_secs(4);
    tokio::time::sleep(watched).await;
    let looks = world.server.requests().len();
    assert!((4..=16).contains(&looks), "{looks} in {watched:?}");
    for name in &names {
        let params = DeleteParams::default();
        world.sources().delete(name, &params).await?;
    }
    Ok(())
}
