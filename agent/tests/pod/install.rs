//! `install`: what the init container leaves behind.

use crate::place::{Job, Place, actions_table, eventually, sends};
use api::agent::{
    AGENT_BINARY, ActionTable, CONFIG_DIR, CONFIG_REVISION_FILE, CONTENT_DIR,
    CONTENT_REVISION_FILE, EMPTY_REVISION, MIDDLEWARE_CONFIG_DIR, SCRIPTS_DIR,
};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

const CONTENT: &str = "0a1b2c3d";
const CONFIG: &str = "99887766";

/// A pod whose content and configuration are there, beside those of other revisions.
fn pod() -> Place {
    let place = Place::new();
    place.annotate(CONTENT_REVISION_FILE, CONTENT);
    place.annotate(CONFIG_REVISION_FILE, CONFIG);
    place.sync_table(CONTENT, &ActionTable::default());
    place.sync(
        CONTENT_DIR,
        &format!("{CONTENT}.probe.sh"),
        "#!/bin/sh\necho new\n",
    );
    place.sync(CONTENT_DIR, "11111111.probe.sh", "old");
    place.sync(CONFIG_DIR, &format!("{CONFIG}.redis.conf"), "port 6379\n");
    place.sync(CONFIG_DIR, "22222222.other.conf", "old");
    place
}

fn listing(place: &Place, dir: &str) -> Vec<(String, u32, String)> {
    let mut files: Vec<_> = fs::read_dir(place.root.at(dir))
        .unwrap()
        .flatten()
        .map(|file| {
            let mode = file.metadata().unwrap().permissions().mode() & 0o7777;
            let text = fs::read_to_string(file.path()).unwrap();
            (file.file_name().into_string().unwrap(), mode, text)
        })
        .collect();
    files.sort();
    files
}

fn install(place: &Place, timeout: &str) -> Result<(), String> {
    let output = place.output(&["install", "--timeout", timeout]);
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

#[test]
fn it_brings_the_agent_and_the_files_of_the_pods_revisions() {
    let place = pod();
    install(&place, "5s").unwrap();
    let script = (
        "probe.sh".to_owned(),
        0o555,
        "#!/bin/sh\necho new\n".to_owned(),
    );
    assert_eq!(listing(&place, SCRIPTS_DIR), [script]);
    let config = ("redis.conf".to_owned(), 0o444, "port 6379\n".to_owned());
    assert_eq!(listing(&place, MIDDLEWARE_CONFIG_DIR), [config]);

    let copy = place.root.at(AGENT_BINARY);
    let version = std::process::Command::new(copy)
        .arg("--version")
        .output()
        .unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    assert_eq!(
        version,
        format!("paamesh-agent {}\n", api::PLATFORM_VERSION)
    );
}

#[test]
fn it_leaves_the_table_and_the_configuration_in_force_for_the_others() {
    let place = pod();
    let table = actions_table(&[("reload", sends("SIGHUP"))]);
    place.sync_table(CONTENT, &table);
    install(&place, "5s").unwrap();
    assert_eq!(agent::table::in_use(&place.root).unwrap(), table);
    let known = agent::configuration::known(&place.root).unwrap();
    assert_eq!(
        (known.revision.as_str(), known.wanted.as_str()),
        (CONFIG, "")
    );
}

#[test]
fn installed_again_it_touches_nothing() {
    let place = pod();
    let inode = |path| fs::metadata(place.root.at(path)).unwrap().ino();
    let all = || {
        [
            AGENT_BINARY,
            "/scripts/probe.sh",
            "/middleware/config/redis.conf",
        ]
        .map(inode)
    };
    install(&place, "5s").unwrap();
    let first = all();
    install(&place, "5s").unwrap();
    assert_eq!(all(), first);
}

#[test]
fn files_of_an_earlier_revision_go() {
    let place = pod();
    install(&place, "5s").unwrap();
    place.annotate(CONTENT_REVISION_FILE, "ffffffff");
    place.sync_table("ffffffff", &ActionTable::default());
    install(&place, "5s").unwrap();
    assert_eq!(listing(&place, SCRIPTS_DIR), []);
}

#[test]
fn it_waits_for_the_kubelet() {
    let place = pod();
    place.annotate(CONTENT_REVISION_FILE, "ffffffff");
    let mut job = Job::start(&mut place.agent(&["install", "--timeout", "20s"]));
    eventually("the agent is there before the content", || {
        fs::metadata(place.root.at(AGENT_BINARY))
            .map(drop)
            .map_err(|error| error.to_string())
    });
    assert!(job.runs());
    place.sync_table("ffffffff", &ActionTable::default());
    assert!(job.ended().success());
}

#[test]
fn what_does_not_come_is_named() {
    let place = pod();
    place.annotate(CONTENT_REVISION_FILE, "ffffffff");
    let error = install(&place, "300ms").unwrap_err();
    assert!(
        error.contains("`ffffffff.actions.json` in /paamesh-content"),
        "{error}"
    );

    let place = pod();
    place.annotate(CONFIG_REVISION_FILE, "ffffffff");
    let error = install(&place, "300ms").unwrap_err();
    assert!(error.contains("`ffffffff.*` in /paamesh-config"), "{error}");
    assert_eq!(
        listing(&place, SCRIPTS_DIR),
        [],
        "nothing is placed before all is there"
    );

    let place = Place::new();
    let error = install(&place, "300ms").unwrap_err();
    assert!(
        error.contains("annotation middleware.io/content-revision"),
        "{error}"
    );
}

#[test]
fn a_pod_without_configuration_waits_for_none() {
    let place = pod();
    for none in ["", EMPTY_REVISION] {
        place.annotate(CONFIG_REVISION_FILE, none);
        install(&place, "5s").unwrap();
        assert_eq!(listing(&place, MIDDLEWARE_CONFIG_DIR), []);
    }
}

#[test]
fn a_revision_that_is_none_ends_it_at_once() {
    let place = pod();
    place.annotate(CONTENT_REVISION_FILE, "../../etc");
    let error = install(&place, "20s").unwrap_err();
    assert!(error.contains("is no revision"), "{error}");
}

#[test]
fn sigterm_ends_the_wait() {
    let place = pod();
    place.annotate(CONTENT_REVISION_FILE, "ffffffff");
    let mut job = Job::start(&mut place.agent(&["install"]));
    eventually("it waits", || {
        fs::metadata(place.root.at(AGENT_BINARY))
            .map(drop)
            .map_err(|error| error.to_string())
    });
    assert_eq!(job.stop(), Some(143));
}
