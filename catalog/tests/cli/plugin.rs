//! The plugin itself: version, completion, help, what it says to a wrong command line.

use crate::world::{World, root, run, say};
use std::process::Command;

#[test]
fn says_its_version_in_every_form() {
    let world = World::new();
    let forms = ["version", "version -o json", "version -o yaml"];
    let said: String = forms.map(|line| world.say(line)).concat();
    insta::assert_snapshot!(said);
}

#[test]
fn every_command_documents_itself() {
    let world = World::new();
    let commands = [
        "init", "lint", "digest", "render", "explain", "package", "check",
    ];
    let mut said = world.say("--help") + &world.say("addon --help");
    for command in commands {
        said.push_str(&world.say(&format!("addon {command} -h")));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn a_wrong_command_line_is_told_apart_from_findings() {
    let world = World::new();
    let lines = [
        "addon lnit",
        "addon lint",
        "addon explain . --from 1.0.0",
        "addon explain . --from 1.0 --to 2.0.0",
        "addon render . --replicas redis",
        "addon init Redis",
        "addon init redis --port 0",
        "addon init redis --volume big",
    ];
    insta::assert_snapshot!(lines.map(|line| world.say(line)).concat());
}

#[test]
fn yaml_says_what_json_says() {
    let lines = [
        "version",
        "addon lint broken",
        "addon explain graph",
        "addon digest graph/1.0.0",
        "addon render ../../../addons/redis/2.0.0 --diff ../../../addons/redis/1.0.0",
    ];
    let dir = root().join("catalog/tests/addons");
    for line in lines {
        let [json, yaml] = ["json", "yaml"].map(|form| {
            let out = run(&dir, &format!("{line} -o {form}"));
            String::from_utf8(out.stdout).unwrap()
        });
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let yaml: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
        assert!(!json.as_object().unwrap().is_empty(), "{line}");
        assert_eq!(json, yaml, "{line}");
    }
}

#[test]
fn shells_complete_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let said = say(World::new().path(), &format!("completion {shell}"));
        assert!(said.ends_with("[exit 0]\n"), "{said}");
        assert!(
            said.contains("explain") && said.contains("against"),
            "{shell}"
        );
    }
    let world = World::new();
    let script = run(world.path(), "completion bash").stdout;
    world.write("completion", std::str::from_utf8(&script).unwrap());
    let status = Command::new("bash")
        .arg("-n")
        .arg(world.path().join("completion"))
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let script = format!("{} completion bash | head -n 1", crate::world::PLUGIN);
    let out = crate::world::shell(&script).output().unwrap();
    assert!(
        out.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
}
