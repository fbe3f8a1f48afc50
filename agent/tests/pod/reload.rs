//! New configuration for a pod that lives: files first, then `reload`.

use crate::place::{Job, Place, SIDECAR, actions_table, eventually, is, script, sends};
use agent::configuration;
use api::agent::ActionPlace::{Main, Sidecar};
use api::agent::{
    Action, CONFIG_DIR, CONFIG_REVISION_FILE, CONTENT_REVISION_FILE, Configuration,
    MIDDLEWARE_CONFIG_DIR, RELOAD,
};
use rustix::process::Signal;
use std::fs;
use std::time::Duration;

const CONTENT: &str = "0a1b2c3d";
const OLD: &str = "0000000a";
const NEW: &str = "0000000b";
/// Says what it reads, at its start and whenever it is asked to read again.
const PROCESS: &str = "read_it() { cat middleware/config/main.conf >>read; }; \
                       trap read_it HUP; read_it; while :; do sleep 0.05; done";

/// A pod that `install` made ready, with these actions.
fn pod(actions: &[(&str, Action)]) -> Place {
    let place = Place::new();
    place.annotate(CONTENT_REVISION_FILE, CONTENT);
    place.annotate(CONFIG_REVISION_FILE, OLD);
    place.sync_table(CONTENT, &actions_table(actions));
    place.sync(CONFIG_DIR, &format!("{OLD}.main.conf"), "old\n");
    place.sync(CONFIG_DIR, &format!("{OLD}.users.conf"), "nobody\n");
    assert!(place.output(&["install"]).status.success());
    place
}

/// The sidecar, and its log.
fn sidecar(place: &Place) -> Job {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(place.scratch("sidecar.log"));
    Job::start(place.agent(&SIDECAR).stderr(log.unwrap()))
}

/// As the operator writes the ConfigMap, then patches the pod, and the kubelet brings both.
fn change(place: &Place) {
    place.sync(CONFIG_DIR, &format!("{NEW}.main.conf"), "new\n");
    place.annotate(CONFIG_REVISION_FILE, NEW);
}

fn configuration(place: &Place) -> Result<Configuration, String> {
    place
        .status()?
        .configuration
        .ok_or_else(|| "none".to_owned())
}

fn in_force(place: &Place, revision: &str) {
    eventually("the configuration is in force", || {
        let wanted = Configuration {
            revision: revision.to_owned(),
            ..Configuration::default()
        };
        is(&configuration(place)?, &wanted)
    });
}

fn reads(place: &Place, lines: &str) {
    eventually("the process has read it", || {
        is(&place.read("read"), &lines.to_owned())
    });
}

fn files(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.root.at(MIDDLEWARE_CONFIG_DIR)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn new_files_are_put_in_place_and_the_process_is_told_by_a_signal() {
    let place = pod(&[(RELOAD, sends("SIGHUP"))]);
    let _supervisor = place.supervise(PROCESS);
    let _sidecar = sidecar(&place);
    reads(&place, "old\n");
    in_force(&place, OLD);
    change(&place);
    reads(&place, "old\nnew\n");
    in_force(&place, NEW);
    assert_eq!(
        files(&place),
        ["main.conf"],
        "the new revision has no other"
    );
    assert_eq!(place.status().unwrap().processes[0].restarts, 0);
}

#[test]
fn a_command_in_main_or_in_the_sidecar_reloads_too() {
    for where_to in [Main, Sidecar] {
        let told = "cat middleware/config/main.conf >told; cat /proc/$PPID/cmdline >by";
        let place = pod(&[(RELOAD, script(where_to, told))]);
        let _supervisor = place.supervise(PROCESS);
        let _sidecar = sidecar(&place);
        in_force(&place, OLD);
        change(&place);
        in_force(&place, NEW);
        assert_eq!(place.read("told"), "new\n");
        let by = if where_to == Main {
            "supervisor"
        } else {
            "sidecar"
        };
        assert!(
            place.read("by").contains(by),
            "{where_to:?} {:?}",
            place.read("by")
        );
    }
}

#[test]
fn what_is_in_force_is_not_reloaded() {
    let place = pod(&[(RELOAD, script(Sidecar, "echo reloaded >>times"))]);
    let _supervisor = place.supervise(PROCESS);
    let first = sidecar(&place);
    in_force(&place, OLD);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(place.read("times"), "");
    change(&place);
    in_force(&place, NEW);
    // As when its container dies: the next one knows where this one was.
    first.signal(Signal::KILL);
    drop(first);
    let _second = sidecar(&place);
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(place.read("times"), "reloaded\n");
}

#[test]
fn a_reload_that_fails_is_told_and_tried_again_and_harms_nothing() {
    let reload = "echo try >>times; [ -e mended ] || { echo 'no such parameter' >&2; exit 2; }";
    let place = pod(&[(RELOAD, script(Sidecar, reload))]);
    let _supervisor = place.supervise(PROCESS);
    let _sidecar = sidecar(&place);
    reads(&place, "old\n");
    change(&place);
    let told = eventually("the trouble is told, and it was tried again", || {
        let told = configuration(&place)?;
        if told.attempts >= 2 {
            Ok(told)
        } else {
            Err(format!("{told:?}"))
        }
    });
    assert_eq!((told.revision.as_str(), told.wanted.as_str()), (OLD, NEW));
    let why = "`reload` failed with exit code 2: no such parameter";
    assert_eq!(told.trouble, why);
    assert!(place.read("sidecar.log").contains("no such parameter"));
    let process = place.status().unwrap().processes.remove(0);
    assert_eq!((process.restarts, process.last_end.as_str()), (0, ""));
    place.asks("ready").unwrap();
    fs::write(place.scratch("mended"), "").unwrap();
    in_force(&place, NEW);
}

#[test]
fn a_process_that_is_being_prepared_is_told_when_it_runs() {
    let prepare = script(Main, "until [ -e enough ]; do sleep 0.05; done");
    let place = pod(&[("prepare", prepare), (RELOAD, sends("SIGHUP"))]);
    let _supervisor = place.supervise(PROCESS);
    let _sidecar = sidecar(&place);
    eventually("the member is not ready", || {
        let why = place.asks("ready").unwrap_err();
        is(&why, &"process redis is being prepared".to_owned())
    });
    change(&place);
    eventually("the reload is refused", || {
        let trouble = configuration(&place)?.trouble;
        is(
            &trouble,
            &"`reload` did not run: the process is being prepared".to_owned(),
        )
    });
    fs::write(place.scratch("enough"), "").unwrap();
    in_force(&place, NEW);
    eventually("it has read nothing else", || {
        let read = place.read("read");
        if !read.is_empty() && read.lines().all(|line| line == "new") {
            Ok(())
        } else {
            Err(read)
        }
    });
}

#[test]
fn it_waits_for_the_kubelet() {
    let place = pod(&[(RELOAD, sends("SIGHUP"))]);
    let _supervisor = place.supervise(PROCESS);
    let _sidecar = sidecar(&place);
    reads(&place, "old\n");
    place.annotate(CONFIG_REVISION_FILE, NEW);
    eventually("it waits", || {
        let log = place.read("sidecar.log");
        let waits = log.contains("the files of configuration revision 0000000b");
        if waits { Ok(()) } else { Err(log) }
    });
    assert_eq!(files(&place), ["main.conf", "users.conf"]);
    change(&place);
    reads(&place, "old\nnew\n");
}

#[test]
fn the_reload_is_that_of_the_content_that_came_with_it() {
    let place = pod(&[(RELOAD, script(Sidecar, "echo old-script >>by"))]);
    let _supervisor = place.supervise(PROCESS);
    let _sidecar = sidecar(&place);
    in_force(&place, OLD);
    place.annotate(CONTENT_REVISION_FILE, "ffffffff");
    change(&place);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(place.read("by"), "", "its scripts are not there yet");
    let table = actions_table(&[(RELOAD, script(Sidecar, "echo new-script >>by"))]);
    place.sync_table("ffffffff", &table);
    in_force(&place, NEW);
    assert_eq!(place.read("by"), "new-script\n");
}

#[test]
fn without_a_reload_the_files_are_there_for_the_next_start() {
    let place = pod(&[]);
    let _supervisor = place.supervise(PROCESS);
    let _sidecar = sidecar(&place);
    reads(&place, "old\n");
    change(&place);
    in_force(&place, NEW);
    assert_eq!(
        (place.read("read").as_str(), files(&place).len()),
        ("old\n", 1)
    );
    let known = configuration::known(&place.root).unwrap();
    assert_eq!(known, configuration::Configuration::in_force(NEW));
}
