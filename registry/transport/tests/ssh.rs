//! Git over SSH against the real sshd: whom we believe, who we are, and how it fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "support/git_server.rs"]
#[allow(dead_code)]
mod git_server;
#[path = "support/ssh_server.rs"]
#[allow(dead_code)]
mod ssh_server;

use git_server::Repository;
use ssh_server::{SshServer, keygen};
use std::{
    net::TcpListener,
    time::{Duration, Instant},
};
use transport::{Content, Credentials, Error, Mirrors, Reference, Remote, resolve};

struct World {
    directory: tempfile::TempDir,
    server: SshServer,
    repository: Repository,
    mirrors: Mirrors,
    remote: Remote,
}

fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::create(directory.path(), "addons.git");
    let server = SshServer::start(directory.path());
    let remote = Remote {
        url: server.url(&repository.bare),
        insecure: false,
        reference: Reference::default(),
        credentials: Credentials {
            identity: Some(server.admit("ed25519", "")),
            known_hosts: Some(server.known_host("ed25519")),
            ..Credentials::default()
        },
        timeout: Duration::from_secs(20),
    };
    World {
        mirrors: Mirrors::open(directory.path().join("mirrors")).unwrap(),
        remote,
        repository,
        server,
        directory,
    }
}

impl World {
    fn error(&self) -> String {
        let error = self.mirrors.fetch(&self.remote).unwrap_err();
        assert!(!error.is_terminal());
        error.to_string().replace(&self.remote.url, "URL")
    }
}

#[test]
fn a_repository_is_resolved_fetched_and_fetched_again_after_a_push() {
    let world = world();
    for n in 1..=3 {
        // More than one window of SSH, so that the server must wait for us.
        let noise = "x".repeat(n * 1000) + &format!("{n}").repeat(3_000_000);
        world.repository.write("noise", &noise);
        world
            .repository
            .write("redis/addon.yaml", &format!("version: {n}\n"));
        let commit = world.repository.push();
        let revision = world.mirrors.fetch(&world.remote).unwrap();
        assert_eq!(revision.text, format!("main@sha1:{commit}"));
        assert_eq!(resolve(&world.remote).unwrap(), revision);
        let offered = world
            .mirrors
            .offered(&world.remote, &commit, &[], &|_| false)
            .unwrap();
        let files = vec![(
            "addon.yaml".to_owned(),
            format!("version: {n}\n").into_bytes(),
        )];
        assert_eq!(offered[0].content, Content::Files(files));
    }
}

#[test]
fn keys_of_every_kind_are_shown_also_encrypted_ones() {
    let mut world = world();
    world.repository.write("addon.yaml", "1");
    let commit = world.repository.push();
    for (kind, passphrase) in [("ecdsa", ""), ("rsa", ""), ("ed25519", "open sesame")] {
        world.remote.credentials.identity = Some(world.server.admit(kind, passphrase));
        world.remote.credentials.password = Some(passphrase.to_owned()).filter(|p| !p.is_empty());
        assert_eq!(
            world.mirrors.fetch(&world.remote).unwrap().commit,
            commit,
            "{kind}"
        );
    }
    world.remote.credentials.password = Some("wrong".into());
    let error = world.error();
    assert!(error.starts_with("URL: identity: "), "{error}");
    assert!(error.ends_with("check the Secret of secretRef"), "{error}");
}

#[test]
fn only_a_host_whose_key_is_known_is_talked_to() {
    let mut world = world();
    world.repository.write("addon.yaml", "1");
    let commit = world.repository.push();
    // The server prefers its other key.
    world.remote.credentials.known_hosts = Some(world.server.known_host("rsa"));
    assert_eq!(world.mirrors.fetch(&world.remote).unwrap().commit, commit);

    let other = world.directory.path().join("other");
    keygen(&other, "ed25519", "");
    let other = std::fs::read_to_string(other.with_extension("pub")).unwrap();
    let port = world.server.port;
    for (known, want) in [
        (
            Some(format!("[127.0.0.1]:{port} {other}")),
            "the host shows a key that is not in known_hosts (SHA256:",
        ),
        (
            Some(format!(
                "@revoked * {}",
                world
                    .server
                    .known_host("ed25519")
                    .split_once(' ')
                    .unwrap()
                    .1
            )),
            "known_hosts says nothing of `127.0.0.1`",
        ),
        (
            Some(format!("127.0.0.1 {other}")),
            "known_hosts says nothing of `127.0.0.1`",
        ),
        (Some("nonsense".to_owned()), "known_hosts: "),
        (None, "SSH needs known_hosts"),
    ] {
        world.remote.credentials.known_hosts = known;
        let error = world.error();
        assert!(error.contains(want), "{error}");
    }
}

#[test]
fn a_key_that_is_not_admitted_and_a_repository_that_is_not_there_are_named() {
    let mut world = world();
    world.repository.write("addon.yaml", "1");
    world.repository.push();
    let good = world.remote.credentials.identity.take();
    assert!(world.error().contains("SSH needs identity"));
    world.remote.credentials.identity = Some("nonsense".into());
    assert!(world.error().contains("identity: "));
    let stranger = world.directory.path().join("stranger");
    keygen(&stranger, "ed25519", "");
    world.remote.credentials.identity = std::fs::read_to_string(stranger).ok();
    let error = world.error();
    assert!(
        error.contains("the server does not let `") && error.contains("registered there"),
        "{error}"
    );
    world.remote.credentials.identity = good;
    world.remote.url = world.server.url(&world.directory.path().join("absent.git"));
    let error = world.error();
    assert!(
        error.starts_with("URL: the server refused: ") && error.contains("absent.git"),
        "{error}"
    );
}

#[test]
fn a_server_that_hangs_or_is_not_there_is_an_error_in_time() {
    let mut world = world();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let key = world
        .server
        .known_host("ed25519")
        .split_once(' ')
        .unwrap()
        .1
        .to_owned();
    world.remote.credentials.known_hosts = Some(format!("[127.0.0.1]:{port} {key}"));
    world.remote.url = format!("ssh://git@127.0.0.1:{port}/x");
    world.remote.timeout = Duration::from_secs(2);
    let began = Instant::now();
    assert_eq!(
        world.error(),
        "URL: timed out connecting by SSH; the source's timeout is 2s"
    );
    assert!(began.elapsed() < Duration::from_secs(10));
    drop(listener);
    assert!(matches!(
        world.mirrors.fetch(&world.remote),
        Err(Error::Unreachable { .. })
    ));
}
