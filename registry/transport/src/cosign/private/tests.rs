//! Keys as openssl and cosign write them.

use super::*;
use crate::cosign::Keys;
use std::{path::Path, process::Command};

fn openssl(directory: &Path, arguments: &str) -> String {
    let output = Command::new("openssl")
        .current_dir(directory)
        .args(arguments.split(' '))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

const KINDS: [&str; 4] = [
    "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
    "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
    "-algorithm ED25519",
    "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
];

/// Parses `pem`, and signs what the key that openssl says is its public one verifies.
fn check(directory: &Path, pem: &str) {
    std::fs::write(directory.join("key"), pem).unwrap();
    let public = openssl(directory, "pkey -in key -pubout");
    let key = PrivateKey::parse(pem, "").unwrap();
    assert_eq!(key.public_pem(), public);
    let keys = Keys::parse(&public).unwrap();
    let signature = key.sign(b"message").unwrap();
    assert_eq!(keys.signer(b"message", &signature), Some(&key.id()));
    assert_eq!(keys.signer(b"another", &signature), None);
    assert_eq!(key.sign(b"message").unwrap(), signature);
}

#[test]
fn every_kind_of_key_signs_what_its_public_key_verifies() {
    let directory = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let pem = openssl(directory.path(), &format!("genpkey {kind}"));
        check(directory.path(), &pem);
        // As older programs write them: SEC 1 and PKCS #1.
        if !kind.contains("ED25519") {
            std::fs::write(directory.path().join("key"), &pem).unwrap();
            let old = openssl(directory.path(), "pkey -in key -traditional");
            assert!(!old.contains("BEGIN PRIVATE KEY"), "{old}");
            check(directory.path(), &old);
        }
    }
    // With what openssl puts before it.
    let pem = openssl(directory.path(), "ecparam -name prime256v1 -genkey");
    assert!(pem.starts_with("-----BEGIN EC PARAMETERS"), "{pem}");
    check(directory.path(), &pem);
}

#[test]
fn what_cannot_sign_is_refused_with_what_would() {
    let directory = tempfile::tempdir().unwrap();
    let made = |arguments: &str| openssl(directory.path(), arguments);
    let refused = |pem: &str| PrivateKey::parse(pem, "").unwrap_err().to_string();
    assert!(refused("").starts_with("it cannot be used: there is no private key in it; want PEM"));
    let p256 = made(&format!("genpkey {}", KINDS[0]));
    std::fs::write(directory.path().join("key"), &p256).unwrap();
    let public = made("pkey -in key -pubout");
    assert!(refused(&public).starts_with("it is a public key"));
    let encrypted = made("pkcs8 -topk8 -in key -v2 aes256 -passout pass:x");
    assert!(refused(&encrypted).contains("`openssl pkey -in FILE`"));
    for (kind, want) in [
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
            "not known",
        ),
        ("-algorithm X25519", "not known"),
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:1024", "TooSmall"),
    ] {
        let said = refused(&made(&format!("genpkey {kind}")));
        assert!(said.contains(want), "{said}");
    }
    let debug = format!("{:?}", PrivateKey::parse(&p256, "").unwrap());
    assert!(
        debug.starts_with("PrivateKey(") && debug.len() < 100,
        "{debug}"
    );
}

/// Made by `cosign generate-key-pair` of version 3.1.3 with the password `a password`, for this test
/// alone.
const SEALED: &str = include_str!("../../../tests/fixtures/cosign/keys/sealed.key");
const SEALED_PUBLIC: &str = include_str!("../../../tests/fixtures/cosign/keys/sealed.pub");

#[test]
fn a_key_that_cosign_encrypted_is_opened_by_its_password_alone() {
    assert!(PrivateKey::wants_password(SEALED) && !PrivateKey::wants_password(SEALED_PUBLIC));
    let key = PrivateKey::parse(SEALED, "a password").unwrap();
    assert_eq!(key.public_pem(), SEALED_PUBLIC);
    let wrong = PrivateKey::parse(SEALED, "").unwrap_err();
    assert_eq!(wrong, InvalidPrivateKey::WrongPassword);
    let odd = SEALED.replacen("eyJrZGYi", "eyJrZGYx", 1);
    let odd = PrivateKey::parse(&odd, "a password").unwrap_err();
    assert!(odd.to_string().contains("as cosign encrypts"), "{odd}");
}
