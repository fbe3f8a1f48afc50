//! memcached, an addon of a few lines: what it says is all that it takes to serve clients.

use crate::{addon, look, stage::NAMESPACE, stage::Stage};
use anyhow::{Result, ensure};
use std::time::Instant;

/// The App of `docs/examples/app-memcached.yaml`.
const APP: &str = "sessions";

/// Published, made, asked; each member keeps what it was given, and says how it was started.
pub fn serves(stage: &mut Stage) -> Result<()> {
    addon::add_of(stage, "memcached", "1.0.0")?;
    addon::publish(stage, "Add memcached 1.0.0", "memcached-1.0.0")?;
    let example = stage.checkout("docs/examples/app-memcached.yaml");
    stage.show(&["apply", "-f", &example.to_string_lossy()])?;
    let start = Instant::now();
    stage.wait_for(120, "mwapp", APP, "Ready")?;
    stage.measure("App applied → Ready, memcached", start.elapsed());

    let one = "sessions-memcached-0-1.sessions-memcached-0-h";
    ensure!(ask(stage, one, "set greeting 0 0 5\\r\\nhello")?.starts_with("STORED"));
    look::names_all(
        &ask(stage, one, "get greeting")?,
        &["VALUE greeting 0 5", "hello"],
    )?;
    let other = "sessions-memcached-0-0.sessions-memcached-0-h";
    let nothing = ask(stage, other, "get greeting")?;
    ensure!(nothing.trim() == "END", "members share: {nothing}");

    // Through the Service it is one member or the other; both were started as the App says.
    let settings = ask(stage, "sessions-memcached", "stats settings")?;
    look::names_all(&settings, &["STAT num_threads 2\r", "STAT maxconns 1024\r"])?;
    stage.say(
        "Two members that share nothing, with the App's `threads: 2` and the schema's default",
    );
    let delete = ["-n", NAMESPACE, "delete", "mwapp", APP, "--wait=false"];
    stage.kubectl.run(&delete)?;
    Ok(())
}

/// What memcached answers, by its own protocol.
fn ask(stage: &Stage, host: &str, command: &str) -> Result<String> {
    let line = format!("printf '{command}\\r\\nquit\\r\\n' | nc {host} 11211");
    let args = ["-n", NAMESPACE, "exec", "client", "--", "sh", "-c", &line];
    stage.kubectl.run(&args)
}
