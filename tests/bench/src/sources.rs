//! Many OCI sources of one artifact each: until all are Ready, and at rest. One that changes among
//! many, and alone.

use crate::{
    addon, bare,
    processes::Service,
    registries::{Demands, Registry},
    table::Table,
};
use anyhow::{Context as _, Result, ensure};
use api::{
    AddonSource, MiddlewareAddon, Version,
    conditions::{READY, is_true},
    crd::addon::AddonPhase,
    labels,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kit::{ControlPlane, Events};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ListParams, Patch, PatchParams, PostParams},
};
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
const CHANGES: usize = 11;
/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_mins(15);

struct World {
    cp: ControlPlane,
    client: Client,
    namespace: String,
    registry: Registry,
    paamesh: std::path::PathBuf,
}

/// Measures and prints a table.
pub async fn measure(paamesh: &Path, number: usize, rest: u64) -> Result<()> {
    let place = tempfile::tempdir()?;
    let cp = ControlPlane::start().await?;
    cp.install_crds().await?;
    let world = World {
        client: cp.client_as("bench").await?,
        namespace: cp.namespace("platform").await?,
        registry: Registry::distribution(place.path(), &Demands::default()),
        paamesh: paamesh.to_owned(),
        cp,
    };
    let mut table = Table::default();
    push(&world, "bare", number).await?;
    push(&world, "p", number).await?;
    for n in 0..number {
        source(
            &world,
            &format!("bare{n:05}"),
            &addon::name("bare", n),
            true,
        )
        .await?;
    }
    let remotes = (0..number).map(|n| remote(&world, &addon::name("bare", n)));
    let bare = bare::run(&world.client, &world.namespace, remotes.collect()).await?;
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
    platform(&world, &mut table, number, rest, bare).await?;
    table.print();
    Ok(())
}

async fn platform(
    world: &World,
    table: &mut Table,
    number: usize,
    rest: u64,
    bare: Duration,
) -> Result<()> {
    let operator = start(world, "operator", &["--agent-image", "agent:none"]).await?;
    let registry = start(world, "registry", &[]).await?;
    source(world, "p00000", &addon::name("p", 0), false).await?;
    all_ready(world, 1).await?;
    table.row(
        "one source alone: push returned → Active, p50",
        changes(world, 0).await?,
    );
    drop((operator, registry));
    let making = (1..number).map(|n| async move {
        source(world, &addon::name("p", n), &addon::name("p", n), false).await
    });
    let () = stream::iter(making)
        .buffer_unordered(MAKING)
        .try_collect()
        .await?;

    let (mark, begun) = (world.cp.audit().mark()?, Instant::now());
    let operator = start(world, "operator", &["--agent-image", "agent:none"]).await?;
    let registry = start(world, "registry", &[]).await?;
    all_ready(world, number).await?;
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
        changes(world, CHANGES).await?,
    );
    Ok(())
}

async fn start(world: &World, name: &str, flags: &[&str]) -> Result<Service> {
    Service::start(&world.paamesh, name, &world.cp, &world.namespace, flags).await
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

fn remote(world: &World, plugin: &str) -> Remote {
    Remote {
        url: world.registry.url(&format!("addons/{plugin}")),
        insecure: true,
        reference: Reference::default(),
        credentials: Credentials::default(),
        timeout: Duration::from_secs(60),
    }
}

async fn push(world: &World, prefix: &'static str, number: usize) -> Result<()> {
    let artifacts = Arc::new(Artifacts::new());
    let work = (0..number).map(|n| push_one(world, &artifacts, addon::name(prefix, n), 0));
    stream::iter(work)
        .buffer_unordered(MAKING)
        .try_collect()
        .await
}

async fn push_one(
    world: &World,
    artifacts: &Arc<Artifacts>,
    plugin: String,
    minor: usize,
) -> Result<()> {
    let (artifacts, remote) = (artifacts.clone(), remote(world, &plugin));
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

async fn source(world: &World, name: &str, plugin: &str, suspend: bool) -> Result<()> {
    let source: AddonSource = serde_json::from_value(json!({
        "apiVersion": api::API_VERSION, "kind": "AddonSource", "metadata": {"name": name},
        "spec": {
            "oci": {"url": remote(world, plugin).url, "insecure": true},
            "interval": "1m", "suspend": suspend,
        },
    }))?;
    let sources = Api::<AddonSource>::all(world.client.clone());
    sources.create(&PostParams::default(), &source).await?;
    Ok(())
}

/// Until `number` sources that are not suspended are Ready; few looks, because each reads all of them.
async fn all_ready(world: &World, number: usize) -> Result<()> {
    const PAUSE: Duration = Duration::from_millis(400);
    let sources = Api::<AddonSource>::all(world.client.clone());
    let begun = Instant::now();
    loop {
        let all = sources.list(&ListParams::default()).await?;
        let wanted = all.items.iter().filter(|source| !source.spec.suspend);
        let is_ready = |source: &&AddonSource| {
            source
                .status
                .as_ref()
                .is_some_and(|status| is_true(&status.conditions, READY))
        };
        let (ready, not): (Vec<_>, Vec<_>) = wanted.partition(is_ready);
        if ready.len() >= number && not.is_empty() {
            return Ok(());
        }
        let status = not
            .first()
            .map(|source| (source.name_any(), &source.status));
        ensure!(
            begun.elapsed() < PATIENCE,
            "{} of {number} are Ready; {status:?}",
            ready.len()
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// Pushes new versions of plugin 0, one at a time, from minor `first + 1` on.
async fn changes(world: &World, first: usize) -> Result<String> {
    let artifacts = Arc::new(Artifacts::new());
    let addons = Api::<MiddlewareAddon>::all(world.client.clone());
    let plugin = addon::name("p", 0);
    let mut times = Vec::new();
    for minor in first + 1..=first + CHANGES {
        push_one(world, &artifacts, plugin.clone(), minor).await?;
        let begun = Instant::now();
        reconcile_now(world, "p00000").await?;
        let name = format!("{plugin}-1.{minor}.0");
        loop {
            let addon = addons.get_opt(&name).await?;
            let phase = addon.and_then(|addon| addon.status?.phase);
            if phase == Some(AddonPhase::Active) {
                break;
            }
            ensure!(begun.elapsed() < PATIENCE, "{name} is {phase:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        times.push(begun.elapsed());
    }
    times.sort();
    let median = times.get(times.len() / 2).context("no change was made")?;
    Ok(format!("{} ms", median.as_millis()))
}

async fn reconcile_now(world: &World, name: &str) -> Result<()> {
    let now = format!("{:?}", std::time::SystemTime::now());
    let patch = json!({"metadata": {"annotations": {labels::RECONCILE_REQUESTED_AT: now}}});
    let sources = Api::<AddonSource>::all(world.client.clone());
    sources
        .patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await?;
    Ok(())
}
