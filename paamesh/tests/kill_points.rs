//! Registry and operator are killed (SIGKILL) before and after their n-th write, and started again: no
//! version is published twice, with other bytes, in half, or not at all.
//!
//! `make test` takes random samples, whose seed is printed and repeated by `PAAMESH_SEED`; `make
//! test-long` (`PAAMESH_LONG`) every write of a sync of 20 versions, and 200 random points of syncs of
//! 200 (`docs/faults.md`).

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
/// In one large sync so many times somebody is killed, so that there are recoveries of recoveries.
const AT_ONCE: usize = 10;
/// After so many syncs the world is made anew: old versions are listed with each start.
const SYNCS: usize = 40;

/// Who is killed where in one sync.
#[derive(Clone, Debug, Default)]
struct Point {
    registry: Vec<Kill>,
    operator: Vec<Kill>,
    /// Whether the source has other bytes after the first death.
    moves: bool,
}

/// One test: what it says of itself, its random numbers, and whether there is time.
struct Run {
    name: &'static str,
    seed: u64,
    rng: Rng,
    long: bool,
}

impl Run {
    fn begin(name: &'static str) -> Result<Self> {
        let seed = std::env::var("PAAMESH_SEED").ok();
        let seed = seed.map_or_else(|| Ok(fastrand::u64(..)), |seed| seed.parse())?;
        Ok(Self {
            name,
            seed,
            rng: Rng::with_seed(seed),
            long: std::env::var_os("PAAMESH_LONG").is_some(),
        })
    }

    /// All of `points`, or so many of them at random.
    fn sample(&mut self, mut points: Vec<Point>, size: usize) -> Vec<Point> {
        if !self.long {
            self.rng.shuffle(&mut points);
            points.truncate(size);
        }
        points
    }

    /// A world, and how many writes of the registry and of the operator a sync of [`FEW`] versions
    /// takes there if nobody dies.
    async fn world(&self) -> Result<(World, usize, usize)> {
        let mut world = World::new().await?;
        world.sync("count", FEW, &[], &[], false).await?;
        let (registry, operator) = world.writes;
        self.say(&format!(
            "a sync of {FEW} versions: {registry} writes of the registry, {operator} of the operator"
        ));
        Ok((world, registry, operator))
    }

    /// A sync for each of `points`.
    async fn play(&self, mut world: World, versions: usize, points: &[Point]) -> Result<()> {
        let (mut wanted, mut hit, mut said) = (0, 0, Instant::now());
        for (n, point) in points.iter().enumerate() {
            if n > 0 && n % SYNCS == 0 {
                world = World::new().await?;
            }
            let (registry, operator) = (&point.registry, &point.operator);
            let plugin = format!("p{n}");
            world
                .sync(&plugin, versions, registry, operator, point.moves)
                .await?;
            wanted += registry.len() + operator.len();
            hit += world.registry.hits.len() + world.operator.hits.len();
            if said.elapsed() > Duration::from_secs(60) {
                said = Instant::now();
                self.say(&format!("{} of {} syncs", n + 1, points.len()));
            }
        }
        self.say(&format!(
            "{hit} kills (of {wanted} points) in {} syncs of {versions} versions, seed {}: all held",
            points.len(),
            self.seed
        ));
        // A sync may take a write less than that which was counted, and then ends before its point.
        assert!(hit * 10 >= wanted * 8, "most points are reached");
        Ok(())
    }

    /// Past the test's captured output: how many points there were is told of a test that passed, too.
    fn say(&self, what: &str) {
        let _ = writeln!(std::io::stderr(), "kill points, {}: {what}", self.name);
    }

    fn any(&mut self, writes: usize) -> Kill {
        let sides = [Side::Before, Side::After];
        Kill {
            at: self.rng.usize(1..=writes.max(1)),
            side: sides[self.rng.usize(..2)],
        }
    }
}

/// Both sides of each of so many writes.
fn every(writes: usize) -> impl Iterator<Item = Kill> {
    (1..=writes).flat_map(|at| [Side::Before, Side::After].map(|side| Kill { at, side }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_survives_every_death_once_and_whole() -> Result<()> {
    let mut run = Run::begin("every write")?;
    let (world, registry, operator) = run.world().await?;
    let of_registry = every(registry).map(|kill| Point {
        registry: vec![kill],
        ..Point::default()
    });
    let mut points: Vec<_> = of_registry.collect();
    // The registry dies in the same sync, at random.
    points.extend(every(operator).map(|kill| Point {
        registry: vec![run.any(registry)],
        operator: vec![kill],
        moves: false,
    }));
    let points = run.sample(points, 3);
    run.play(world, FEW, &points).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_before_a_death_stays_though_its_source_has_other_bytes_after_it()
-> Result<()> {
    let mut run = Run::begin("other bytes after it")?;
    let (world, registry, _) = run.world().await?;
    let points = every(registry).map(|kill| Point {
        registry: vec![kill],
        moves: true,
        ..Point::default()
    });
    let points = run.sample(points.collect(), 2);
    run.play(world, FEW, &points).await
}

#[tokio::test(flavor = "multi_thread")]
async fn large_syncs_survive_many_deaths() -> Result<()> {
    let mut run = Run::begin("large syncs")?;
    let (world, registry, operator) = run.world().await?;
    let (versions, deaths) = if run.long { (200, 200) } else { (40, 3) };
    let each = AT_ONCE.min(deaths);
    // The next kill counts from the restart: together they reach over the whole sync.
    let (registry, operator) = (
        registry * versions / FEW / each,
        operator * versions / FEW / each,
    );
    let points = (0..deaths / each).map(|_| {
        let mut point = Point::default();
        for _ in 0..each {
            match run.rng.bool() {
                true => point.registry.push(run.any(registry)),
                false => point.operator.push(run.any(operator)),
            }
        }
        point
    });
    let points: Vec<_> = points.collect();
    run.play(world, versions, &points).await
}
