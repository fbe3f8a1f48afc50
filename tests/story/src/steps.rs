//! The steps of the story, in order. Each is a function of the stage that returns when everything
//! that it tells was seen, and fails at the first observation that differs.

mod broken;
mod delete;
mod hand;
mod immutable;
mod install;
mod more;
mod outage;
mod publish;
pub mod run;
mod upgrade;

use crate::stage::Stage;
use anyhow::Result;

/// One step.
pub struct Step {
    /// Its name as a test.
    pub name: &'static str,
    /// What it tells.
    pub title: &'static str,
    /// The steps without which it cannot be played.
    pub needs: &'static [&'static str],
    /// Plays it.
    pub play: fn(&mut Stage) -> Result<()>,
}

/// The story.
pub const STORY: [Step; 17] = [
    Step {
        name: "cluster",
        title: "0. A Kubernetes on this machine: real etcd, API server, kubelet, containerd",
        needs: &[],
        play: install::cluster,
    },
    Step {
        name: "install",
        title: "1. One chart installs the platform: registry and operator",
        needs: &["cluster"],
        play: install::platform,
    },
    Step {
        name: "publish",
        title: "2. git push of redis 1.0.0: a versioned, immutable MiddlewareAddon",
        needs: &["install"],
        play: publish::first,
    },
    Step {
        name: "standalone",
        title: "3. An App pinned to 1.0.0: one Redis",
        needs: &["publish"],
        play: run::standalone,
    },
    Step {
        name: "replication",
        title: "   Another, with a primary and two replicas on volumes",
        needs: &["publish"],
        play: run::replication,
    },
    Step {
        name: "by-hand",
        title: "   The same addon by kubectl in a cluster without registry: same digest",
        needs: &["publish"],
        play: hand::same_digest,
    },
    Step {
        name: "more",
        title: "4. git push of redis 1.1.0: no running App changes",
        needs: &["standalone", "replication"],
        play: more::second_version,
    },
    Step {
        name: "changed",
        title: "5. git push of a changed 1.0.0: refused, a version is its bytes",
        needs: &["more"],
        play: immutable::changed,
    },
    Step {
        name: "held",
        title: "   Deleting redis-1.0.0 while Apps use it: held",
        needs: &["more"],
        play: immutable::held,
    },
    Step {
        name: "upgrade",
        title: "6. pluginVersion: 1.1.0, and the operator is killed in the middle of it",
        needs: &["more"],
        play: upgrade::accepted,
    },
    Step {
        name: "refused",
        title: "   pluginVersion: 2.0.0, which does not list 1.0.0 in upgradeFrom: refused",
        needs: &["upgrade"],
        play: upgrade::refused,
    },
    Step {
        name: "unknown",
        title: "   Apps with an unknown plugin or version: told what there is",
        needs: &["more"],
        play: upgrade::unknown,
    },
    Step {
        name: "broken",
        title: "7. Broken addons in the same push as a good one: only the good is published",
        needs: &["upgrade"],
        play: broken::among_good_ones,
    },
    Step {
        name: "fixed",
        title: "   Fixed bytes under the same version: accepted; one broken by hand is Failed",
        needs: &["broken"],
        play: broken::fixed,
    },
    Step {
        name: "outage",
        title: "8. Registry and operator are killed: Apps serve on",
        needs: &["replication"],
        play: outage::platform_down,
    },
    Step {
        name: "pod",
        title: "   A deleted Redis pod comes back with its name and volume",
        needs: &["outage"],
        play: outage::pod_deleted,
    },
    Step {
        name: "delete",
        title: "   Deleting Apps: volumes are kept, deleted, or the App is protected",
        needs: &["standalone"],
        play: delete::policies,
    },
];
