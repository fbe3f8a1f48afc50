//! Real children under one reaper. A test binary of its own: the reaper owns `waitpid` of the whole
//! process, so nothing here may start a child in another way.

// The helpers of tests are tests too; clippy looks for the attribute only.
#![allow(clippy::unwrap_used, clippy::panic)]

use agent::probe::{self, Action, ProbeError, Reading};
use agent::reaper::{Child, End, Reaper};
use api::agent::{ProbeAction, ProbeOutput};
use rustix::process::{Pid, Signal, test_kill_process};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};

/// The one reaper of this process, on a runtime of its own that outlives every test's.
fn reaper() -> &'static Reaper {
    static REAPER: OnceLock<Arc<Reaper>> = OnceLock::new();
    REAPER.get_or_init(|| {
        let (started, reaper) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                started.send(Reaper::start().unwrap()).unwrap();
                std::future::pending::<()>().await;
            });
        });
        reaper.recv().unwrap()
    })
}

fn shell(script: &str) -> Child {
    reaper()
        .spawn(Command::new("sh").args(["-c", script]))
        .unwrap()
}

fn action(script: &str, output: ProbeOutput) -> Action {
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    let (interval_millis, timeout_millis) = (1000, 2000);
    Action::parse(&ProbeAction {
        command,
        interval_millis,
        timeout_millis,
        output,
    })
    .unwrap()
}

async fn probe(script: &str) -> Result<Reading, ProbeError> {
    probe::run(reaper(), &action(script, ProbeOutput::Json)).await
}

/// Processes that ended below this one and that nobody has reaped.
fn zombies() -> Vec<String> {
    let own = std::process::id().to_string();
    let stats = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = stats.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    stats
        .filter(|stat| {
            let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
            fields.next() == Some("Z") && fields.next() == Some(&own)
        })
        .collect()
}

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 10 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn alive(pid_file: &Path) -> bool {
    let pid: i32 = std::fs::read_to_string(pid_file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
}

#[tokio::test]
async fn two_hundred_children_at_once_each_with_its_own_code_and_no_orphan_left() {
    let script = |n: i32| format!("setsid sh -c 'sleep 0.3' & (sleep 0.1; exit 9) & exit {n}");
    let children: Vec<Child> = (0..200).map(|n| shell(&script(n))).collect();
    for (n, mut child) in (0..).zip(children) {
        assert_eq!(child.end().await, End::Exited(n));
        assert_eq!(child.end().await, End::Exited(n), "it may be asked again");
    }
    // The orphans outlive the children: they are adopted, and reaped as they end.
    tokio::time::sleep(Duration::from_millis(400)).await;
    eventually("no zombie is left", || zombies().is_empty()).await;
}

#[tokio::test]
async fn an_end_by_signal_is_told_from_an_exit() {
    let mut child = shell("exec sleep 100");
    reaper().signal(child.pid, Signal::USR1).unwrap();
    let end = child.end().await;
    assert_eq!(end, End::Signaled(10));
    assert_eq!(
        (end.code(), end.to_string().as_str()),
        (138, "signal 10 (SIGUSR1)")
    );
    reaper().signal(child.pid, Signal::KILL).unwrap();
    assert!(reaper().group_is_empty(child.pid));
}

#[tokio::test]
async fn a_command_that_does_not_exist_leaves_nothing() {
    let started = reaper().spawn(&mut Command::new("/no/such/program"));
    assert!(started.is_err());
    eventually("no zombie is left", || zombies().is_empty()).await;
}

#[tokio::test]
async fn a_probe_that_prints_json_is_read() {
    let reading = probe(r#"echo '{"role":"primary","writable":true,"position":9}'"#)
        .await
        .unwrap();
    assert_eq!(
        (reading.role.as_str(), reading.writable, reading.position),
        ("primary", true, 9)
    );
}

#[tokio::test]
async fn a_stock_command_is_read_by_a_pattern() {
    let roles = [("master".to_owned(), "primary".to_owned())].into();
    let pattern = "role:([a-z]+)".to_owned();
    let action = action("echo role:master", ProbeOutput::Pattern { pattern, roles });
    assert_eq!(
        probe::run(reaper(), &action).await.unwrap().role.as_str(),
        "primary"
    );
}

#[test]
fn a_pattern_that_would_not_fit_the_agents_memory_is_refused() {
    let pattern = r"(\w{1000}){100}".to_owned();
    let output = ProbeOutput::Pattern {
        pattern,
        roles: [].into(),
    };
    let command = vec!["true".to_owned()];
    let probe = ProbeAction {
        command,
        interval_millis: 1000,
        timeout_millis: 1000,
        output,
    };
    assert!(
        Action::parse(&probe)
            .unwrap_err()
            .to_string()
            .contains("size limit")
    );
}

#[tokio::test]
async fn a_failed_probe_says_how_and_the_first_line_of_why() {
    let failed = probe("echo 'Could not connect' >&2; echo more >&2; exit 3")
        .await
        .unwrap_err();
    assert_eq!(
        failed.to_string(),
        "probe failed with exit code 3: Could not connect"
    );
    let missing = Action::parse(&ProbeAction {
        command: vec!["/no/such/program".to_owned()],
        interval_millis: 1,
        timeout_millis: 1000,
        output: ProbeOutput::Json,
    });
    let error = probe::run(reaper(), &missing.unwrap()).await.unwrap_err();
    assert!(matches!(error, ProbeError::Start { .. }), "{error}");
}

#[tokio::test]
async fn a_probe_that_hangs_is_killed_with_all_that_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let started = Instant::now();
    let script = format!(
        "trap '' TERM; sleep 100 & echo $! >{}; wait; wait",
        file.display()
    );
    assert!(matches!(probe(&script).await, Err(ProbeError::TimedOut(_))));
    assert!(started.elapsed() < Duration::from_secs(10));
    eventually("its helper is gone", || !alive(&file)).await;
}

#[tokio::test]
async fn what_a_probe_leaves_running_neither_delays_nor_outlives_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let script = format!(
        "sleep 100 & echo $! >{}; echo '{{\"role\":\"primary\"}}'",
        file.display()
    );
    probe(&script).await.unwrap();
    eventually("its helper is gone", || !alive(&file)).await;
}

#[tokio::test]
async fn a_daemon_that_keeps_the_output_open_counts_as_a_hang() {
    let dir = tempfile::tempdir().unwrap();
    let up = dir.path().join("up");
    let up = up.display();
    let daemon = format!("setsid sh -c 'echo >{up}; sleep 5' & until [ -e {up} ]; do :; done");
    let daemon = probe(&format!("{daemon}; echo '{{\"role\":\"primary\"}}'")).await;
    assert!(matches!(daemon, Err(ProbeError::TimedOut(_))));
}

#[tokio::test]
async fn a_probe_that_prints_without_end_is_killed() {
    let started = Instant::now();
    assert!(matches!(probe("yes").await, Err(ProbeError::Oversized)));
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "it need not time out"
    );
}

#[tokio::test]
async fn a_probe_with_much_to_complain_about_is_still_heard() {
    let script = "yes complaint | head -c 1000000 >&2; echo '{\"role\":\"replica\"}'";
    assert_eq!(probe(script).await.unwrap().role.as_str(), "replica");
}

#[tokio::test]
async fn a_probe_that_nobody_waits_for_any_more_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let script = format!("echo $$ >{}; exec sleep 100", file.display());
    let dropped = tokio::time::timeout(Duration::from_millis(500), probe(&script)).await;
    assert!(dropped.is_err());
    eventually("it is gone", || !alive(&file)).await;
}
