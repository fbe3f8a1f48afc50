//! `addon render`.

use crate::world::{World, on_shipped, on_test_addons};

#[test]
fn what_an_app_would_be() {
    let lines = [
        "addon render redis/1.0.0",
        "addon render redis/1.0.0 --topology replication --app cache --namespace shop --replicas redis=2",
    ];
    insta::assert_snapshot!(lines.map(on_shipped).concat());
    insta::assert_snapshot!(on_shipped("addon render redis/1.0.0 -o json"));
}

#[test]
fn what_another_version_changes() {
    insta::assert_snapshot!(on_shipped("addon render redis/2.0.0 --diff redis/1.0.0"));
    insta::assert_snapshot!(on_shipped("addon render redis/1.0.0 --diff redis/1.0.0"));
}

#[test]
fn an_app_says_what_differs() {
    let world = World::new();
    world.ship("redis/1.0.0", "redis");
    world.write(
        "app.yaml",
        "apiVersion: middleware.io/v1alpha1
kind: App
metadata: { name: cache, namespace: shop }
spec:
  plugin: redis
  pluginVersion: 1.0.0
  topology: replication
  components:
    redis:
      replicas: 5
      resources: { limits: { memory: 1Gi } }
      storage: { data: { size: 10Gi } }
",
    );
    insta::assert_snapshot!(world.say("addon render redis -f app.yaml --replicas redis=4"));
}

#[test]
fn what_cannot_be_is_refused() {
    let world = World::new();
    world.ship("redis/1.0.0", "redis");
    let app = "apiVersion: middleware.io/v1alpha1\nkind: App\nmetadata: {name: a}\nspec:\n";
    world.write(
        "other.yaml",
        &format!("{app}  plugin: other\n  pluginVersion: 1.0.0\n"),
    );
    world.write(
        "typo.yaml",
        &format!("{app}  plugin: redis\n  pluginVersion: 1.0.0\n  topolgy: x\n"),
    );
    world.write("pod.yaml", "apiVersion: v1\nkind: Pod\n");
    let lines = [
        "addon render redis --topology cluster",
        "addon render redis --runtime 8.0.0",
        "addon render redis --replicas redis=2",
        "addon render redis --replicas sentinel=3",
        "addon render redis -f other.yaml",
        "addon render redis -f typo.yaml",
        "addon render redis -f pod.yaml",
        "addon render redis -f nowhere.yaml",
    ];
    insta::assert_snapshot!(lines.map(|line| world.say(line)).concat());
    insta::assert_snapshot!(on_test_addons("addon render broken/template"));
}
