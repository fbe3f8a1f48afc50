//! `addon init`.

use crate::world::World;
use std::fs;

#[test]
fn a_skeleton_is_valid_at_once() {
    let world = World::new();
    let flags =
        "--image example.org/kv:2.1.0 --port 7000 --volume 5Gi --role leader --role follower";
    insta::assert_snapshot!(world.say(&format!("addon init kv {flags}")));
    let mut files = String::new();
    for file in [
        "addon.yaml",
        "README.md",
        "scripts/start.sh",
        "scripts/probe.sh",
        "templates/kv.conf",
    ] {
        let text = fs::read_to_string(world.path().join("kv/1.0.0").join(file)).unwrap();
        files.push_str(&format!("==> {file}\n{text}"));
    }
    insta::assert_snapshot!(files);
    insta::assert_snapshot!(world.say("addon lint kv"));
    insta::assert_snapshot!(world.say("addon render kv/1.0.0 --topology replication"));
}

#[test]
fn nothing_is_overwritten() {
    let world = World::new();
    world.write("kv/1.0.0/addon.yaml", "mine");
    let said = world.say("addon init kv --image example.org/kv:2.1.0 --port 7000");
    assert_eq!(world.read("kv/1.0.0/addon.yaml"), b"mine");
    world.write("file", "mine");
    let onto = world.say("addon init kv --dir file --image example.org/kv:2.1.0 --port 7000");
    assert_eq!(world.read("file"), b"mine");
    insta::assert_snapshot!(said + &onto);
}

#[test]
fn without_a_terminal_the_flags_must_say_it() {
    let world = World::new();
    let lines = [
        "addon init kv",
        "addon init kv --image example.org/kv:stable --port 7000",
        "addon init kv --image Kv --runtime 1.0.0 --port 7000",
    ];
    insta::assert_snapshot!(lines.map(|line| world.say(line)).concat());
    assert!(!world.path().join("kv").exists());
}
