//! `supervisor` and `live`, with real processes; not as PID 1 but as subreaper.

use crate::place::{Job, Place, eventually, is};
use api::agent::{Process, ProcessState, SUPERVISOR_SOCKET};
use rustix::process::{Pid, Signal, test_kill_process};
use std::fs;
use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;

/// Runs until it is asked to end, then ends with 7.
const POLITE: &str = "trap 'exit 7' TERM; echo up >up; while :; do sleep 0.05; done";

fn status(place: &Place) -> Result<Process, String> {
    Ok(place.status()?.processes.remove(0))
}

fn up(place: &Place) {
    eventually("the process is up", || {
        is(&place.read("up"), &"up\n".to_owned())
    });
}

fn gone(place: &Place, file: &str) {
    let pid: i32 = place.read(file).trim().parse().unwrap();
    eventually("the process is gone", || {
        match test_kill_process(Pid::from_raw(pid).unwrap()) {
            Ok(()) => Err("it runs".to_owned()),
            Err(_) => Ok(()),
        }
    });
}

#[test]
fn a_running_process_is_described() {
    let place = Place::new();
    let _job = place.supervise(POLITE);
    up(&place);
    let process = status(&place).unwrap();
    assert_eq!(
        (process.name.as_str(), process.state()),
        ("redis", ProcessState::Running)
    );
    assert_eq!((process.restarts, process.last_end.as_str()), (0, ""));
    let command = fs::read_to_string(format!("/proc/{}/cmdline", process.pid)).unwrap();
    assert!(command.starts_with("sh\0-c\0trap"), "{command}");
}

#[test]
fn a_graceful_stop_keeps_the_exit_code() {
    let place = Place::new();
    let mut job = place.supervise(POLITE);
    up(&place);
    assert_eq!(job.stop(), Some(7));
}

#[test]
fn the_stop_signal_is_the_manifests() {
    let place = Place::new();
    let script = "trap 'exit 8' INT; trap 'exit 9' TERM; echo up >up; while :; do sleep 0.05; done";
    let mut job = Job::start(&mut place.supervisor(&["--stop-signal", "SIGINT"], script));
    up(&place);
    assert_eq!(job.stop(), Some(8));
}

#[test]
fn an_end_by_the_stop_signal_is_told_as_a_shell_tells_it() {
    let place = Place::new();
    let mut job = place.supervise("echo up >up; exec sleep 100");
    up(&place);
    assert_eq!(job.stop(), Some(143));
}

#[test]
fn what_does_not_end_in_time_is_killed_with_all_of_its_group() {
    let place = Place::new();
    let script = "trap '' TERM; sleep 100 & echo $! >helper; echo up >up; wait; sleep 100";
    let mut job = Job::start(&mut place.supervisor(&["--stop-timeout", "500ms"], script));
    up(&place);
    assert_eq!(job.stop(), Some(137));
    gone(&place, "helper");
}

#[test]
fn a_middleware_behind_a_shell_gets_its_time() {
    let place = Place::new();
    let inner = r#"trap "sleep 0.5; echo saved >saved; exit 0" TERM; echo up >up; while :; do sleep 0.05; done"#;
    let mut job = place.supervise(&format!("sh -c '{inner}'; true"));
    up(&place);
    job.stop();
    assert_eq!(place.read("saved"), "saved\n");
}

#[test]
fn a_crash_is_relaunched_after_growing_waits() {
    let place = Place::new();
    let script = "date +%s%N >>starts; sleep 100 & echo $! >helper; exit 3";
    let mut job = place.supervise(script);
    let starts = eventually("three starts", || {
        let starts: Vec<u64> = place
            .read("starts")
            .lines()
            .filter_map(|start| start.parse().ok())
            .collect();
        if starts.len() >= 3 {
            Ok(starts)
        } else {
            Err(format!("{starts:?}"))
        }
    });
    let second = Duration::from_secs(1);
    assert!(Duration::from_nanos(starts[1] - starts[0]) >= second);
    assert!(Duration::from_nanos(starts[2] - starts[1]) >= second * 2);
    let process = eventually("it backs off", || {
        let process = status(&place)?;
        is(&process.state(), &ProcessState::BackingOff).map(|()| process)
    });
    assert_eq!((process.pid, process.restarts), (0, 2));
    assert_eq!(process.last_end, "exit code 3");
    gone(&place, "helper");
    place.asks("live").unwrap();
    assert_eq!(job.stop(), Some(3), "asked to stop between two runs");
}

#[test]
fn an_end_that_nobody_asked_for_is_relaunched_even_with_code_0() {
    let place = Place::new();
    let script = "if [ -e once ]; then echo up >up; exec sleep 100; fi; touch once; exit 0";
    let _job = place.supervise(script);
    up(&place);
    let process = status(&place).unwrap();
    assert_eq!(
        (process.restarts, process.last_end.as_str()),
        (1, "exit code 0")
    );
}

#[test]
fn a_command_that_does_not_exist_is_named_and_tried_again() {
    let place = Place::new();
    let args = ["supervisor", "--name", "redis", "--", "no-such-server"];
    let mut job = Job::start(&mut place.agent(&args));
    let process = eventually("it backs off", || {
        let process = status(&place)?;
        is(&process.state(), &ProcessState::BackingOff).map(|()| process)
    });
    assert!(
        process
            .last_end
            .starts_with("cannot start `no-such-server`: "),
        "{process:?}"
    );
    assert_eq!(job.stop(), Some(127));
}

#[test]
fn the_addons_own_signals_are_handed_on() {
    let place = Place::new();
    let script = "trap 'echo hup >>got' HUP; trap 'echo usr1 >>got' USR1; \
                  trap 'echo usr2 >>got' USR2; trap 'exit 0' TERM; echo up >up; \
                  while :; do sleep 0.05; done";
    let mut job = place.supervise(script);
    up(&place);
    for (signal, heard) in [
        (Signal::HUP, "hup\n"),
        (Signal::USR1, "hup\nusr1\n"),
        (Signal::USR2, "hup\nusr1\nusr2\n"),
    ] {
        job.signal(signal);
        eventually("the signal is heard", || {
            is(&place.read("got"), &heard.to_owned())
        });
    }
    assert_eq!(job.stop(), Some(0));
}

#[test]
fn output_goes_through_untouched() {
    let place = Place::new();
    let mut command = place.supervisor(
        &[],
        "printf 'a\\000\\377b'; echo no newline >&2; exec sleep 9",
    );
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut bytes = [0; 4];
    child.stdout.take().unwrap().read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"a\0\xffb");
    rustix::process::kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn a_reader_that_stalls_stops_neither_reaping_nor_stopping() {
    let place = Place::new();
    let script = "yes >&2 & exec 2>/dev/null; echo up >up; trap 'exit 7' TERM; \
                  while :; do sleep 0.05; done";
    let mut command = place.supervisor(&["--log-level", "trace"], script);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // Both pipes are held and never read.
    let mut job = Job::start(&mut command);
    up(&place);
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..20 {
        place.asks("live").unwrap();
    }
    assert_eq!(job.stop(), Some(7));
}

#[test]
fn a_stale_socket_is_taken_over() {
    let place = Place::new();
    drop(std::os::unix::net::UnixListener::bind(place.root.at(SUPERVISOR_SOCKET)).unwrap());
    let refused = place.asks("live").unwrap_err();
    assert!(refused.contains("cannot reach the supervisor"), "{refused}");
    let mut job = place.supervise("exec sleep 100");
    job.stop();
    assert!(place.asks("live").is_err());
}

#[test]
fn a_supervisor_that_is_silent_is_not_live() {
    let place = Place::new();
    // It listens, and never accepts.
    let _silent = std::os::unix::net::UnixListener::bind(place.root.at(SUPERVISOR_SOCKET)).unwrap();
    let silent = place.asks("live").unwrap_err();
    assert_eq!(silent, "the supervisor does not answer within 1 s");
}

#[test]
fn a_socket_that_cannot_be_made_ends_it_before_the_process_starts() {
    let place = Place::new();
    fs::remove_dir(place.root.at("/paamesh")).unwrap();
    let output = place.supervisor(&[], "echo up >up").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("cannot listen on") && said.contains("No such file"),
        "{said}"
    );
    assert_eq!(place.read("up"), "");
}
