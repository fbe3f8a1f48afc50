//! `sidecar` and `ready` beside a supervisor, without a token and with nobody at the API server's
//! address: what a member says of itself must not depend on that.

use crate::place::{Job, Place, SIDECAR, eventually, is};
use api::agent::{ActionTable, CONTENT_DIR, CONTENT_REVISION_FILE, OBSERVED_FILE, SCRIPTS_DIR};
use api::probe::Observed;
use std::fs;
use std::time::{Duration, Instant};

const REVISION: &str = "0a1b2c3d";

/// A probe that says what stands in a file.
fn said(place: &Place) -> String {
    format!("cat {}", place.scratch("role").display())
}

fn says(place: &Place, json: &str) {
    let next = place.scratch("role.next");
    fs::write(&next, json).unwrap();
    fs::rename(next, place.scratch("role")).unwrap();
}

/// A pod whose member is a primary.
fn pod() -> Place {
    let place = Place::new();
    place.annotate(CONTENT_REVISION_FILE, REVISION);
    place.sync_probe(REVISION, &said(&place));
    says(
        &place,
        r#"{"role":"primary","writable":true,"position":1,"lineage":"a"}"#,
    );
    place
}

fn observed(place: &Place) -> Result<Observed, String> {
    let bytes = fs::read(place.root.at(OBSERVED_FILE)).map_err(|error| error.to_string())?;
    Ok(serde_json::from_slice(&bytes).unwrap())
}

fn becomes(place: &Place, role: &str, healthy: bool) {
    eventually("it is observed", || {
        let Observed {
            role: seen,
            healthy: seen_healthy,
            ..
        } = observed(place)?;
        is(&(seen.as_deref(), seen_healthy), &(Some(role), healthy))
    });
}

#[test]
fn the_role_is_observed_and_the_member_ready_while_the_api_server_is_away() {
    let place = pod();
    assert_eq!(place.asks("ready").unwrap_err(), "nothing was probed yet");
    let _supervisor = place.supervise("exec sleep 100");
    let mut sidecar = Job::start(&mut place.agent(&SIDECAR));
    becomes(&place, "primary", true);
    place.asks("ready").unwrap();
    // An attempt to reach the API server has failed by now, and is being repeated.
    std::thread::sleep(Duration::from_millis(1500));
    says(&place, r#"{"role":"replica"}"#);
    becomes(&place, "replica", true);
    assert!(sidecar.runs());
}

#[test]
fn a_probe_that_fails_takes_the_member_out() {
    let place = pod();
    let _supervisor = place.supervise("exec sleep 100");
    let _sidecar = Job::start(&mut place.agent(&SIDECAR));
    becomes(&place, "primary", true);
    fs::remove_file(place.scratch("role")).unwrap();
    becomes(&place, "primary", false);
    let why = place.asks("ready").unwrap_err();
    assert!(
        why.starts_with("probe failed with exit code 1: cat: "),
        "{why}"
    );
}

#[test]
fn a_process_that_crashes_takes_the_member_out_and_back_in() {
    let place = pod();
    let _supervisor = place.supervise("echo $$ >>pids; exec sleep 100");
    let _sidecar = Job::start(&mut place.agent(&SIDECAR));
    becomes(&place, "primary", true);
    let pid = place.read("pids").trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    becomes(&place, "primary", false);
    let why = place.asks("ready").unwrap_err();
    assert!(
        why.starts_with("process redis ended with signal 9 (SIGKILL)"),
        "{why}"
    );
    becomes(&place, "primary", true);
    assert_eq!(place.read("pids").lines().count(), 2);
}

#[test]
fn without_a_probe_a_member_is_healthy_while_its_process_runs() {
    let place = pod();
    place.sync_table(REVISION, &ActionTable::default());
    let mut supervisor = place.supervise("exec sleep 100");
    let _sidecar = Job::start(&mut place.agent(&SIDECAR));
    eventually("it is ready", || place.asks("ready"));
    assert_eq!(observed(&place).unwrap().role, None);
    supervisor.stop();
    eventually("it is not ready", || {
        is(&place.asks("ready").is_err(), &true)
    });
    assert_eq!(
        place.asks("ready").unwrap_err(),
        "cannot reach the supervisor"
    );
}

#[test]
fn a_new_content_revision_is_followed_once_it_is_all_there() {
    let place = pod();
    place.sync(CONTENT_DIR, &format!("{REVISION}.probe.sh"), "old");
    let _supervisor = place.supervise("exec sleep 100");
    let _sidecar = Job::start(&mut place.agent(&SIDECAR));
    becomes(&place, "primary", true);
    let script = || fs::read_to_string(place.root.at(SCRIPTS_DIR).join("probe.sh")).unwrap();
    assert_eq!(script(), "old");

    place.annotate(CONTENT_REVISION_FILE, "ffffffff");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(
        (script().as_str(), observed(&place).unwrap().healthy),
        ("old", true)
    );

    place.sync(CONTENT_DIR, "ffffffff.probe.sh", "new");
    place.sync_probe("ffffffff", "echo '{\"role\":\"replica\"}'");
    becomes(&place, "replica", true);
    assert_eq!(script(), "new");
}

#[test]
fn asked_to_end_it_says_one_last_word_and_is_not_held_up_by_the_api_server() {
    let place = pod();
    let _supervisor = place.supervise("exec sleep 100");
    let mut sidecar = Job::start(&mut place.agent(&SIDECAR));
    becomes(&place, "primary", true);
    let asked = Instant::now();
    assert_eq!(sidecar.stop(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(5));
    becomes(&place, "primary", false);
    assert_eq!(
        place.asks("ready").unwrap_err(),
        "the sidecar was asked to end"
    );
}

#[test]
fn a_sidecar_that_is_gone_makes_the_member_stale() {
    let place = pod();
    let _supervisor = place.supervise("exec sleep 100");
    let sidecar = Job::start(&mut place.agent(&SIDECAR));
    becomes(&place, "primary", true);
    sidecar.signal(rustix::process::Signal::KILL);
    let file = fs::File::options()
        .append(true)
        .open(place.root.at(OBSERVED_FILE))
        .unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(11))
        .unwrap();
    let why = place.asks("ready").unwrap_err();
    assert_eq!(why, "the last probe ended 11 s ago, more than 10 s");
}
