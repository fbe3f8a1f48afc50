//! `addon copy`: versions with their signatures into another registry.

use crate::{
    registry::{P256, Registry, addon, ask, json, key, say},
    world::World,
};

/// Three versions and a pre-release of the test addon, signed by `ann`.
fn pushed(world: &World) -> (Registry, String) {
    let registry = Registry::open(world);
    let url = registry.url("from/graph");
    key(world, "ann", P256);
    for version in ["1.0.0", "1.1.0", "2.0.0", "3.1.0-rc.1"] {
        addon(world, &format!("graph/{version}"), version);
        world.write(&format!("{version}/README.md"), "# Graph\n");
        let line = format!("addon push {version} {url} --insecure --sign ann.key");
        let pushed = ask(world, &line, "", &[]);
        assert!(
            pushed.status.success(),
            "{}",
            String::from_utf8_lossy(&pushed.stderr)
        );
    }
    (registry, url)
}

#[test]
fn versions_go_with_their_signatures_and_the_source_may_be_gone() {
    let world = World::new();
    let (from, url) = pushed(&world);
    let target = Registry::open(&world);
    let to = target.url("mirror/graph");
    let line = format!("addon copy {url} {to} --insecure");
    let first = say(&world, &format!("{line} --versions 1.x"));
    insta::assert_snapshot!(without_sizes(&first));
    insta::assert_snapshot!(without_sizes(&say(&world, &line)));
    let one = say(
        &world,
        &format!("addon copy {url}:3.1.0-rc.1 {to} --insecure"),
    );
    assert!(
        one.contains("copied") && one.ends_with("[exit 0]\n"),
        "{one}"
    );

    let (before, _) = json(
        &world,
        &format!("addon verify {url} --insecure --key ann.pub"),
    );
    drop(from);
    let (after, code) = json(
        &world,
        &format!("addon verify {to} --insecure --key ann.pub"),
    );
    assert_eq!(code, 0);
    let digests = |report: &serde_json::Value| {
        let versions = report["versions"].as_array().unwrap().iter();
        versions
            .map(|one| one["digest"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(digests(&before), digests(&after));
    assert_eq!(digests(&after).len(), 3);
    let pull = format!("addon pull {to}:2.0.0 --insecure --key ann.pub");
    assert!(ask(&world, &pull, "", &[]).status.success());
    world.sh("diff -r 2.0.0 graph-2.0.0");
}

/// Sizes of compressed bytes are not what is meant here.
fn without_sizes(said: &str) -> String {
    let size = regex::Regex::new(r"[0-9.]+ (Ki|Mi)?B\b").unwrap();
    size.replace_all(said, "<size>").into_owned()
}

#[test]
fn a_version_that_is_there_otherwise_is_not_replaced() {
    let world = World::new();
    let (_from, url) = pushed(&world);
    let target = Registry::open(&world);
    let to = target.url("graph");
    world.sh("cp -r 1.1.0 other && echo '# more' >>other/addon.yaml");
    let other = ask(
        &world,
        &format!("addon push other {to} --insecure"),
        "",
        &[],
    );
    assert!(other.status.success());
    let (was, _) = json(&world, &format!("addon push other {to} --insecure"));
    let said = say(&world, &format!("addon copy {url} {to} --insecure"));
    insta::assert_snapshot!(without_sizes(&said));
    let (still, _) = json(&world, &format!("addon push other {to} --insecure"));
    assert_eq!(
        (&still["new"], &still["digest"]),
        (&false.into(), &was["digest"])
    );
}

#[test]
fn a_signature_that_was_made_later_comes_after_and_none_goes() {
    let world = World::new();
    let (_from, url) = pushed(&world);
    let target = Registry::open(&world);
    let to = target.url("graph");
    let copy = format!("addon copy {url}:1.0.0 {to} --insecure");
    let sign = |at: &str, name: &str| {
        key(&world, name, P256);
        let sign = format!("addon sign {at}:1.0.0 --insecure --key {name}.key");
        assert!(ask(&world, &sign, "", &[]).status.success());
    };
    let verified = |name: &str| {
        let line = format!("addon verify {to}:1.0.0 --insecure --key {name}.pub");
        ask(&world, &line, "", &[]).status.success()
    };
    assert!(ask(&world, &copy, "", &[]).status.success());
    sign(&url, "bob");
    assert!(!verified("bob"));
    assert!(ask(&world, &copy, "", &[]).status.success());
    assert!(verified("ann") && verified("bob"));
    // One that was made over there stays.
    sign(&to, "eve");
    sign(&url, "joe");
    let refused = say(&world, &copy);
    assert!(refused.ends_with("[exit 1]\n"), "{refused}");
    assert!(verified("ann") && verified("bob") && verified("eve"));
}

#[test]
fn what_cannot_be_copied_is_said() {
    let world = World::new();
    let (_from, url) = pushed(&world);
    let lines = [
        format!("addon copy {url} oci://127.0.0.1:1/graph --insecure"),
        format!("addon copy {url} oci://127.0.0.1:1/graph:1.0.0 --insecure"),
        format!("addon copy {url}:1.0.0 oci://127.0.0.1:1/graph --insecure --versions 1.x"),
        format!("addon copy {url} oci://127.0.0.1:1/graph --insecure --versions 7.x"),
        format!("addon copy {url}:7.0.0 oci://127.0.0.1:1/graph --insecure"),
        format!("addon copy {url} oci://127.0.0.1:1/graph --insecure --versions one"),
    ];
    let said: String = lines.iter().map(|line| say(&world, line)).collect();
    insta::assert_snapshot!(said);
}
