//! What the platform lives through without anybody's help: an API server that goes away, a disk that is
//! full, and two registries that both believe that they lead.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "support/world.rs"]
#[allow(dead_code)]
mod world;

use anyhow::{Context as _, Result, ensure};
use api::{AddonSource, Digest, conditions::READY};
use kit::eventually;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use world::{Service, World};

/// Every wait of these tests.
const SOON: Duration = Duration::from_secs(60);
/// How long the API server is away: shorter than the Lease, so that a leader that goes on is told from
/// one that begins anew.
const AWAY: Duration = Duration::from_secs(3);
/// How many versions are synced.
const VERSIONS: usize = 20;

fn ready(source: &AddonSource) -> Option<(String, String, String)> {
    let conditions = &source.status.as_ref()?.conditions;
    let ready = conditions.iter().find(|c| c.type_ == READY)?;
    Some((
        ready.status.clone(),
        ready.reason.clone(),
        ready.message.clone(),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_comes_back_finds_the_sync_go_on() -> Result<()> {
    let mut world = World::new().await?;
    world.sync("before", 1, &[], &[], false).await?;
    let versions = world.push("redis", VERSIONS)?;
    let mark = world.cp.audit().mark()?;
    world.create_source("redis").await?;
    eventually(SOON, "a part of the sync", async || {
        let writes = world.registry.proxy.writes();
        ensure!(writes >= VERSIONS, "{writes} writes");
        Ok(())
    })
    .await?;
    world.cp.kill_api_server()?;
    tokio::time::sleep(AWAY).await;
    world.cp.start_again().await?;
    for service in [&mut world.registry, &mut world.operator] {
        service.may_end = true;
    }
    world.finish("redis", &versions, mark).await
}

/// A file system of its own, so large; gone when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(place: &Path, options: &str) -> Result<Self> {
        std::fs::create_dir_all(place)?;
        let disk = Self(place.to_owned());
        disk.command("mount", &["-t", "tmpfs", "-o", options, "tmpfs"])?;
        Ok(disk)
    }

    fn grow(&self, options: &str) -> Result<()> {
        self.command("mount", &["-o", options])
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let out = Command::new(program)
            .args(arguments)
            .arg(&self.0)
            .output()?;
        let said = String::from_utf8_lossy(&out.stderr);
        ensure!(
            out.status.success(),
            "{program} (this test mounts a file system and needs root): {said}"
        );
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.command("umount", &["--lazy"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_publishes_nothing_until_there_is_room() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let place = directory.path().join("data");
    let disk = Disk::mount(&place, "size=1m")?;
    let mut world = World::with_data(directory, &place).await?;
    // Random, so that it does not shrink; outside of what the source names.
    let mut random = fastrand::Rng::with_seed(1);
    let noise: String = std::iter::repeat_with(|| random.alphanumeric())
        .take(4 << 20)
        .collect();
    world.repository.write("noise.txt", &noise);
    let versions = world.push("redis", VERSIONS)?;
    let mark = world.cp.audit().mark()?;
    world.create_source("redis").await?;
    let failed = eventually(SOON, "the failure", async || {
        world.registry.process.alive()?;
        let source = world.sources().get("redis").await?;
        let (status, reason, message) = ready(&source).context("no condition")?;
        ensure!(
            status == "False" && reason == "FetchFailed",
            "{reason}: {message}"
        );
        Ok(message)
    })
    .await?;
    assert!(failed.contains("space"), "{failed}");
    assert_eq!(world.judge("redis", &versions).await?, 0);
    assert!(world.see("redis").await?.addons.is_empty());

    disk.grow("remount,size=64m")?;
    world.finish("redis", &versions, mark).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_registries_that_both_lead_the_first_digest_wins() -> Result<()> {
    let mut world = World::new().await?;
    // The same identity in the Lease: each takes it for its own.
    let data = world.directory.path().join("other");
    let data = data.to_str().context("UTF-8")?;
    let common = ["--namespace", &world.namespace, "--identity", "one"];
    let own = ["--data-dir", data, "--webhook-listen", ""];
    let mut other = Service::start(&world.cp, "registry", &[&common[..], &own].concat()).await?;
    let logs = || anyhow::Ok([world.registry.process.log()?, other.process.log()?]);
    eventually(SOON, "both lead", async || {
        ensure!(logs()?.iter().all(|log| log.contains("caches are filled")));
        Ok(())
    })
    .await?;

    // Two sources with the same versions and other bytes, for two registries.
    let left = world.push_as("left", "redis", VERSIONS, "first")?;
    let right = world.push_as("right", "redis", VERSIONS, "first")?;
    let mut both = left.clone();
    for (version, digests) in &right {
        both.entry(version.clone())
            .or_default()
            .extend(digests.clone());
    }
    let mark = world.cp.audit().mark()?;
    let (a, b) = tokio::join!(world.create_source("left"), world.create_source("right"));
    a?;
    b?;
    eventually(SOON, "all are published", async || {
        let active = world.judge("redis", &both).await?;
        ensure!(active == VERSIONS, "{active} are Active");
        Ok(())
    })
    .await?;
    world.created_at_most_once("redis", &both, mark)?;
    // Both worked: whoever comes second finds the name taken, and that is no failure.
    other.process.alive()?;
    assert!(other.proxy.writes() > 0 && world.registry.proxy.writes() > 0);

    // Each source is told which of its versions lost.
    for (name, offered) in [("left", &left), ("right", &right)] {
        let won = |(version, digest): &(&String, &Digest)| offered[*version].contains(digest);
        let lost = VERSIONS - world.published["redis"].iter().filter(won).count();
        eventually(SOON, "what lost is said", async || {
            let source = world.sources().get(name).await?;
            let status = source.status.clone().unwrap_or_default();
            let changed = status.changed.len();
            ensure!(changed == lost, "{changed} of {lost}: {:?}", ready(&source));
            Ok(())
        })
        .await?;
    }
    world.judge("redis", &both).await?;
    Ok(())
}
