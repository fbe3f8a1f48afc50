//! Signatures that the real cosign made, versions 2 and 3 (`fixtures/cosign/make`), in a real registry:
//! which are believed, and why the others are not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "support/cosign_fixtures.rs"]
mod cosign_fixtures;
#[path = "support/http_server.rs"]
#[allow(dead_code)]
mod http_server;
#[path = "support/registries.rs"]
#[allow(dead_code)]
mod registries;

use api::{Digest, provenance::Signer};
use cosign_fixtures::{fixture, fixtures, link, load, tagged};
use http_server::{HttpServer, Manner, Request, Response, forward};
use registries::{Demands, Registry};
use std::time::Duration;
use transport::{
    Consequence, Credentials,
    cosign::{Format, Identity, Keys, Refusal, Trust, TrustRoot},
    oci::{Artifacts, Meter, Reference, Remote},
};

fn keys(names: &[&str]) -> Keys {
    let read = |name: &&str| fixture(&format!("keys/{name}.pub"));
    let pem: Vec<String> = names.iter().map(read).collect();
    Keys::parse(&pem.concat()).unwrap()
}

/// A registry that holds what cosign left.
struct World {
    _directory: tempfile::TempDir,
    registry: Registry,
    /// What most signatures are of.
    one: Digest,
    two: Digest,
}

fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::distribution(directory.path(), &Demands::default());
    load(&registry.storage);
    World {
        _directory: directory,
        one: tagged("v2/p256", "1.0.0"),
        two: tagged("v2/else", "1.0.0"),
        registry,
    }
}

fn remote(port: u16, repository: &str) -> Remote {
    Remote {
        url: format!("oci://127.0.0.1:{port}/{repository}"),
        insecure: true,
        reference: Reference::default(),
        credentials: Credentials::default(),
        timeout: Duration::from_secs(10),
    }
}

impl World {
    fn verify(&self, repository: &str, digest: &Digest, names: &[&str]) -> Result<Format, Refusal> {
        let remote = remote(self.registry.port, repository);
        let verified = Artifacts::new().verify(&remote, digest, &keys(names))?;
        Ok(verified.format)
    }

    fn refused(&self, repository: &str, digest: &Digest, names: &[&str]) -> Refusal {
        self.verify(repository, digest, names).unwrap_err()
    }

    /// Moves the tag `from` of `repository` to the name `to`.
    fn retag(&self, repository: &str, from: &str, to: &str) {
        let hex = tagged(repository, from).hex().to_owned();
        let path = format!("_manifests/tags/{to}/current");
        link(&self.registry.storage, repository, &path, &hex);
    }
}

#[test]
fn every_kind_of_key_is_believed_in_both_formats() {
    let world = world();
    for kind in ["p256", "p384", "ed25519", "rsa"] {
        for (repository, format) in [("v2", Format::Tag), ("v3", Format::Bundle)] {
            let repository = format!("{repository}/{kind}");
            let verified = world.verify(&repository, &world.one, &[kind]);
            assert_eq!(verified.unwrap(), format, "{repository}");
            // Any of several keys.
            let all = ["other", "p256", "p384", "ed25519", "rsa"];
            assert_eq!(world.verify(&repository, &world.one, &all).unwrap(), format);
        }
    }
}

#[test]
fn the_key_that_signed_is_named() {
    let world = world();
    let remote = remote(world.registry.port, "v3/rsa");
    let all = keys(&["p256", "rsa"]);
    let verified = Artifacts::new().verify(&remote, &world.one, &all).unwrap();
    let der = registries::openssl(
        &fixtures().join("keys"),
        &["pkey", "-pubin", "-in", "rsa.pub", "-outform", "DER"],
    );
    std::fs::write(world.registry.storage.join("der"), der).unwrap();
    let hash = registries::openssl(&world.registry.storage, &["dgst", "-sha256", "-r", "der"]);
    let hash = String::from_utf8(hash).unwrap();
    let want = format!("sha256:{}", hash.split(' ').next().unwrap());
    assert_eq!(verified.signer, Signer::Key(want));
}

#[test]
fn one_good_signature_among_several_is_enough() {
    let world = world();
    for repository in ["v2/twice", "v3/twice"] {
        for key in ["other", "rsa"] {
            world.verify(repository, &world.one, &[key]).unwrap();
        }
        let refused = world.refused(repository, &world.one, &["p384"]);
        assert!(matches!(refused, Refusal::WrongKey { .. }), "{refused}");
    }
}

#[test]
fn a_missing_signature_is_missing() {
    let world = world();
    // The artifact is there, and a signature of another one.
    for repository in ["v2/else", "v3/else"] {
        let refused = world.refused(repository, &world.one, &["p256"]);
        assert!(matches!(refused, Refusal::Missing { .. }), "{refused}");
        let text = refused.to_string();
        let tag = format!("sha256-{}.sig", world.one.hex());
        assert!(
            text.contains("is not signed") && text.contains(&tag),
            "{text}"
        );
    }
}

#[test]
fn a_key_that_is_not_trusted_is_named_as_the_reason() {
    let world = world();
    for repository in ["v2/p256", "v3/p256", "v2/rsa", "v3/ed25519"] {
        let refused = world.refused(repository, &world.one, &["other"]);
        assert!(matches!(refused, Refusal::WrongKey { .. }), "{refused}");
        assert!(
            refused
                .to_string()
                .contains("not with a key that is trusted (the keys are sha256:")
        );
    }
}

#[test]
fn a_signature_of_another_artifact_is_refused_as_that() {
    let world = world();
    let (one, two) = (world.one.hex(), world.two.hex());
    world.retag(
        "v2/else",
        &format!("sha256-{two}.sig"),
        &format!("sha256-{one}.sig"),
    );
    world.retag(
        "v3/else",
        &format!("sha256-{two}"),
        &format!("sha256-{one}"),
    );
    for repository in ["v2/else", "v3/else"] {
        let refused = world.refused(repository, &world.one, &["p256"]);
        match &refused {
            Refusal::OtherDigest { signed, digest, .. } => {
                assert_eq!((signed, digest), (&world.two, &world.one));
            }
            _ => panic!("{refused}"),
        }
        // Whoever made it, it is no signature of a key that is not trusted.
        let refused = world.refused(repository, &world.one, &["other"]);
        assert!(matches!(refused, Refusal::WrongKey { .. }), "{refused}");
    }
}

#[test]
fn an_attestation_is_no_signature() {
    let world = world();
    let refused = world.refused("v3/attested", &world.one, &["p256"]);
    assert!(matches!(refused, Refusal::Unreadable { .. }), "{refused}");
    let text = refused.to_string();
    assert!(
        text.contains("its predicate is `https://example.com/predicate`"),
        "{text}"
    );
}

/// Whom the trust root `root` vouches for, where it is `subject` of the issuer of the fixtures.
fn identity(root: &str, subject: &str) -> Trust {
    let root = fixture(&format!("keyless/{root}"));
    Trust {
        keys: None,
        identities: vec![Identity::parse("http://127\\.0\\.0\\.1:[0-9]+", subject).unwrap()],
        root: Some(TrustRoot::parse(&root).unwrap()),
    }
}

#[test]
fn an_identity_is_believed_in_both_formats() {
    let world = world();
    let artifacts = Artifacts::new();
    let verify = |repository: &str, trust: &Trust| {
        let remote = remote(world.registry.port, repository);
        let digest = tagged(repository, "1.0.0");
        artifacts.verify(&remote, &digest, trust)
    };
    let ann = identity("trusted_root.json", "ann@example\\.com");
    for (repository, format) in [("keyless/v2", Format::Tag), ("keyless/v3", Format::Bundle)] {
        let verified = verify(repository, &ann).unwrap();
        assert_eq!(verified.format, format);
        match verified.signer {
            Signer::Identity { subject, .. } => assert_eq!(subject, "ann@example.com"),
            Signer::Key(key) => panic!("{key}"),
        }
        // A key that is trusted too changes nothing.
        let both = Trust {
            keys: Some(keys(&["p256"])),
            ..ann.clone()
        };
        verify(repository, &both).unwrap();

        let bob = identity("trusted_root.json", "bob@example\\.com");
        let refused = verify(repository, &bob).unwrap_err();
        assert!(
            matches!(refused, Refusal::WrongIdentity { .. }),
            "{refused}"
        );
        let text = refused.to_string();
        assert!(
            text.contains("is signed by `ann@example.com` of `http://"),
            "{text}"
        );

        let other = identity("other_authority.json", ".*");
        let refused = verify(repository, &other).unwrap_err();
        assert!(matches!(refused, Refusal::Untrusted { .. }), "{refused}");

        let other = identity("other_clock.json", ".*");
        let refused = verify(repository, &other).unwrap_err();
        assert!(matches!(refused, Refusal::Expired { .. }), "{refused}");

        let refused = verify(repository, &keys(&["p256"]).into()).unwrap_err();
        assert!(matches!(refused, Refusal::WrongKey { .. }), "{refused}");
    }
    // Nobody saw when this one was made, and this one was made too late.
    for repository in ["keyless/untimed", "keyless/late"] {
        let refused = verify(repository, &ann).unwrap_err();
        assert!(matches!(refused, Refusal::Expired { .. }), "{refused}");
    }
    // An artifact that a key signed is no identity's.
    let refused = Artifacts::new()
        .verify(&remote(world.registry.port, "v3/p256"), &world.one, &ann)
        .unwrap_err();
    assert!(matches!(refused, Refusal::WrongKey { .. }), "{refused}");
}

/// The refusal for `repository` behind a registry of which `change` spoils answers.
fn behind(
    world: &World,
    repository: &str,
    change: impl Fn(&Request, Response) -> Response + Send + Sync + 'static,
) -> Refusal {
    let upstream = world.registry.port;
    let server = HttpServer::start(move |request| change(request, forward(upstream, request)));
    let mut remote = remote(server.port, repository);
    remote.timeout = Duration::from_secs(2);
    let verified = Artifacts::new().verify(&remote, &world.one, &keys(&["p256"]));
    verified.unwrap_err()
}

#[test]
fn what_was_verified_is_what_is_pulled_though_the_tag_moved_in_between() {
    let world = world();
    let remote = remote(world.registry.port, "v2/p256");
    let artifacts = Artifacts::new();
    let revision = artifacts.resolve(&remote).unwrap().remove(0);
    artifacts
        .verify(&remote, &revision.digest, &keys(&["p256"]))
        .unwrap();
    world.retag(
        "v2/p256",
        &format!("sha256-{}.sig", world.one.hex()),
        "1.0.0",
    );
    let moved = artifacts.resolve(&remote).unwrap().remove(0);
    assert_ne!(moved.digest, revision.digest);
    let pulled = artifacts.pull(&remote, &revision.digest, |reader| {
        std::io::read_to_string(reader)
    });
    assert_eq!(pulled.unwrap().unwrap(), "an addon\n");
    let refused = artifacts.verify(&remote, &moved.digest, &keys(&["p256"]));
    assert!(
        matches!(refused, Err(Refusal::Missing { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_tampered_signature_is_refused_as_that() {
    let world = world();
    for repository in ["v2/p256", "v3/p256"] {
        let refused = behind(&world, repository, |request, mut answer| {
            if request.target.contains("/blobs/") {
                let last = answer.body.len() - 3;
                answer.body[last] ^= 1;
            }
            answer
        });
        assert!(matches!(refused, Refusal::Tampered { .. }), "{refused}");
        assert!(
            refused.to_string().contains("sent other bytes for blob"),
            "{refused}"
        );
    }
}

#[test]
fn a_signature_that_is_named_and_taken_away_cannot_be_read() {
    let world = world();
    for repository in ["v2/p256", "v3/p256"] {
        let refused = behind(&world, repository, |request, answer| {
            match request.target.contains("/blobs/") {
                true => Response::new(404, ""),
                false => answer,
            }
        });
        assert!(matches!(refused, Refusal::Unreadable { .. }), "{refused}");
    }
}

#[test]
fn a_registry_that_cannot_be_asked_is_never_taken_for_an_unsigned_artifact() {
    type Place = fn(&Request) -> bool;
    let everything: Place = |_| true;
    let signatures: Place = |request| request.target.contains("/manifests/sha256-");
    let referrers: Place = |request| request.target.contains("/referrers/");
    let blobs: Place = |request| request.target.contains("/blobs/");
    let world = world();
    let cases = [
        ("v2/p256", everything),
        ("v2/p256", signatures),
        ("v2/p256", blobs),
        ("v3/p256", everything),
        ("v3/p256", referrers),
        ("v3/p256", signatures),
        ("v3/p256", blobs),
        ("v2/else", signatures),
    ];
    // Side by side: some wait for an answer that does not come.
    std::thread::scope(|scope| {
        for (repository, place) in cases {
            for status in [401, 403, 429, 500, 503, 0] {
                let world = &world;
                scope.spawn(move || {
                    let refused = behind(world, repository, move |request, answer| {
                        match (place(request), status) {
                            (false, _) => answer,
                            (true, 0) => answer.manner(Manner::Never),
                            (true, status) => {
                                let body = r#"{"errors": [{"code": "DENIED", "message": "no"}]}"#;
                                Response::new(status, body).header("Retry-After", "5")
                            }
                        }
                    });
                    let Refusal::Registry(error) = &refused else {
                        panic!("{repository} {status}: {refused}");
                    };
                    assert_ne!(error.consequence(), Consequence::Terminal);
                });
            }
        }
    });
    // Nobody is there at all.
    let nobody = remote(1, "v2/p256");
    let refused = Artifacts::new().verify(&nobody, &world.one, &keys(&["p256"]));
    assert!(matches!(refused, Err(Refusal::Registry(_))), "{refused:?}");
}

#[test]
fn a_copy_keeps_its_signatures() {
    let world = world();
    let target = tempfile::tempdir().unwrap();
    let target = Registry::with_referrers(target.path());
    for (repository, format) in [("v2/p256", Format::Tag), ("v3/p256", Format::Bundle)] {
        let from = remote(world.registry.port, repository);
        let to = remote(target.port, repository);
        let artifacts = Artifacts::new();
        let revision = artifacts.resolve(&from).unwrap().remove(0);
        artifacts
            .copy(&from, &to, &revision, &Meter::default())
            .unwrap();
        let verified = artifacts.verify(&to, &world.one, &keys(&["p256"]));
        assert_eq!(verified.unwrap().format, format);
    }
}
