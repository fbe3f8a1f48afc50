//! Step 6: an App moves to another version where that version allows it, and only there.

use crate::{
    addon, look, platform, redis,
    stage::{NAMESPACE, Stage},
    steps::run::{REPLICATION, STANDALONE},
};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const PRIMARY: &str = "cache-redis-primary-svc";
const WITH_HOOK: Duration = Duration::from_secs(2);

/// 1.0.0 → 1.1.0, replicas first, with the operator killed after the first pod; nothing written
/// before is lost, and the version that was held goes and comes back from Git.
pub fn accepted(stage: &mut Stage) -> Result<()> {
    redis::ask(stage, PRIMARY, &["SET", "written-before", "the upgrade"])?;
    let before = stage.pod_uids(REPLICATION)?;
    let restarts = platform::restarts(stage, "operator")?;
    let start = Instant::now();
    pin(stage, REPLICATION, "1.1.0")?;
    stage.wait(120, "the first pod is of the new version", || {
        let changed = look::differences(&before, &stage.pod_uids(REPLICATION)?);
        ensure!(!changed.is_empty(), "no pod changed yet");
        Ok(())
    })?;
    let killed = platform::kill(stage, "operator")?;
    stage.voice.command(&format!("kill -KILL {killed}"));
    stage.wait(240, "cache runs by 1.1.0", || {
        runs_by(stage, REPLICATION, "1.1.0")
    })?;
    stage.measure(
        "upgrade of 3 pods, operator killed meanwhile",
        start.elapsed(),
    );
    let again = platform::restarts(stage, "operator")?;
    ensure!(
        again > restarts,
        "the operator was not killed: {again} restarts"
    );
    stage.show(&["get", "mwapp,mwg"])?;

    replicas_first(stage, &before)?;
    redis::await_value(stage, PRIMARY, "written-before", "the upgrade")?;
    redis::show(stage, PRIMARY, &["GET", "written-before"])?;
    redis::roles(stage, REPLICATION)?;
    history(stage)
}

/// Every pod is new, and ordinal 0, which leads, was made last.
fn replicas_first(stage: &Stage, before: &BTreeMap<String, String>) -> Result<()> {
    let pods = stage.pods(REPLICATION)?;
    let mut made: Vec<(&str, &str)> = Vec::new();
    for pod in &pods {
        ensure!(
            before
                .get(&look::name(pod))
                .is_some_and(|old| old != look::text(pod, "/metadata/uid")),
            "{} is the old one",
            look::name(pod)
        );
        made.push((
            look::text(pod, "/metadata/creationTimestamp"),
            look::text(pod, "/metadata/name"),
        ));
    }
    made.sort_unstable();
    let order: Vec<&str> = made.iter().map(|(_, name)| *name).collect();
    ensure!(
        order.last() == Some(&"cache-redis-0-0"),
        "made in the order {order:?}"
    );
    stage.say(format!("Made again in the order {}", order.join(", ")));
    Ok(())
}

fn history(stage: &Stage) -> Result<()> {
    let app = stage.get("mwapp", REPLICATION)?;
    let past = look::text(&app, "/status/history/0/pin/pluginVersion");
    ensure!(past == "1.0.0", "status.history names `{past}`");
    Ok(())
}

/// Nobody runs the version that is to be deleted, and both Apps may still go back to it: it stays.
fn held_for_the_way_back(stage: &Stage) -> Result<()> {
    let message = stage.wait(60, "redis-1.0.0 stays for the way back", || {
        let version = stage.kubectl.json(&["get", "mwa", "redis-1.0.0"])?;
        let held = look::told_why(&version, "DeletionHeld", "True", "InUse")?.to_owned();
        ensure!(held.contains("may go back"), "{held}");
        Ok(held)
    })?;
    look::names_all(&message, &[STANDALONE, REPLICATION])?;
    stage.say(message);
    Ok(())
}

/// Nobody uses it and nobody came from it: the version that was to be deleted is released, and since
/// the source still offers it, published again with the same digest.
fn comes_back(stage: &Stage) -> Result<()> {
    let published = addon::published(stage, "redis", "1.0.0")?;
    let digest = stage.wait(60, "redis-1.0.0 was released and came back", || {
        let version = stage.kubectl.json(&["get", "mwa", "redis-1.0.0"])?;
        ensure!(
            version["metadata"]["deletionTimestamp"].is_null(),
            "{}",
            look::conditions(&version)
        );
        ensure!(
            look::text(&version, "/status/phase") == "Active",
            "{}",
            look::conditions(&version)
        );
        Ok(look::text(&version, "/status/digest").to_owned())
    })?;
    ensure!(
        published.as_deref() == Some(&digest),
        "it came back as {digest}, was {published:?}"
    );
    stage.say("redis-1.0.0, no longer used, was released and came back from Git, same digest");
    Ok(())
}

/// 2.0.0 does not list 1.0.0: refused with the reason and the way, and the App is what it was. By
/// way of 1.1.0 it goes; when both Apps are there, the version that was held goes and comes back from Git.
pub fn refused(stage: &mut Stage) -> Result<()> {
    addon::add(stage, "2.0.0")?;
    let took = addon::publish(stage, "Add redis 2.0.0", "redis-2.0.0")?;
    stage.measure("git push → Active, with reconcile-now", took);
    // Promised are 2 s; a test asserts five times the figure.
    ensure!(took < 5 * WITH_HOOK, "Active after {took:?}");
    let before = stage.pod_uids(STANDALONE)?;
    pin(stage, STANDALONE, "2.0.0")?;
    let message = refusal(stage, STANDALONE, "NotInUpgradeFrom")?;
    look::names_all(&message, &["1.0.0", "2.0.0", "upgradeFrom", "1.1.0"])?;
    stage.say(message);
    let app = stage.get("mwapp", STANDALONE)?;
    look::told(&app, "Ready", "True")?;
    let pinned = look::text(&app, "/status/pin/pluginVersion");
    ensure!(pinned == "1.0.0", "session is pinned to {pinned}");
    let changed = look::differences(&before, &stage.pod_uids(STANDALONE)?);
    ensure!(changed.is_empty(), "pods changed: {}", changed.join(", "));
    stage.show(&["get", "mwapp", STANDALONE])?;

    pin(stage, STANDALONE, "1.1.0")?;
    stage.wait(120, "session runs by 1.1.0", || {
        runs_by(stage, STANDALONE, "1.1.0")
    })?;
    redis::await_value(stage, "session-redis", "before", "everything")?;
    held_for_the_way_back(stage)?;
    for app in [STANDALONE, REPLICATION] {
        pin(stage, app, "2.0.0")?;
    }
    for app in [STANDALONE, REPLICATION] {
        let what = format!("{app} runs by 2.0.0");
        stage.wait(240, &what, || runs_by(stage, app, "2.0.0"))?;
    }
    redis::await_value(stage, PRIMARY, "written-before", "the upgrade")?;
    comes_back(stage)
}

/// A misspelt plugin and a version that nobody published: Pending, with what there is.
pub fn unknown(stage: &mut Stage) -> Result<()> {
    let cases = [
        ("misspelt", "rediss", "1.1.0", "UnknownPlugin", "redis"),
        ("unpublished", "redis", "9.9.9", "UnknownVersion", "1.1.0"),
    ];
    for (name, plugin, version, reason, choice) in cases {
        stage.kubectl.apply(&app(name, plugin, version))?;
        let message = refusal(stage, name, reason)?;
        look::names_all(&message, &[choice])?;
        let app = stage.get("mwapp", name)?;
        ensure!(
            look::text(&app, "/status/phase") == "Pending",
            "{}",
            look::conditions(&app)
        );
        ensure!(stage.pods(name)?.is_empty(), "{name} has pods");
        stage.say(format!(
            "plugin: {plugin}, pluginVersion: {version}: {message}"
        ));
        stage
            .kubectl
            .run(&["-n", NAMESPACE, "delete", "mwapp", name, "--timeout=60s"])?;
    }
    Ok(())
}

/// An App of one Redis.
pub fn app(name: &str, plugin: &str, version: &str) -> String {
    format!(
        "{{apiVersion: middleware.io/v1alpha1, kind: App, metadata: {{name: {name}, namespace: {NAMESPACE}}}, \
         spec: {{plugin: {plugin}, pluginVersion: {version}, topology: standalone}}}}"
    )
}

fn pin(stage: &Stage, app: &str, version: &str) -> Result<()> {
    let patch = format!(r#"{{"spec":{{"pluginVersion":"{version}"}}}}"#);
    stage.show(&[
        "-n",
        NAMESPACE,
        "patch",
        "mwapp",
        app,
        "--type=merge",
        "-p",
        &patch,
    ])?;
    Ok(())
}

fn refusal(stage: &Stage, app: &str, reason: &str) -> Result<String> {
    stage.wait(60, &format!("the pin of {app} is refused"), || {
        let app = stage.get("mwapp", app)?;
        Ok(look::told_why(&app, "PinAccepted", "False", reason)?.to_owned())
    })
}

/// Everything of the App is of the version, and Ready.
fn runs_by(stage: &Stage, app: &str, version: &str) -> Result<()> {
    let object: Value = stage.get("mwapp", app)?;
    look::told(&object, "Ready", "True")?;
    let pinned = look::text(&object, "/status/pin/pluginVersion");
    ensure!(pinned == version, "{app} is pinned to {pinned}");
    ensure!(
        look::text(&object, "/status/phase") == "Running",
        "{}",
        look::conditions(&object)
    );
    for pod in stage.pods(app)? {
        let label = look::text(&pod, "/metadata/labels/middleware.io~1version");
        ensure!(label == version, "{} is of {label}", look::name(&pod));
    }
    Ok(())
}
