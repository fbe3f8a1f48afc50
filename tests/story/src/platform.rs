//! The platform's services as seen from outside: their pods, processes, metrics, and how to stop
//! them.

use crate::{
    look,
    stage::{PLATFORM, Stage},
};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::{path::Path, process::Command, time::Duration};

/// The services, each a Deployment `paamesh-<service>`.
pub const SERVICES: [&str; 2] = ["operator", "registry"];

/// The pods of a service that are not on their way out.
pub fn pods(stage: &Stage, service: &str) -> Result<Vec<Value>> {
    let label = format!("app.kubernetes.io/name=paamesh,app.kubernetes.io/component={service}");
    let pods = stage.list(&["pods", "-n", PLATFORM, "-l", &label])?;
    let stays = |p: &Value| p["metadata"]["deletionTimestamp"].is_null();
    Ok(pods.into_iter().filter(stays).collect())
}

/// The one pod of a service.
pub fn pod(stage: &Stage, service: &str) -> Result<Value> {
    let mut pods = pods(stage, service)?;
    ensure!(pods.len() == 1, "{} pods of {service}", pods.len());
    pods.pop().context("no pod")
}

/// Waits until the service is available.
pub fn await_service(stage: &Stage, service: &str) -> Result<()> {
    let name = format!("paamesh-{service}");
    stage.wait(120, &format!("deployment/{name} Available"), || {
        let deployment = stage.get_in(PLATFORM, "deployment", &name)?;
        let current = deployment.pointer("/status/observedGeneration")
            == deployment.pointer("/metadata/generation");
        let (wanted, status) = (&deployment["spec"]["replicas"], &deployment["status"]);
        let ready = &status["readyReplicas"] == wanted && &status["replicas"] == wanted;
        let why = || why_not_ready(stage, service);
        ensure!(
            current && ready && &status["updatedReplicas"] == wanted,
            "{}",
            why()
        );
        Ok(())
    })
}

/// What the pods of a service say of themselves, for a person who waits.
fn why_not_ready(stage: &Stage, service: &str) -> String {
    let pods = pods(stage, service).unwrap_or_default();
    let said = pods.iter().map(|pod| {
        let container = &pod["status"]["containerStatuses"][0];
        let waits = look::text(container, "/state/waiting/reason");
        let restarts = container["restartCount"].as_u64().unwrap_or_default();
        let name = look::text(pod, "/metadata/name");
        let log = stage
            .kubectl
            .run(&["-n", PLATFORM, "logs", name, "--tail=1"]);
        format!(
            "{name} {waits}, {restarts} restarts; {}",
            log.unwrap_or_default()
        )
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() {
        "no pod yet".into()
    } else {
        said.join("; ")
    }
}

/// How many pods a service is to have; returns when it has them.
pub fn scale(stage: &Stage, service: &str, replicas: u32) -> Result<()> {
    let (name, replicas) = (
        format!("deployment/paamesh-{service}"),
        format!("--replicas={replicas}"),
    );
    stage
        .kubectl
        .run(&["-n", PLATFORM, "scale", &name, &replicas])?;
    if replicas == "--replicas=0" {
        return stage.wait(60, &format!("no pod of {service}"), || {
            let left = pods(stage, service)?.len();
            ensure!(left == 0, "{left} left");
            Ok(())
        });
    }
    await_service(stage, service)
}

/// The process of the service, by its id on this machine.
pub fn process(stage: &Stage, service: &str) -> Result<u32> {
    let pod = pod(stage, service)?;
    let uid = look::text(&pod, "/metadata/uid");
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let in_pod = read(&entry.path().join("cgroup")).contains(uid);
        if in_pod && read(&entry.path().join("comm")).trim() == "paamesh" {
            return Ok(pid);
        }
    }
    bail!("no process of {} runs on this machine", look::name(&pod))
}

/// SIGKILL to the service's process: it is not asked, and nothing is handed over.
/// Returns its id.
pub fn kill(stage: &Stage, service: &str) -> Result<String> {
    let pid = process(stage, service)?.to_string();
    let killed = Command::new("kill").args(["-KILL", &pid]).status()?;
    ensure!(killed.success(), "kill -KILL {pid}: {killed}");
    Ok(pid)
}

/// How often the container of the service was started again.
pub fn restarts(stage: &Stage, service: &str) -> Result<u64> {
    let pod = pod(stage, service)?;
    Ok(pod["status"]["containerStatuses"][0]["restartCount"]
        .as_u64()
        .unwrap_or_default())
}

/// The text that Prometheus would scrape from the service.
pub fn metrics(stage: &Stage, service: &str) -> Result<String> {
    let pod = pod(stage, service)?;
    let name = look::text(&pod, "/metadata/name");
    let path = format!("/api/v1/namespaces/{PLATFORM}/pods/{name}:8080/proxy/metrics");
    stage.kubectl.run(&["get", "--raw", &path])
}

/// The CPU time that a process has used: its own, user and system.
pub fn cpu(pid: u32) -> Result<Duration> {
    let stat =
        std::fs::read_to_string(format!("/proc/{pid}/stat")).context("the process is gone")?;
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace()
        .collect();
    // Fields 14 and 15 of proc(5), in ticks of 10 ms; the two before `state` are cut off.
    let ticks = |n: usize| {
        fields
            .get(n)
            .and_then(|f| f.parse::<u64>().ok())
            .context("/proc/PID/stat")
    };
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}

/// The resident memory of a process, in KiB.
pub fn memory(pid: u32) -> Result<u64> {
    let status = read(Path::new(&format!("/proc/{pid}/status")));
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.context("the process is gone")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
