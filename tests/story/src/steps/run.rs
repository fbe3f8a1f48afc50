//! Step 3: Apps, and a client that uses them.

use crate::{look, redis, stage::Stage};
use anyhow::{Result, ensure};
use std::time::Instant;

/// The App of `docs/examples/app-standalone.yaml`.
pub const STANDALONE: &str = "session";
/// The App of `docs/examples/app-replication.yaml`.
pub const REPLICATION: &str = "cache";

/// One Redis; the first that is Ready.
pub fn standalone(stage: &mut Stage) -> Result<()> {
    apply(stage, "app-standalone.yaml")?;
    let start = Instant::now();
    stage.wait_for(120, "mwapp", STANDALONE, "Ready")?;
    stage.measure("App applied → Ready, standalone", start.elapsed());
    stage.measure("no cluster → first Ready Redis", stage.began.elapsed());
    stage.show(&["get", "mwapp"])?;
    redis::show(stage, "session-redis", &["SET", "before", "everything"])?;
    redis::await_value(stage, "session-redis", "before", "everything")
}

/// A primary and two replicas; writes go to the one, reads to the others, and roles are Redis' own.
pub fn replication(stage: &mut Stage) -> Result<()> {
    apply(stage, "app-replication.yaml")?;
    let start = Instant::now();
    stage.wait_for(180, "mwapp", REPLICATION, "Ready")?;
    stage.measure("App applied → Ready, replication", start.elapsed());
    stage.show(&["get", "mwapp,mwc,mwg"])?;

    let (primary, replica) = ("cache-redis-primary-svc", "cache-redis-replica-svc");
    ensure!(
        redis::show(stage, primary, &["SET", "greeting", "hello"])? == "OK",
        "not written"
    );
    redis::await_value(stage, replica, "greeting", "hello")?;
    redis::show(stage, replica, &["GET", "greeting"])?;
    let refused = redis::ask(stage, replica, &["SET", "greeting", "no"]);
    let refused = refused.err().map(|e| e.to_string()).unwrap_or_default();
    ensure!(
        refused.contains("READONLY"),
        "a write through the replica Service: {refused}"
    );

    let roles = redis::roles(stage, REPLICATION)?;
    for (pod, role) in &roles {
        stage.say(format!(
            "{pod} is {role}: its label, and what its Redis says"
        ));
    }
    let primaries: Vec<_> = roles.iter().filter(|(_, role)| role == "primary").collect();
    ensure!(roles.len() == 3 && primaries.len() == 1, "{roles:?}");
    ensure!(
        primaries[0].0 == "cache-redis-0-0",
        "ordinal 0 leads, not {}",
        primaries[0].0
    );
    record(stage)?;
    members_have_volumes(stage)
}

/// Who leads stands in a record from the beginning.
fn record(stage: &Stage) -> Result<()> {
    let lease = stage.get("lease", "cache-redis-0")?;
    let holder = look::text(&lease, "/spec/holderIdentity");
    ensure!(holder.ends_with('0'), "the record names `{holder}`");
    let renewed = lease
        .pointer("/spec/renewTime")
        .is_some_and(|time| !time.is_null());
    ensure!(!renewed, "the record has a renewTime: nothing renews it");
    stage.say(format!("Record: {holder} leads"));
    Ok(())
}

fn members_have_volumes(stage: &Stage) -> Result<()> {
    for pod in stage.pods(REPLICATION)? {
        let name = look::text(&pod, "/metadata/name");
        let claim = stage.get("pvc", &format!("data-{name}"))?;
        ensure!(
            look::text(&claim, "/status/phase") == "Bound",
            "{}",
            look::name(&claim)
        );
        ensure!(
            claim.pointer("/metadata/ownerReferences").is_none(),
            "a claim has an owner"
        );
    }
    Ok(())
}

fn apply(stage: &Stage, example: &str) -> Result<()> {
    let path = stage.checkout("docs/examples").join(example);
    stage.show(&["apply", "-f", &path.to_string_lossy()])?;
    Ok(())
}
