//! The addon's `prepare`, run as it runs in a pod, in the middleware's own image: killed at any time it
//! leaves nothing half-made.

use super::client::run;
use crate::stage::Stage;
use anyhow::{Result, ensure};

const SCRIPT: &str = "addons/postgresql/1.0.0/scripts/prepare.sh";
/// Seconds after which it is killed; a whole run takes about two.
const KILLS: [&str; 5] = ["0.1", "0.2", "0.4", "0.8", "1.2"];
const PGDATA: &str = "PGDATA=/tmp/try/pgdata";

/// Killed at several points, then run to its end, then again; then on data that is not its own.
pub fn survives_being_killed(stage: &mut Stage) -> Result<()> {
    let script = std::fs::read_to_string(stage.checkout(SCRIPT))?;
    // As an argument: what goes to the standard input of `exec` may come too late to be read.
    let write = "mkdir -p /tmp/try && printf %s \"$1\" >/tmp/prepare.sh";
    run(stage, &["sh", "-c", write, "write", &script])?;
    let prepare = |kill: &str| {
        let line = format!("setsid sh /tmp/prepare.sh >/tmp/said 2>&1 & {kill} wait $!");
        run(stage, &["env", PGDATA, "sh", "-c", &line])
    };
    let there = |what: &str| run(stage, &["sh", "-c", &format!("ls -A /tmp/try; {what}")]);

    let mut interrupted = 0;
    for after in KILLS {
        // Its exit status is that of whoever was killed first.
        let _ = prepare(&format!("sleep {after}; kill -KILL -$! || kill -KILL $!;"));
        let left = there("[ ! -e /tmp/try/pgdata ] || pg_controldata /tmp/try/pgdata")?;
        let made = left.lines().any(|name| name == "pgdata");
        let whole = left.contains("Database cluster state:               shut down\n");
        ensure!(made == whole, "killed after {after} s: {left}");
        interrupted += u32::from(!made);
    }
    ensure!(interrupted >= 2, "it was killed {interrupted} times only");
    prepare("")?;
    let made = there("cat /tmp/try/pgdata/PG_VERSION; md5sum /tmp/try/pgdata/global/pg_control")?;
    ensure!(made.starts_with("pgdata\n15\n"), "{made}");
    prepare("")?;
    let again = there("cat /tmp/try/pgdata/PG_VERSION; md5sum /tmp/try/pgdata/global/pg_control")?;
    ensure!(made == again, "{made} became {again}");
    stage.say(format!(
        "Killed {interrupted} times, it made the database whole, and once"
    ));

    there("echo 14 >/tmp/try/pgdata/PG_VERSION")?;
    ensure!(
        prepare("").is_err(),
        "it took the data of another major version"
    );
    let said = there("cat /tmp/said")?;
    ensure!(
        said.contains("data of PostgreSQL 14, and this is 15"),
        "{said}"
    );
    stage.say(said.lines().last().unwrap_or_default());
    Ok(())
}
