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
    let answers = "kv\nexample.org/kv:stable\n2.1.0\n7000\n1Gi\n";
    let shown = on_terminal(&world, &format!("{PLUGIN} addon init"), answers);
    assert!(shown.contains("on which port does it listen?"), "{shown}");
    let manifest = String::from_utf8(world.read("kv/1.0.0/addon.yaml")).unwrap();
    assert!(manifest.contains("  - version: 2.1.0\n    image: example.org/kv:stable\n"));
    assert!(manifest.contains("port: 7000") && manifest.contains("size: 1Gi"));
}

#[test]
fn on_a_terminal_the_line_at_fault_is_shown() {
    let world = World::new();
    world.ship("redis/1.0.0", "redis");
    world.sh("sed -i 's/ports:/prots:/' redis/addon.yaml");
    let lint = format!("{PLUGIN} addon lint redis; test $? = 1");
    let shown = on_terminal(&world, &lint, "").replace('\r', "");
    insta::assert_snapshot!(shown);
}

#[test]
fn what_goes_wrong_is_told_in_lines_of_a_terminals_width() {
    let world = World::new();
    let init = format!("{PLUGIN} addon init --image Kv --port 1 kv 2>&1; test $? = 2");
    let shown = on_terminal(&world, &init, "");
    assert!(
        shown.starts_with("\u{1b}[31merror:\u{1b}[0m `Kv` is no image"),
        "{shown}"
    );
    assert!(shown.lines().count() > 1, "{shown}");
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
