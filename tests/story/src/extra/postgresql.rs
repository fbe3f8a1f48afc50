//! PostgreSQL, an addon like any other: its clients' data, its parameters, its password.

mod client;
mod parameters;
mod prepare;

pub use parameters::are_the_servers_own;
pub use prepare::survives_being_killed;

use crate::{
    addon, look,
    stage::{NAMESPACE, Stage},
};
use anyhow::{Result, ensure};
use client::{query, show};
use serde_json::Value;
use std::time::{Duration, Instant};

/// The App of `docs/examples/app-postgresql.yaml`.
const APP: &str = "accounts";
const POD: &str = "accounts-postgresql-0-0";
const SECRET: &str = "accounts-postgresql-credentials";
/// What `docs/examples/app-postgresql.yaml` sets, and one of its profile.
const SET: [(&str, &str); 6] = [
    ("max_connections", "40"),
    ("work_mem", "8MB"),
    ("statement_timeout", "1min"),
    ("synchronous_commit", "remote_write"),
    ("log_line_prefix", "%m [%p] it's %u "),
    ("log_min_duration_statement", "100ms"),
];
/// From a changed parameter to the server that has it: five times the 1 s that is aimed at.
const RELOADED: Duration = Duration::from_secs(5);
/// A pod is replaced, and its server starts without recovery.
const RESTARTED: u64 = 120;

/// Published, made, and used by real clients with the generated password.
pub fn serves(stage: &mut Stage) -> Result<()> {
    addon::add_of(stage, "postgresql", "1.0.0")?;
    addon::publish(stage, "Add postgresql 1.0.0", "postgresql-1.0.0")?;
    apply(stage)?;
    let start = Instant::now();
    stage.wait_for(180, "mwapp", APP, "Ready")?;
    stage.measure("App applied → Ready, PostgreSQL", start.elapsed());
    stage.show(&["get", "mwapp", APP])?;
    client::start(stage)?;

    for (parameter, value) in SET {
        let found = query(stage, &format!("SHOW {parameter}"))?;
        // kubectl's output is taken without the blanks at its end.
        ensure!(
            found == value.trim_end(),
            "{parameter} is `{found}`, not `{value}`"
        );
    }
    stage.say("Every parameter of the App and of its profile is in force");
    ensure!(query(stage, "SHOW data_checksums")? == "on", "no checksums");
    show(stage, "SELECT current_user, inet_server_port()")?;
    let refused = client::with_password(stage, "a wrong one", "SELECT 1");
    let refused = refused.err().map(|e| e.to_string()).unwrap_or_default();
    look::names_all(&refused, &["password authentication failed"])?;
    silent_about_the_password(stage)?;
    client::bench(stage)
}

/// The password stands in no log, and in no command line of a process.
fn silent_about_the_password(stage: &Stage) -> Result<()> {
    let password = client::password(stage)?;
    ensure!(password.len() == 32, "{} characters", password.len());
    let logs = ["-n", NAMESPACE, "logs", POD, "--all-containers"];
    let lines = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '";
    let lines = [
        "-n", NAMESPACE, "exec", POD, "-c", "main", "--", "sh", "-c", lines,
    ];
    for args in [&logs[..], &lines[..]] {
        let said = stage.kubectl.run(args)?;
        let told = said.to_lowercase().contains("postgres");
        ensure!(told, "{args:?} told nothing of the server: {said}");
        ensure!(!said.contains(&password), "the password stands in {args:?}");
    }
    Ok(())
}

/// A deleted pod was stopped cleanly and comes back with its data; the password is the same.
pub fn comes_back(stage: &mut Stage) -> Result<()> {
    query(stage, "CREATE TABLE kept AS SELECT 'before' AS said")?;
    let (before, password) = (pod(stage)?, client::password(stage)?);
    stage.show(&["-n", NAMESPACE, "delete", "pod", POD, "--wait=false"])?;
    let start = Instant::now();
    await_another(stage, &before.uid)?;
    stage.measure(
        "PostgreSQL pod deleted → its successor Ready",
        start.elapsed(),
    );
    ensure!(query(stage, "SELECT said FROM kept")? == "before");
    ensure!(client::password(stage)? == password, "another password");
    was_shut_down(stage)
}

/// What the server found when it started: the log of the one before ends with a checkpoint.
fn was_shut_down(stage: &Stage) -> Result<()> {
    let log = stage
        .kubectl
        .run(&["-n", NAMESPACE, "logs", POD, "-c", "main"])?;
    let found = log
        .lines()
        .find(|line| line.contains("database system was"));
    let found = found.unwrap_or_default();
    ensure!(found.contains("database system was shut down at"), "{log}");
    stage.say(found);
    Ok(())
}

/// A value that the schema refuses: told by parameter, value and rule, and the App runs on.
pub fn refuses(stage: &mut Stage) -> Result<()> {
    let before = pod(stage)?;
    let cases: [(&str, &str, &[&str]); 3] = [
        (
            r#"{"work_mem": 32}"#,
            r#"{"work_mem": 8192}"#,
            &["work_mem", "32", "64"],
        ),
        (
            r#"{"superuser_reserved_connections": 50}"#,
            r#"{"superuser_reserved_connections": null}"#,
            &["superuser_reserved_connections", "50", "40"],
        ),
        (
            r#"{"work_men": 8192}"#,
            r#"{"work_men": null}"#,
            &["work_men", "work_mem"],
        ),
    ];
    for (wrong, right, parts) in cases {
        set(stage, wrong)?;
        let message = stage.wait(30, "the parameters are refused", || {
            let app = stage.get("mwapp", APP)?;
            let told = look::told_why(&app, "PinAccepted", "False", "InvalidSettings")?;
            Ok(told.to_owned())
        })?;
        look::names_all(&message, parts)?;
        stage.say(message);
        look::told(&stage.get("mwapp", APP)?, "Ready", "True")?;
        set(stage, right)?;
    }
    stage.wait(30, "the App is accepted again", || {
        look::told(&stage.get("mwapp", APP)?, "PinAccepted", "True").map(drop)
    })?;
    ensure!(query(stage, "SHOW work_mem")? == "8MB", "work_mem changed");
    ensure!(pod(stage)? == before, "the pod changed");
    Ok(())
}

/// A parameter that is reloaded takes effect in the same process; one that needs a restart gets it.
pub fn reconfigures(stage: &mut Stage) -> Result<()> {
    let (before, started) = (pod(stage)?, query(stage, STARTED)?);
    set(stage, r#"{"work_mem": 16384}"#)?;
    let start = Instant::now();
    await_shown(stage, "work_mem", "16MB")?;
    let took = start.elapsed();
    stage.measure("reload of a parameter → in force", took);
    ensure!(
        query(stage, STARTED)? == started,
        "the server was started again"
    );
    ensure!(pod(stage)? == before, "the pod changed");
    stage.say(format!(
        "work_mem: 16MB after {:.1} s, same pod, same server",
        took.as_secs_f64()
    ));

    set(stage, r#"{"max_connections": 45}"#)?;
    let start = Instant::now();
    await_another(stage, &before.uid)?;
    stage.measure("restart for a parameter → Ready", start.elapsed());
    await_shown(stage, "max_connections", "45")?;
    ensure!(
        query(stage, "SHOW work_mem")? == "16MB",
        "work_mem went back"
    );
    ensure!(query(stage, "SELECT said FROM kept")? == "before");
    was_shut_down(stage)?;
    ensure!(took < RELOADED, "a reload took {took:?}");
    Ok(())
}

/// Deleted with its volumes kept, and made again: data and password are those of before.
pub fn is_kept(stage: &mut Stage) -> Result<()> {
    let uid = |stage: &Stage| -> Result<[String; 2]> {
        let uid = |kind, name| -> Result<String> {
            Ok(look::text(&stage.get(kind, name)?, "/metadata/uid").to_owned())
        };
        Ok([uid("secret", SECRET)?, uid("pvc", &format!("data-{POD}"))?])
    };
    let (before, password) = (uid(stage)?, client::password(stage)?);
    delete(stage)?;
    ensure!(uid(stage)? == before, "Secret or claim is another");
    stage.say("Deleted: the volume is there, and the Secret with the password");
    apply(stage)?;
    stage.wait_for(120, "mwapp", APP, "Ready")?;
    ensure!(uid(stage)? == before, "Secret or claim is another");
    ensure!(client::password(stage)? == password, "another password");
    ensure!(query(stage, "SELECT said FROM kept")? == "before");
    show(stage, "SELECT said FROM kept")?;
    was_shut_down(stage)?;
    is_deleted(stage)
}

/// Deletion policy `Delete` takes volume and Secret too.
fn is_deleted(stage: &Stage) -> Result<()> {
    client::stop(stage)?;
    patch(stage, r#"{"spec":{"deletionPolicy":"Delete"}}"#)?;
    delete(stage)?;
    stage.wait(60, "Secret and claim are gone", || {
        let label = format!("middleware.io/app={APP}");
        let left = stage.list(&["secrets,pvc", "-n", NAMESPACE, "-l", &label])?;
        let left: Vec<String> = left.iter().map(look::name).collect();
        ensure!(left.is_empty(), "{}", left.join(", "));
        let found = [
            "-n",
            NAMESPACE,
            "get",
            "secret",
            SECRET,
            "--ignore-not-found",
        ];
        ensure!(stage.kubectl.run(&found)?.is_empty(), "{SECRET} is there");
        Ok(())
    })
}

const STARTED: &str = "SELECT pg_postmaster_start_time()";

/// What must not change where a pod goes on.
#[derive(Debug, PartialEq)]
struct Pod {
    uid: String,
    restarts: Vec<u64>,
}

fn pod(stage: &Stage) -> Result<Pod> {
    let pod = stage.get("pod", POD)?;
    let containers = look::list(&pod, "/status/containerStatuses");
    let restarts = containers.iter().filter_map(|c| c["restartCount"].as_u64());
    Ok(Pod {
        uid: look::text(&pod, "/metadata/uid").to_owned(),
        restarts: restarts.collect(),
    })
}

fn await_another(stage: &Stage, old: &str) -> Result<()> {
    stage.wait(RESTARTED, &format!("another {POD} is Ready"), || {
        let pod: Value = stage.get("pod", POD)?;
        ensure!(
            look::text(&pod, "/metadata/uid") != old,
            "the old one is there"
        );
        look::told(&pod, "Ready", "True")?;
        look::told(&stage.get("mwapp", APP)?, "Ready", "True").map(drop)
    })
}

fn await_shown(stage: &Stage, parameter: &str, value: &str) -> Result<()> {
    stage.wait(60, &format!("{parameter} is {value}"), || {
        let found = query(stage, &format!("SHOW {parameter}"))?;
        ensure!(found == value, "{found}");
        Ok(())
    })
}

fn apply(stage: &Stage) -> Result<()> {
    let example = stage.checkout("docs/examples/app-postgresql.yaml");
    stage.show(&["apply", "-f", &example.to_string_lossy()])?;
    Ok(())
}

/// Adds parameters to those of the App.
fn set(stage: &Stage, parameters: &str) -> Result<()> {
    let config = format!(r#"{{"config":{{"parameters":{parameters}}}}}"#);
    patch(
        stage,
        &format!(r#"{{"spec":{{"components":{{"postgresql":{config}}}}}}}"#),
    )
}

fn patch(stage: &Stage, patch: &str) -> Result<()> {
    stage.show(&[
        "-n",
        NAMESPACE,
        "patch",
        "mwapp",
        APP,
        "--type=merge",
        "-p",
        patch,
    ])?;
    Ok(())
}

/// Deletes the App, and waits until it and its pods are gone.
fn delete(stage: &Stage) -> Result<()> {
    stage.show(&["-n", NAMESPACE, "delete", "mwapp", APP, "--wait=false"])?;
    stage.wait(120, "the App and its pods are gone", || {
        let app = ["-n", NAMESPACE, "get", "mwapp", APP, "--ignore-not-found"];
        let found = stage.kubectl.run(&app)?;
        ensure!(found.is_empty(), "{found}");
        let left = stage.pods(APP)?.len();
        ensure!(left == 0, "{left} pods");
        Ok(())
    })
}
