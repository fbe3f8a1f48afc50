//! `addon diff`: two versions, wherever each of them is.

use crate::{
    registry::{Registry, addon, ask, json, say},
    world::World,
};

#[test]
fn it_says_what_differs_and_what_that_means() {
    let world = World::new();
    world.ship("redis/1.1.0", "old");
    world.ship("redis/2.0.0", "new");
    insta::assert_snapshot!(say(&world, "addon diff old new"));
    addon(&world, "tuned/1.0.0", "before");
    addon(&world, "tuned/1.1.0", "after");
    insta::assert_snapshot!(say(&world, "addon diff before after"));
    insta::assert_snapshot!(say(&world, "addon diff after before -u"));
    world.sh("cp -r before same");
    insta::assert_snapshot!(say(&world, "addon diff before same"));
}

#[test]
fn each_side_may_be_anywhere() {
    let world = World::new();
    let registry = Registry::open(&world);
    let url = registry.url("tuned");
    addon(&world, "tuned/1.0.0", "addons/tuned");
    world.sh("git init -q -b main . && git add addons && git commit -qm first && git tag first");
    for line in [
        format!("addon push addons/tuned {url} --insecure"),
        "addon package addons/tuned -o tuned.tar.gz".to_owned(),
    ] {
        assert!(ask(&world, &line, "", &[]).status.success());
    }
    world.sh("rm -r addons/tuned");
    addon(&world, "tuned/1.1.0", "addons/tuned");
    let (want, code) = json(&world, "addon diff tuned.tar.gz addons/tuned");
    assert_eq!(code, 0);
    assert_eq!(want["before"]["version"], "1.0.0");
    let remote = format!("{url}:1.0.0");
    for before in ["first:addons/tuned", "HEAD:addons/tuned/", &remote] {
        let (got, _) = json(
            &world,
            &format!("addon diff {before} addons/tuned --insecure"),
        );
        assert_eq!(
            got["before"]["digest"], want["before"]["digest"],
            "{before}"
        );
        assert_eq!(got["files"], want["files"], "{before}");
        assert_eq!(got["manifest"], want["manifest"], "{before}");
    }
}

#[test]
fn what_cannot_be_compared_is_said() {
    let world = World::new();
    addon(&world, "tuned/1.0.0", "tuned");
    world.write("no.tar.gz", "no archive");
    world.write("broken/addon.yaml", "kind: Addon\n");
    world.sh("git init -q -b main . && git add tuned && git commit -qm first");
    let lines = [
        "addon diff tuned nowhere",
        "addon diff tuned no.tar.gz",
        "addon diff tuned broken",
        "addon diff tuned main:nowhere",
        "addon diff tuned v9:tuned",
        "addon diff tuned oci://127.0.0.1:1/tuned:1.0.0",
        "addon diff tuned oci://127.0.0.1:1",
        "addon diff tuned",
    ];
    insta::assert_snapshot!(lines.map(|line| say(&world, line)).concat());
}
