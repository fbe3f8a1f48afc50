//! `addon lint` and `addon digest`.

use crate::world::{World, json, on_shipped, on_test_addons, root};
use std::os::unix::fs::symlink;

#[test]
fn shipped_addons_are_valid() {
    insta::assert_snapshot!(on_shipped("addon lint redis"));
    insta::assert_snapshot!(on_shipped("addon lint redis/1.0.0 -o yaml"));
}

#[test]
fn everything_wrong_is_said_with_its_place() {
    insta::assert_snapshot!(on_test_addons("addon lint broken graph/1.0.0"));
    insta::assert_snapshot!(on_test_addons("addon lint broken/template -o json"));
}

#[test]
fn links_devices_and_large_files_are_refused_unread() {
    let world = World::new();
    world.ship("redis/1.0.0", "redis");
    symlink("/etc/passwd", world.path().join("redis/scripts/passwd")).unwrap();
    symlink("/etc", world.path().join("redis/templates/etc")).unwrap();
    world.sh("mkfifo redis/LICENSE && truncate -s 2G redis/icon.png");
    insta::assert_snapshot!(world.say("addon lint redis"));
}

#[test]
fn a_foreign_name_cannot_begin_a_line() {
    let world = World::new();
    world.ship("redis/1.0.0", "redis");
    world.write("redis/scripts/a\n::error::\u{1b}[2J", "x");
    insta::assert_snapshot!(world.say("addon lint redis"));
}

#[test]
fn names_that_begin_with_a_dot_are_no_part_of_an_addon() {
    let world = World::new();
    world.ship("redis/1.0.0", "redis/1.0.0");
    let before = json(world.path(), "addon digest redis/1.0.0")["digest"].clone();
    world.write("redis/1.0.0/.idea/workspace.xml", "x");
    world.write("redis/.old/addon.yaml", "x");
    assert_eq!(
        before,
        json(world.path(), "addon digest redis/1.0.0")["digest"]
    );
    let lint = json(world.path(), "addon lint .");
    assert_eq!(lint["summary"]["addons"], 1);
}

#[test]
fn the_digest_is_the_same_wherever_it_is_asked() {
    let shipped = root().join("addons");
    let digest = json(&shipped, "addon digest redis/1.1.0");
    let lint = json(&shipped, "addon lint redis/1.1.0");
    assert_eq!(digest["digest"], lint["addons"][0]["digest"]);
    insta::assert_snapshot!(on_shipped("addon digest redis/1.0.0"));
    insta::assert_snapshot!(on_test_addons("addon digest broken/places"));
}

#[test]
fn where_no_addon_is_it_is_said() {
    let world = World::new();
    world.write("a/b/c/addon.yaml", "");
    let lines = [
        "addon lint .",
        "addon lint nowhere",
        "addon digest a",
        "addon lint a a/b/c",
        "addon lint a/b/c/addon.yaml",
    ];
    insta::assert_snapshot!(lines.map(|line| world.say(line)).concat());
}
