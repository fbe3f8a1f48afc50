//! Addons in the person's clone: what is copied there, how it is broken, and how it is published.

use crate::{
    look,
    stage::{PLATFORM, Stage},
};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The source of the examples.
pub const SOURCE: &str = "platform";
/// What the clone calls the folder of a version.
pub fn folder(plugin: &str, version: &str) -> String {
    format!("addons/{plugin}/{version}")
}

/// Puts a version of this checkout's `addons/redis` into the clone.
pub fn add(stage: &Stage, version: &str) -> Result<()> {
    add_of(stage, "redis", version)
}

/// Puts a version of another addon of this checkout into the clone.
pub fn add_of(stage: &Stage, plugin: &str, version: &str) -> Result<()> {
    let folder = folder(plugin, version);
    stage.repository.copy(&stage.checkout(&folder), &folder)
}

/// Puts a copy of redis 1.1.0 into the clone under another name or version.
pub fn add_copy(stage: &Stage, plugin: &str, version: &str) -> Result<()> {
    let folder = folder(plugin, version);
    stage
        .repository
        .copy(&stage.checkout("addons/redis/1.1.0"), &folder)?;
    let manifest = format!("{folder}/addon.yaml");
    stage.repository.replace(
        &manifest,
        "\nversion: 1.1.0",
        &format!("\nversion: {version}"),
    )?;
    stage
        .repository
        .replace(&manifest, "\nname: redis", &format!("\nname: {plugin}"))
}

/// Commits and pushes what is in the clone; returns the commit.
pub fn push(stage: &Stage, subject: &str) -> Result<String> {
    let commit = stage.repository.push(&stage.git_url, subject)?;
    stage
        .voice
        .command(&format!("git commit -m '{subject}' && git push"));
    Ok(commit)
}

/// Asks the registry to look now, as a webhook would.
pub fn reconcile_now(stage: &Stage) -> Result<()> {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)?
        .as_nanos();
    let annotation = format!("middleware.io/requestedAt={nanos}");
    let source = format!("mws/{SOURCE}");
    stage
        .kubectl
        .run(&["annotate", "--overwrite", &source, &annotation])?;
    Ok(())
}

/// Waits until a version is Active, and returns it.
pub fn await_active(stage: &Stage, name: &str) -> Result<Value> {
    stage.wait(60, &format!("{name} is Active"), || {
        let found = stage
            .kubectl
            .json(&["get", "mwa", name])
            .map_err(|error| with_source(stage, &error))?;
        let phase = look::text(&found, "/status/phase");
        ensure!(phase == "Active", "{phase}: {}", look::conditions(&found));
        Ok(found)
    })
}

/// Pushes, asks the registry to look, and waits; returns how long `name` took to become Active.
pub fn publish(stage: &Stage, subject: &str, name: &str) -> Result<Duration> {
    push(stage, subject)?;
    let start = Instant::now();
    reconcile_now(stage)?;
    await_active(stage, name)?;
    Ok(start.elapsed())
}

/// The source, as it is after the registry looked at `commit`.
pub fn source_at(stage: &Stage, commit: &str) -> Result<Value> {
    let source = stage.kubectl.json(&["get", "mws", SOURCE])?;
    let revision = look::text(&source, "/status/revision");
    ensure!(
        revision.ends_with(commit),
        "the source is at {revision}: {}",
        look::conditions(&source)
    );
    Ok(source)
}

/// The names of all content objects of a plugin.
pub fn content(stage: &Stage, plugin: &str) -> Result<Vec<String>> {
    let label = format!("middleware.io/plugin={plugin}");
    let maps = stage.list(&["cm", "-n", PLATFORM, "-l", &label])?;
    Ok(maps
        .iter()
        .map(|m| look::text(m, "/metadata/name").to_owned())
        .collect())
}

/// The published digest of a version, from the ledger.
pub fn published(stage: &Stage, plugin: &str, version: &str) -> Result<Option<String>> {
    let ledger = stage.kubectl.json(&["get", "mwl", plugin])?;
    let entries = ledger["spec"]["entries"]
        .as_object()
        .context("a ledger without entries")?;
    Ok(entries
        .get(version)
        .and_then(Value::as_str)
        .map(str::to_owned))
}

fn with_source(stage: &Stage, error: &anyhow::Error) -> anyhow::Error {
    let source = stage
        .kubectl
        .json(&["get", "mws", SOURCE])
        .unwrap_or_default();
    anyhow::anyhow!("{error:#}; the source: {}", look::conditions(&source))
}
