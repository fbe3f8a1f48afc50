//! `addon check --against`, on repositories that Git itself made.

use crate::world::{World, root};
use regex::Regex;

/// A repository with the shipped addons on `main`.
fn repository() -> World {
    let world = World::new();
    world.ship("redis", "addons/redis");
    world.sh("git init -q -b main && git add . && git commit -qm first");
    world
}

/// What the check says; commits and the digests of shipped addons change with them.
fn check(world: &World, line: &str) -> String {
    let said = world.say(line);
    let digest = Regex::new("sha256:[0-9a-f]{64}").unwrap();
    let said = digest.replace_all(&said, "sha256:<64 hex>");
    let commit = Regex::new(r"\([0-9a-f]{12}\)|\b[0-9a-f]{40}\b").unwrap();
    commit.replace_all(&said, "(<commit>)").into_owned()
}

#[test]
fn a_new_version_beside_unchanged_ones_is_right() {
    let world = repository();
    world.sh("cp -r addons/redis/2.0.0 addons/redis/2.1.0");
    world.sh("sed -i 's/^version: 2.0.0/version: 2.1.0/; s/\"1.1.x\"/\"2.0.x\"/' addons/redis/2.1.0/addon.yaml");
    insta::assert_snapshot!(check(&world, "addon check addons --against main"));
}

#[test]
fn a_changed_version_is_refused_with_both_digests() {
    let world = repository();
    world.sh("echo '# more' >>addons/redis/1.0.0/templates/redis.conf");
    world.sh("touch addons/redis/1.0.0/LICENSE && rm addons/redis/1.0.0/README.md");
    insta::assert_snapshot!(check(&world, "addon check addons --against main"));
    insta::assert_snapshot!(check(
        &world,
        "addon check addons/redis/1.0.0 --against HEAD -o yaml"
    ));
}

#[test]
fn a_changed_version_is_known_in_another_directory() {
    let world = repository();
    world.sh("git mv addons/redis/1.0.0 addons/redis/first && echo >>addons/redis/first/README.md");
    insta::assert_snapshot!(check(&world, "addon check addons --against main"));
}

#[test]
fn what_was_never_valid_may_change() {
    let world = World::new();
    world.ship("redis/1.0.0", "addons/redis/1.0.0");
    world.sh("echo 'prots: []' >>addons/redis/1.0.0/addon.yaml");
    world.sh("git init -q -b main && git add . && git commit -qm broken");
    world.ship("redis/1.0.0", "addons/redis/1.0.0");
    insta::assert_snapshot!(check(&world, "addon check addons --against main"));
}

#[test]
fn the_database_is_read_and_not_a_checkout() {
    let world = repository();
    world.sh("git config core.autocrlf true && echo '* text eol=crlf' >.gitattributes");
    world.sh("rm -r addons && git checkout -q -- addons");
    let manifest = world.read("addons/redis/1.0.0/addon.yaml");
    assert!(manifest.windows(2).any(|pair| pair == b"\r\n"));
    let said = check(&world, "addon check addons --against main");
    assert!(
        said.contains("redis 1.0.0 is at main with other bytes"),
        "{said}"
    );
}

#[test]
fn twice_removed_and_broken_are_told() {
    let world = repository();
    world.sh("cp -r addons/redis/1.1.0 addons/redis/again && rm -r addons/redis/1.0.0");
    world.sh("sed -i 's/port: 6379/port: 0/' addons/redis/2.0.0/addon.yaml");
    insta::assert_snapshot!(check(&world, "addon check addons --against main"));
}

#[test]
fn the_whole_graph_is_judged() {
    let world = World::new();
    let graph = root().join("catalog/tests/addons/graph");
    world.sh(&format!(
        "git init -q -b main && git commit -q --allow-empty -m first && cp -r {} .",
        graph.display()
    ));
    insta::assert_snapshot!(check(&world, "addon check graph --against main"));
}

#[test]
fn a_forge_is_told_where_to_show_it() {
    let world = repository();
    world.sh("echo '# more' >>addons/redis/1.0.0/templates/redis.conf");
    world.sh("sed -i 's/port: 6379/port: 0/; s/1.1.x/0.9.x/' addons/redis/2.0.0/addon.yaml");
    let said = check(&world, "addon check addons --against main -o github");
    let annotations = said.lines().filter(|line| line.starts_with("::"));
    insta::assert_snapshot!(annotations.collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_git_cannot_give_is_said() {
    let world = repository();
    world.sh("git branch other && git clone -q . clone");
    let outside = World::new();
    outside.ship("redis/1.0.0", "redis");
    let said = check(&world, "addon check addons --against v9")
        + &check(
            &world,
            "addon check addons --against main:addons/redis/1.0.0/addon.yaml",
        )
        + &check(&outside, "addon check redis --against main");
    insta::assert_snapshot!(said);
}

#[test]
fn the_ready_ci_snippets_give_the_verdict() {
    let world = repository();
    world.sh("git clone -q . work");
    let bin = std::path::Path::new(crate::world::PLUGIN).parent().unwrap();
    for file in ["github.yaml", "gitlab.yaml"] {
        let text = std::fs::read_to_string(root().join("docs/ci").join(file)).unwrap();
        let parsed: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        assert!(parsed.is_object(), "{file}");
        let commands = text
            .lines()
            .filter(|line| line.contains("kubectl-middleware addon"));
        let commands: Vec<&str> = commands
            .map(|line| {
                line.trim()
                    .trim_start_matches("- ")
                    .trim_start_matches("run: ")
            })
            .collect();
        assert_eq!(commands.len(), 1, "{file}");
        let script = format!(
            "cd work; PATH={}:$PATH; export GITHUB_BASE_REF=main CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main; {}",
            bin.display(),
            commands[0]
        );
        let said = world.sh(&script);
        assert!(said.contains("0 errors, 0 warnings"), "{file}: {said}");
        let changed = format!(
            "cd work; echo >>addons/redis/1.0.0/README.md; cd ..; ({script}) && exit 9 || test $? = 1; cd work; git checkout -q ."
        );
        world.sh(&changed);
    }
}
