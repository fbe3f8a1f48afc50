//! Registry and operator are killed (SIGKILL) before and after their n-th write, and started again: no
//! version is published twice, with other bytes, in half, or not at all.
//!
//! `make test` takes a random sample, whose seed it prints and `PAAMESH_SEED` repeats; `make test-long`
//! (`PAAMESH_LONG`) every write of a sync of 20 versions, and 200 random points of syncs of 200.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "support/world.rs"]
#[allow(dead_code)]
mod world;

use anyhow::Result;
use fastrand::Rng;
use kit::{Kill, Side};
use std::{
    io::Write as _,
    time::{Duration, Instant},
};
use world::World;

/// How many versions the small sync has.
const FEW: usize = 20;
/// How many versions the large sync has.
const MANY: usize = 200;
/// How many points of the small sync are taken without `PAAMESH_LONG`.
const SAMPLE: usize = 6;
/// How many points of large syncs are taken with it.
const RANDOM: usize = 200;
/// In one large sync so many times somebody is killed, so that there are recoveries of recoveries.
const AT_ONCE: usize = 10;
/// After so many syncs the world is made anew: old versions are listed with each start.
const SYNCS: usize = 40;

/// Who is killed where in one sync.
#[derive(Clone, Debug, Default)]
struct Point {
    registry: Vec<Kill>,
    operator: Vec<Kill>,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_survives_every_death_once_and_whole() -> Result<()> {
    let long = std::env::var_os("PAAMESH_LONG").is_some();
    let seed = std::env::var("PAAMESH_SEED").ok();
    let seed = seed.map_or_else(|| Ok(fastrand::u64(..)), |seed| seed.parse())?;
    let mut rng = Rng::with_seed(seed);

    let mut world = World::new().await?;
    world.sync("warm", FEW, &[], &[]).await?;
    world.sync("count", FEW, &[], &[]).await?;
    let (registry, operator) = world.writes;
    say(&format!(
        "a sync of {FEW} versions: {registry} writes of the registry, {operator} of the operator"
    ));
    let mut points = every(registry, operator, &mut rng);
    if !long {
        rng.shuffle(&mut points);
        points.truncate(SAMPLE);
    }
    let (hit, world) = play(world, "few", FEW, &points).await?;
    say(&format!(
        "{hit} kills at {} points of a sync of {FEW} versions, seed {seed}: all held",
        points.len()
    ));
    assert!(hit >= points.len() / 2, "most points are reached");
    if long {
        let points = random(&mut rng, registry, operator);
        let (hit, _) = play(world, "many", MANY, &points).await?;
        say(&format!(
            "{hit} kills at random points of {} syncs of {MANY} versions, seed {seed}: all held",
            points.len()
        ));
        assert!(hit >= RANDOM / 2, "most points are reached");
    }
    Ok(())
}

/// Each write of the registry on both sides; each of the operator on both sides, and in the same sync
/// the registry at random.
fn every(registry: usize, operator: usize, rng: &mut Rng) -> Vec<Point> {
    let sides = |at| [Side::Before, Side::After].map(|side| Kill { at, side });
    let of_registry = (1..=registry).flat_map(sides).map(|kill| Point {
        registry: vec![kill],
        ..Point::default()
    });
    let mut points: Vec<_> = of_registry.collect();
    points.extend((1..=operator).flat_map(sides).map(|kill| Point {
        registry: vec![any(rng, registry)],
        operator: vec![kill],
    }));
    points
}

/// Large syncs, in each of which somebody is killed [`AT_ONCE`] times.
fn random(rng: &mut Rng, registry: usize, operator: usize) -> Vec<Point> {
    // The next kill counts from the restart: together they reach over the whole sync.
    let (registry, operator) = (
        registry * MANY / FEW / AT_ONCE,
        operator * MANY / FEW / AT_ONCE,
    );
    let points = (0..RANDOM / AT_ONCE).map(|_| {
        let mut point = Point::default();
        for _ in 0..AT_ONCE {
            if rng.bool() {
                point.registry.push(any(rng, registry));
            } else {
                point.operator.push(any(rng, operator));
            }
        }
        point
    });
    points.collect()
}

fn any(rng: &mut Rng, writes: usize) -> Kill {
    let side = if rng.bool() {
        Side::Before
    } else {
        Side::After
    };
    Kill {
        at: rng.usize(1..=writes.max(1)),
        side,
    }
}

/// A sync for each of `points`; how many times somebody was killed.
async fn play(
    mut world: World,
    prefix: &str,
    versions: usize,
    points: &[Point],
) -> Result<(usize, World)> {
    let (mut hit, mut said) = (0, Instant::now());
    for (n, point) in points.iter().enumerate() {
        if n > 0 && n % SYNCS == 0 {
            world = World::new().await?;
        }
        let plugin = format!("{prefix}{n}");
        world
            .sync(&plugin, versions, &point.registry, &point.operator)
            .await?;
        hit += world.registry.hits.len() + world.operator.hits.len();
        if said.elapsed() > Duration::from_secs(60) {
            said = Instant::now();
            say(&format!("{} of {} points", n + 1, points.len()));
        }
    }
    Ok((hit, world))
}

/// Past the test's captured output: how many points there were is told of a test that passed, too.
fn say(what: &str) {
    let _ = writeln!(std::io::stderr(), "kill points: {what}");
}
