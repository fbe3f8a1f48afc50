//! `addon pull`: what was pushed comes back, and nothing else does.

use crate::{
    registry::{P256, Registry, addon, ask, json, key, say},
    world::World,
};

fn pushed(world: &World) -> (Registry, String, String) {
    let registry = Registry::open(world);
    addon(world, "graph/1.0.0", "graph");
    let url = registry.url("graph");
    let (pushed, code) = json(world, &format!("addon push graph {url} --insecure"));
    assert_eq!(code, 0);
    (registry, url, pushed["digest"].as_str().unwrap().to_owned())
}

#[test]
fn what_was_pushed_comes_back() {
    let world = World::new();
    let (_registry, url, digest) = pushed(&world);
    insta::assert_snapshot!(say(&world, &format!("addon pull {url}:1.0.0 --insecure")));
    let (by_digest, _) = json(
        &world,
        &format!("addon pull {url}@{digest} --insecure -o elsewhere"),
    );
    assert_eq!(by_digest["digest"], digest.as_str());
    let (archive, _) = json(
        &world,
        &format!("addon pull {url}:1.0.0 --insecure -o graph.tar.gz"),
    );
    assert_eq!(archive["addonDigest"], by_digest["addonDigest"]);
    world.sh("mkdir out && tar -xzf graph.tar.gz -C out");
    world.sh("for d in graph-1.0.0 elsewhere out; do diff -r graph $d; done");
    let package = ask(&world, "addon package graph -o own.tar.gz", "", &[]);
    assert!(package.status.success());
    assert_eq!(world.read("own.tar.gz"), world.read("graph.tar.gz"));
    assert_eq!(world.sh("ls -a | grep part || true"), "");
}

#[test]
fn nothing_is_overwritten_and_what_is_not_there_is_said() {
    let world = World::new();
    let (_registry, url, _) = pushed(&world);
    world.write("mine/file", "");
    let zeros = "0".repeat(64);
    let lines = [
        format!("addon pull {url}:1.0.0 --insecure -o mine"),
        format!("addon pull {url}:1.0.0 --insecure -o no/such/graph"),
        format!("addon pull {url} --insecure"),
        format!("addon pull {url}:9.9.9 --insecure"),
        format!("addon pull {url}@sha256:{zeros} --insecure"),
        format!("addon pull {url}2:1.0.0 --insecure"),
    ];
    let said: String = lines.iter().map(|line| say(&world, line)).collect();
    insta::assert_snapshot!(said);
    assert_eq!(world.sh("ls"), "graph\nmine\n");
}

#[test]
fn what_was_tampered_with_is_not_written() {
    let world = World::new();
    let (registry, url, _) = pushed(&world);
    // Not the manifest, whose digest is asked for first.
    let layer = ask(&world, "addon package graph -o graph.tar.gz", "", &[]);
    assert!(layer.status.success());
    let layer = world.read("graph.tar.gz");
    for (path, bytes) in registry.content() {
        if bytes == layer {
            let mut spoiled = bytes;
            spoiled[20] ^= 1;
            std::fs::write(path, spoiled).unwrap();
        }
    }
    insta::assert_snapshot!(say(&world, &format!("addon pull {url}:1.0.0 --insecure")));
    registry.spoil(0);
    let said = say(&world, &format!("addon pull {url}:1.0.0 --insecure"));
    assert!(said.ends_with("[exit 2]\n"), "{said}");
    assert_eq!(world.sh("ls"), "graph\ngraph.tar.gz\n");
}

#[test]
fn what_is_not_signed_by_whom_one_trusts_is_not_written() {
    let world = World::new();
    let (_registry, url, _) = pushed(&world);
    key(&world, "ann", P256);
    key(&world, "bob", P256);
    let pull = |key: &str| {
        say(
            &world,
            &format!("addon pull {url}:1.0.0 --insecure --key {key}.pub"),
        )
    };
    insta::assert_snapshot!(pull("ann"));
    let sign = format!("addon sign {url}:1.0.0 --insecure --key ann.key");
    assert!(ask(&world, &sign, "", &[]).status.success());
    assert!(pull("bob").ends_with("[exit 1]\n"));
    assert_eq!(world.sh("ls -d graph-1.0.0 || true"), "");
    insta::assert_snapshot!(pull("ann"));
    world.sh("diff -r graph graph-1.0.0");
}
