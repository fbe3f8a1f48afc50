//! A client of PostgreSQL: a pod of its own that knows the Service, and user and password from the
//! Secret.

use crate::{
    look,
    stage::{NAMESPACE, Stage},
};
use anyhow::{Context, Result, ensure};
use std::time::Instant;

const MANIFEST: &str = include_str!("../../../manifests/psql.yaml");
const EXEC: [&str; 5] = ["-n", NAMESPACE, "exec", "psql", "--"];
/// How long pgbench runs, seconds.
const BENCH: &str = "5";

/// Makes the client's pod.
pub fn start(stage: &Stage) -> Result<()> {
    stage.kubectl.apply(MANIFEST)?;
    stage.wait(60, "the client runs", || {
        look::told(&stage.get("pod", "psql")?, "Ready", "True").map(drop)
    })
}

/// Removes it.
pub fn stop(stage: &Stage) -> Result<()> {
    stage
        .kubectl
        .run(&["-n", NAMESPACE, "delete", "pod", "psql", "--now"])?;
    Ok(())
}

/// A program in the client's pod.
pub fn run(stage: &Stage, command: &[&str]) -> Result<String> {
    stage.kubectl.run(&[&EXEC, command].concat())
}

/// What PostgreSQL answers, through the Service, with the generated password.
pub fn query(stage: &Stage, sql: &str) -> Result<String> {
    run(
        stage,
        &["psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-qAtc", sql],
    )
}

/// The same, shown to the person.
pub fn show(stage: &Stage, sql: &str) -> Result<String> {
    let said = query(stage, sql)?;
    stage.voice.command(&format!("psql -c \"{sql}\""));
    stage.voice.output(&said);
    Ok(said)
}

/// What it answers to another password.
pub fn with_password(stage: &Stage, password: &str, sql: &str) -> Result<String> {
    let password = format!("PGPASSWORD={password}");
    run(
        stage,
        &["env", &password, "psql", "--no-psqlrc", "-qAtc", sql],
    )
}

/// The password that was generated, as the Secret has it.
pub fn password(stage: &Stage) -> Result<String> {
    let template = "-ogo-template={{index .data \"superuser-password\" | base64decode}}";
    stage
        .kubectl
        .run(&["-n", NAMESPACE, "get", "secret", super::SECRET, template])
}

/// pgbench's tables, and a short run of two clients without a failed transaction.
pub fn bench(stage: &Stage) -> Result<()> {
    run(stage, &["pgbench", "--initialize", "--quiet", "--scale=1"])?;
    let start = Instant::now();
    let flags = ["--client=2", "--time", BENCH];
    let said = run(stage, &[&["pgbench"], &flags[..]].concat())?;
    stage.voice.command(&format!("pgbench {}", flags.join(" ")));
    let number = |label: &str| -> Result<f64> {
        let line = said.lines().find_map(|line| line.strip_prefix(label));
        let word = line.and_then(|rest| rest.split_whitespace().next());
        word.and_then(|word| word.parse().ok())
            .with_context(|| said.clone())
    };
    let done = number("number of transactions actually processed: ")?;
    let failed = number("number of failed transactions: ")?;
    ensure!(done > 0.0 && failed == 0.0, "{said}");
    stage.say(format!(
        "pgbench: {done} transactions in {:.0} s, none failed",
        start.elapsed().as_secs_f64()
    ));
    Ok(())
}
