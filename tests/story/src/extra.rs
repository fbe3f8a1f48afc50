//! Further tests on the story's cluster: other addons, what is promised of
//! the platform at rest, and of its cost.

mod agent;
pub mod cost;
mod helm;
mod memcached;
mod postgresql;
mod steady;

use crate::steps::Step;

/// The tests, in order, after the story.
pub const EXTRA: [Step; 12] = [
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
        name: "memcached",
        title: "memcached, an addon of under sixty lines: two members serve",
        needs: &["publish"],
        play: memcached::serves,
    },
    Step {
        name: "postgresql",
        title: "PostgreSQL 15: psql and pgbench, with the App's parameters and a generated password",
        needs: &["publish"],
        play: postgresql::serves,
    },
    Step {
        name: "postgresql-parameters",
        title: "   Every parameter of its schema is one of the server's",
        needs: &["postgresql"],
        play: postgresql::are_the_servers_own,
    },
    Step {
        name: "postgresql-prepare",
        title: "   Its prepare is killed again and again: nothing half-made is left",
        needs: &["postgresql"],
        play: postgresql::survives_being_killed,
    },
    Step {
        name: "postgresql-pod",
        title: "   A deleted pod was shut down cleanly, and is back with data and password",
        needs: &["postgresql"],
        play: postgresql::comes_back,
    },
    Step {
        name: "postgresql-refused",
        title: "   Wrong parameters: refused by name, value and rule; the App runs on",
        needs: &["postgresql"],
        play: postgresql::refuses,
    },
    Step {
        name: "postgresql-configured",
        title: "   One parameter by a reload, in the same process; another by a restart",
        needs: &["postgresql-pod"],
        play: postgresql::reconfigures,
    },
    Step {
        name: "postgresql-kept",
        title: "   Deleted and made again: data and password are there; then deleted with them",
        needs: &["postgresql-pod"],
        play: postgresql::is_kept,
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
