//! Step 8: the platform may fail, the middleware goes on.

use crate::{
    look, platform, redis,
    stage::{NAMESPACE, Stage},
    steps::run::REPLICATION,
};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

const PRIMARY: &str = "cache-redis-primary-svc";
const REPLICA: &str = "cache-redis-replica-svc";
/// Long enough that probes, leases and readiness would have noticed.
const WATCHED: Duration = Duration::from_secs(8);

/// Registry, then operator are killed and stay away: the same pods serve, and stay Ready.
pub fn platform_down(stage: &mut Stage) -> Result<()> {
    let before = stage.pod_uids(REPLICATION)?;
    for service in ["registry", "operator"] {
        platform::kill(stage, service)?;
        platform::scale(stage, service, 0)?;
        stage.say(format!("The {service} is gone"));
        serves(stage, service)?;
    }
    stage.show(&["get", "pods", "-n", "paamesh-system"])?;
    let start = Instant::now();
    while start.elapsed() < WATCHED {
        serves(stage, "nobody")?;
        ready(stage)?;
    }
    let changed = look::differences(&before, &stage.pod_uids(REPLICATION)?);
    ensure!(changed.is_empty(), "{}", changed.join(", "));
    stage.say(format!(
        "For {} s: writes taken, reads served, all pods Ready",
        WATCHED.as_secs()
    ));
    for service in platform::SERVICES {
        platform::scale(stage, service, 1)?;
    }
    stage.wait_for(60, "mwapp", REPLICATION, "Ready")?;
    let changed = look::differences(&before, &stage.pod_uids(REPLICATION)?);
    ensure!(
        changed.is_empty(),
        "the platform came back and changed {}",
        changed.join(", ")
    );
    Ok(())
}

fn serves(stage: &Stage, without: &str) -> Result<()> {
    ensure!(
        redis::ask(stage, PRIMARY, &["SET", "without", without])? == "OK",
        "not written"
    );
    redis::await_value(stage, REPLICA, "without", without)
}

fn ready(stage: &Stage) -> Result<()> {
    for pod in stage.pods(REPLICATION)? {
        let condition = look::condition(&pod, "Ready").map_or("", |c| look::text(c, "/status"));
        ensure!(condition == "True", "{} is not Ready", look::name(&pod));
    }
    Ok(())
}

/// A pod is deleted: a new one has its name, its volume and its data.
pub fn pod_deleted(stage: &mut Stage) -> Result<()> {
    let name = "cache-redis-0-1";
    let (old, volume) = (stage.get("pod", name)?, volume_of(stage, name)?);
    stage.show(&["-n", NAMESPACE, "delete", "pod", name, "--wait=false"])?;
    let start = Instant::now();
    stage.wait(120, &format!("{name} is back and Ready"), || {
        let pod = stage.get("pod", name)?;
        ensure!(
            pod["metadata"]["uid"] != old["metadata"]["uid"],
            "the old pod is still there"
        );
        look::told(&pod, "Ready", "True")?;
        Ok(())
    })?;
    let took = start.elapsed();
    stage.measure("pod deleted → its successor Ready", took);
    let now = volume_of(stage, name)?;
    ensure!(now == volume, "the volume {volume:?} became {now:?}");
    stage.wait_for(60, "mwapp", REPLICATION, "Ready")?;
    redis::await_value(stage, REPLICA, "greeting", "hello")?;
    redis::roles(stage, REPLICATION)?;
    stage.show(&[
        "-n",
        NAMESPACE,
        "get",
        "pods,pvc",
        "-l",
        "middleware.io/app=cache",
    ])?;
    Ok(())
}

/// The uid of a pod's claim, and the volume behind it.
fn volume_of(stage: &Stage, pod: &str) -> Result<(String, String)> {
    let claim = stage.get("pvc", &format!("data-{pod}"))?;
    let (uid, volume) = ("/metadata/uid", "/spec/volumeName");
    Ok((
        look::text(&claim, uid).to_owned(),
        look::text(&claim, volume).to_owned(),
    ))
}
