//! Many OCI sources of one artifact each: until all are Ready, and at rest. One that changes among
//! many, and alone.

use crate::{
    addon, bare,
    registries::{Demands, Registry},
    table::{Table, median},
    world::World,
};
use anyhow::Result;
use api::{AddonSource, Version};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kit::Events;
use kube::api::PostParams;
use serde_json::json;
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use transport::{
    Credentials,
    oci::{Artifact, Artifacts, Reference, Remote},
};

/// How many sources are made at once, before anything is measured.
const MAKING: usize = 16;
/// How often one source is changed.
const CHANGES: usize = 20;

/// Measures and prints a table.
pub async fn measure(paamesh: &Path, number: usize, rest: u64) -> Result<()> {
    let place = tempfile::tempdir()?;
    let registry = Registry::distribution(place.path(), &Demands::default());
    push(&registry, number).await?;
    // Each begins with an API server of its own, in which nobody wrote before.
    let bare = {
        let world = World::new(paamesh).await?;
        sources(&world, &registry, 0..number).await?;
        let remotes = (0..number).map(|n| remote(&registry, &addon::name("p", n)));
        bare::run(&world.client, &world.namespace, remotes.collect()).await?
    };
    let world = World::new(paamesh).await?;
    let mut table = Table::default();
    table.row(
        format!(
            "bare client: {number} pulls, {} writes each, 16 in flight",
            bare::WRITES
        ),
        format!(
            "{:.1} s, {:.0} a second",
            bare.as_secs_f64(),
            number as f64 / bare.as_secs_f64()
        ),
    );
    platform(&world, &registry, &mut table, number, rest, bare).await?;
    table.print();
    Ok(())
}

async fn platform(
    world: &World<'_>,
    server: &Registry,
    table: &mut Table,
    number: usize,
    rest: u64,
    bare: Duration,
) -> Result<()> {
    let (operator, registry) = world.platform().await?;
    sources(world, server, 0..1).await?;
    world.all_ready(1).await?;
    table.row(
        "one source alone: push returned → Active, p50",
        changes(world, server, 0).await?,
    );
    drop((operator, registry));
    sources(world, server, 1..number).await?;

    let (mark, begun) = (world.cp.audit().mark()?, Instant::now());
    let (operator, registry) = world.platform().await?;
    world.all_ready(number).await?;
    let took = begun.elapsed();
    let evaluators = (operator.cpu()?.children + registry.cpu()?.children) / cores();
    let without = took.as_secs_f64() - evaluators;
    table.row(
        format!("{number} sources until all are Ready"),
        format!("{:.1} s", took.as_secs_f64()),
    );
    table.row(
        "of it the evaluators' CPU, divided by the cores",
        format!("{evaluators:.1} s"),
    );
    table.row(
        "the rest, as a multiple of the bare client (bound 1.5)",
        format!("{:.2}", without / bare.as_secs_f64()),
    );
    table.row(
        "own CPU of registry and operator",
        format!(
            "{:.1} s and {:.1} s",
            registry.cpu()?.own,
            operator.cpu()?.own
        ),
    );
    table.row(
        "resident memory of the registry (bound 48 MiB)",
        format!("{:.1} MiB", registry.memory()?),
    );
    table.row(
        "resident memory of the operator",
        format!("{:.1} MiB", operator.memory()?),
    );
    let writes = world
        .cp
        .audit()
        .since(mark)?
        .by("paamesh")
        .writes()
        .filter(|event| event.resource() != "leases");
    table.row(
        "API writes for each source (bound 9)",
        format!("{:.2}", writes.len() as f64 / (number - 1) as f64),
    );
    table.row("of them", by_resource(&writes, number - 1));
    table.row(
        "etcd for each version that shares nothing",
        world.stored(number + CHANGES).await?,
    );

    tokio::time::sleep(Duration::from_secs(20)).await;
    let (mark, before) = (world.cp.audit().mark()?, registry.cpu()?);
    tokio::time::sleep(Duration::from_secs(rest)).await;
    let writes = world
        .cp
        .audit()
        .since(mark)?
        .by("paamesh")
        .writes()
        .filter(|event| event.resource() != "leases");
    table.row(
        format!("API writes at rest, {rest} s, interval 1m (bound 0)"),
        writes.len().to_string(),
    );
    let cpu = (registry.cpu()? - before).own / rest as f64;
    table.row(
        "CPU of the registry at rest (bound 2 % of a core)",
        format!("{:.1} %", cpu * 100.0),
    );
    table.row(
        "resident memory of the registry at rest",
        format!("{:.1} MiB", registry.memory()?),
    );
    table.row(
        format!("one source of {number}: push returned → Active, p50"),
        changes(world, server, CHANGES).await?,
    );
    Ok(())
}

fn cores() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64)
}

/// `4.00 configmaps, 1.00 middlewareaddons, …`.
fn by_resource(writes: &Events, number: usize) -> String {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for event in writes.iter() {
        *counts
            .entry(format!("{} {}", event.verb, event.resource()))
            .or_default() += 1;
    }
    let texts: Vec<_> = counts
        .into_iter()
        .map(|(what, count)| format!("{:.2} {what}", count as f64 / number as f64))
        .collect();
    texts.join(", ")
}

fn remote(registry: &Registry, plugin: &str) -> Remote {
    Remote {
        url: registry.url(&format!("addons/{plugin}")),
        insecure: true,
        reference: Reference::default(),
        credentials: Credentials::default(),
        timeout: Duration::from_secs(60),
    }
}

async fn push(registry: &Registry, number: usize) -> Result<()> {
    let artifacts = Arc::new(Artifacts::new());
    let work = (0..number).map(|n| push_one(registry, &artifacts, addon::name("p", n), 0));
    stream::iter(work)
        .buffer_unordered(MAKING)
        .try_collect()
        .await
}

async fn push_one(
    registry: &Registry,
    artifacts: &Arc<Artifacts>,
    plugin: String,
    minor: usize,
) -> Result<()> {
    let (artifacts, remote) = (artifacts.clone(), remote(registry, &plugin));
    let work = move || -> Result<()> {
        let tree = addon::tree(&plugin, minor)?;
        let version = Version::new(1, u64::try_from(minor)?, 0);
        let artifact = Artifact {
            plugin: &plugin,
            version: &version,
            tree: &tree,
            referrers: false,
        };
        artifacts.push(&remote, &artifact)?;
        Ok(())
    };
    tokio::task::spawn_blocking(work).await?
}

async fn sources(
    world: &World<'_>,
    registry: &Registry,
    numbers: std::ops::Range<usize>,
) -> Result<()> {
    let sources = world.sources();
    let making = numbers.map(|n| {
        let (name, sources) = (addon::name("p", n), &sources);
        async move {
            let source: AddonSource = serde_json::from_value(json!({
                "apiVersion": api::API_VERSION, "kind": "AddonSource", "metadata": {"name": name},
                "spec": {
                    "oci": {"url": remote(registry, &name).url, "insecure": true},
                    "interval": "1m",
                },
            }))?;
            sources.create(&PostParams::default(), &source).await?;
            anyhow::Ok(())
        }
    });
    let made = stream::iter(making).buffer_unordered(MAKING);
    made.try_collect().await
}

/// Pushes new versions of plugin 0, one at a time, from minor `first + 1` on.
async fn changes(world: &World<'_>, registry: &Registry, first: usize) -> Result<String> {
    let artifacts = Arc::new(Artifacts::new());
    let plugin = addon::name("p", 0);
    let mut times = Vec::new();
    for minor in first + 1..=first + CHANGES {
        push_one(registry, &artifacts, plugin.clone(), minor).await?;
        let begun = Instant::now();
        world.reconcile_now(&plugin).await?;
        world.active(&format!("{plugin}-1.{minor}.0")).await?;
        times.push(begun.elapsed());
    }
    Ok(format!("{} ms", median(times).as_millis()))
}
