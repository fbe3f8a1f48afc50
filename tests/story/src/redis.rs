//! Redis as its clients see it, from a pod beside it, and as it sees itself.

use crate::{
    look,
    stage::{NAMESPACE, Stage},
};
use anyhow::{Result, ensure};
use serde_json::Value;

/// `redis-cli -h <host> <command…>` in the client's pod. An error of Redis is an error.
pub fn ask(stage: &Stage, host: &str, command: &[&str]) -> Result<String> {
    let start = [
        "-n",
        NAMESPACE,
        "exec",
        "client",
        "--",
        "redis-cli",
        "-e",
        "-h",
        host,
    ];
    let said = stage.kubectl.run(&[&start, command].concat())?;
    Ok(said.trim().to_owned())
}

/// The same, shown to the person.
pub fn show(stage: &Stage, host: &str, command: &[&str]) -> Result<String> {
    let said = ask(stage, host, command)?;
    stage
        .voice
        .command(&format!("redis-cli -h {host} {}", command.join(" ")));
    stage.voice.output(&said);
    Ok(said)
}

/// Reads `key` through `host` until it is `value`: a replica follows a moment later.
pub fn await_value(stage: &Stage, host: &str, key: &str, value: &str) -> Result<()> {
    stage.wait(30, &format!("{key} is {value} at {host}"), || {
        let found = ask(stage, host, &["GET", key])?;
        ensure!(found == value, "`{found}`");
        Ok(())
    })
}

/// What the Redis in a pod calls itself, in the addon's words.
pub fn role(stage: &Stage, pod: &str) -> Result<&'static str> {
    let args = [
        "-n",
        NAMESPACE,
        "exec",
        pod,
        "-c",
        "main",
        "--",
        "redis-cli",
        "role",
    ];
    let said = stage.kubectl.run(&args)?;
    match said.lines().next().unwrap_or_default() {
        "master" => Ok("primary"),
        "slave" => Ok("replica"),
        other => anyhow::bail!("redis-cli role in {pod}: {other}"),
    }
}

/// Each pod of an App bears the role that its own Redis reports; returns them, by name.
pub fn roles(stage: &Stage, app: &str) -> Result<Vec<(String, String)>> {
    stage.wait(
        30,
        &format!("the role labels of {app} are what Redis says"),
        || {
            let pods = stage.pods(app)?;
            ensure!(!pods.is_empty(), "no pod");
            pods.iter().map(|pod| role_of(stage, pod)).collect()
        },
    )
}

fn role_of(stage: &Stage, pod: &Value) -> Result<(String, String)> {
    let name = look::text(pod, "/metadata/name");
    let label = look::text(pod, "/metadata/labels/middleware.io~1role");
    let said = role(stage, name)?;
    ensure!(
        label == said,
        "{name} has label {label}, its Redis says {said}"
    );
    Ok((name.to_owned(), said.to_owned()))
}
