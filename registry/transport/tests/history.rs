//! The whole history of a repository, published from the real git: what ever stood in it, in order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "support/git_server.rs"]
#[allow(dead_code)]
mod git_server;

use git_server::{GitServer, Repository};
use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use transport::{Candidate, Content, Credentials, Mirrors, Reference, Remote};

struct World {
    _directory: tempfile::TempDir,
    server: GitServer,
    repository: Repository,
    mirrors: Mirrors,
    remote: Remote,
}

fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::create(directory.path(), "addons.git");
    let server = GitServer::start(directory.path());
    World {
        mirrors: Mirrors::open(directory.path().join("mirrors")).unwrap(),
        remote: Remote {
            url: server.url("addons.git"),
            insecure: true,
            reference: Reference {
                history: true,
                ..Reference::default()
            },
            credentials: Credentials::default(),
            timeout: Duration::from_secs(60),
        },
        repository,
        server,
        _directory: directory,
    }
}

impl World {
    fn history(&self, directories: &[&str]) -> Vec<Candidate> {
        let revision = self.mirrors.fetch(&self.remote).unwrap();
        let directories: Vec<String> = directories.iter().map(|d| (*d).to_owned()).collect();
        let found = self
            .mirrors
            .history(&self.remote, &revision.commit, &directories);
        found.unwrap()
    }

    /// Directory and manifest of what ever stood there.
    fn told(&self, directories: &[&str]) -> Vec<(String, String)> {
        let candidates = self.history(directories).into_iter();
        candidates
            .map(|candidate| {
                let content = self.mirrors.content(&self.remote, &candidate.tree).unwrap();
                let Content::Files(files) = content else {
                    panic!("{content:?}");
                };
                let (_, manifest) = files
                    .into_iter()
                    .find(|(path, _)| path == "addon.yaml")
                    .unwrap();
                (candidate.directory, String::from_utf8(manifest).unwrap())
            })
            .collect()
    }
}

fn owned(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    list.iter().map(owned).collect()
}

#[test]
fn every_version_that_ever_stood_is_told_once_and_the_oldest_tree_first() {
    let world = world();
    let write = |path: &str, text: &str| {
        world.repository.write(path, text);
        world.repository.push()
    };
    let first = write("addons/redis/addon.yaml", "1.0.0");
    write("README.md", "nothing of an addon");
    write("addons/redis/addon.yaml", "1.1.0");
    // The same version again with other bytes, and then the old bytes again.
    write("addons/redis/addon.yaml", "1.1.0 changed");
    write("addons/redis/addon.yaml", "1.1.0");
    write("addons/postgresql/1.0.0/addon.yaml", "p 1.0.0");
    write("addons/redis/addon.yaml", "");
    write("docs", "the end");
    let want = owned(&[
        ("addons/redis", "1.0.0"),
        ("addons/redis", "1.1.0"),
        ("addons/redis", "1.1.0 changed"),
        ("addons/postgresql/1.0.0", "p 1.0.0"),
    ]);
    assert_eq!(world.told(&["addons"]), want);
    assert_eq!(world.history(&["addons"])[0].commit, first);
    assert_eq!(world.told(&["addons/redis", "absent"]), want[..3]);
    // What comes later comes last, and is fetched into the mirror that is there.
    world.server.requests();
    write("addons/redis/addon.yaml", "1.2.0");
    world.server.requests();
    let mut more = want;
    more.push(("addons/redis".to_owned(), "1.2.0".to_owned()));
    assert_eq!(world.told(&["addons"]), more);
    assert!(world.server.requests().len() <= 4);
}

#[test]
fn only_the_first_parents_count() {
    let world = world();
    world.repository.write("redis/addon.yaml", "1.0.0");
    world.repository.push();
    let git = |arguments: &[&str]| world.repository.git(arguments);
    git(&["switch", "--quiet", "--create", "work"]);
    world.repository.write("redis/addon.yaml", "unfinished");
    world.repository.commit();
    world.repository.write("redis/addon.yaml", "1.1.0");
    world.repository.commit();
    git(&["switch", "--quiet", "-"]);
    git(&["merge", "--quiet", "--no-ff", "--message", "merge", "work"]);
    git(&["push", "--quiet", "origin", "HEAD:main"]);
    assert_eq!(
        world.told(&[]),
        owned(&[("redis", "1.0.0"), ("redis", "1.1.0")])
    );
}

#[test]
fn a_source_that_wants_one_commit_does_not_cut_the_history_of_another() {
    let world = world();
    for n in 0..5 {
        world
            .repository
            .write("redis/addon.yaml", &format!("1.{n}.0"));
        world.repository.push();
        let mut newest = world.remote.clone();
        newest.reference.history = false;
        world.mirrors.fetch(&newest).unwrap();
        assert_eq!(world.history(&[]).len(), n + 1);
    }
}

#[test]
fn a_thousand_commits_are_walked_in_a_moment() {
    let world = world();
    // As `git fast-import` reads it: a thousand processes would take half a minute.
    let mut stream = String::new();
    for n in 0..1000 {
        let manifest = format!("1.{n}.0");
        stream.push_str(&format!(
            "commit refs/heads/main\ncommitter A <a@example.com> {n} +0000\ndata 0\n\
             M 644 inline redis/addon.yaml\ndata {}\n{manifest}\n",
            manifest.len()
        ));
    }
    let mut import = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(&world.repository.bare)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    import
        .stdin
        .take()
        .unwrap()
        .write_all(stream.as_bytes())
        .unwrap();
    assert!(import.wait().unwrap().success());
    let revision = world.mirrors.fetch(&world.remote).unwrap();
    let began = Instant::now();
    let found = world
        .mirrors
        .history(&world.remote, &revision.commit, &[])
        .unwrap();
    let took = began.elapsed();
    assert_eq!(found.len(), 1000);
    // 60 ms on two busy cores, in a debug build.
    assert!(took < Duration::from_millis(300), "{took:?}");
}
