//! `addon sign`: with every kind of key, twice the same, and with what cannot sign.

use crate::{
    registry::{P256, Registry, addon, ask, json, key, say, told},
    world::{World, root},
};

/// Every kind of key.
const KINDS: [(&str, &str); 4] = [
    ("p256", P256),
    ("p384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"),
    ("ed25519", "-algorithm ED25519"),
    ("rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
];

fn pushed(world: &World) -> (Registry, String) {
    let registry = Registry::open(world);
    addon(world, "graph/1.0.0", "graph");
    let url = registry.url("graph");
    let push = ask(
        world,
        &format!("addon push graph {url} --insecure"),
        "",
        &[],
    );
    assert!(push.status.success());
    (registry, url)
}

#[test]
fn every_kind_of_key_signs_what_its_public_key_verifies() {
    let world = World::new();
    let (registry, url) = pushed(&world);
    for (name, kind) in KINDS {
        key(&world, name, kind);
        for format in ["tag", "bundle"] {
            let line =
                format!("addon sign {url}:1.0.0 --insecure --key {name}.key --format {format}");
            let (signed, code) = json(&world, &line);
            assert_eq!(code, 0);
            let verify = format!("addon verify {url}:1.0.0 --insecure --key {name}.pub");
            let (verified, code) = json(&world, &verify);
            assert_eq!(code, 0, "{name} {format}: {verified}");
            assert_eq!(verified["versions"][0]["signer"]["key"], signed["signer"]);
        }
    }
    // Who signs again adds nothing.
    let before = registry.content();
    for (name, _) in KINDS {
        let line = format!("addon sign {url}:1.0.0 --insecure --key {name}.key");
        let (signed, _) = json(&world, &line);
        let new = signed["signatures"].as_array().unwrap().iter();
        assert!(
            new.into_iter().all(|one| one["new"] == false),
            "{name}: {signed}"
        );
    }
    assert_eq!(registry.content(), before);
}

#[test]
fn it_says_what_it_signed() {
    let world = World::new();
    let (_registry, url) = pushed(&world);
    key(&world, "ann", P256);
    let line = format!("addon sign {url}:1.0.0 --insecure --key ann.key");
    insta::assert_snapshot!(say(&world, &line));
    insta::assert_snapshot!(say(&world, &line));
}

#[test]
fn a_key_of_cosigns_own_is_opened_by_its_password() {
    let world = World::new();
    let (_registry, url) = pushed(&world);
    let keys = root().join("registry/transport/tests/fixtures/cosign/keys");
    world.sh(&format!("cp {}/sealed.* .", keys.display()));
    let line = format!("addon sign {url}:1.0.0 --insecure --key sealed.key");
    insta::assert_snapshot!(say(&world, &line));
    insta::assert_snapshot!(told(&world, &line, "", &[("COSIGN_PASSWORD", "wrong")]));
    let password = [("COSIGN_PASSWORD", "a password")];
    assert!(ask(&world, &line, "", &password).status.success());
    let verify = format!("addon verify {url}:1.0.0 --insecure --key sealed.pub");
    assert!(ask(&world, &verify, "", &[]).status.success());
}

#[test]
fn what_cannot_sign_is_said() {
    let world = World::new();
    let (_registry, url) = pushed(&world);
    key(&world, "ann", P256);
    world.sh("openssl pkcs8 -topk8 -in ann.key -v2 aes256 -passout pass:x -out locked.key");
    world.write("text.key", "no key\n");
    let lines = [
        format!("addon sign {url}:1.0.0 --insecure --key nowhere.key"),
        format!("addon sign {url}:1.0.0 --insecure --key text.key"),
        format!("addon sign {url}:1.0.0 --insecure --key ann.pub"),
        format!("addon sign {url}:1.0.0 --insecure --key locked.key"),
        format!("addon sign {url} --insecure --key ann.key"),
        format!("addon sign {url}:9.9.9 --insecure --key ann.key"),
        format!("addon sign {url}:1.0.0 --insecure"),
    ];
    let said: String = lines.iter().map(|line| say(&world, line)).collect();
    insta::assert_snapshot!(said);
}
