//! The upgrade graph at the size of a plugin with a long life: 1,000 addon versions, each with 20
//! accepted predecessors and 5 runtime versions.

#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops at the first error, as a test does"
)]

use api::{Range, Version};
use divan::{Bencher, black_box};
use package::graph::{Graph, Node, State};
use std::collections::BTreeMap;

const VERSIONS: u64 = 1000;
const PREDECESSORS: u64 = 20;
const RUNTIMES: u64 = 5;

fn main() {
    divan::main();
}

/// The `at`-th addon version: ten patches of each minor release.
fn version(at: u64) -> Version {
    Version::new(1 + at / 100, at / 10 % 10, at % 10)
}

fn runtime(at: u64) -> Version {
    Version::new(7, at, 0)
}

/// Version `at`, which lists the 20 before it one by one, and moves from each runtime to the next.
fn node(at: u64) -> Node {
    let before = (at.saturating_sub(PREDECESSORS)..at).map(version);
    let migrate = |to: u64| (runtime(to), vec![exact(&runtime(to - 1))]);
    Node {
        version: version(at),
        runtimes: (0..RUNTIMES).rev().map(runtime).collect(),
        upgrade_from: before.map(|version| exact(&version)).collect(),
        migrate_from: (1..RUNTIMES).map(migrate).collect::<BTreeMap<_, _>>(),
        open: true,
    }
}

fn exact(version: &Version) -> Range {
    version.to_string().parse().unwrap()
}

fn graph() -> Graph {
    Graph::new((0..VERSIONS).map(node))
}

fn oldest() -> State {
    State {
        addon: version(0),
        runtime: runtime(0),
    }
}

/// From the oldest state, the shortest path to every one that can be reached: all 5,000.
#[divan::bench]
fn paths_to_everything(bencher: Bencher<'_, '_>) {
    let (graph, from) = (graph(), oldest());
    bencher.bench(|| {
        let ways = graph.ways(black_box(&from));
        let edits: usize = ways
            .reachable()
            .filter_map(|to| Some(ways.to(to)?.len()))
            .sum();
        assert_eq!(ways.reachable().count() as u64, VERSIONS * RUNTIMES - 1);
        edits
    });
}

/// The shortest path to the newest state.
#[divan::bench]
fn path_to_the_newest(bencher: Bencher<'_, '_>) {
    let (graph, from) = (graph(), oldest());
    let newest = State {
        addon: version(VERSIONS - 1),
        runtime: runtime(RUNTIMES - 1),
    };
    bencher.bench(|| graph.path(black_box(&from), &newest).unwrap().len());
}

/// Whether one step is allowed: what admission asks.
#[divan::bench]
fn one_step(bencher: Bencher<'_, '_>) {
    let graph = graph();
    let at = |at| State {
        addon: version(at),
        runtime: runtime(0),
    };
    let (from, to) = (at(500), at(501));
    bencher.bench(|| graph.step(black_box(&from), &to).is_ok());
}
