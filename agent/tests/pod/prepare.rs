//! `prepare`: what the supervisor does before it starts the process for the first time.

use crate::place::{Job, Place, eventually, is, script};
use api::agent::{ActionPlace, PREPARE, PREPARED_FILE, ProcessState, TABLE_FILE};
use rustix::process::{Pid, test_kill_process};
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

const PROCESS: &str = "echo up >>up; exec sleep 100";

/// A pod whose addon has this `prepare`, and a file for the container's last word.
fn pod(prepare: &str, timeout_millis: u64) -> Place {
    let place = Place::new();
    let mut action = script(ActionPlace::Main, prepare);
    action.timeout_millis = timeout_millis;
    place.use_actions(&[(PREPARE, action)]);
    fs::create_dir(place.scratch("dev")).unwrap();
    fs::write(place.scratch("dev/termination-log"), "").unwrap();
    place
}

fn start(place: &Place) -> Job {
    let log = fs::File::create(place.scratch("log")).unwrap();
    let output = log.try_clone().unwrap();
    Job::start(place.supervisor(&[], PROCESS).stdout(output).stderr(log))
}

fn up(place: &Place) {
    eventually("the process is up", || {
        is(&place.read("up"), &"up\n".to_owned())
    });
}

fn state(place: &Place, state: ProcessState) {
    eventually("the process is in the state", || {
        is(&place.status()?.processes[0].state(), &state)
    });
}

/// The last line of the container's log, and its last word.
fn last_words(place: &Place) -> (String, String) {
    let log = place.read("log");
    let last = log.lines().last().unwrap_or_default().to_owned();
    (last, place.read("dev/termination-log"))
}

fn alive(place: &Place, file: &str) -> bool {
    let pid = place.read(file).trim().parse().unwrap();
    test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
}

#[test]
fn it_runs_before_the_process_and_its_output_is_the_containers() {
    let place = pod("echo made; echo noted >&2; cat; echo data >data", 10_000);
    let mut job = start(&place);
    up(&place);
    assert_eq!(place.read("data"), "data\n");
    let log = place.read("log");
    assert!(log.contains("made\n") && log.contains("noted\n"), "{log}");
    assert_eq!(job.stop(), Some(143));
}

#[test]
fn once_it_has_succeeded_a_container_that_starts_again_skips_it() {
    let place = pod("echo prepared >>times", 10_000);
    let mut first = start(&place);
    up(&place);
    first.stop();
    let mut second = start(&place);
    eventually("the process is up again", || {
        is(&place.read("up"), &"up\nup\n".to_owned())
    });
    second.stop();
    assert_eq!(place.read("times"), "prepared\n");
}

#[test]
fn a_process_that_crashes_is_started_again_and_not_prepared_again() {
    let place = pod("echo prepared >>times", 10_000);
    let crash = "echo up >>up; [ -e once ] && exec sleep 100; touch once; exit 1";
    let _job = Job::start(&mut place.supervisor(&[], crash));
    eventually("the process is up again", || {
        is(&place.read("up"), &"up\nup\n".to_owned())
    });
    assert_eq!(place.read("times"), "prepared\n");
}

#[test]
fn its_failure_ends_the_container_and_says_why() {
    let place = pod(
        "echo trying; echo first >&2; printf 'initdb: error: directory is not empty\n\n' >&2; exit 3",
        10_000,
    );
    let mut job = start(&place);
    assert_eq!(job.ended().code(), Some(3));
    let why = "prepare failed with exit code 3: initdb: error: directory is not empty";
    let (line, word) = last_words(&place);
    assert_eq!(word, why);
    assert!(
        line.contains(why) && line.contains("cannot be started"),
        "{line}"
    );
    assert_eq!(place.read("up"), "", "the process was not started");
    assert!(!place.root.at(PREPARED_FILE).exists());
}

#[test]
fn after_a_failure_the_next_container_tries_again_from_the_beginning() {
    let place = pod("echo try >>times; [ -e mended ]", 10_000);
    assert_eq!(start(&place).ended().code(), Some(1));
    assert_eq!(start(&place).ended().code(), Some(1));
    fs::write(place.scratch("mended"), "").unwrap();
    let _job = start(&place);
    up(&place);
    assert_eq!(place.read("times").lines().count(), 3);
}

#[test]
fn while_it_runs_the_supervisor_is_alive_and_says_that_it_prepares() {
    let place = pod("until [ -e enough ]; do sleep 0.05; done", 10_000);
    let _job = start(&place);
    state(&place, ProcessState::Preparing);
    let process = place.status().unwrap().processes.remove(0);
    let command = fs::read_to_string(format!("/proc/{}/cmdline", process.pid)).unwrap();
    assert!(command.contains("enough"), "{command}");
    for _ in 0..5 {
        place.asks("live").unwrap();
    }
    assert_eq!(place.read("up"), "");
    fs::write(place.scratch("enough"), "").unwrap();
    state(&place, ProcessState::Running);
}

#[test]
fn what_does_not_end_in_time_is_killed_with_all_that_it_started() {
    let script = "trap '' TERM; sleep 100 & echo $! >helper; echo slow >&2; wait; wait";
    let place = pod(script, 500);
    let started = Instant::now();
    let mut job = start(&place);
    assert_eq!(job.ended().code(), Some(124));
    assert!(started.elapsed() < Duration::from_secs(10));
    let word = last_words(&place).1;
    assert_eq!(word, "prepare timed out after 500 ms: slow");
    eventually("its helper is gone", || {
        is(&alive(&place, "helper"), &false)
    });
    assert_eq!(place.read("up"), "");
}

#[test]
fn what_it_leaves_running_is_gone_before_the_process_starts() {
    let place = pod("sleep 100 & echo $! >helper", 10_000);
    let _job = start(&place);
    up(&place);
    eventually("its helper is gone", || {
        is(&alive(&place, "helper"), &false)
    });
}

#[test]
fn asked_to_end_it_is_stopped_and_the_process_never_started() {
    let script =
        "trap 'echo tidied >tidied; exit 9' TERM; echo >begun; while :; do sleep 0.05; done";
    let place = pod(script, 60_000);
    let mut job = start(&place);
    eventually("it has begun", || {
        is(&place.read("begun"), &"\n".to_owned())
    });
    assert_eq!(job.stop(), Some(9));
    assert_eq!(
        (place.read("tidied").as_str(), place.read("up").as_str()),
        ("tidied\n", "")
    );
    assert!(!place.root.at(PREPARED_FILE).exists());
}

#[test]
fn asked_to_end_one_that_does_not_listen_is_killed() {
    let place = pod(
        "trap '' TERM; echo >begun; while :; do sleep 0.05; done",
        60_000,
    );
    let mut job = Job::start(&mut place.supervisor(&["--stop-timeout", "500ms"], PROCESS));
    eventually("it has begun", || {
        is(&place.read("begun"), &"\n".to_owned())
    });
    assert_eq!(job.stop(), Some(137));
    assert_eq!(place.read("up"), "");
}

#[test]
fn one_that_does_not_exist_is_named() {
    let place = Place::new();
    let mut action = script(ActionPlace::Main, "");
    action.command = vec!["/scripts/prepare.sh".to_owned()];
    place.use_actions(&[(PREPARE, action)]);
    let mut job = start(&place);
    assert_eq!(job.ended().code(), Some(127));
    let line = last_words(&place).0;
    assert!(
        line.contains("cannot start prepare `/scripts/prepare.sh`: No such file"),
        "{line}"
    );
}

#[test]
fn where_it_cannot_be_written_down_that_it_succeeded_the_process_is_not_started() {
    let place = pod("true", 10_000);
    // Somebody's directory stands in the way of the mark of the next one.
    fs::create_dir(place.root.at("/paamesh/.prepared.new")).unwrap();
    let mut job = start(&place);
    assert_eq!(job.ended().code(), Some(125));
    let word = last_words(&place).1;
    assert!(
        word.starts_with("cannot write down that prepare succeeded: "),
        "{word}"
    );
    assert_eq!(place.read("up"), "");
}

#[test]
fn a_table_that_cannot_be_read_starts_nothing() {
    let place = pod("true", 10_000);
    fs::write(place.root.at(TABLE_FILE), "{").unwrap();
    let mut job = start(&place);
    assert_eq!(job.ended().code(), Some(1));
    let line = last_words(&place).0;
    assert!(
        line.contains("/paamesh/actions.json is no action table"),
        "{line}"
    );
    assert_eq!(place.read("up"), "");
}

#[test]
fn a_reader_that_stalls_stalls_it_alone() {
    let place = pod("echo >begun; yes >&2", 60_000);
    let mut command = place.supervisor(&["--stop-timeout", "500ms"], PROCESS);
    // Nobody ever reads.
    let mut job = Job::start(command.stdout(Stdio::null()).stderr(Stdio::piped()));
    eventually("it has begun", || {
        is(&place.read("begun"), &"\n".to_owned())
    });
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..5 {
        place.asks("live").unwrap();
    }
    state(&place, ProcessState::Preparing);
    assert_eq!(job.stop(), Some(143));
}
