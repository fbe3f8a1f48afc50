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
/// So many writes of a version the registry is certain to make: two content objects and the version.
const REGISTRY: usize = 3;
/// And so many the operator, before the source is in sync: the status. Entries in the ledger are written
/// for several versions at once, and Events come later.
const OPERATOR: usize = 1;
/// So many numbers in a row of which no sync reaches the write: all were taken.
const MISSES: usize = 3;
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

/// One test: what it says of itself, its random numbers, whether there is time, and what it did.
struct Run {
    name: &'static str,
    seed: u64,
    rng: Rng,
    long: bool,
    world: World,
    syncs: usize,
    kills: usize,
    said: Instant,
}

impl Run {
    async fn begin(name: &'static str) -> Result<Self> {
        let seed = std::env::var("PAAMESH_SEED").ok();
        let seed = seed.map_or_else(|| Ok(fastrand::u64(..)), |seed| seed.parse())?;
        Ok(Self {
            name,
            seed,
            rng: Rng::with_seed(seed),
            long: std::env::var_os("PAAMESH_LONG").is_some(),
            world: World::new().await?,
            syncs: 0,
            kills: 0,
            said: Instant::now(),
        })
    }

    /// A sync of `versions` in which somebody dies at `point`; how many times the registry and the
    /// operator did.
    async fn sync(&mut self, versions: usize, point: &Point) -> Result<(usize, usize)> {
        if self.syncs > 0 && self.syncs.is_multiple_of(SYNCS) {
            self.world = World::new().await?;
        }
        let plugin = format!("p{}", self.syncs);
        let world = &mut self.world;
        world
            .sync(
                &plugin,
                versions,
                &point.registry,
                &point.operator,
                point.moves,
            )
            .await?;
        let (registry, operator) = (world.registry.hits.len(), world.operator.hits.len());
        self.syncs += 1;
        self.kills += registry + operator;
        if self.said.elapsed() > Duration::from_secs(60) {
            self.said = Instant::now();
            self.say(&format!("{} kills in {} syncs", self.kills, self.syncs));
        }
        Ok((registry, operator))
    }

    /// A small sync for each write on both sides, or for so many at random of the `certain` ones of each
    /// version. `point` says who else dies, and `died` who is meant.
    async fn sweep(
        &mut self,
        certain: usize,
        sample: usize,
        point: impl Fn(&mut Rng, Kill) -> Point,
        died: impl Fn((usize, usize)) -> usize,
    ) -> Result<()> {
        let (mut at, mut misses, mut reached) = (0, 0, 0);
        if self.long {
            while misses < MISSES {
                at += 1;
                let mut hits = 0;
                for side in [Side::Before, Side::After] {
                    let point = point(&mut self.rng, Kill { at, side });
                    hits += died(self.sync(FEW, &point).await?);
                }
                misses = if hits == 0 { misses + 1 } else { 0 };
                reached += usize::from(hits > 0);
            }
            assert!(
                reached >= certain * FEW,
                "only {reached} writes were reached"
            );
            self.say(&format!("both sides of each of {reached} writes"));
        }
        for _ in 0..sample {
            let kill = any(&mut self.rng, certain * FEW);
            let point = point(&mut self.rng, kill);
            let hits = died(self.sync(FEW, &point).await?);
            assert_eq!(hits, 1, "{kill} is certain");
        }
        self.end(FEW);
        Ok(())
    }

    fn end(&self, versions: usize) {
        let (kills, syncs, seed) = (self.kills, self.syncs, self.seed);
        self.say(&format!(
            "{kills} kills in {syncs} syncs of {versions} versions, seed {seed}: all held"
        ));
    }

    /// Past the test's captured output: how many points there were is told of a test that passed, too.
    fn say(&self, what: &str) {
        let _ = writeln!(std::io::stderr(), "kill points, {}: {what}", self.name);
    }
}

fn any(rng: &mut Rng, writes: usize) -> Kill {
    let sides = [Side::Before, Side::After];
    Kill {
        at: rng.usize(1..=writes),
        side: sides[rng.usize(..2)],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_survives_every_death_of_the_registry_once_and_whole() -> Result<()> {
    let mut run = Run::begin("registry").await?;
    let point = |_: &mut Rng, kill| Point {
        registry: vec![kill],
        ..Point::default()
    };
    run.sweep(REGISTRY, 2, point, |(registry, _)| registry)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_survives_the_death_of_both() -> Result<()> {
    let mut run = Run::begin("operator and registry").await?;
    let point = |rng: &mut Rng, kill| Point {
        registry: vec![any(rng, REGISTRY * FEW)],
        operator: vec![kill],
        moves: false,
    };
    run.sweep(OPERATOR, 2, point, |(_, operator)| operator)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_before_a_death_stays_though_its_source_has_other_bytes_after_it()
-> Result<()> {
    let mut run = Run::begin("registry, other bytes after it").await?;
    let point = |_: &mut Rng, kill| Point {
        registry: vec![kill],
        moves: true,
        ..Point::default()
    };
    run.sweep(REGISTRY, 2, point, |(registry, _)| registry)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn large_syncs_survive_many_deaths() -> Result<()> {
    let mut run = Run::begin("large syncs").await?;
    let (versions, deaths) = if run.long { (200, 200) } else { (40, 3) };
    let each = AT_ONCE.min(deaths);
    // The next kill counts from the restart: together they reach over the whole sync.
    let writes = REGISTRY * versions / each;
    // A sync may end before the last of them.
    while run.kills < deaths {
        let mut point = Point::default();
        for _ in 0..each {
            let kill = any(&mut run.rng, writes);
            match run.rng.bool() {
                true => point.registry.push(kill),
                false => point.operator.push(kill),
            }
        }
        let (registry, operator) = run.sync(versions, &point).await?;
        assert!(registry + operator > 0, "nobody died");
    }
    run.end(versions);
    Ok(())
}
