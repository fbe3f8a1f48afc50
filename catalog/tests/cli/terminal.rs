//! On a real terminal, which `script` provides: questions and colours.

use crate::world::{PLUGIN, World, shell};
use std::{io::Write as _, process::Stdio};

/// What a terminal shows of `command`, typed answers included.
fn on_terminal(world: &World, command: &str, answers: &str) -> String {
    let script = format!("exec script -qec '{command}' /dev/null");
    let mut child = shell(&script)
        .current_dir(world.path())
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(answers.as_bytes())
        .unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stdout)
    );
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn what_flags_leave_open_is_asked_for() {
    let world = World::new();
    let answers = "example.org/kv:stable\n2.1.0\n7000\n";
    let shown = on_terminal(&world, &format!("{PLUGIN} addon init kv"), answers);
    assert!(shown.contains("on which port does it listen?"), "{shown}");
    let manifest = String::from_utf8(world.read("kv/1.0.0/addon.yaml")).unwrap();
    assert!(manifest.contains("  - version: 2.1.0\n    image: example.org/kv:stable\n"));
    assert!(manifest.contains("port: 7000"));
}

#[test]
fn colours_are_for_terminals_and_for_those_who_want_them() {
    let world = World::new();
    world.ship("redis/1.0.0", "redis");
    let lint = format!("{PLUGIN} addon lint redis");
    assert!(on_terminal(&world, &lint, "").contains("\u{1b}[32mok\u{1b}[0m"));
    let without = on_terminal(&world, &format!("NO_COLOR=1 {lint}"), "");
    assert!(
        without.contains("ok  redis") && !without.contains('\u{1b}'),
        "{without}"
    );
    assert!(!world.say("addon lint redis").contains('\u{1b}'));
}
