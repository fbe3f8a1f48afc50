//! What one push costs: round trips to the API server one after another, and CPU of our own.

use crate::{addon, platform, stage::Stage};
use anyhow::{Context, Result, ensure};
use kit::{Event, Events, Mark};
use std::time::{Duration, Instant};

/// How many pushes are averaged.
pub const PUSHES: u32 = 20;
/// The most requests one after another between push and Active.
const ROUND_TRIPS: usize = 6;
/// Five times what `make bench` is to show of a release build.
const CPU: Duration = Duration::from_millis(500);

/// What the pushes cost.
pub struct Cost {
    /// The requests one after another of the push that shows the fewest. All pushes are made alike;
    /// on a machine with little CPU, parallel requests of some are answered one by one, which says
    /// nothing of what waits for what. Requests that do wait for each other never overlap.
    pub round_trips: usize,
    /// CPU of registry and operator together, for one push.
    pub cpu: Duration,
    /// From push to Active, on average.
    pub took: Duration,
}

/// The bounds hold.
pub fn bounded(stage: &mut Stage) -> Result<()> {
    let cost = measure(stage, 40)?;
    stage.say(format!(
        "One push: {} round trips, {} ms of CPU, Active after {} ms",
        cost.round_trips,
        cost.cpu.as_millis(),
        cost.took.as_millis()
    ));
    ensure!(
        cost.round_trips <= ROUND_TRIPS,
        "{} round trips",
        cost.round_trips
    );
    ensure!(cost.cpu <= CPU, "{:?} of CPU for one push", cost.cpu);
    Ok(())
}

/// Pushes redis 1.`minor`.0 and the following, one at a time.
pub fn measure(stage: &Stage, minor: u32) -> Result<Cost> {
    let pids = platform::SERVICES.map(|service| platform::process(stage, service));
    let [operator, registry] = pids;
    let pids = [operator?, registry?];
    let cpu = || -> Result<Duration> { Ok(platform::cpu(pids[0])? + platform::cpu(pids[1])?) };
    let (before, mut took, mut chains) = (cpu()?, Duration::ZERO, Vec::new());
    for minor in minor..minor + PUSHES {
        let version = format!("1.{minor}.0");
        addon::add_copy(stage, "redis", &version)?;
        stage
            .repository
            .push(&stage.git_url, &format!("Add redis {version}"))?;
        let (mark, start) = (stage.audit().mark()?, Instant::now());
        addon::reconcile_now(stage)?;
        let name = format!("redis-{version}");
        addon::await_active(stage, &name)?;
        took += start.elapsed();
        let requests = until_active(stage, mark, &name)?;
        chains.push((requests.sequential(), requests));
    }
    let fewest = chains.iter().min_by_key(|(sequential, _)| *sequential);
    let (round_trips, requests) = fewest.context("no push was made")?;
    if *round_trips > ROUND_TRIPS {
        stage.voice.output(&requests.to_string());
    }
    Ok(Cost {
        round_trips: *round_trips,
        cpu: (cpu()? - before) / PUSHES,
        took: took / PUSHES,
    })
}

/// The requests of our services up to the one that made `name` Active.
fn until_active(stage: &Stage, mark: Mark, name: &str) -> Result<Events> {
    let ours = stage.audit().since(mark)?.filter(counts);
    let publication = |e: &Event| e.resource() == "middlewareaddons/status" && e.name() == name;
    let last = ours
        .iter()
        .filter(|e| publication(e))
        .map(|e| e.stage_timestamp.clone())
        .min();
    let last = last.with_context(|| format!("no status of {name} was written"))?;
    Ok(ours.filter(|e| e.stage_timestamp <= last))
}

/// Ours, but for what nobody waits for: the leader Lease, watches, Events.
fn counts(event: &Event) -> bool {
    ours(event) && event.verb != "watch" && event.resource() != "events"
}

/// Written or asked by a program of ours, leader Leases excepted.
pub fn ours(event: &Event) -> bool {
    let platform = event.user_agent.starts_with("paamesh");
    let agent = event.user.username.contains("system:serviceaccount:")
        && !event.user.username.contains(":kube-system:");
    let leases = ["paamesh-operator", "paamesh-registry"];
    let leader = event.resource() == "leases" && leases.contains(&event.name());
    (platform || agent) && !leader
}
