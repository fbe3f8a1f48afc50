//! One change of a Git repository until it is Active, and a look at a repository of many versions in
//! which nothing changed.

use crate::{
    addon,
    git_server::{GitServer, Repository},
    table::{Table, median},
    world::World,
};
use anyhow::Result;
use api::AddonSource;
use kube::api::PostParams;
use serde_json::json;
use std::{path::Path, time::Instant};

/// How often each is measured.
const TIMES: usize = 20;

/// Measures and prints a table.
pub async fn measure(paamesh: &Path, number: usize) -> Result<()> {
    let place = tempfile::tempdir()?;
    let server = GitServer::start(place.path());
    let (one, many) = ("one.git", "many.git");
    let changing = Repository::create(place.path(), one);
    write(&changing, &addon::name("one", 0), 0)?;
    changing.push();
    let still = Repository::create(place.path(), many);
    for n in 0..number {
        write(&still, &addon::name("p", n), 0)?;
    }
    still.push();
    let world = World::new(paamesh).await?;
    let (operator, registry) = world.platform().await?;
    let mut table = Table::default();

    source(&world, "one", &server.url(one)).await?;
    world.all_ready(1).await?;
    let before = (operator.cpu()?, registry.cpu()?);
    let mut times = Vec::new();
    for minor in 1..=TIMES {
        let plugin = addon::name("one", 0);
        write(&changing, &plugin, minor)?;
        changing.push();
        let begun = Instant::now();
        world.reconcile_now("one").await?;
        world.active(&format!("{plugin}-1.{minor}.0")).await?;
        times.push(begun.elapsed());
    }
    let own = (operator.cpu()? - before.0).own + (registry.cpu()? - before.1).own;
    table.row(
        format!("one change: push returned → Active, p50 of {TIMES} (bound 200 ms)"),
        format!("{} ms", median(times).as_millis()),
    );
    table.row(
        "own CPU of operator and registry for one change (bound 100 ms)",
        format!("{:.0} ms", own / TIMES as f64 * 1000.0),
    );

    let begun = Instant::now();
    source(&world, "many", &server.url(many)).await?;
    world.all_ready(2).await?;
    table.row(
        format!("a repository of {number} versions until it is Ready"),
        format!("{:.1} s", begun.elapsed().as_secs_f64()),
    );
    // What came last settles first: an Event, counts of users.
    world.looked("many").await?;
    let before = registry.cpu()?;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        world.looked("many").await?;
        times.push(begun.elapsed());
    }
    table.row(
        format!("a look at it in which nothing changed, p50 of {TIMES} (bound 200 ms)"),
        format!("{} ms", median(times).as_millis()),
    );
    table.row(
        "CPU of the registry for it",
        format!(
            "{:.0} ms",
            (registry.cpu()? - before).own / TIMES as f64 * 1000.0
        ),
    );
    table.row(
        "resident memory of the registry",
        format!("{:.1} MiB", registry.memory()?),
    );
    table.print();
    Ok(())
}

fn write(repository: &Repository, plugin: &str, minor: usize) -> Result<()> {
    for (path, bytes) in addon::files(plugin, minor) {
        repository.write(&format!("addons/{plugin}/{path}"), &bytes);
    }
    Ok(())
}

async fn source(world: &World<'_>, name: &str, url: &str) -> Result<()> {
    let source: AddonSource = serde_json::from_value(json!({
        "apiVersion": api::API_VERSION, "kind": "AddonSource", "metadata": {"name": name},
        "spec": {"git": {"url": url, "insecure": true, "directories": ["addons"]}, "interval": "1h"},
    }))?;
    let post = PostParams::default();
    world.sources().create(&post, &source).await?;
    Ok(())
}
