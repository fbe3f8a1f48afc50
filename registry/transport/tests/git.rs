//! The transport against the real git: what it resolves, keeps and reads, and how it fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "support/git_server.rs"]
#[allow(dead_code)]
mod git_server;

use git_server::{Fault, GitServer, Repository};
use std::time::{Duration, Instant};
use transport::{Content, Credentials, Error, Mirrors, Offered, Reference, Remote, resolve};

struct World {
    directory: tempfile::TempDir,
    server: GitServer,
    repository: Repository,
    mirrors: Mirrors,
    remote: Remote,
}

fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::create(directory.path(), "addons.git");
    let server = GitServer::start(directory.path());
    let remote = remote(server.url("addons.git"));
    World {
        mirrors: Mirrors::open(directory.path().join("mirrors")).unwrap(),
        remote,
        repository,
        server,
        directory,
    }
}

fn remote(url: String) -> Remote {
    Remote {
        url,
        insecure: true,
        reference: Reference::default(),
        credentials: Credentials::default(),
        timeout: Duration::from_secs(20),
    }
}

impl World {
    fn offered(&self, commit: &str, directories: &[&str]) -> Vec<Offered> {
        let directories: Vec<String> = directories.iter().map(|d| (*d).to_owned()).collect();
        self.mirrors
            .offered(&self.remote, commit, &directories, &|_| false)
            .unwrap()
    }

    fn directories(&self, commit: &str, directories: &[&str]) -> Vec<String> {
        let offered = self.offered(commit, directories);
        offered
            .into_iter()
            .map(|offered| offered.directory)
            .collect()
    }

    fn mirror(&self) -> std::path::PathBuf {
        let mut entries = std::fs::read_dir(self.directory.path().join("mirrors")).unwrap();
        entries.next().unwrap().unwrap().path()
    }

    fn error(&self) -> String {
        self.mirrors
            .fetch(&self.remote)
            .unwrap_err()
            .to_string()
            .replace(&self.remote.url, "URL")
    }
}

fn files(offered: &Offered) -> Vec<(&str, &str)> {
    match &offered.content {
        Content::Files(files) => files
            .iter()
            .map(|(path, bytes)| (path.as_str(), std::str::from_utf8(bytes).unwrap()))
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn refused(offered: &Offered) -> Vec<String> {
    match &offered.content {
        Content::Refused(findings) => findings.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_push_is_found_one_commit_deep_and_an_unchanged_repository_costs_one_request() {
    let world = world();
    for n in 1..=5 {
        world
            .repository
            .write("redis/addon.yaml", &format!("version: {n}\n"));
        let commit = world.repository.push();
        world.server.requests();
        let revision = world.mirrors.fetch(&world.remote).unwrap();
        assert_eq!(revision.text, format!("main@sha1:{commit}"));
        assert_eq!(world.server.requests().len(), 3, "references, depth, pack");
        let offered = world.offered(&commit, &["redis"]);
        assert_eq!(
            files(&offered[0]),
            [("addon.yaml", format!("version: {n}\n").as_str())]
        );
    }
    let again = world.mirrors.fetch(&world.remote).unwrap();
    assert_eq!(again, resolve(&world.remote).unwrap());
    assert_eq!(world.server.requests().len(), 2, "one each");
    assert!(world.mirror().join("shallow").exists(), "one commit deep");
}

#[test]
fn bytes_are_those_of_the_blobs() {
    let world = world();
    world
        .repository
        .write(".gitattributes", "* text eol=crlf\n");
    world.repository.write("redis/addon.yaml", "a: 1\n");
    world
        .repository
        .write("redis/scripts/probe.sh", "#!/bin/sh\n");
    world.repository.write("redis/.hidden", "no\n");
    let commit = world.repository.push();
    world.mirrors.fetch(&world.remote).unwrap();
    let offered = world.offered(&commit, &[]);
    assert_eq!(
        files(&offered[0]),
        [
            ("addon.yaml", "a: 1\n"),
            ("scripts/probe.sh", "#!/bin/sh\n")
        ]
    );
}

#[test]
fn addons_are_found_in_all_layouts_and_nowhere_else() {
    let world = world();
    for path in [
        "addons/redis/addon.yaml",
        "addons/postgresql/1.0.0/addon.yaml",
        "addons/postgresql/1.1.0/addon.yaml",
        "addons/redis/below/addon.yaml",
        "addons/too/far/down/addon.yaml",
        "addons/.git-like/addon.yaml",
        "docs/README.md",
    ] {
        world.repository.write(path, path);
    }
    let commit = world.repository.push();
    world.mirrors.fetch(&world.remote).unwrap();
    let all = [
        "addons/postgresql/1.0.0",
        "addons/postgresql/1.1.0",
        "addons/redis",
    ];
    assert_eq!(world.directories(&commit, &["addons"]), all);
    assert_eq!(
        world.directories(&commit, &["./addons/", "addons/redis"]),
        all
    );
    assert_eq!(world.directories(&commit, &[]), ["addons/redis"]);
    assert_eq!(
        world.directories(&commit, &["addons/postgresql/1.0.0"]),
        all[..1]
    );
    for nowhere in ["docs", "absent", "docs/README.md"] {
        let offered = world.offered(&commit, &[nowhere]);
        assert_eq!(offered[0].directory, nowhere);
        assert!(refused(&offered[0])[0].contains("no addon.yaml is there"));
    }
    assert!(refused(&world.offered(&commit, &["../x"])[0])[0].contains("inside the repository"));
}

#[test]
fn a_known_tree_is_not_read() {
    let world = world();
    world.repository.write("a/addon.yaml", "a");
    world.repository.write("b/addon.yaml", "b");
    let first = world.repository.push();
    world.mirrors.fetch(&world.remote).unwrap();
    let known: Vec<String> = world
        .offered(&first, &[])
        .into_iter()
        .map(|o| o.tree)
        .collect();
    world.repository.write("b/addon.yaml", "changed");
    let second = world.repository.push();
    world.mirrors.fetch(&world.remote).unwrap();
    let offered = world
        .mirrors
        .offered(&world.remote, &second, &[], &|tree| {
            known.iter().any(|k| k == tree)
        })
        .unwrap();
    assert_eq!(offered[0].content, Content::Known);
    assert_eq!(files(&offered[1]), [("addon.yaml", "changed")]);
    let content = world
        .mirrors
        .content(&world.remote, &offered[0].tree)
        .unwrap();
    assert_eq!(
        content,
        Content::Files(vec![("addon.yaml".to_owned(), b"a".to_vec())])
    );
}

#[test]
fn links_submodules_and_lfs_pointers_are_findings() {
    let world = world();
    world.repository.write("redis/addon.yaml", "a");
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    world.repository.write("redis/icon.png", lfs);
    std::os::unix::fs::symlink("/etc/passwd", world.repository.work.join("redis/README.md"))
        .unwrap();
    world.repository.commit();
    let module = format!("160000,{},redis/scripts", world.repository.head());
    world
        .repository
        .git(&["update-index", "--add", "--cacheinfo", &module]);
    world
        .repository
        .git(&["commit", "--quiet", "--message", "module"]);
    world
        .repository
        .git(&["push", "--quiet", "origin", "HEAD:main"]);
    world.mirrors.fetch(&world.remote).unwrap();
    let found = refused(&world.offered(&world.repository.head(), &[])[0]);
    assert_eq!(found.len(), 3, "{found:?}");
    for (finding, want) in found.iter().zip([
        "README.md: a symbolic link",
        "icon.png: a pointer to Git LFS",
        "scripts: a submodule",
    ]) {
        assert!(finding.starts_with(want), "{finding}");
    }
}

#[test]
fn tags_commits_and_branches_are_resolved() {
    let mut world = world();
    world.repository.write("addon.yaml", "1");
    let first = world.repository.push();
    world
        .repository
        .git(&["tag", "--annotate", "--message", "one", "v1.0.0"]);
    world.repository.write("addon.yaml", "2");
    world.repository.push();
    world.repository.write("addon.yaml", "3");
    let third = world.repository.push();
    world.repository.git(&["tag", "1.1.0"]);
    world
        .repository
        .git(&["push", "--quiet", "--tags", "origin"]);

    let middle = world
        .repository
        .git(&["rev-parse", "HEAD~1"])
        .trim()
        .to_owned();
    let tag = Reference {
        tag: Some("v1.0.0".into()),
        ..Reference::default()
    };
    let range = Reference {
        semver: Some("1.x".parse().unwrap()),
        ..Reference::default()
    };
    let commit = Reference {
        commit: Some(middle.clone()),
        ..Reference::default()
    };
    let branch = Reference {
        branch: Some("main".into()),
        ..Reference::default()
    };
    for (reference, text, want) in [
        (tag, format!("v1.0.0@sha1:{first}"), "1"),
        (range, format!("1.1.0@sha1:{third}"), "3"),
        (branch, format!("main@sha1:{third}"), "3"),
        (commit, format!("sha1:{middle}"), "2"),
    ] {
        world.remote.reference = reference;
        let revision = world.mirrors.fetch(&world.remote).unwrap();
        assert_eq!(revision.text, text);
        assert_eq!(resolve(&world.remote).unwrap(), revision);
        let offered = world.offered(&revision.commit, &[]);
        assert_eq!(
            (offered[0].directory.as_str(), files(&offered[0])),
            (".", vec![("addon.yaml", want)])
        );
    }
    world.remote.reference = Reference {
        commit: Some("0".repeat(39) + "1"),
        ..Reference::default()
    };
    assert!(matches!(
        world.mirrors.fetch(&world.remote),
        Err(Error::NoCommit { .. })
    ));
}

#[test]
fn an_empty_repository_and_a_missing_branch_are_named() {
    let mut world = world();
    assert_eq!(
        world.error(),
        "URL: the repository is empty; push a branch first"
    );
    world.repository.write("addon.yaml", "1");
    world.repository.push();
    world.remote.reference.branch = Some("release".into());
    assert_eq!(world.error(), "URL: no branch `release`; there is main");
}

#[test]
fn a_force_push_is_followed() {
    let world = world();
    world.repository.write("addon.yaml", "1");
    world.repository.push();
    world.mirrors.fetch(&world.remote).unwrap();
    world.repository.write("addon.yaml", "2");
    world.repository.git(&["add", "--all"]);
    world
        .repository
        .git(&["commit", "--quiet", "--amend", "--message", "again"]);
    world
        .repository
        .git(&["push", "--quiet", "--force", "origin", "HEAD:main"]);
    let revision = world.mirrors.fetch(&world.remote).unwrap();
    assert_eq!(revision.commit, world.repository.head());
    assert_eq!(
        files(&world.offered(&revision.commit, &[])[0]),
        [("addon.yaml", "2")]
    );
}

#[test]
fn sources_that_share_a_repository_share_its_mirror() {
    let world = world();
    let branches: Vec<String> = (0..8).map(|n| format!("branch-{n}")).collect();
    for branch in &branches {
        world.repository.write("addon.yaml", branch);
        world.repository.commit();
        let to = format!("HEAD:{branch}");
        world.repository.git(&["push", "--quiet", "origin", &to]);
    }
    std::thread::scope(|scope| {
        for branch in &branches {
            let (mirrors, mut remote) = (&world.mirrors, world.remote.clone());
            remote.reference.branch = Some(branch.clone());
            scope.spawn(move || {
                let revision = mirrors.fetch(&remote).unwrap();
                let offered = mirrors
                    .offered(&remote, &revision.commit, &[], &|_| false)
                    .unwrap();
                assert_eq!(files(&offered[0]), [("addon.yaml", branch.as_str())]);
            });
        }
    });
    let mirrors = std::fs::read_dir(world.directory.path().join("mirrors")).unwrap();
    assert_eq!(mirrors.count(), 1);
    assert_eq!(
        world.server.requests().len(),
        8 * 3,
        "references, depth, pack: each once"
    );
}

#[test]
fn a_broken_mirror_is_cloned_again() {
    let world = world();
    world.repository.write("addon.yaml", "1");
    let commit = world.repository.push();
    world.mirrors.fetch(&world.remote).unwrap();
    let pack = world.mirror().join("objects/pack");
    for entry in std::fs::read_dir(&pack).unwrap() {
        let path = entry.unwrap().path();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, b"rubbish").unwrap();
    }
    let revision = world.mirrors.fetch(&world.remote).unwrap();
    assert_eq!(revision.commit, commit);
    assert_eq!(
        files(&world.offered(&commit, &[])[0]),
        [("addon.yaml", "1")]
    );
    // A half-made mirror, as a crash leaves it.
    std::fs::remove_file(world.mirror().join("HEAD")).unwrap();
    assert_eq!(world.mirrors.fetch(&world.remote).unwrap().commit, commit);
}

#[test]
fn basic_authentication_goes_to_the_server_and_is_explained_when_it_fails() {
    let mut world = world();
    world.repository.write("addon.yaml", "1");
    let commit = world.repository.push();
    world.server.demand("ann:secret");
    assert_eq!(
        world.error(),
        "URL: the server answered 401; name a Secret with username and password in secretRef"
    );
    world.remote.credentials = Credentials {
        username: Some("ann".into()),
        password: Some("wrong".into()),
        ..Credentials::default()
    };
    assert!(world.error().contains("check username and password"));
    world.remote.credentials.password = Some("secret".into());
    assert_eq!(world.mirrors.fetch(&world.remote).unwrap().commit, commit);
    assert!(!format!("{:?}", world.remote).contains("secret"));
}

#[test]
fn git_itself_pushes_through_the_server_in_chunks_and_compressed() {
    let world = world();
    let url = world.remote.url.clone();
    // Larger than http.postBuffer: git sends it in chunks.
    let noise: String = (0..400_000u32)
        .map(|n| char::from(b'!' + (n.wrapping_mul(2_654_435_761) >> 25) as u8 % 90))
        .collect();
    world.repository.write("addon.yaml", &noise);
    world.repository.commit();
    world.repository.git(&[
        "-c",
        "http.postBuffer=65536",
        "push",
        "--quiet",
        &url,
        "HEAD:main",
    ]);
    assert!(world.server.bodies().0 > 0, "chunked");
    // Many haves: git compresses the negotiation.
    for n in 0..40 {
        world.repository.git(&["tag", &format!("t{n}")]);
        world.repository.commit();
    }
    world
        .repository
        .git(&["push", "--quiet", "--tags", &url, "HEAD:main"]);
    let clone = world.directory.path().join("clone");
    world.repository.git(&[
        "clone",
        "--quiet",
        "--depth=1",
        &url,
        clone.to_str().unwrap(),
    ]);
    world.repository.git(&[
        "-c",
        "protocol.version=0",
        "-C",
        clone.to_str().unwrap(),
        "fetch",
        "--quiet",
        "--tags",
        &url,
    ]);
    assert!(world.server.bodies().1 > 0, "compressed");
    assert_eq!(
        world.mirrors.fetch(&world.remote).unwrap().commit,
        world.repository.head()
    );
}

#[test]
fn a_bad_server_is_an_error_in_time() {
    let mut world = world();
    world.repository.write("addon.yaml", &"1".repeat(4000));
    let commit = world.repository.push();
    world.remote.timeout = Duration::from_secs(3);
    for (fault, want) in [
        (
            Fault::Hang,
            "URL: timed out waiting for an answer; the source's timeout is 3s",
        ),
        (
            Fault::Drip,
            "URL: timed out while reading an answer; the source's timeout is 3s",
        ),
        (Fault::DropHalfWay, "URL: the answer broke off"),
        (
            Fault::WebPage,
            "URL: not a Git repository: the server answered with text/html",
        ),
        (Fault::Garbage, "URL: "),
        (
            Fault::Status(404),
            "URL: the server knows no such repository (404)",
        ),
        (Fault::Status(500), "URL: the server answered 500"),
    ] {
        world.server.fault(fault);
        let began = Instant::now();
        let error = world.error();
        assert!(error.starts_with(want), "{fault:?}: {error}");
        assert!(began.elapsed() < Duration::from_secs(15), "{fault:?}");
    }
    world.server.fault(Fault::None);
    world.remote.timeout = Duration::from_secs(20);
    assert_eq!(world.mirrors.fetch(&world.remote).unwrap().commit, commit);
}

#[test]
fn a_url_that_is_not_allowed_is_refused_before_anything_is_sent() {
    let mut world = world();
    let good = world.remote.url.clone();
    for (url, insecure, want) in [
        (good.as_str(), false, "plain HTTP is not allowed"),
        (
            "http://ann:secret@127.0.0.1/x",
            true,
            "it holds credentials",
        ),
        (
            "ssh://git:secret@example.com/x",
            true,
            "it holds credentials",
        ),
        ("file:///etc", true, "scheme `file` is not supported"),
        ("nonsense", true, "no usable URL"),
    ] {
        world.remote.url = url.to_owned();
        world.remote.insecure = insecure;
        let error = world.mirrors.fetch(&world.remote).unwrap_err();
        assert!(error.is_terminal(), "{error}");
        let error = error.to_string();
        assert!(
            error.contains(want) && !error.contains(":secret"),
            "{error}"
        );
    }
    assert!(world.server.requests().is_empty());
}
