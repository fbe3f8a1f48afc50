//! Commits and tags signed by the real gpg and ssh-keygen, fetched from the real git: which are
//! believed, and why the others are not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "support/git_server.rs"]
#[allow(dead_code)]
mod git_server;
#[path = "support/gpg.rs"]
mod gpg;
#[path = "support/ssh_server.rs"]
#[allow(dead_code)]
mod ssh_server;

use git_server::{GitServer, Repository};
use gpg::Gpg;
use ssh_server::keygen;
use std::{process::Command, time::Duration};
use transport::{
    Credentials, Mirrors, Reference, Remote, Signers,
    signed::{Refusal, What},
};

struct World {
    directory: tempfile::TempDir,
    _server: GitServer,
    repository: Repository,
    mirrors: Mirrors,
    remote: Remote,
    gpg: Gpg,
}

fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::create(directory.path(), "addons.git");
    let server = GitServer::start(directory.path());
    repository.write("addon.yaml", "1");
    World {
        mirrors: Mirrors::open(directory.path().join("mirrors")).unwrap(),
        remote: Remote {
            url: server.url("addons.git"),
            insecure: true,
            reference: Reference::default(),
            credentials: Credentials::default(),
            timeout: Duration::from_secs(20),
        },
        gpg: Gpg::new(directory.path()),
        repository,
        _server: server,
        directory,
    }
}

impl World {
    /// Runs git with the keys of gpg.
    fn git(&self, arguments: &[&str]) {
        let output = Command::new("git")
            .current_dir(&self.repository.work)
            .args([
                "-c",
                "user.name=Author",
                "-c",
                "user.email=author@example.com",
            ])
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GNUPGHOME", &self.gpg.home)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {error}");
    }

    fn commit_by_gpg(&self, key: &str) {
        self.git(&["add", "--all"]);
        let key = format!("--gpg-sign={key}");
        self.git(&[
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            "signed",
            &key,
        ]);
    }

    /// A new key of SSH; its path.
    fn ssh_key(&self, kind: &str) -> String {
        let path = self.directory.path().join(format!("ssh-{kind}"));
        keygen(&path, kind, "");
        path.to_str().unwrap().to_owned()
    }

    fn by_ssh(&self, key: &str, arguments: &[&str]) {
        let key = format!("user.signingkey={key}");
        let mut all = vec!["-c", "gpg.format=ssh", "-c", &key];
        all.extend(arguments);
        self.git(&all);
    }

    fn push(&self) {
        self.git(&[
            "push",
            "--quiet",
            "--force",
            "--follow-tags",
            "origin",
            "HEAD:main",
            "--tags",
        ]);
    }

    fn verify(&self, keys: &str, what: What) -> Result<String, Refusal> {
        let revision = self.mirrors.fetch(&self.remote).unwrap();
        let signers = Signers::parse(keys).unwrap();
        self.mirrors.verify(&self.remote, &revision, &signers, what)
    }

    fn refused(&self, keys: &str, what: What) -> Refusal {
        self.verify(keys, what).unwrap_err()
    }
}

fn public(path: &str) -> String {
    std::fs::read_to_string(format!("{path}.pub")).unwrap()
}

#[test]
fn commits_that_gpg_signed_are_believed_by_every_algorithm_and_by_subkeys() {
    let world = world();
    for algorithm in ["rsa2048", "ed25519", "nistp256", "nistp384"] {
        let name = format!("{algorithm}@example.com");
        world.gpg.generate(&name, algorithm, "never");
        world.commit_by_gpg(&name);
        world.push();
        let key = world.gpg.export(&name);
        let signer = world.verify(&key, What::Head).unwrap();
        assert_eq!(signer, world.gpg.fingerprint(&name), "{algorithm}");
    }
    // A primary key that certifies only, and a subkey that signs.
    world.gpg.run(
        &[
            "--quick-generate-key",
            "sub@example.com",
            "ed25519",
            "cert",
            "never",
        ],
        "",
    );
    let primary = world.gpg.fingerprint("sub@example.com");
    world.gpg.run(
        &["--quick-add-key", &primary, "rsa2048", "sign", "never"],
        "",
    );
    world.commit_by_gpg("sub@example.com");
    world.push();
    let all = world.gpg.export("rsa2048@example.com") + &world.gpg.export("sub@example.com");
    let signer = world.verify(&all, What::Head).unwrap();
    assert_ne!(signer, primary, "the subkey");
    assert_eq!(signer.len(), 40);
}

#[test]
fn commits_that_ssh_signed_are_believed_by_every_algorithm() {
    let world = world();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = world.ssh_key(kind);
        world.by_ssh(
            &key,
            &[
                "commit",
                "--quiet",
                "--allow-empty",
                "-S",
                "--message",
                "signed",
            ],
        );
        world.push();
        let signer = world.verify(&public(&key), What::Head).unwrap();
        let print = Command::new("ssh-keygen")
            .args(["-l", "-f", &key])
            .output()
            .unwrap();
        let print = String::from_utf8(print.stdout).unwrap();
        assert_eq!(print.split(' ').nth(1), Some(signer.as_str()), "{kind}");
    }
}

#[test]
fn what_is_not_signed_or_by_another_key_is_refused_as_that() {
    let world = world();
    world.gpg.generate("good@example.com", "ed25519", "never");
    world.gpg.generate("other@example.com", "ed25519", "never");
    let good = world.gpg.export("good@example.com");
    world.repository.push();
    let refused = world.refused(&good, What::Head);
    assert!(matches!(refused, Refusal::Missing { .. }), "{refused}");
    world.commit_by_gpg("other@example.com");
    world.push();
    let refused = world.refused(&good, What::Head);
    let print = world.gpg.fingerprint("other@example.com");
    assert!(
        matches!(&refused, Refusal::WrongKey { by, .. } if *by == print),
        "{refused}"
    );
    let ssh = world.ssh_key("ed25519");
    let refused = world.refused(&public(&ssh), What::Head);
    assert!(matches!(refused, Refusal::WrongKey { .. }), "{refused}");
    world.by_ssh(
        &ssh,
        &[
            "commit",
            "--quiet",
            "--allow-empty",
            "-S",
            "--message",
            "signed",
        ],
    );
    world.push();
    let refused = world.refused(&good, What::Head);
    assert!(
        matches!(&refused, Refusal::WrongKey { by, .. } if by.starts_with("SHA256:")),
        "{refused}"
    );
}

#[test]
fn a_commit_that_was_changed_after_it_was_signed_is_refused_as_that() {
    let world = world();
    world.gpg.generate("good@example.com", "ed25519", "never");
    let ssh = world.ssh_key("ed25519");
    let sign_by_ssh = || {
        world.by_ssh(
            &ssh,
            &[
                "commit",
                "--quiet",
                "--allow-empty",
                "-S",
                "--message",
                "signed",
            ],
        );
    };
    let sign_by_gpg = || world.commit_by_gpg("good@example.com");
    let keys = [world.gpg.export("good@example.com"), public(&ssh)];
    let signs: [&dyn Fn(); 2] = [&sign_by_gpg, &sign_by_ssh];
    for (sign, keys) in signs.iter().zip(keys) {
        sign();
        let raw = world.repository.git(&["cat-file", "commit", "HEAD"]);
        let changed = world.directory.path().join("changed");
        std::fs::write(&changed, raw.replace("signed\n", "signed, they say\n")).unwrap();
        let changed = changed.to_str().unwrap();
        let oid = world
            .repository
            .git(&["hash-object", "-t", "commit", "-w", changed]);
        world.git(&["reset", "--quiet", "--soft", oid.trim()]);
        world.push();
        let refused = world.refused(&keys, What::Head);
        assert!(matches!(refused, Refusal::Tampered { .. }), "{refused}");
    }
}

#[test]
fn keys_that_expired_or_were_revoked_are_refused_as_that() {
    let world = world();
    world
        .gpg
        .generate("short@example.com", "ed25519", "seconds=2");
    world.gpg.generate("gone@example.com", "ed25519", "never");
    let gone = world.gpg.fingerprint("gone@example.com");
    world.commit_by_gpg("short@example.com");
    world.push();
    std::thread::sleep(Duration::from_secs(3));
    let refused = world.refused(&world.gpg.export("short@example.com"), What::Head);
    assert!(
        matches!(&refused, Refusal::Expired { reason, .. } if reason == "the key has expired"),
        "{refused}"
    );

    world.commit_by_gpg("gone@example.com");
    world.push();
    let before = world.gpg.export("gone@example.com");
    world.verify(&before, What::Head).unwrap();
    // gpg keeps the revocation beside the key, disarmed by a colon.
    let revocation = world.gpg.home.join(format!("openpgp-revocs.d/{gone}.rev"));
    let revocation = std::fs::read_to_string(revocation)
        .unwrap()
        .replace(":-----", "-----");
    world.gpg.run(&["--import"], &revocation);
    let refused = world.refused(&world.gpg.export("gone@example.com"), What::Head);
    assert!(
        matches!(&refused, Refusal::Expired { reason, .. } if reason == "the key was revoked"),
        "{refused}"
    );
}

#[test]
fn a_key_that_may_only_certify_signs_nothing() {
    let world = world();
    world.gpg.run(
        &[
            "--quick-generate-key",
            "cert@example.com",
            "rsa2048",
            "cert",
            "never",
        ],
        "",
    );
    world.gpg.generate("good@example.com", "ed25519", "never");
    // gpg itself refuses to sign with it, so a signature is moved under its name.
    world.commit_by_gpg("good@example.com");
    world.push();
    let refused = world.refused(&world.gpg.export("cert@example.com"), What::Head);
    assert!(matches!(refused, Refusal::WrongKey { .. }), "{refused}");
}

#[test]
fn a_signature_of_ssh_for_another_use_does_not_count() {
    let world = world();
    let key = world.ssh_key("ed25519");
    world.repository.push();
    let raw = world.repository.git(&["cat-file", "commit", "HEAD"]);
    let payload = world.directory.path().join("payload");
    std::fs::write(&payload, &raw).unwrap();
    let signed = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-n", "file", "-f", &key])
        .arg(&payload)
        .output()
        .unwrap();
    assert!(signed.status.success());
    let signature = std::fs::read_to_string(payload.with_extension("sig")).unwrap();
    let header = signature.trim_end().replace('\n', "\n ");
    let (head, message) = raw.split_once("\n\n").unwrap();
    std::fs::write(&payload, format!("{head}\ngpgsig {header}\n\n{message}")).unwrap();
    let oid = world.repository.git(&[
        "hash-object",
        "-t",
        "commit",
        "-w",
        payload.to_str().unwrap(),
    ]);
    world.git(&["reset", "--quiet", "--soft", oid.trim()]);
    world.push();
    let refused = world.refused(&public(&key), What::Head);
    assert!(
        matches!(&refused, Refusal::Unreadable { reason, .. } if reason == "it was not made for git"),
        "{refused}"
    );
}

#[test]
fn tags_are_believed_by_gpg_and_ssh_and_the_modes_ask_for_what_they_say() {
    let mut world = world();
    world.gpg.generate("good@example.com", "ed25519", "never");
    let gpg = world.gpg.export("good@example.com");
    let ssh = world.ssh_key("ed25519");
    world.repository.push();
    world.git(&[
        "tag",
        "--local-user=good@example.com",
        "--message",
        "one",
        "v1.0.0",
    ]);
    world.by_ssh(&ssh, &["tag", "-s", "--message", "two", "v1.1.0"]);
    world.git(&["tag", "--annotate", "--message", "three", "v1.2.0"]);
    world.git(&["tag", "v1.3.0"]);
    world.push();
    let ask = |world: &mut World, tag: &str| world.remote.reference.tag = Some(tag.into());
    ask(&mut world, "v1.0.0");
    let signer = world.verify(&gpg, What::Tag).unwrap();
    assert_eq!(signer, world.gpg.fingerprint("good@example.com"));
    let refused = world.refused(&gpg, What::TagAndHead);
    assert!(
        matches!(&refused, Refusal::Missing { object } if object.starts_with("commit ")),
        "{refused}"
    );
    ask(&mut world, "v1.1.0");
    world.verify(&public(&ssh), What::Tag).unwrap();
    let refused = world.refused(&gpg, What::Tag);
    assert!(matches!(refused, Refusal::WrongKey { .. }), "{refused}");
    ask(&mut world, "v1.2.0");
    let refused = world.refused(&gpg, What::Tag);
    assert!(
        matches!(&refused, Refusal::Missing { object } if object == "tag v1.2.0"),
        "{refused}"
    );
    ask(&mut world, "v1.3.0");
    let refused = world.refused(&gpg, What::Tag);
    assert!(
        refused.to_string().contains("a lightweight one"),
        "{refused}"
    );
    world.remote.reference.tag = None;
    let refused = world.refused(&gpg, What::Tag);
    assert!(matches!(refused, Refusal::NoTag { .. }), "{refused}");
    // Both, where both are there.
    world.commit_by_gpg("good@example.com");
    world.git(&[
        "tag",
        "--local-user=good@example.com",
        "--message",
        "four",
        "v1.4.0",
    ]);
    world.push();
    ask(&mut world, "v1.4.0");
    world.verify(&gpg, What::TagAndHead).unwrap();
}

#[test]
fn a_signed_tag_under_another_name_is_refused_and_one_that_is_signed_later_is_seen() {
    let mut world = world();
    world.gpg.generate("good@example.com", "ed25519", "never");
    let gpg = world.gpg.export("good@example.com");
    world.repository.push();
    world.git(&[
        "tag",
        "--local-user=good@example.com",
        "--message",
        "one",
        "v1.0.0",
    ]);
    // As an attacker does who can push and not sign: the old version as the new one.
    world.git(&["update-ref", "refs/tags/v2.0.0", "refs/tags/v1.0.0"]);
    world.git(&["tag", "--annotate", "--message", "three", "v3.0.0"]);
    world.push();
    world.remote.reference.tag = Some("v2.0.0".into());
    let refused = world.refused(&gpg, What::Tag);
    assert!(
        matches!(&refused, Refusal::Other { signed, .. } if signed.starts_with("v1.0.0 of ")),
        "{refused}"
    );

    world.remote.reference.tag = Some("v3.0.0".into());
    assert!(matches!(
        world.refused(&gpg, What::Tag),
        Refusal::Missing { .. }
    ));
    world.git(&[
        "tag",
        "--force",
        "--local-user=good@example.com",
        "--message",
        "three",
        "v3.0.0",
    ]);
    world.push();
    world.verify(&gpg, What::Tag).unwrap();
}

#[test]
fn what_is_no_key_is_refused() {
    for (text, want) in [
        ("", "there is no public key"),
        ("# nothing\n", "there is no public key"),
        ("nonsense", "a key of SSH: "),
        (
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nnonsense\n",
            "an OpenPGP key: ",
        ),
        (
            r#"namespaces="git" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"#,
            "a key of SSH: ",
        ),
    ] {
        let error = Signers::parse(text).unwrap_err().to_string();
        assert!(
            error.contains(want) && error.contains("want armored OpenPGP"),
            "{error}"
        );
    }
}
