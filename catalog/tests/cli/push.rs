//! `addon push`: a version once and for all, by whose rights, and what is said where it cannot be.

use crate::{
    registry::{P256, Registry, addon, ask, json, key, say, told, tool},
    world::World,
};
use std::process::Command;

#[test]
fn a_version_is_pushed_once_and_for_all() {
    let world = World::new();
    let registry = Registry::open(&world);
    let to = registry.url("team/graph");
    addon(&world, "graph/1.0.0", "graph");
    insta::assert_snapshot!(say(&world, &format!("addon push graph {to} --insecure")));
    let (first, _) = json(&world, &format!("addon push graph {to} --insecure"));
    assert_eq!(first["new"], false);
    let before = registry.content();

    // Other times and place, and as an archive: the same bytes, and nothing is written.
    world.sh("cp -r graph other && find other -exec touch -d 2001-02-03 {} +");
    world.sh("chmod 0600 other/addon.yaml");
    let package = ask(&world, "addon package other -o other.tar.gz", "", &[]);
    assert!(package.status.success());
    for source in ["other", "other.tar.gz"] {
        let (again, code) = json(
            &world,
            &format!("addon push {source} {to}:1.0.0 --insecure"),
        );
        assert_eq!((&again["new"], code), (&false.into(), 0));
        assert_eq!(again["digest"], first["digest"]);
    }
    assert_eq!(registry.content(), before);

    // Other bytes under the same version: refused before anything leaves.
    world.sh("echo '# more' >>graph/addon.yaml");
    insta::assert_snapshot!(say(&world, &format!("addon push graph {to} --insecure")));
    assert_eq!(registry.content(), before);
}

#[test]
fn another_tool_finds_what_was_pushed() {
    let world = World::new();
    let registry = Registry::open(&world);
    addon(&world, "graph/1.0.0", "graph");
    world.write("graph/README.md", "# Graph\n");
    let to = registry.url("graph");
    let (pushed, _) = json(&world, &format!("addon push graph {to} --insecure"));
    let crane = |command: &str, what: &str| {
        let output = Command::new(tool("crane"))
            .args([command, "--insecure", what])
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        output.stdout
    };
    let repository = to.trim_start_matches("oci://");
    let digest = crane("digest", &format!("{repository}:1.0.0"));
    assert_eq!(String::from_utf8(digest).unwrap().trim(), pushed["digest"]);
    let manifest = crane("manifest", &format!("{repository}:1.0.0"));
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(
        manifest["artifactType"],
        "application/vnd.middleware.extension.v1+json"
    );
    let layer = manifest["layers"][0]["digest"].as_str().unwrap();
    let layer = crane("blob", &format!("{repository}@{layer}"));
    world.sh("mkdir out");
    std::fs::write(world.path().join("layer.tar.gz"), layer).unwrap();
    world.sh("tar -xzf layer.tar.gz -C out && diff -r graph out");
    // README as an artifact of its own, which points at the version.
    let hex = pushed["digest"].as_str().unwrap().replace(':', "-");
    let index = crane("manifest", &format!("{repository}:{hex}"));
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    assert_eq!(
        index["manifests"][0]["artifactType"],
        "application/vnd.middleware.extension.readme.v1"
    );
}

#[test]
fn an_addon_that_is_refused_is_not_sent() {
    let world = World::new();
    let registry = Registry::open(&world);
    let to = registry.url("graph");
    addon(&world, "graph/1.0.0", "graph");
    world.sh("sed -i 's/^runtimes:/runtims:/' graph/addon.yaml");
    let before = registry.content();
    insta::assert_snapshot!(say(&world, &format!("addon push graph {to} --insecure")));
    world.write("no.tar.gz", "no archive");
    insta::assert_snapshot!(say(
        &world,
        &format!("addon push no.tar.gz {to} --insecure")
    ));
    assert_eq!(registry.content(), before);
}

#[test]
fn it_asks_by_the_rights_that_docker_keeps() {
    let world = World::new();
    let registry = Registry::private(&world);
    let host = registry
        .url("")
        .trim_start_matches("oci://")
        .replace('/', "");
    addon(&world, "graph/1.0.0", "graph");
    let line = format!("addon push graph {} --insecure", registry.url("graph"));
    insta::assert_snapshot!(say(&world, &line));

    let own = format!("{line} --username ann --password-stdin");
    insta::assert_snapshot!(told(&world, &own, "wrong\n", &[]));
    insta::assert_snapshot!(told(&world, &own, "", &[]));
    assert!(ask(&world, &own, "secret\n", &[]).status.success());
    assert!(!ask(&world, &line, "", &[]).status.success());

    // `ann:secret`, as `docker login` writes it.
    let auths = format!(r#"{{"auths": {{"{host}": {{"auth": "YW5uOnNlY3JldA=="}}}}}}"#);
    world.write(".docker/config.json", &auths);
    assert!(ask(&world, &line, "", &[]).status.success());

    // A helper that keeps it, one that has nothing, and one that is not there.
    world.write(
        "bin/docker-credential-safe",
        "#!/bin/sh\nread -r server || true\n[ \"$1\" = get ] || exit 1\n\
         echo \"{\\\"ServerURL\\\": \\\"$server\\\", \\\"Username\\\": \\\"ann\\\", \\\"Secret\\\": \\\"secret\\\"}\"\n",
    );
    world.write(
        "bin/docker-credential-empty",
        "#!/bin/sh\necho 'credentials not found in native keychain'\nexit 1\n",
    );
    // One whose answer is a token, for a token server to change: this registry has none.
    world.write(
        "bin/docker-credential-token",
        "#!/bin/sh\necho '{\"ServerURL\": \"\", \"Username\": \"<token>\", \"Secret\": \"secret\"}'\n",
    );
    world.sh("chmod +x bin/*");
    let path = format!("{}/bin:/usr/bin:/bin", world.path().display());
    let path = [("PATH", path.as_str())];
    let helpers = |helper: &str| format!(r#"{{"credHelpers": {{"{host}": "{helper}"}}}}"#);
    world.write(".docker/config.json", &helpers("safe"));
    assert!(ask(&world, &line, "", &path).status.success());
    world.write(".docker/config.json", r#"{"credsStore": "empty"}"#);
    assert!(told(&world, &line, "", &path).contains("answered 401"));
    world.write(".docker/config.json", &helpers("token"));
    let said = told(&world, &line, "", &path);
    let alone = "docker's config.json has an identity token alone for this registry";
    assert!(said.contains(alone), "{said}");
    world.write(".docker/config.json", &helpers("gone"));
    insta::assert_snapshot!(told(&world, &line, "", &path));
    world.write(".docker/config.json", "{");
    insta::assert_snapshot!(say(&world, &line));
}

#[test]
fn an_authority_of_ones_own_is_trusted_where_it_is_given() {
    let world = World::new();
    let registry = Registry::over_tls(&world);
    addon(&world, "graph/1.0.0", "graph");
    let line = format!("addon push graph {}", registry.url("graph"));
    let said = say(&world, &line);
    assert!(
        said.contains("--ca-file trusts an authority of your own"),
        "{said}"
    );
    assert!(said.ends_with("[exit 2]\n"));
    let trusted = ask(&world, &format!("{line} --ca-file ca.crt"), "", &[]);
    assert!(
        trusted.status.success(),
        "{}",
        String::from_utf8_lossy(&trusted.stderr)
    );
}

#[test]
fn https_and_plain_http_that_were_taken_for_each_other_are_told() {
    let world = World::new();
    let (plain, secure) = (Registry::open(&world), Registry::over_tls(&world));
    addon(&world, "graph/1.0.0", "graph");
    let lines = [
        format!("addon push graph {}", plain.url("graph")),
        format!("addon push graph {} --insecure", secure.url("graph")),
        format!("addon pull {}:1.0.0", plain.url("graph")),
        format!(
            "addon copy {} {} --insecure",
            secure.url("graph"),
            plain.url("graph")
        ),
    ];
    insta::assert_snapshot!(lines.map(|line| say(&world, &line)).concat());
    let proxy = format!("https://127.0.0.1:{}", plain.port);
    for line in [
        "addon pull oci://r.example.com/graph:1.0.0",
        "addon pull oci://r.example.com/graph:1.0.0 --insecure",
    ] {
        let proxies = ["HTTPS_PROXY", "HTTP_PROXY"].map(|name| (name, proxy.as_str()));
        let said = told(&world, line, "", &proxies);
        let want = "the proxy of the environment was asked by https and does not speak TLS";
        assert!(said.contains(want), "{said}");
    }
}

#[test]
fn what_cannot_be_pushed_is_said() {
    let world = World::new();
    addon(&world, "graph/1.0.0", "graph");
    key(&world, "ann", P256);
    let lines = [
        "addon push graph r.example.com/graph",
        "addon push graph oci://r.example.com",
        "addon push graph oci://127.0.0.1:1/graph:1.1.0",
        "addon push graph oci://127.0.0.1:1/graph --insecure",
        "addon push graph oci://127.0.0.1:1/Graph --insecure",
        "addon push nowhere oci://127.0.0.1:1/graph",
        "addon push graph oci://127.0.0.1:1/graph --username ann",
        "addon push graph oci://127.0.0.1:1/graph --ca-file nowhere",
        "addon push graph oci://127.0.0.1:1/graph --sign ann.pub",
    ];
    insta::assert_snapshot!(lines.map(|line| say(&world, line)).concat());
}

#[test]
fn a_pushed_version_can_be_signed_at_once() {
    let world = World::new();
    let registry = Registry::open(&world);
    addon(&world, "graph/1.0.0", "graph");
    key(&world, "ann", P256);
    let to = registry.url("graph");
    let line = format!("addon push graph {to} --insecure --sign ann.key");
    insta::assert_snapshot!(say(&world, &line));
    let verify = format!("addon verify {to}:1.0.0 --insecure --key ann.pub");
    assert!(ask(&world, &verify, "", &[]).status.success());
}
