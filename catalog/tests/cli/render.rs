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

#[test]
fn everything_that_an_addon_declares_is_shown() {
    insta::assert_snapshot!(on_test_addons("addon render shapes/1.0.0"));
    insta::assert_snapshot!(on_test_addons(
        "addon render shapes/1.0.0 --topology quorum --enable proxy --profile production -o yaml"
    ));
}

#[test]
fn what_depends_on_the_choice_follows_it() {
    let lines = [
        "addon render shapes/1.0.0 --runtime 1.0.0 --profile development",
        "addon render shapes/1.0.0 --topology quorum --enable proxy --replicas proxy=1",
    ];
    insta::assert_snapshot!(lines.map(on_test_addons).concat());
}

#[test]
fn another_version_differs_in_more_than_files() {
    insta::assert_snapshot!(on_test_addons(
        "addon render shapes/1.1.0 --diff shapes/1.0.0"
    ));
}

#[test]
fn another_app_of_the_same_version_says_what_it_means_for_members() {
    let world = World::new();
    world.sh(&format!(
        "cp -r {}/catalog/tests/addons/shapes .",
        crate::world::root().display()
    ));
    let app = "apiVersion: middleware.io/v1alpha1\nkind: App\nmetadata: {name: app}\nspec:\n  \
               plugin: shapes\n  pluginVersion: 1.0.0\n  topology: quorum\n";
    world.write("before.yaml", app);
    let lines = [
        "addon render shapes/1.0.0 -f before.yaml --diff before.yaml",
        "addon render shapes/1.0.0 -f before.yaml --profile development --diff before.yaml",
        "addon render shapes/1.0.0 -f before.yaml --replicas store=5 --diff before.yaml",
        "addon render shapes/1.0.0 -f before.yaml --enable proxy --diff before.yaml",
        "addon render shapes/1.0.0 --diff nowhere",
    ];
    insta::assert_snapshot!(lines.map(|line| world.say(line)).concat());
}

#[test]
fn a_choice_that_is_not_there_is_told_with_those_that_are() {
    let lines = [
        "addon render shapes/1.0.0 --profile prod",
        "addon render graph/1.0.0 --profile prod",
        "addon render shapes/1.0.0 --enable proxy",
        "addon render shapes/1.0.0 --topology quorum --replicas store=4",
        "addon render shapes/1.0.0 --topology quorum --replicas proxy=9",
        "addon render shapes/1.0.0 --set store.engine=new",
        "addon render shapes/1.0.0 --set proxy.engine=new",
        "addon render shapes/1.0.0 --set engine=new",
        "addon render shapes/1.0.0 --set store.engine=014",
        "addon render shapes/1.0.0 --set store.engine=[a",
        "addon render shapes/1.0.0 --set store.engine=",
        "addon render shapes/1.0.0 --parameters --diff shapes/1.1.0",
    ];
    insta::assert_snapshot!(lines.map(on_test_addons).concat());
}

#[test]
fn what_does_not_render_for_one_app_is_a_finding() {
    let world = World::new();
    world.sh(&format!(
        "cp -r {}/catalog/tests/addons/shapes/1.0.0 shapes",
        crate::world::root().display()
    ));
    world.sh("echo '{% if app.name == \"big\" %}{{ values.missing }}{% endif %}' >>shapes/templates/store.conf");
    world.write(
        "shapes/templates/dashboard.yaml",
        "apiVersion: v1
kind: {% if app.name == \"odd\" %}Pod{% else %}ConfigMap{% endif %}
metadata:
  name: {{ component.fullName }}-dashboard
",
    );
    let lines = [
        "addon lint shapes",
        "addon render shapes --app big",
        "addon render shapes --app odd",
        "addon render shapes --app odd -o json",
    ];
    insta::assert_snapshot!(lines.map(|line| world.say(line)).concat());
}
