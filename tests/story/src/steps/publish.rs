//! Step 2: from `git push` to a version in the catalog.

use crate::{
    addon, look,
    stage::{PLATFORM, Stage},
};
use anyhow::{Result, ensure};
use std::time::Instant;

/// redis 1.0.0 is pushed, a source points at it, and it becomes Active.
pub fn first(stage: &mut Stage) -> Result<()> {
    addon::add(stage, "1.0.0")?;
    let commit = addon::push(stage, "Add redis 1.0.0")?;
    let source = stage.checkout("docs/examples/source.yaml");
    let start = Instant::now();
    stage.show(&["apply", "-f", &source.to_string_lossy()])?;
    let version = addon::await_active(stage, "redis-1.0.0")?;
    stage.measure("source applied → redis-1.0.0 Active", start.elapsed());
    stage.show(&["get", "mwa"])?;

    let digest = look::text(&version, "/status/digest");
    ensure!(digest.starts_with("sha256:"), "digest `{digest}`");
    let ledger = addon::published(stage, "redis", "1.0.0")?;
    ensure!(
        ledger.as_deref() == Some(digest),
        "the ledger has {ledger:?}, the version {digest}"
    );
    for field in ["/status/runtimeVersions", "/status/topologies"] {
        ensure!(!look::list(&version, field).is_empty(), "{field} is empty");
    }
    let content = stage.show(&[
        "get",
        "cm",
        "-n",
        PLATFORM,
        "-l",
        "middleware.io/plugin=redis",
    ])?;
    ensure!(
        content.contains("redis-manifest-"),
        "no manifest among: {content}"
    );

    let source = stage.wait(30, "the source is Ready", || {
        let source = addon::source_at(stage, &commit)?;
        look::told(&source, "Ready", "True")?;
        Ok(source)
    })?;
    stage.say(format!(
        "Source {}: {}",
        addon::SOURCE,
        look::text(&source, "/status/revision")
    ));
    provenance(&version, &commit)
}

/// The version says where it came from.
fn provenance(version: &serde_json::Value, commit: &str) -> Result<()> {
    let provenance = look::text(version, "/metadata/annotations/middleware.io~1provenance");
    look::names_all(provenance, &[addon::SOURCE, commit, "addons/redis/1.0.0"])
}
