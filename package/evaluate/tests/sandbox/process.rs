//! The sandbox in child processes: the same answers, and what becomes of a child that dies, hangs, has
//! nothing to do, or loses its parent.

use crate::{hostile::rendered, schema};
use evaluate::{Host, Process, Settings};
use package::{Evaluate as _, EvaluateError, RenderRequest};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_paamesh-evaluate");
/// How long something may take that happens at once on a machine that has time.
const PATIENCE: Duration = Duration::from_secs(60);

/// These tests count the children of this process, so they run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    until(|| children().is_empty());
    alone
}

fn settings() -> Settings {
    Settings {
        command: vec![PROGRAM.into()],
        ..Settings::default()
    }
}

fn shell(script: &str) -> Settings {
    Settings {
        command: ["/bin/sh", "-c", script].map(Into::into).to_vec(),
        ..settings()
    }
}

/// The process ids of the children of this process, zombies too, with their states.
fn children() -> Vec<(u32, char)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let name = entry.unwrap().file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
            continue;
        };
        let (_, rest) = stat.rsplit_once(')').unwrap();
        let mut fields = rest.split_whitespace();
        let state = fields.next().unwrap().chars().next().unwrap();
        if fields.next() == Some(&std::process::id().to_string()) {
            found.push((pid, state));
        }
    }
    found
}

fn until(done: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "it did not come: {:?}", children());
        thread::sleep(Duration::from_millis(5));
    }
}

fn signal(name: &str) {
    let (pid, _) = children()[0];
    let status = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(status.unwrap().success());
}

/// A template that is evaluated, or why there is no verdict.
fn asked(process: &Process, template: &str) -> Result<String, String> {
    let templates = BTreeMap::from([("a.conf", template)]);
    let request = RenderRequest {
        templates: &templates,
        template: "a.conf",
        context: &json!({}),
    };
    match process.render(&request) {
        Ok(text) => Ok(text),
        Err(EvaluateError::Unavailable { reason }) => Err(reason),
        Err(refused) => panic!("{refused}"),
    }
}

#[test]
fn it_says_what_the_sandbox_here_says() {
    let _alone = alone();
    let process = Process::with(settings());
    for (folder, case) in schema::cases() {
        let here = schema::answer_case(&Host, &case);
        assert_eq!(schema::answer_case(&process, &case), here, "{folder:?}");
    }
    for template in [
        "{{ port }} {{ map | to_json }}\n{{ map | to_yaml }}",
        "{{ nothing }}",
        "{% for i in range(end=100000) %}0123456789012345{% endfor %}",
        "{% set s = \"0123456789\" %}",
    ] {
        assert_eq!(rendered(&process, template), rendered(&Host, template));
    }
}

#[test]
fn a_child_that_dies_gives_no_verdict_and_is_replaced() {
    let _alone = alone();
    let process = Process::with(settings());
    assert_eq!(asked(&process, "{{ 1 + 1 }}"), Ok("2".to_owned()));
    signal("-KILL");
    let reason = asked(&process, "x").unwrap_err();
    assert!(reason.starts_with("the evaluator died"), "{reason}");
    assert_eq!(asked(&process, "{{ 1 + 1 }}"), Ok("2".to_owned()));
    assert!(children().len() <= 2, "{:?}", children());
    drop(process);
    until(|| children().is_empty());
}

#[test]
fn a_child_that_cannot_speak_gives_no_verdict() {
    let _alone = alone();
    for script in [
        "exit 3",
        "echo this is no answer; exec sleep 1000",
        "exec sleep 1000 >&-",
    ] {
        let reason = asked(&Process::with(shell(script)), "x").unwrap_err();
        assert!(
            reason.starts_with("the evaluator died"),
            "{script}: {reason}"
        );
    }
    let nothing = Settings {
        command: vec!["/nothing/here".into()],
        ..settings()
    };
    let reason = asked(&Process::with(nothing), "x").unwrap_err();
    assert!(reason.contains("cannot be started"), "{reason}");
    until(|| children().is_empty());
}

#[test]
fn a_child_that_hangs_is_killed() {
    let _alone = alone();
    let hanging = Settings {
        preparation: Duration::from_millis(200),
        ..shell("exec sleep 1000")
    };
    let reason = asked(&Process::with(hanging), "x").unwrap_err();
    assert_eq!(reason, "the evaluator gave no answer within 0.2 s");
    until(|| children().is_empty());

    let process = Process::with(Settings {
        deadline: Duration::from_secs(2),
        ..settings()
    });
    assert_eq!(asked(&process, "a"), Ok("a".to_owned()));
    signal("-STOP");
    let reason = asked(&process, "x").unwrap_err();
    assert_eq!(reason, "the evaluator gave no answer within 2 s");
    assert_eq!(asked(&process, "b"), Ok("b".to_owned()));
    drop(process);
    until(|| children().is_empty());
}

#[test]
fn a_child_without_work_ends_and_comes_again() {
    let _alone = alone();
    let process = Process::with(Settings {
        idle: Duration::from_millis(100),
        ..settings()
    });
    for _ in 0..3 {
        assert_eq!(asked(&process, "a"), Ok("a".to_owned()));
        until(|| children().is_empty());
    }
}

#[test]
fn requests_share_a_bounded_number_of_children() {
    let _alone = alone();
    let process = Process::with(settings());
    let (most, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                most.fetch_max(children().len(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(1));
            }
        });
        let loops =
            "{% for i in range(end=300) %}{% for j in range(end=300) %}{% endfor %}{% endfor %}ok";
        let asking: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| (0..5).all(|_| asked(&process, loops) == Ok("ok".to_owned()))))
            .collect();
        assert!(asking.into_iter().all(|one| one.join().unwrap()));
        ended.store(true, Ordering::Relaxed);
    });
    assert_eq!(most.into_inner(), settings().most);
}

#[test]
fn when_every_child_is_busy_for_too_long_there_is_no_verdict() {
    let _alone = alone();
    let process = Process::with(Settings {
        most: 1,
        preparation: Duration::from_secs(1),
        deadline: Duration::from_millis(100),
        ..shell("exec sleep 1000")
    });
    let reasons: Vec<String> = thread::scope(|scope| {
        let asking = [(); 2].map(|()| scope.spawn(|| asked(&process, "x").unwrap_err()));
        asking.map(|one| one.join().unwrap()).into()
    });
    let busy = "every evaluator is busy for too long".to_owned();
    assert!(reasons.contains(&busy), "{reasons:?}");
}

#[test]
fn a_child_knows_no_more_of_the_environment_than_it_needs() {
    let _alone = alone();
    let process = Process::with(settings());
    assert_eq!(asked(&process, "a"), Ok("a".to_owned()));
    let (pid, _) = children()[0];
    let environment = fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    for variable in environment.split_terminator('\0') {
        let (name, _) = variable.split_once('=').unwrap();
        assert!(evaluate::cache::VARIABLES.contains(&name), "{name}");
    }
}

#[test]
fn a_child_ends_with_its_parent() {
    let _alone = alone();
    let mut child = Command::new(PROGRAM)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

/// The answer of a child whose cache is `directory`.
fn with_cache(directory: &Path) -> io::Result<Vec<String>> {
    let script = format!(
        "PAAMESH_EVALUATE_CACHE={} exec {PROGRAM}",
        directory.display()
    );
    assert_eq!(
        asked(&Process::with(shell(&script)), "a"),
        Ok("a".to_owned())
    );
    let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().into_string().unwrap()));
    let mut names: Vec<String> = names.collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}

fn days_ago(days: u64) -> SystemTime {
    SystemTime::now() - Duration::from_hours(24 * days)
}

#[test]
fn compiled_programs_are_kept_where_nobody_else_writes() -> io::Result<()> {
    let _alone = alone();
    let root = std::env::temp_dir().join(format!("paamesh-evaluate-{}", std::process::id()));
    let own = root.join("own");
    DirBuilder::new().recursive(true).mode(0o700).create(&own)?;
    for (name, days) in [("cue-1-1.cwasm", 31), ("cue-2-2.cwasm", 29), ("notes", 99)] {
        File::create(own.join(name))?.set_modified(days_ago(days))?;
    }
    let names = with_cache(&own)?;
    let [_, _, _, name] = &names[..] else {
        panic!("{names:?}")
    };
    assert_eq!(names[..3], ["cue-2-2.cwasm", "lock", "notes"], "30 days");
    assert!(name.starts_with("templates-") && name.ends_with(".cwasm"));

    // Its time is that of its last use.
    let file = own.join(name);
    File::open(&file)?.set_modified(days_ago(31))?;
    assert_eq!(with_cache(&own)?, names);
    assert!(file.metadata()?.modified()? > days_ago(1));

    // What is damaged is not what the compiler made: it is made again.
    let whole = fs::read(&file)?;
    fs::write(&file, &whole[..100])?;
    with_cache(&own)?;
    assert_eq!(fs::read(&file)?, whole);

    let foreign = root.join("foreign");
    fs::create_dir(&foreign)?;
    fs::set_permissions(&foreign, fs::Permissions::from_mode(0o777))?;
    assert_eq!(with_cache(&foreign)?, [""; 0]);
    fs::remove_dir_all(root)
}
