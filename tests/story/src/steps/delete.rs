//! Step 8, the end: what the deletion of an App does to its data is what its policy says.

use crate::{
    look, redis,
    stage::{NAMESPACE, Stage},
    steps::{run::STANDALONE, upgrade::app},
};
use anyhow::{Result, ensure};
use serde_json::Value;

/// KeepVolumes, Protected, Delete, one after the other.
pub fn policies(stage: &mut Stage) -> Result<()> {
    keep(stage)?;
    protected(stage)?;
    delete(stage)
}

/// The default: the claim stays, and an App of the same name finds its data again.
fn keep(stage: &Stage) -> Result<()> {
    let claims = claims(stage)?;
    ensure!(claims.len() == 1, "claims: {claims:?}");
    redis::ask(stage, "session-redis", &["SET", "kept", "yes"])?;
    remove(stage)?;
    ensure!(
        self::claims(stage)? == claims,
        "the claims are {:?}",
        self::claims(stage)?
    );
    stage.say("KeepVolumes: pods are gone, the volume is there");
    stage.kubectl.apply(&app(STANDALONE, "redis", "1.1.0"))?;
    stage.wait_for(120, "mwapp", STANDALONE, "Ready")?;
    redis::await_value(stage, "session-redis", "kept", "yes")?;
    redis::show(stage, "session-redis", &["GET", "kept"])?;
    ensure!(
        self::claims(stage)? == claims,
        "the claims are {:?}",
        self::claims(stage)?
    );
    Ok(())
}

/// Deletion is held, the App runs on.
fn protected(stage: &Stage) -> Result<()> {
    policy(stage, "Protected")?;
    stage.kubectl.run(&[
        "-n",
        NAMESPACE,
        "delete",
        "mwapp",
        STANDALONE,
        "--wait=false",
    ])?;
    let message = stage.wait(60, "the deletion is held", || {
        let app = stage.get("mwapp", STANDALONE)?;
        Ok(look::told_why(&app, "DeletionHeld", "True", "Protected")?.to_owned())
    })?;
    stage.say(format!("Protected: {message}"));
    redis::await_value(stage, "session-redis", "kept", "yes")
}

/// The policy becomes Delete: the held deletion goes on, and takes the claim with it.
fn delete(stage: &Stage) -> Result<()> {
    policy(stage, "Delete")?;
    gone(stage)?;
    stage.wait(60, "the claims are gone", || {
        let left = claims(stage)?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })?;
    stage.say("Delete: pods and volume are gone");
    Ok(())
}

fn remove(stage: &Stage) -> Result<()> {
    stage.show(&[
        "-n",
        NAMESPACE,
        "delete",
        "mwapp",
        STANDALONE,
        "--wait=false",
    ])?;
    gone(stage)
}

/// The App and everything but its claims is gone.
fn gone(stage: &Stage) -> Result<()> {
    stage.wait(120, "the App and its pods are gone", || {
        let found = stage.kubectl.run(&[
            "-n",
            NAMESPACE,
            "get",
            "mwapp",
            STANDALONE,
            "--ignore-not-found",
        ])?;
        ensure!(found.is_empty(), "{found}");
        let label = format!("middleware.io/app={STANDALONE}");
        let left = stage.list(&[
            "mwc,mwg,pods,services,configmaps,leases",
            "-n",
            NAMESPACE,
            "-l",
            &label,
        ])?;
        let left: Vec<String> = left.iter().map(look::name).collect();
        ensure!(left.is_empty(), "{}", left.join(", "));
        Ok(())
    })
}

fn policy(stage: &Stage, policy: &str) -> Result<()> {
    let patch = format!(r#"{{"spec":{{"deletionPolicy":"{policy}"}}}}"#);
    stage.show(&[
        "-n",
        NAMESPACE,
        "patch",
        "mwapp",
        STANDALONE,
        "--type=merge",
        "-p",
        &patch,
    ])?;
    Ok(())
}

/// Name and uid of each claim.
fn claims(stage: &Stage) -> Result<Vec<(String, String)>> {
    let label = format!("middleware.io/app={STANDALONE}");
    let claims = stage.list(&["pvc", "-n", NAMESPACE, "-l", &label])?;
    let entry = |c: &Value| (look::name(c), look::text(c, "/metadata/uid").to_owned());
    Ok(claims.iter().map(entry).collect())
}
