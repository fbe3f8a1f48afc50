//! `addon explain`.

use crate::world::{World, on_shipped, on_test_addons};

#[test]
fn the_shipped_graph() {
    insta::assert_snapshot!(on_shipped("addon explain redis"));
    insta::assert_snapshot!(on_shipped("addon explain redis -o yaml"));
}

#[test]
fn ways_and_why_there_is_none() {
    let lines = [
        "addon explain redis --from 1.0.0 --to 2.0.0",
        "addon explain redis --from 2.0.0 --to 1.0.0",
        "addon explain redis --from 1.0.0 --to 1.0.0",
        "addon explain redis --from 1.0.0 --to 9.0.0",
        "addon explain redis --from 1.0.0@6.0.0 --to 2.0.0",
        "addon explain redis --from 1.0.0 --to 2.0.0 -o json",
    ];
    insta::assert_snapshot!(lines.map(on_shipped).concat());
}

#[test]
fn what_looks_wrong_is_said() {
    insta::assert_snapshot!(on_test_addons("addon explain graph"));
    let lines = [
        "addon explain graph --from 2.0.0 --to 3.1.0-rc.1",
        "addon explain graph --from 1.0.0 --to 2.0.0",
    ];
    insta::assert_snapshot!(lines.map(on_test_addons).concat());
}

#[test]
fn a_beginning_alone_says_what_can_be_reached_and_why_the_rest_cannot() {
    let lines = [
        "addon explain graph --from 1.1.0",
        "addon explain graph --from 3.0.0@3.0.0 -o yaml",
        "addon explain graph --from 9.0.0",
    ];
    insta::assert_snapshot!(lines.map(on_test_addons).concat());
    insta::assert_snapshot!(on_shipped("addon explain redis --from 1.0.0"));
}

#[test]
fn invalid_versions_stand_in_no_graph() {
    let world = World::new();
    world.ship("redis", "redis");
    world.write("redis/2.0.0/addon.yaml", "kind: Addon\n");
    insta::assert_snapshot!(world.say("addon explain redis"));
}

#[test]
fn a_way_is_among_versions_of_one_plugin() {
    let world = World::new();
    world.ship("redis", "redis");
    world.sh("mkdir -p other/1.0.0 && sed 's/name: redis$/name: other/' redis/1.0.0/addon.yaml >other/1.0.0/addon.yaml");
    world.sh("cp -r redis/1.0.0/scripts redis/1.0.0/templates other/1.0.0");
    world.sh("sed -i 's/  - name: other/  - name: redis/' other/1.0.0/addon.yaml");
    insta::assert_snapshot!(world.say("addon explain . --from 1.0.0 --to 1.1.0"));
}
