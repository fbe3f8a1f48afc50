//! `supervisor` as what it is in a pod: PID 1 of a PID namespace of its own.

use crate::place::{Job, Place, eventually, is};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::process::Command;

/// The supervisor in a new PID namespace, and its process id outside.
fn start(place: &Place, script: &str) -> (Job, Pid) {
    let supervisor = place.supervisor(&["--stop-timeout", "2s"], script);
    let mut command = Command::new("unshare");
    command.args(["--fork", "--pid", "--mount-proc", "--kill-child", "--"]);
    command
        .arg(supervisor.get_program())
        .args(supervisor.get_args());
    command.current_dir(supervisor.get_current_dir().unwrap());
    let job = Job::start(&mut command);
    let children = format!("/proc/{0}/task/{0}/children", job.pid().as_raw_pid());
    let pid = eventually("unshare forked", || {
        let children = fs::read_to_string(&children).map_err(|error| error.to_string())?;
        children
            .trim()
            .parse::<i32>()
            .map_err(|_| format!("children: `{children}`"))
    });
    (job, Pid::from_raw(pid).unwrap())
}

#[test]
fn as_pid_1_it_stops_gracefully_and_keeps_the_code() {
    let place = Place::new();
    let script = "cat /proc/1/comm >up; trap 'exit 7' TERM; while :; do sleep 0.05; done";
    let (mut job, supervisor) = start(&place, script);
    eventually("it is PID 1", || {
        is(&place.read("up"), &"paamesh-agent\n".to_owned())
    });
    kill_process(supervisor, Signal::TERM).unwrap();
    assert_eq!(job.ended().code(), Some(7));
}

#[test]
fn as_pid_1_it_reaps_every_orphan() {
    let place = Place::new();
    let orphans = "for i in $(seq 50); do setsid sh -c 'sleep 0.1; echo >>ended' & done";
    fs::write(place.scratch("orphans.sh"), orphans).unwrap();
    let zombies = "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z '";
    let script = format!("sh orphans.sh; sleep 1; {zombies} >zombies; echo up >up; exec sleep 100");
    let (mut job, supervisor) = start(&place, &script);
    eventually("it has counted", || {
        is(&place.read("up"), &"up\n".to_owned())
    });
    assert_eq!(place.read("ended").lines().count(), 50, "the orphans ran");
    assert_eq!(place.read("zombies"), "0\n");
    kill_process(supervisor, Signal::TERM).unwrap();
    assert_eq!(job.ended().code(), Some(143));
}

#[test]
fn as_pid_1_it_takes_everything_down_with_it() {
    let place = Place::new();
    let script = "trap '' TERM; setsid sleep 1000 & echo up >up; wait; exec sleep 1000";
    let (mut job, supervisor) = start(&place, script);
    eventually("it is up", || is(&place.read("up"), &"up\n".to_owned()));
    let namespace = fs::read_link(format!("/proc/{}/ns/pid", supervisor.as_raw_pid())).unwrap();
    kill_process(supervisor, Signal::TERM).unwrap();
    assert_eq!(job.ended().code(), Some(137));
    let left = fs::read_dir("/proc").unwrap().flatten();
    let left = left.filter_map(|entry| fs::read_link(entry.path().join("ns/pid")).ok());
    assert_eq!(left.filter(|found| *found == namespace).count(), 0);
}
