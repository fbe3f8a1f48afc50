//! `paamesh-agent run`: the addon's own actions, as people in the pod ask for them.

use crate::place::{Job, Place, SIDECAR, eventually, is, script, sends};
use api::agent::ActionPlace::{Main, Sidecar};
use api::agent::{CONTENT_REVISION_FILE, PREPARE};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::fs;
use std::io::Read as _;
use std::process::{Child, Stdio};

/// Exit code, standard output, standard error.
fn run(place: &Place, args: &[&str]) -> (Option<i32>, String, String) {
    let output = place.output(&[&["run"], args].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn in_background(place: &Place, name: &str) -> Child {
    let mut command = place.agent(&["run", name]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn output_and_exit_code_come_through() {
    let place = Place::new();
    let check = "printf 'a\\000b'; echo why >&2; exit 42";
    place.use_actions(&[
        ("check", script(Main, check)),
        ("fine", script(Main, "echo ok")),
    ]);
    let _supervisor = place.supervise("exec sleep 100");
    let (code, out, err) = run(&place, &["check"]);
    assert_eq!((code, out.as_str()), (Some(42), "a\0b"));
    assert_eq!(err, "why\npaamesh-agent: action `check`: exit code 42\n");
    let fine = (Some(0), "ok\n".to_owned(), String::new());
    assert_eq!(run(&place, &["fine"]), fine);
}

#[test]
fn output_comes_while_the_action_runs_and_all_of_it() {
    let place = Place::new();
    let slow = "echo first; until [ -e enough ]; do sleep 0.05; done; head -c 3000000 /dev/zero";
    place.use_actions(&[("slow", script(Main, slow))]);
    let _supervisor = place.supervise("exec sleep 100");
    let mut child = in_background(&place, "slow");
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 6];
    stdout.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"first\n");
    fs::write(place.scratch("enough"), "").unwrap();
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), 3_000_000);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_unknown_action_is_answered_with_the_known_ones() {
    let place = Place::new();
    let actions = [("backup", script(Main, "")), ("reload", sends("SIGHUP"))];
    place.use_actions(&actions);
    let (code, _, err) = run(&place, &["back-up"]);
    assert_eq!(code, Some(125));
    assert_eq!(
        err,
        "paamesh-agent: no action `back-up`: this pod's are backup, reload\n"
    );
    let (code, out, _) = run(&place, &[]);
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    assert!(lines[0].starts_with("backup ") && lines[1].ends_with("SIGHUP to the process"));
}

#[test]
fn help_says_what_the_exit_codes_mean() {
    let (code, out, _) = run(&Place::new(), &["--help"]);
    assert_eq!(code, Some(0));
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        out.contains("124: its time was over") && out.contains("[NAME]"),
        "{out}"
    );
}

#[test]
fn an_action_runs_in_its_own_container() {
    let place = Place::new();
    place.annotate(CONTENT_REVISION_FILE, "0a1b2c3d");
    let whose = "cat /proc/$PPID/cmdline | tr '\\000' ' '";
    let actions = [
        ("here", script(Main, whose)),
        ("there", script(Sidecar, whose)),
    ];
    let table = crate::place::actions_table(&actions);
    place.sync_table("0a1b2c3d", &table);
    place.use_actions(&actions);
    let _supervisor = place.supervise("exec sleep 100");
    let (code, _, err) = run(&place, &["there"]);
    assert_eq!(code, Some(125));
    assert!(
        err.contains("cannot reach the sidecar on /paamesh/sidecar.sock"),
        "{err}"
    );
    let _sidecar = Job::start(&mut place.agent(&SIDECAR));
    let out = eventually("the sidecar runs it", || {
        let (code, out, err) = run(&place, &["there"]);
        is(&code, &Some(0)).map(|()| out).map_err(|_| err)
    });
    assert!(out.contains("--pod shop-redis-0-0"), "{out}");
    let (_, out, _) = run(&place, &["here"]);
    assert!(out.contains("supervisor --name redis"), "{out}");
}

#[test]
fn a_signal_reaches_the_process() {
    let place = Place::new();
    place.use_actions(&[("rotate", sends("SIGUSR1"))]);
    let script = "trap 'echo usr1 >>got' USR1; echo up >up; while :; do sleep 0.05; done";
    let _supervisor = place.supervise(script);
    eventually("it is up", || is(&place.read("up"), &"up\n".to_owned()));
    assert_eq!(run(&place, &["rotate"]).0, Some(0));
    eventually("it is heard", || {
        is(&place.read("got"), &"usr1\n".to_owned())
    });
}

#[test]
fn a_signal_to_a_process_that_does_not_run_is_refused() {
    let place = Place::new();
    place.use_actions(&[("rotate", sends("SIGUSR1"))]);
    let _supervisor = place.supervise("exit 1");
    eventually("it backs off", || {
        is(
            &place.status()?.processes[0].last_end,
            &"exit code 1".to_owned(),
        )
    });
    let (code, _, err) = run(&place, &["rotate"]);
    assert_eq!(code, Some(125));
    assert_eq!(err, "paamesh-agent: the process does not run\n");
}

#[test]
fn what_takes_too_long_is_killed_with_all_that_it_started() {
    let place = Place::new();
    let mut action = script(
        Main,
        "trap '' TERM; sleep 100 & echo $! >helper; echo on; wait",
    );
    action.timeout_millis = 500;
    place.use_actions(&[("hang", action)]);
    let _supervisor = place.supervise("exec sleep 100");
    let (code, out, err) = run(&place, &["hang"]);
    assert_eq!((code, out.as_str()), (Some(124), "on\n"));
    assert_eq!(
        err,
        "paamesh-agent: action `hang`: timed out after 500 ms\n"
    );
    gone(&place, "helper");
}

#[test]
fn whoever_goes_away_takes_the_action_along() {
    let place = Place::new();
    let script = script(Main, "echo $$ >pid; echo on; exec sleep 100");
    place.use_actions(&[("long", script)]);
    let _supervisor = place.supervise("exec sleep 100");
    let mut child = in_background(&place, "long");
    let mut on = [0; 3];
    child.stdout.take().unwrap().read_exact(&mut on).unwrap();
    let (code, _, err) = run(&place, &["long"]);
    assert_eq!(code, Some(125));
    assert_eq!(err, "paamesh-agent: action `long` already runs\n");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    child.wait().unwrap();
    gone(&place, "pid");
    // And the next one may run.
    let mut next = eventually("it may run again", || {
        fs::remove_file(place.scratch("pid")).ok();
        let mut next = in_background(&place, "long");
        let mut on = Vec::new();
        let mut stdout = next.stdout.take().unwrap();
        let mut byte = [0];
        while on.len() < 3 && stdout.read(&mut byte).unwrap() == 1 {
            on.push(byte[0]);
        }
        is(&on.as_slice(), &b"on\n".as_slice()).map(|()| next)
    });
    kill_process(Pid::from_child(&next), Signal::INT).unwrap();
    next.wait().unwrap();
    gone(&place, "pid");
}

#[test]
fn a_command_that_does_not_exist_is_named() {
    let place = Place::new();
    let mut action = script(Main, "");
    action.command = vec!["/scripts/none.sh".to_owned()];
    place.use_actions(&[("none", action)]);
    let _supervisor = place.supervise("exec sleep 100");
    let (code, _, err) = run(&place, &["none"]);
    assert_eq!(code, Some(127));
    assert!(
        err.contains("cannot start `/scripts/none.sh`: No such file"),
        "{err}"
    );
}

#[test]
fn a_daemon_that_keeps_the_output_open_does_not_hold_up_the_end() {
    let place = Place::new();
    let daemon = "setsid sh -c 'echo >up; sleep 5' & until [ -e up ]; do :; done; echo done";
    place.use_actions(&[("daemon", script(Main, daemon))]);
    let _supervisor = place.supervise("exec sleep 100");
    let (code, out, _) = run(&place, &["daemon"]);
    assert_eq!((code, out.as_str()), (Some(0), "done\n"));
}

#[test]
fn prepare_is_nobodys_to_run_and_nothing_runs_beside_it() {
    let place = Place::new();
    let prepare = script(Main, "until [ -e enough ]; do sleep 0.05; done");
    place.use_actions(&[(PREPARE, prepare), ("check", script(Main, "echo ok"))]);
    let _supervisor = place.supervise("echo up >up; exec sleep 100");
    let (code, _, err) = run(&place, &["check"]);
    assert_eq!(code, Some(125));
    assert_eq!(err, "paamesh-agent: the process is being prepared\n");
    fs::write(place.scratch("enough"), "").unwrap();
    eventually("it is up", || is(&place.read("up"), &"up\n".to_owned()));
    assert_eq!(run(&place, &["check"]).0, Some(0));
    let (code, _, err) = run(&place, &[PREPARE]);
    assert_eq!(code, Some(125));
    assert!(err.contains("`prepare` runs by itself"), "{err}");
}

fn gone(place: &Place, file: &str) {
    let pid = place.read(file).trim().parse().unwrap();
    eventually("the process is gone", || {
        match test_kill_process(Pid::from_raw(pid).unwrap()) {
            Ok(()) => Err("it runs".to_owned()),
            Err(_) => Ok(()),
        }
    });
}
