//! Further tests on the story's cluster: what is promised of the platform at rest and of its cost.

mod agent;
pub mod cost;
mod helm;
mod steady;

use crate::steps::Step;

/// The tests, in order, after the story.
pub const EXTRA: [Step; 4] = [
    Step {
        name: "agent-rights",
        title: "An agent's account: its own pods' role label, and nothing else",
        needs: &["replication"],
        play: agent::narrow,
    },
    Step {
        name: "chart-upgrade",
        title: "helm upgrade of the platform: no pod of an App changes",
        needs: &["replication"],
        play: helm::upgrade,
    },
    Step {
        name: "push-cost",
        title: "20 pushes: round trips one after another, and CPU of our own",
        needs: &["more"],
        play: cost::bounded,
    },
    Step {
        name: "steady-state",
        title: "20 Apps at rest: nothing is written; then an edit and a push take effect",
        needs: &["more"],
        play: steady::silent,
    },
];
