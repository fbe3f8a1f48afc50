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
        "init", "lint", "digest", "render", "explain", "package", "check", "schema", "push",
        "pull", "copy", "sign", "verify", "diff",
    ];
    let mut said = ["--help", "addon --help", "completion -h"]
        .map(|line| world.say(line))
        .concat();
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
        "addon explain . --to 1.0.0",
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
        "addon explain graph --from 1.0.0",
        "addon render ../../../addons/redis/2.0.0 --diff ../../../addons/redis/1.0.0",
        "addon render shapes/1.0.0 --topology quorum --enable proxy",
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
        assert!(said.contains(" __complete "), "{shell} asks the program");
    }
    for shell in ["elvish", "powershell"] {
        let said = say(World::new().path(), &format!("completion {shell}"));
        assert!(said.ends_with("[exit 0]\n"), "{said}");
        assert!(
            said.contains("explain") && said.contains("against"),
            "{shell}"
        );
        assert!(!said.contains("__complete"), "{shell}");
    }
}

/// What Bash offers where the last word of a line is to be completed.
#[test]
fn bash_itself_completes() {
    let world = World::new();
    let script = run(world.path(), "completion bash").stdout;
    world.write("completion", std::str::from_utf8(&script).unwrap());
    world.write(
        "try",
        "source ./completion
complete=$(complete -p kubectl-middleware)
[[ $complete =~ -F\\ ([^ ]+) ]]
try() {
  COMP_LINE=\"kubectl-middleware $1\" COMP_POINT=$((19 + ${#1})) \"${BASH_REMATCH[1]}\"
  echo \"$1: ${COMPREPLY[*]}\"
}
try ad
try 'addon re'
try 'addon render --repl'
try 'addon lint redis -o '
try 'addon lint com'
try 'addon render -f com'
",
    );
    let bin = world.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(crate::world::PLUGIN, bin.join("kubectl-middleware")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    std::fs::create_dir(world.path().join("commons")).unwrap();
    let out = Command::new("bash")
        .env("PATH", path)
        .arg("try")
        .current_dir(world.path())
        .output();
    let said = String::from_utf8(out.unwrap().stdout).unwrap();
    insta::assert_snapshot!(said);
}

#[test]
fn kubectl_is_answered_in_its_own_protocol() {
    let world = World::new();
    let script = run(world.path(), "completion kubectl").stdout;
    world.write(
        "kubectl_complete-middleware",
        std::str::from_utf8(&script).unwrap(),
    );
    world.sh(&format!(
        "ln -s {} kubectl-middleware",
        crate::world::PLUGIN
    ));
    let ask = |words: &str| {
        world.sh(&format!(
            "PATH=.:$PATH; chmod +x kubectl_complete-middleware; echo \"$ {words}\"; \
             kubectl_complete-middleware {words}"
        ))
    };
    let asked = [
        "''",
        "addon re",
        "addon explain --",
        "addon lint re",
        "addon lint a -o ''",
    ];
    insta::assert_snapshot!(asked.map(ask).concat());
}

#[test]
fn the_schema_of_the_manifest_is_for_editors() {
    let out = run(World::new().path(), "addon schema");
    let schema: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["additionalProperties"], false);
    assert!(schema["properties"]["runtimes"]["description"].is_string());
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
