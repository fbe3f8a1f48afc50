//! `addon package`: the same addon is the same bytes, wherever and however it lies.

use crate::world::{PLUGIN, World, json, root, shell};
use regex::Regex;

#[test]
fn the_same_addon_is_the_same_bytes() {
    let (one, other) = (World::new(), World::new());
    one.ship("redis/1.1.0", "addon");
    one.say("addon package addon -o a.tar.gz");

    // Other times, modes, order in the folder, umask, time zone, language, place.
    other.ship("redis/1.1.0", "deep/below/first");
    other.sh(
        "mkdir addon && cd deep/below/first && find . -type f | sort -r | while read -r f; do \
              mkdir -p \"../../../addon/$(dirname \"$f\")\"; cp \"$f\" \"../../../addon/$f\"; done",
    );
    other.sh(
        "find addon -type f -exec chmod 0600 {} + && find addon -exec touch -d 2001-02-03 {} +",
    );
    let script =
        format!("umask 077; TZ=Asia/Tokyo LC_ALL=de_DE {PLUGIN} addon package addon/ -o b.tar.gz");
    assert!(
        shell(&script)
            .current_dir(other.path())
            .output()
            .unwrap()
            .status
            .success()
    );
    assert_eq!(one.read("a.tar.gz"), other.read("b.tar.gz"));

    other.sh("echo >>addon/README.md");
    other.say("addon package addon -o c.tar.gz");
    assert_ne!(one.read("a.tar.gz"), other.read("c.tar.gz"));
}

#[test]
fn what_tar_unpacks_has_the_digest() {
    let world = World::new();
    world.ship("redis/1.0.0", "addon");
    let packed = json(world.path(), "addon package addon");
    assert_eq!(packed["path"], "redis-1.0.0.tar.gz");
    world.sh("mkdir out && tar -xzf redis-1.0.0.tar.gz -C out");
    assert_eq!(
        json(world.path(), "addon digest out")["digest"],
        packed["digest"]
    );
    let sum = world.sh("sha256sum redis-1.0.0.tar.gz");
    let sum = sum.split(' ').next().unwrap();
    assert_eq!(packed["archiveDigest"], format!("sha256:{sum}"));
    let size = world.read("redis-1.0.0.tar.gz").len();
    assert_eq!(packed["size"], size);
    assert_eq!(world.sh("find . -name '*.part'"), "");
}

#[test]
fn says_what_was_written() {
    let world = World::new();
    world.sh("cp -r \"$0\" addon"
        .replace(
            "$0",
            &root()
                .join("catalog/tests/addons/graph/1.0.0")
                .display()
                .to_string(),
        )
        .as_str());
    let said = world.say("addon package addon -o out.tar.gz");
    let numbers = Regex::new("sha256:[0-9a-f]{64}|[0-9]+ bytes").unwrap();
    insta::assert_snapshot!(numbers.replace_all(&said, "<number>"));
}

#[test]
fn a_refused_addon_gives_no_archive() {
    let world = World::new();
    world.write("addon/addon.yaml", "kind: Addon\n");
    insta::assert_snapshot!(world.say("addon package addon -o out.tar.gz"));
    assert!(!world.path().join("out.tar.gz").exists());
    world.ship("redis/1.0.0", "redis");
    insta::assert_snapshot!(world.say("addon package redis -o nowhere/out.tar.gz"));
}
