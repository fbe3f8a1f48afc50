//! Step 5: a published version never changes, and stays while it is used.

use crate::{
    addon, look, platform,
    stage::Stage,
    steps::run::{REPLICATION, STANDALONE},
};
use anyhow::{Result, ensure};
use serde_json::Value;

const CHANGED: &str = "addons/redis/1.0.0/README.md";
const METRIC: &str = "paamesh_source_version_changed_total";

/// Other bytes under 1.0.0: refused with both digests and the files, in the condition, as an Event
/// and as a metric; the published version stays, and the old bytes are welcome again.
pub fn changed(stage: &mut Stage) -> Result<()> {
    let published = addon::published(stage, "redis", "1.0.0")?.unwrap_or_default();
    let readme = stage.repository.read(CHANGED).unwrap_or_default();
    stage
        .repository
        .write(CHANGED, &format!("{readme}\nQuietly changed.\n"))?;
    let commit = addon::push(stage, "Change redis 1.0.0")?;
    addon::reconcile_now(stage)?;
    let source = stage.wait(60, "the changed version is refused", || {
        let source = addon::source_at(stage, &commit)?;
        look::told_why(&source, "VersionsUnchanged", "False", "VersionChanged")?;
        Ok(source)
    })?;
    refusal(stage, &source, &published)?;
    event(stage)?;
    let count = stage.wait(30, "the metric counts it", || {
        let count = look::metric(&platform::metrics(stage, "registry")?, METRIC)?;
        ensure!(count >= 1.0, "{METRIC} {count}");
        Ok(count)
    })?;
    stage.say(format!("{METRIC} {count}"));
    let version = stage.kubectl.json(&["get", "mwa", "redis-1.0.0"])?;
    ensure!(
        look::text(&version, "/status/phase") == "Active",
        "{}",
        look::conditions(&version)
    );
    ensure!(
        look::text(&version, "/status/digest") == published,
        "the published digest changed"
    );

    let original = stage.checkout("addons/redis/1.0.0");
    stage.repository.remove("addons/redis/1.0.0")?;
    stage.repository.copy(&original, "addons/redis/1.0.0")?;
    let commit = addon::push(stage, "Restore redis 1.0.0")?;
    addon::reconcile_now(stage)?;
    stage.wait(60, "the old bytes are accepted", || {
        let source = addon::source_at(stage, &commit)?;
        look::told(&source, "VersionsUnchanged", "True")?;
        look::told(&source, "Ready", "True")?;
        Ok(())
    })
}

fn refusal(stage: &Stage, source: &Value, published: &str) -> Result<()> {
    let changed = look::find(
        look::list(source, "/status/changed"),
        "changed version",
        |c| look::text(c, "/version") == "1.0.0",
    )?;
    let offered = look::text(changed, "/offered");
    ensure!(look::text(changed, "/published") == published, "{changed}");
    ensure!(
        offered.starts_with("sha256:") && offered != published,
        "{changed}"
    );
    ensure!(
        changed["files"] == serde_json::json!(["README.md"]),
        "{changed}"
    );
    let message = look::told(source, "VersionsUnchanged", "False")?;
    // The message may shorten digests; twelve digits tell them apart.
    look::names_all(
        message,
        &[
            "redis",
            "1.0.0",
            &published[..19],
            &offered[..19],
            "README.md",
        ],
    )?;
    stage.say(message);
    look::told(source, "Ready", "False")?;
    Ok(())
}

fn event(stage: &Stage) -> Result<()> {
    let note = stage.wait(30, "an Event tells it", || {
        let events = stage.list(&["events.v1.events.k8s.io", "-A"])?;
        let event = look::find(&events, "such Event", |e| {
            look::text(e, "/reason") == "VersionChanged"
                && look::text(e, "/regarding/kind") == "AddonSource"
        })?;
        ensure!(look::text(event, "/type") == "Warning", "{event}");
        Ok(look::text(event, "/note").to_owned())
    })?;
    stage.say(format!("Event VersionChanged: {note}"));
    Ok(())
}

/// Deletion of a version in use waits, and names for whom.
pub fn held(stage: &mut Stage) -> Result<()> {
    stage.show(&["delete", "mwa", "redis-1.0.0", "--wait=false"])?;
    let message = stage.wait(60, "the deletion is held", || {
        let version = stage.kubectl.json(&["get", "mwa", "redis-1.0.0"])?;
        let message = look::told_why(&version, "DeletionHeld", "True", "InUse")?.to_owned();
        look::names_all(&message, &[STANDALONE, REPLICATION])?;
        Ok(message)
    })?;
    stage.say(message);
    for app in [STANDALONE, REPLICATION] {
        stage.wait_for(10, "mwapp", app, "Ready")?;
    }
    Ok(())
}
