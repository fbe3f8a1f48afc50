//! `addon verify`: the verdict on each version, and when there is none.

use crate::{
    registry::{P256, Registry, addon, ask, json, key, say},
    world::World,
};

/// 1.0.0 signed by `ann`, 1.1.0 by `bob`, 2.0.0 by nobody.
fn pushed(world: &World) -> (Registry, String) {
    let registry = Registry::open(world);
    let url = registry.url("graph");
    key(world, "ann", P256);
    key(world, "bob", P256);
    for (version, sign) in [
        ("1.0.0", "--sign ann.key"),
        ("1.1.0", "--sign bob.key"),
        ("2.0.0", ""),
    ] {
        addon(world, &format!("graph/{version}"), version);
        let line = format!("addon push {version} {url} --insecure {sign}");
        assert!(ask(world, &line, "", &[]).status.success());
    }
    (registry, url)
}

#[test]
fn every_release_is_judged_and_each_refusal_has_its_reason() {
    let world = World::new();
    let (_registry, url) = pushed(&world);
    insta::assert_snapshot!(say(
        &world,
        &format!("addon verify {url}:1.0.0 --insecure --key ann.pub")
    ));
    insta::assert_snapshot!(say(
        &world,
        &format!("addon verify {url} --insecure --key ann.pub")
    ));
    let both = format!("addon verify {url} --insecure --key ann.pub --key bob.pub");
    let (report, code) = json(&world, &both);
    assert_eq!(code, 1);
    let said = |field: &str| {
        let versions = report["versions"].as_array().unwrap().iter();
        versions.map(|one| one[field].clone()).collect::<Vec<_>>()
    };
    assert_eq!(said("verified"), [true, true, false]);
    assert_eq!(
        said("reason"),
        [().into(), ().into(), "Missing".into()] as [serde_json::Value; 3]
    );
}

#[test]
fn what_cannot_be_told_is_no_verdict() {
    let world = World::new();
    let (registry, url) = pushed(&world);
    let (signed, _) = json(
        &world,
        &format!("addon verify {url}:1.0.0 --insecure --key ann.pub"),
    );
    let digest = signed["versions"][0]["digest"].as_str().unwrap().to_owned();
    drop(registry);
    let line = format!("addon verify {url}@{digest} --insecure --key ann.pub");
    let said = say(&world, &line);
    assert!(
        said.contains("the registry cannot be reached") && said.ends_with("[exit 2]\n"),
        "{said}"
    );
}

#[test]
fn who_is_trusted_must_be_said_and_readable() {
    let world = World::new();
    let (_registry, url) = pushed(&world);
    world.write("root.json", "{}");
    world.write("text.pub", "no key\n");
    let lines = [
        format!("addon verify {url} --insecure"),
        format!("addon verify {url} --insecure --key text.pub"),
        format!("addon verify {url} --insecure --key ann.key"),
        format!("addon verify {url} --insecure --identity a,b"),
        format!("addon verify {url} --insecure --identity a --trusted-root root.json"),
        format!("addon verify {url} --insecure --identity a,( --trusted-root root.json"),
        format!("addon verify {url} --insecure --identity a,b --trusted-root root.json"),
        format!("addon verify {url}:9.9.9 --insecure --key ann.pub"),
    ];
    let said: String = lines.iter().map(|line| say(&world, line)).collect();
    insta::assert_snapshot!(said);
}
