//! Ways through the graph: all that can be reached, the shortest way, the edges that lead nowhere.

use super::{Graph, Node, RefusedStep, State, dev};
use api::Version;
use std::collections::BTreeSet;

/// An edge that `upgradeFrom` declares and that no App can take.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClosedEdge {
    /// The version that the edge leaves.
    pub from: Version,
    /// The version that it leads to, and that declares it.
    pub to: Version,
}

/// The shortest ways from one state to everything that can be reached from it.
#[derive(Clone, Debug)]
pub struct Ways {
    /// What can be reached, nearest first; the state that is left is the first.
    states: Vec<State>,
    /// For each of them, the position of the one before it; the first has itself.
    before: Vec<usize>,
    /// Their positions, oldest state first.
    order: Vec<usize>,
}

impl Ways {
    /// What can be reached, newest first; not the state that is left.
    pub fn reachable(&self) -> impl Iterator<Item = &State> {
        let others = self.order.iter().rev().filter(|position| **position != 0);
        others.filter_map(|position| self.states.get(*position))
    }

    /// The fewest edits that lead to `to`, in order, `to` last; of several ways the one over the
    /// newest versions. Empty where nothing is to be done, `None` where there is no way.
    pub fn to(&self, to: &State) -> Option<Vec<&State>> {
        let found = self
            .order
            .binary_search_by_key(&Some(to), |position| self.states.get(*position));
        let mut at = *self.order.get(found.ok()?)?;
        let mut path = Vec::new();
        while at != 0 {
            path.push(self.states.get(at)?);
            at = *self.before.get(at)?;
        }
        path.reverse();
        Some(path)
    }
}

impl Graph {
    /// What an App that runs `from` may be set to in one edit, newest first; not `from` itself.
    pub fn next(&self, from: &State) -> Vec<State> {
        let allowed = |to: &State| to != from && self.step(from, to).is_ok();
        self.states().filter(allowed).collect()
    }

    /// What an App that runs `from` can come to, in any number of edits, newest first; not `from`
    /// itself.
    pub fn reachable(&self, from: &State) -> Vec<State> {
        self.ways(from).reachable().cloned().collect()
    }

    /// The shortest way to one state, as [`Ways::to`] says it.
    pub fn path(&self, from: &State, to: &State) -> Option<Vec<State>> {
        let ways = self.ways(from);
        let path = ways.to(to)?;
        Some(path.into_iter().cloned().collect())
    }

    /// The shortest ways from `from` to everything that can be reached: breadth first, newest first.
    pub fn ways(&self, from: &State) -> Ways {
        let edges = Edges::new(self, from);
        let start = edges.start();
        let (mut found, mut before) = (vec![start], vec![0]);
        let mut seen = vec![false; edges.versions.len() * edges.runtimes.len()];
        edges.see(&mut seen, start);
        let mut position = 0;
        while let Some(at) = found.get(position).copied() {
            for next in edges.next(at) {
                if edges.see(&mut seen, next) {
                    found.push(next);
                    before.push(position);
                }
            }
            position += 1;
        }
        let mut order: Vec<usize> = (0..found.len()).collect();
        order.sort_unstable_by_key(|position| found.get(*position));
        Ways {
            states: found.iter().map(|at| edges.state(*at)).collect(),
            before,
            order,
        }
    }

    /// For each state other than `from` that may be wanted, why `from` may not be set to it.
    pub fn refused(&self, from: &State) -> Vec<(State, RefusedStep)> {
        let refusal = |to: State| self.step(from, &to).err().map(|reason| (to, reason));
        self.states().filter_map(refusal).collect()
    }

    /// The declared edges of which the ends share no runtime version and no `migrateFrom` bridges
    /// any two: no App can take them.
    pub fn closed_edges(&self) -> Vec<ClosedEdge> {
        let nodes: Vec<&Node> = self.nodes.values().collect();
        let versions: Vec<&Version> = self.nodes.keys().collect();
        let mut closed = Vec::new();
        for to in &nodes {
            for from in accepted(to, &versions)
                .into_iter()
                .filter_map(|at| nodes.get(at))
            {
                let declared = !dev::are_siblings(&from.version, &to.version);
                if declared && from.version != to.version && !bridged(from, to) {
                    let (from, to) = (from.version.clone(), to.version.clone());
                    closed.push(ClosedEdge { from, to });
                }
            }
        }
        closed
    }

    /// Every state that the versions of the graph can run, newest first.
    fn states(&self) -> impl Iterator<Item = State> {
        self.nodes.values().rev().flat_map(|node| {
            let mut runtimes: Vec<&Version> = node.runtimes.iter().collect();
            runtimes.sort_by(|a, b| b.cmp(a));
            runtimes.into_iter().map(|runtime| State {
                addon: node.version.clone(),
                runtime: runtime.clone(),
            })
        })
    }
}

/// The positions among `versions`, which ascend, of those that `node` lists in `upgradeFrom`, or that
/// are states of the same version, each once, ascending.
pub(super) fn accepted(node: &Node, versions: &[&Version]) -> Vec<usize> {
    let ranges = node.upgrade_from.iter();
    let mut accepted: Vec<usize> = ranges.flat_map(|range| range.positions(versions)).collect();
    if dev::Dev::of(&node.version).is_some() {
        let siblings = versions.iter().enumerate();
        let siblings = siblings.filter(|(_, version)| dev::are_siblings(version, &node.version));
        accepted.extend(siblings.map(|(at, _)| at));
    }
    accepted.sort_unstable();
    accepted.dedup();
    accepted
}

/// A state by the positions of its versions in [`Edges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    addon: usize,
    runtime: usize,
}

/// The graph with positions in place of versions, every range resolved once.
struct Edges<'a> {
    /// Every addon version, ascending, that of `from` among them.
    versions: Vec<&'a Version>,
    /// Every runtime version, ascending.
    runtimes: Vec<&'a Version>,
    /// For each addon version, the ones that an App may be set to, itself included, newest first.
    follows: Vec<Vec<usize>>,
    /// For each addon version, what it runs, newest first.
    runs: Vec<Vec<Run>>,
    from: &'a State,
}

/// A runtime version that an addon version runs.
struct Run {
    runtime: usize,
    /// By position, whether an App with that runtime version may move to it.
    accepts: Vec<bool>,
}

impl<'a> Edges<'a> {
    fn new(graph: &'a Graph, from: &'a State) -> Self {
        let mut versions: Vec<&Version> = graph.nodes.keys().collect();
        if let Err(position) = versions.binary_search(&&from.addon) {
            versions.insert(position, &from.addon);
        }
        let all = graph.nodes.values().flat_map(|node| &node.runtimes);
        let runtimes: BTreeSet<&Version> = all.chain([&from.runtime]).collect();
        let runtimes: Vec<&Version> = runtimes.into_iter().collect();
        let mut follows = vec![Vec::new(); versions.len()];
        let mut runs = Vec::with_capacity(versions.len());
        for (to, version) in versions.iter().enumerate().rev() {
            let node = graph.nodes.get(*version);
            runs.push(
                node.map(|node| runs_of(node, &runtimes))
                    .unwrap_or_default(),
            );
            let Some(node) = node else {
                continue;
            };
            let listed = if node.open {
                accepted(node, &versions)
            } else {
                Vec::new()
            };
            let others = listed.into_iter().filter(|from| *from != to);
            for at in others.chain([to]) {
                if let Some(follows) = follows.get_mut(at) {
                    follows.push(to);
                }
            }
        }
        runs.reverse();
        Self {
            versions,
            runtimes,
            follows,
            runs,
            from,
        }
    }

    fn start(&self) -> At {
        let position = |all: &[&Version], one| all.binary_search(&one).unwrap_or_default();
        At {
            addon: position(&self.versions, &self.from.addon),
            runtime: position(&self.runtimes, &self.from.runtime),
        }
    }

    /// Notes that `at` was found; whether it is the first time.
    fn see(&self, seen: &mut [bool], at: At) -> bool {
        let seen = seen.get_mut(at.addon * self.runtimes.len() + at.runtime);
        seen.is_some_and(|seen| !std::mem::replace(seen, true))
    }

    /// What an App at `at` may be set to in one edit, newest first; itself included.
    fn next(&self, at: At) -> impl Iterator<Item = At> {
        let follows = self.follows.get(at.addon).into_iter().flatten();
        follows.flat_map(move |addon| {
            let runs = self.runs.get(*addon).into_iter().flatten();
            let fitting = runs.filter(move |run| run.accepts.get(at.runtime) == Some(&true));
            fitting.map(|run| At {
                addon: *addon,
                runtime: run.runtime,
            })
        })
    }

    fn state(&self, at: At) -> State {
        let version = |all: &[&Version], at: usize, or: &Version| {
            all.get(at)
                .map_or_else(|| or.clone(), |version| (*version).clone())
        };
        State {
            addon: version(&self.versions, at.addon, &self.from.addon),
            runtime: version(&self.runtimes, at.runtime, &self.from.runtime),
        }
    }
}

/// What `node` runs, newest first.
fn runs_of(node: &Node, runtimes: &[&Version]) -> Vec<Run> {
    let run = |(at, runtime): (usize, &&Version)| {
        node.runtimes.contains(runtime).then(|| {
            let mut accepts = vec![false; runtimes.len()];
            let ranges = node.migrate_from.get(*runtime).into_iter().flatten();
            for present in ranges
                .flat_map(|range| range.positions(runtimes))
                .chain([at])
            {
                if let Some(accepts) = accepts.get_mut(present) {
                    *accepts = true;
                }
            }
            Run {
                runtime: at,
                accepts,
            }
        })
    };
    runtimes.iter().enumerate().rev().filter_map(run).collect()
}

/// Whether any App on `from` has a runtime version with which it may move to `to`.
pub(super) fn bridged(from: &Node, to: &Node) -> bool {
    to.runtimes.iter().any(|wanted| {
        let migrates = to.migrate_from.get(wanted);
        from.runtimes.iter().any(|present| {
            present == wanted || migrates.is_some_and(|r| r.iter().any(|r| r.matches(present)))
        })
    })
}
