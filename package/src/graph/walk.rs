//! Ways through the graph: all that can be reached, the shortest way, the edges that lead nowhere.

use super::{Graph, RefusedStep, State};
use api::Version;
use std::collections::{BTreeMap, VecDeque};

/// An edge that `upgradeFrom` declares and that no App can take.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClosedEdge {
    /// The version that the edge leaves.
    pub from: Version,
    /// The version that it leads to, and that declares it.
    pub to: Version,
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
        let mut reached: Vec<State> = self.explore(from, None).into_keys().collect();
        reached.retain(|state| state != from);
        reached.reverse();
        reached
    }

    /// The fewest edits that lead from `from` to `to`, in order, `to` last; of several ways the one
    /// over the newest versions. Empty where nothing is to be done, `None` where there is no way.
    pub fn path(&self, from: &State, to: &State) -> Option<Vec<State>> {
        let before = self.explore(from, Some(to));
        let mut path = Vec::new();
        let mut at = to;
        while at != from {
            path.push(at.clone());
            at = before.get(at)?;
        }
        path.reverse();
        Some(path)
    }

    /// For each state other than `from` that may be wanted, why `from` may not be set to it.
    pub fn refused(&self, from: &State) -> Vec<(State, RefusedStep)> {
        let refusal = |to: State| self.step(from, &to).err().map(|reason| (to, reason));
        self.states().filter_map(refusal).collect()
    }

    /// The declared edges of which the ends share no runtime version and no `migrateFrom` bridges
    /// any two: no App can take them.
    pub fn closed_edges(&self) -> Vec<ClosedEdge> {
        let mut closed = Vec::new();
        for to in self.nodes.values() {
            for from in self.nodes.values() {
                let declared = to.version != from.version
                    && to
                        .upgrade_from
                        .iter()
                        .any(|range| range.matches(&from.version));
                if declared && !bridged(from, to) {
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

    /// Breadth first: every reached state, and the one before it; `from` with itself. Ends early
    /// where `until` is reached.
    fn explore(&self, from: &State, until: Option<&State>) -> BTreeMap<State, State> {
        let mut before = BTreeMap::from([(from.clone(), from.clone())]);
        let mut queue = VecDeque::from([from.clone()]);
        while let Some(at) = queue.pop_front() {
            if until == Some(&at) {
                break;
            }
            for next in self.next(&at) {
                if !before.contains_key(&next) {
                    before.insert(next.clone(), at.clone());
                    queue.push_back(next);
                }
            }
        }
        before
    }
}

/// Whether any App on `from` has a runtime version with which it may move to `to`.
fn bridged(from: &super::Node, to: &super::Node) -> bool {
    to.runtimes.iter().any(|wanted| {
        let migrates = to.migrate_from.get(wanted);
        from.runtimes.iter().any(|present| {
            present == wanted || migrates.is_some_and(|r| r.iter().any(|r| r.matches(present)))
        })
    })
}
