//! Parameters: in `addon render`, checked by the schema of the addon.

use crate::world::{World, on_test_addons, root, run};

#[test]
fn a_table_says_what_is_in_force() {
    let lines = [
        "addon render tuned/1.0.0 --parameters",
        "addon render tuned/1.0.0 --parameters --profile production --set tuned.timeout=30",
        "addon render tuned/1.0.0 --parameters --runtime 1.0.0",
    ];
    insta::assert_snapshot!(lines.map(on_test_addons).concat());
}

#[test]
fn values_reach_the_files_and_the_answer_for_programs() {
    insta::assert_snapshot!(on_test_addons(
        "addon render tuned/1.0.0 --profile production --set tuned.logLevel=debug"
    ));
    insta::assert_snapshot!(on_test_addons(
        "addon render tuned/1.0.0 --set tuned.connections=7 -o yaml"
    ));
}

#[test]
fn every_wrong_value_is_told_with_its_rule() {
    let lines = [
        "addon render tuned/1.0.0 --set tuned.connections=0 --set tuned.logLevel=loud --set \
         tuned.conections=7 --set sidekick.speed=1",
        "addon render tuned/1.0.0 --set tuned.connections=2 --set tuned.threads=3 -o yaml",
    ];
    insta::assert_snapshot!(lines.map(on_test_addons).concat());
}

#[test]
fn another_version_says_how_each_parameter_takes_effect() {
    insta::assert_snapshot!(on_test_addons(
        "addon render tuned/1.1.0 --diff tuned/1.0.0"
    ));
}

#[test]
fn a_change_of_parameters_says_whether_members_restart() {
    let world = World::new();
    let addons = root().join("catalog/tests/addons");
    world.sh(&format!("cp -r {}/tuned .", addons.display()));
    let app = "apiVersion: middleware.io/v1alpha1\nkind: App\nmetadata: {name: app}\nspec:\n  \
               plugin: tuned\n  pluginVersion: 1.0.0\n";
    world.write("app.yaml", app);
    let lines = [
        "addon render tuned/1.0.0 -f app.yaml --diff app.yaml --set tuned.timeout=30 --set \
         tuned.logLevel=debug",
        "addon render tuned/1.0.0 -f app.yaml --diff app.yaml --set tuned.timeout=30 --set \
         tuned.connections=200",
        "addon render tuned/1.0.0 -f app.yaml --diff app.yaml --set tuned.connections=100",
    ];
    insta::assert_snapshot!(lines.map(|line| world.say(line)).concat());
}

#[test]
fn a_schema_that_is_none_is_told_with_its_place() {
    let world = World::new();
    let addons = root().join("catalog/tests/addons");
    world.sh(&format!("cp -r {}/tuned/1.0.0 tuned", addons.display()));
    world.sh(
        "sed -i 's/int & >=0 @effect(dynamic)/int & > @effect(sometimes)/' tuned/schema/tuned.cue",
    );
    insta::assert_snapshot!(world.say("addon lint tuned"));
}

#[test]
fn the_skeleton_of_a_schema_is_valid_and_takes_parameters() {
    let world = World::new();
    let init = "addon init kv --image example.org/kv:2.1.0 --port 7000 --schema --credential admin";
    assert!(run(world.path(), init).status.success());
    let mut files = String::new();
    for file in [
        "addon.yaml",
        "schema/kv.cue",
        "scripts/start.sh",
        "templates/kv.conf",
    ] {
        let text = std::fs::read_to_string(world.path().join("kv/1.0.0").join(file)).unwrap();
        files.push_str(&format!("==> {file}\n{text}"));
    }
    insta::assert_snapshot!(files);
    let lines = [
        "addon lint kv",
        "addon render kv/1.0.0 --parameters",
        "addon render kv/1.0.0 --set kv.maxConnections=7",
        "addon render kv/1.0.0 --set kv.maxConnections=0",
    ];
    insta::assert_snapshot!(lines.map(|line| world.say(line)).concat());
}
