//! OCI against real registries: what is resolved, pulled, pushed and copied, how we show who we are,
//! and how it fails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "support/authority.rs"]
mod authority;
#[path = "support/http_server.rs"]
#[allow(dead_code)]
mod http_server;
#[path = "support/registries.rs"]
#[allow(dead_code)]
mod registries;
#[path = "support/tls_front.rs"]
mod tls_front;
#[path = "support/token_server.rs"]
mod token_server;

use api::{Digest, Version};
use authority::{certificates, server_config};
use http_server::{HttpServer, Manner, Request, Response, forward, proxied, proxied_with_password};
use package::Tree;
use registries::{Demands, Registry, openssl, self_signed, tool};
use std::{
    collections::BTreeSet,
    io::Read,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use transport::{
    Consequence, Content, Credentials, Proxy,
    oci::{
        Artifact, Artifacts, Error, ICON_TYPE, LAYER_TYPE, Meter, Moved, README_TYPE, Reference,
        Remote,
    },
};

const FILES: [(&str, &[u8]); 4] = [
    ("addon.yaml", b"name: redis\n"),
    ("README.md", b"# Redis\n"),
    ("icon.svg", b"<svg/>\n"),
    ("scripts/probe.sh", b"#!/bin/sh\n"),
];

fn remote(url: String) -> Remote {
    Remote {
        url,
        insecure: true,
        reference: Reference::default(),
        credentials: Credentials::default(),
        timeout: Duration::from_secs(20),
    }
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// An addon whose manifest is `manifest`.
fn tree(manifest: &str) -> Tree {
    let mut files = FILES.map(|(path, bytes)| (path.to_owned(), bytes.to_vec()));
    files[0].1 = manifest.as_bytes().to_vec();
    Tree::from_files(files).unwrap()
}

/// A digest that nothing has.
fn nothing() -> Digest {
    Digest::sha256([7; 32])
}

/// Pushes the version with `manifest` as its manifest; returns the digest.
fn push(remote: &Remote, at: &str, manifest: &str) -> Result<Digest, Error> {
    let artifact = Artifact {
        plugin: "redis",
        version: &version(at),
        tree: &tree(manifest),
        referrers: false,
    };
    let pushed = Artifacts::new().push(remote, &artifact)?;
    Ok(pushed.revision.digest)
}

/// The paths and bytes of the addon `digest`.
fn pulled(remote: &Remote, digest: &Digest) -> Result<Vec<(String, Vec<u8>)>, Error> {
    match Artifacts::new().content(remote, digest)? {
        Content::Files(files) => Ok(files),
        other => panic!("{other:?}"),
    }
}

fn tags(remote: &Remote) -> Result<Vec<String>, Error> {
    let found = Artifacts::new().resolve(remote)?;
    Ok(found.into_iter().filter_map(|found| found.tag).collect())
}

#[test]
fn what_is_pushed_is_found_and_pulled_and_the_same_files_are_the_same_digest_anywhere() {
    let directory = tempfile::tempdir().unwrap();
    let one = Registry::distribution(directory.path(), &Demands::default());
    let two = Registry::with_referrers(directory.path());
    let first = remote(one.url("team/redis"));
    let second = remote(two.url("other"));
    let digest = push(&first, "1.0.0", "a").unwrap();
    assert_eq!(push(&second, "1.0.0", "a").unwrap(), digest);
    for remote in [&first, &second] {
        let found = Artifacts::new().resolve(remote).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].text, format!("1.0.0@{digest}"));
        assert_eq!(found[0].version, Some(version("1.0.0")));
        let files = pulled(remote, &digest).unwrap();
        let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        let want = ["README.md", "addon.yaml", "icon.svg", "scripts/probe.sh"];
        assert_eq!(paths, want);
        assert_eq!(files[1].1, b"a");
        assert_eq!(
            Tree::from_files(files).unwrap().digest(),
            tree("a").digest()
        );
    }
}

type Told = Arc<Mutex<Vec<Moved>>>;

/// A meter, and all that it tells.
fn metered() -> (Meter, Told) {
    let told = Told::default();
    let kept = Arc::clone(&told);
    let meter = Meter::new(move |moved| kept.lock().unwrap().push(moved));
    (meter, told)
}

/// The last of what was told; none of it went back.
fn grown(told: &Told) -> Moved {
    let told = told.lock().unwrap();
    let grows = |pair: &[Moved]| pair[0].bytes <= pair[1].bytes && pair[0].total <= pair[1].total;
    assert!(told.windows(2).all(grows), "{told:?}");
    *told.last().unwrap()
}

#[test]
fn how_far_a_push_is_is_told_in_bytes_on_the_way() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::distribution(directory.path(), &Demands::default());
    let remote = remote(registry.url("redis"));
    let noise = (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8);
    let files = [
        ("addon.yaml".to_owned(), b"a".to_vec()),
        ("README.md".to_owned(), noise.collect()),
    ];
    let artifact = Artifact {
        plugin: "redis",
        version: &version("1.0.0"),
        tree: &Tree::from_files(files).unwrap(),
        referrers: true,
    };
    for new in [true, false] {
        let (meter, told) = metered();
        let artifacts = Artifacts::new();
        let pushed = artifacts.push_metered(&remote, &artifact, &meter).unwrap();
        assert_eq!(pushed.new, new);
        let end = grown(&told);
        assert!(end.bytes == end.total && end.bytes >= 200_000, "{end:?}");
        let told = told.lock().unwrap();
        assert!(
            told.iter().all(|one| one.total == end.total),
            "known from the start"
        );
        // What is there is found there at once; what is sent is told on the way.
        let steps = told.windows(2).map(|pair| pair[1].bytes - pair[0].bytes);
        let largest = steps.max().unwrap();
        assert_eq!(largest < 20_000, new, "{largest}");
    }
}

#[test]
fn an_artifact_that_is_known_is_not_pulled_and_its_revision_is_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::distribution(directory.path(), &Demands::default());
    let upstream = registry.port;
    let seen = HttpServer::start(move |request| forward(upstream, request));
    let remote = remote(format!("oci://127.0.0.1:{}/redis", seen.port));
    let first = push(&remote, "1.0.0", "a").unwrap();
    push(&remote, "1.1.0", "b").unwrap();
    let artifacts = Artifacts::new();
    let revisions = artifacts.resolve(&remote).unwrap();
    seen.requests();
    let known = |digest: &str| digest == first.as_str();
    let offered = artifacts.offered(&remote, &revisions, &known).unwrap();
    assert_eq!(offered[0].content, Content::Known);
    assert_eq!(offered[0].directory, format!("1.0.0@{first}"));
    assert_eq!(offered[1].tree, revisions[1].digest.as_str());
    assert!(matches!(&offered[1].content, Content::Files(files) if files.len() == FILES.len()));
    let lines = seen.lines();
    assert_eq!(lines.len(), 2, "a manifest and a blob: {lines:?}");
    assert!(
        !lines.iter().any(|line| line.contains(first.as_str())),
        "{lines:?}"
    );
}

#[test]
fn crane_and_tar_read_what_we_push() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::distribution(directory.path(), &Demands::default());
    let remote = remote(registry.url("redis"));
    let digest = push(&remote, "1.0.0", "name: redis\n").unwrap();
    let crane = |arguments: &[&str]| {
        let output = Command::new(tool("crane"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let name = remote.url.trim_start_matches("oci://");
    let manifest = crane(&["manifest", &format!("{name}@{digest}")]);
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(
        manifest["artifactType"],
        "application/vnd.middleware.extension.v1+json"
    );
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    assert_eq!(manifest["layers"][0]["mediaType"], LAYER_TYPE);
    let layer = manifest["layers"][0]["digest"].as_str().unwrap();
    let layer = crane(&["blob", &format!("{name}@{layer}")]);
    let archive = directory.path().join("layer.tar.gz");
    std::fs::write(&archive, layer).unwrap();
    let listed = Command::new("tar")
        .arg("tvzf")
        .arg(archive)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.contains("-rwxr-xr-x 0/0") && listed.contains("scripts/probe.sh"),
        "{listed}"
    );
    assert!(listed.contains("1970-01-01"), "{listed}");
}

#[test]
fn a_version_that_was_pushed_is_never_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::distribution(directory.path(), &Demands::default());
    let upstream = registry.port;
    let seen = HttpServer::start(move |request| forward(upstream, request));
    let remote = remote(format!("oci://127.0.0.1:{}/redis", seen.port));
    let digest = push(&remote, "1.0.0", "a").unwrap();
    seen.requests();
    assert_eq!(push(&remote, "1.0.0", "a").unwrap(), digest);
    let error = push(&remote, "1.0.0", "bb").unwrap_err();
    assert!(
        matches!(&error, Error::Taken { there, .. } if there == &digest),
        "{error}"
    );
    assert!(
        error.to_string().contains("raise it in addon.yaml"),
        "{error}"
    );
    let sent = seen.lines();
    assert!(
        sent.iter().all(|line| line.starts_with("GET ")),
        "before anything is sent: {sent:?}"
    );
    assert_eq!(tags(&remote).unwrap(), ["1.0.0"]);
    assert_eq!(Artifacts::new().resolve(&remote).unwrap()[0].digest, digest);
}

#[test]
fn tags_of_all_pages_are_sorted_by_version_and_those_of_signatures_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::distribution(directory.path(), &Demands::default());
    let upstream = registry.port;
    let mut remote = remote(registry.url("redis"));
    let digest = push(&remote, "1.0.0", "a").unwrap();
    // As the registry itself stores them; a thousand pushes would say no more.
    let stored = registry
        .storage
        .join("docker/registry/v2/repositories/redis/_manifests/tags");
    let tag = |name: &str| {
        let directory = stored.join(name).join("current");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("link"), digest.as_str()).unwrap();
    };
    for n in 0..1100 {
        tag(&format!("0.1.{n}"));
    }
    for name in ["1.0.10", "1.0.2", "v1.0.3", "latest", "1.1.0-rc.1"] {
        tag(name);
    }
    tag(&format!("sha256-{}", digest.hex()));
    tag(&format!("sha256-{}.sig", digest.hex()));
    let seen = HttpServer::start(move |request| forward(upstream, request));
    remote.url = format!("oci://127.0.0.1:{}/redis", seen.port);
    remote.reference.semver = Some(">=1.0.0".parse().unwrap());
    assert_eq!(
        tags(&remote).unwrap(),
        ["1.0.0", "1.0.2", "v1.0.3", "1.0.10"]
    );
    let lists = seen.lines();
    let lists = lists
        .iter()
        .filter(|line| line.contains("/tags/list"))
        .count();
    assert_eq!(lists, 2, "two pages");
    remote.reference.filter = Some(r"\.10$".into());
    assert_eq!(tags(&remote).unwrap(), ["1.0.10"]);
    remote.reference.filter = None;
    remote.reference.semver = Some("0.1.x".parse().unwrap());
    let all = tags(&remote).unwrap();
    assert_eq!((all.len(), all[1099].as_str()), (1100, "0.1.1099"));
    remote.reference.semver = Some("3.x".parse().unwrap());
    let error = tags(&remote).unwrap_err().to_string();
    assert!(
        error.contains("no tag is a version in the range `3.x`; there is 0.1.0"),
        "{error}"
    );
    assert!(!error.contains("sha256-"), "{error}");
}

#[test]
fn a_tag_and_a_digest_are_resolved_and_what_is_missing_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::distribution(directory.path(), &Demands::default());
    let mut remote = remote(registry.url("redis"));
    let error = tags(&remote).unwrap_err().to_string();
    assert!(
        error.contains("there is no repository; check the path"),
        "{error}"
    );
    let digest = push(&remote, "1.0.0", "a").unwrap();
    remote.reference.tag = Some("1.0.0".into());
    let found = Artifacts::new().resolve(&remote).unwrap();
    assert_eq!(found[0].text, format!("1.0.0@{digest}"));
    remote.reference.digest = Some(digest.clone());
    let found = Artifacts::new().resolve(&remote).unwrap();
    assert_eq!(
        (found[0].text.as_str(), found[0].tag.as_ref()),
        (digest.as_str(), None)
    );
    remote.reference.digest = Some(nothing());
    let error = Artifacts::new().resolve(&remote).unwrap_err().to_string();
    assert!(
        error.contains(&format!("there is no manifest {}", nothing())),
        "{error}"
    );
    remote.reference = Reference {
        tag: Some("2.0.0".into()),
        ..Reference::default()
    };
    let error = Artifacts::new().resolve(&remote).unwrap_err().to_string();
    assert!(error.ends_with("there is no tag 2.0.0"), "{error}");
    remote.reference.tag = Some("../1".into());
    assert!(Artifacts::new().resolve(&remote).unwrap_err().is_terminal());
}

#[test]
fn a_registry_that_says_no_digest_to_head_is_asked_by_get() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::distribution(directory.path(), &Demands::default());
    let upstream = registry.port;
    let digest = push(&remote(registry.url("redis")), "1.0.0", "a").unwrap();
    for way in ["405", "403", "no header"] {
        let faulty = HttpServer::start(move |request| match (request.method.as_str(), way) {
            ("HEAD", "405") => Response::new(405, ""),
            ("HEAD", "403") => Response::new(403, ""),
            _ => forward(upstream, request).without("Docker-Content-Digest"),
        });
        let mut remote = remote(format!("oci://127.0.0.1:{}/redis", faulty.port));
        remote.reference.tag = Some("1.0.0".into());
        let found = Artifacts::new().resolve(&remote).unwrap();
        assert_eq!(found[0].digest, digest, "{way}");
        let lines = faulty.lines();
        assert_eq!(
            lines,
            [
                "HEAD /v2/redis/manifests/1.0.0",
                "GET /v2/redis/manifests/1.0.0"
            ]
        );
    }
    // Where HEAD answers, one request is all.
    let good = HttpServer::start(move |request| forward(upstream, request));
    let mut remote = remote(format!("oci://127.0.0.1:{}/redis", good.port));
    remote.reference.tag = Some("1.0.0".into());
    Artifacts::new().resolve(&remote).unwrap();
    assert_eq!(good.lines(), ["HEAD /v2/redis/manifests/1.0.0"]);
}

#[test]
fn basic_authentication_is_by_user_and_password_or_docker_config() {
    let directory = tempfile::tempdir().unwrap();
    let demands = Demands {
        basic: true,
        ..Demands::default()
    };
    let registry = Registry::distribution(directory.path(), &demands);
    let mut remote = remote(registry.url("redis"));
    let error = push(&remote, "1.0.0", "a").unwrap_err().to_string();
    assert!(error.ends_with("the registry answered 401; name a Secret with credentials for this registry in secretRef"), "{error}");
    remote.credentials.username = Some("ann".into());
    remote.credentials.password = Some("wrong".into());
    let error = push(&remote, "1.0.0", "a").unwrap_err().to_string();
    assert!(error.contains("401; check the credentials"), "{error}");
    remote.credentials.password = Some("secret".into());
    push(&remote, "1.0.0", "a").unwrap();
    remote.credentials = Credentials {
        docker_config: Some(format!(
            r#"{{"auths": {{"127.0.0.1:{}": {{"auth": "YW5uOnNlY3JldA=="}}}}}}"#,
            registry.port
        )),
        ..Credentials::default()
    };
    assert_eq!(tags(&remote).unwrap(), ["1.0.0"]);
    remote.credentials.docker_config = Some("{".into());
    let error = tags(&remote).unwrap_err().to_string();
    assert!(
        error.contains(".dockerconfigjson is no docker config"),
        "{error}"
    );
}

/// A registry that takes tokens of the server beside it alone, and a repository in it.
fn behind_tokens(directory: &Path) -> (HttpServer, Registry, Remote) {
    behind(directory, |directory| token_server::start(directory, false))
}

/// The same with the server that `start` starts.
fn behind(
    directory: &Path,
    start: impl FnOnce(&Path) -> HttpServer,
) -> (HttpServer, Registry, Remote) {
    self_signed(directory, "token");
    let tokens = start(directory);
    let demands = Demands {
        tokens_of: Some(format!("http://127.0.0.1:{}/token", tokens.port)),
        ..Demands::default()
    };
    let registry = Registry::distribution(directory, &demands);
    let remote = remote(registry.url("team/redis"));
    (tokens, registry, remote)
}

#[test]
fn a_token_is_fetched_once_used_again_and_fetched_anew_for_writing() {
    let directory = tempfile::tempdir().unwrap();
    let (tokens, _registry, mut remote) = behind_tokens(directory.path());
    let error = push(&remote, "1.0.0", "a").unwrap_err().to_string();
    assert!(
        error.contains("the token server 127.0.0.1 answered 401"),
        "{error}"
    );
    remote.credentials.username = Some("ann".into());
    remote.credentials.password = Some("secret".into());
    push(&remote, "1.0.0", "a").unwrap();
    tokens.requests();
    let artifacts = Artifacts::new();
    for _ in 0..3 {
        artifacts.resolve(&remote).unwrap();
    }
    let fetched = tokens.lines();
    let want = "GET /token?scope=repository%3Ateam%2Fredis%3Apull&service=registry";
    assert_eq!(fetched, [want], "once for three looks");
}

/// A docker config with an identity token, as docker keeps it: in `auth` a user without a password.
fn config(port: u16, token: &str) -> Option<String> {
    let auth = "PHRva2VuPjo=";
    let entry = format!(r#"{{"auth": "{auth}", "identitytoken": "{token}"}}"#);
    Some(format!(r#"{{"auths": {{"127.0.0.1:{port}": {entry}}}}}"#))
}

#[test]
fn another_refresh_token_in_an_answer_is_the_one_to_show_next() {
    let directory = tempfile::tempdir().unwrap();
    let (tokens, registry, mut remote) = behind(directory.path(), token_server::rotating);
    remote.credentials.docker_config = config(registry.port, "identity");
    let artifacts = Artifacts::new();
    let push = |at: &str| {
        let artifact = Artifact {
            plugin: "redis",
            version: &version(at),
            tree: &tree(at),
            referrers: false,
        };
        artifacts.push(&remote, &artifact)
    };
    let shown = || {
        let requests = tokens.requests().into_iter();
        let form = |request: Request| String::from_utf8(request.body).unwrap();
        let shown = requests.map(|request| {
            let form = form(request);
            let (_, token) = form.split_once("refresh_token=identity").unwrap();
            token.split('&').next().unwrap().to_owned()
        });
        shown.collect::<Vec<_>>()
    };
    for at in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
        push(at).unwrap();
    }
    let first = shown();
    assert!(
        first.len() > 8 && first[..3] == ["", "-1", "-2"],
        "{first:?}"
    );
    // Several at once take their turns.
    let found = artifacts.resolve(&remote).unwrap();
    assert_eq!(found.len(), 4);
    let then = shown();
    assert!(
        then.len() >= 5 && then[0] == format!("-{}", first.len()),
        "{then:?}"
    );

    // Who remembers nothing has the first alone, which is not taken any more.
    let refused = "the token server 127.0.0.1 answered 400; check the credentials";
    let error = tags(&remote).unwrap_err().to_string();
    assert!(error.contains(refused), "{error}");
    // One that is not taken any more is forgotten.
    let again = Request {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        ..Request::default()
    };
    assert_eq!(forward(tokens.port, &again).status, 200);
    let error = push("1.4.0").unwrap_err().to_string();
    assert!(error.contains(refused), "{error}");
    push("1.4.0").unwrap();
}

#[test]
fn an_identity_token_is_changed_for_one_that_the_registry_takes() {
    let directory = tempfile::tempdir().unwrap();
    let (tokens, registry, mut remote) = behind_tokens(directory.path());
    remote.credentials.docker_config = config(registry.port, "revoked");
    let error = push(&remote, "1.0.0", "a").unwrap_err().to_string();
    assert!(
        error.contains(
            "the token server 127.0.0.1 answered 400; check the credentials in the Secret"
        ),
        "{error}"
    );
    remote.credentials.docker_config = config(registry.port, "identity");
    let digest = push(&remote, "1.0.0", "a").unwrap();
    tokens.requests();
    let artifacts = Artifacts::new();
    for _ in 0..3 {
        let found = artifacts.resolve(&remote).unwrap();
        assert_eq!(found[0].digest, digest);
    }
    assert_eq!(tokens.lines(), ["POST /token"], "once for three looks");

    // Where nobody takes one, it is said what is.
    let old = HttpServer::start(|_| Response::new(404, ""));
    let realm = format!("Bearer realm=\"http://127.0.0.1:{}/token\"", old.port);
    for (challenge, why) in [
        (realm, "whose token server takes none"),
        ("Basic realm=\"r\"".to_owned(), "which has no token server"),
    ] {
        let server = HttpServer::start(move |_| {
            Response::new(401, "").header("WWW-Authenticate", &challenge)
        });
        remote.url = format!("oci://127.0.0.1:{}/redis", server.port);
        remote.credentials.docker_config = config(server.port, "identity");
        let error = tags(&remote).unwrap_err().to_string();
        let advice = format!("{why}; use username and password");
        assert!(error.contains(&advice), "{error}");
    }
}

#[test]
fn an_anonymous_token_is_fetched_where_the_registry_wants_one() {
    let directory = tempfile::tempdir().unwrap();
    self_signed(directory.path(), "token");
    let tokens = token_server::start(directory.path(), true);
    let demands = Demands {
        tokens_of: Some(format!("http://127.0.0.1:{}/token", tokens.port)),
        ..Demands::default()
    };
    let registry = Registry::distribution(directory.path(), &demands);
    let mut remote = remote(registry.url("redis"));
    push(&remote, "1.0.0", "a").unwrap();
    assert_eq!(tags(&remote).unwrap(), ["1.0.0"]);
    assert!(
        tokens
            .requests()
            .iter()
            .all(|request| !request.headers.contains_key("authorization"))
    );
    // A token that somebody else fetched.
    remote.credentials.bearer_token = Some("nonsense".into());
    let error = tags(&remote).unwrap_err().to_string();
    assert!(error.contains("the registry answered 401"), "{error}");
    assert!(tokens.requests().is_empty());
}

#[test]
fn a_token_server_without_tls_is_not_shown_our_password() {
    let tokens = HttpServer::start(|_| Response::new(200, r#"{"token": "t"}"#));
    let directory = tempfile::tempdir().unwrap();
    let (certificates, config) = tls(directory.path());
    let realm = format!("Bearer realm=\"http://127.0.0.1:{}/token\"", tokens.port);
    let port = tls_server(
        config,
        format!("HTTP/1.1 401 No\r\nWWW-Authenticate: {realm}\r\nContent-Length: 0\r\n\r\n"),
    );
    let mut remote = remote(format!("oci://127.0.0.1:{port}/redis"));
    remote.insecure = false;
    remote.credentials = certificates;
    remote.credentials.username = Some("ann".into());
    remote.credentials.password = Some("secret".into());
    let error = tags(&remote).unwrap_err().to_string();
    assert!(
        error.contains("its token server does not speak https"),
        "{error}"
    );
    assert!(tokens.requests().is_empty());
}

/// An authority with a certificate for 127.0.0.1: what a client trusts, and what a server shows.
fn tls(directory: &Path) -> (Credentials, rustls::ServerConfig) {
    certificates(directory, &["tls"]);
    let credentials = Credentials {
        ca: std::fs::read_to_string(directory.join("ca.crt")).ok(),
        ..Credentials::default()
    };
    (credentials, server_config(directory, false))
}

/// Answers every request over TLS with `answer`; returns the port. It ends with the test's process.
fn tls_server(config: rustls::ServerConfig, answer: String) -> u16 {
    use std::io::Write as _;
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, connection.unwrap());
            let mut buffer = [0; 4096];
            while stream.read(&mut buffer).is_ok_and(|n| n > 0) {
                if stream
                    .write_all(answer.as_bytes())
                    .and_then(|()| stream.flush())
                    .is_err()
                {
                    break;
                }
            }
        }
    });
    port
}

#[test]
fn authorities_and_client_certificates_are_those_of_the_source_and_http_must_be_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    certificates(path, &["tls", "client"]);
    let demands = Demands {
        tls: true,
        ..Demands::default()
    };
    let registry = Registry::distribution(path, &demands);
    let read = |name: &str| std::fs::read_to_string(path.join(name)).ok();
    let mut remote = remote(registry.url("redis"));
    remote.insecure = false;
    let error = push(&remote, "1.0.0", "a").unwrap_err().to_string();
    assert!(
        error.contains("cannot be reached") && error.contains("ca.crt"),
        "{error}"
    );
    remote.credentials.ca = read("ca.crt");
    let error = push(&remote, "1.0.0", "a").unwrap_err().to_string();
    assert!(error.contains("wants a client certificate"), "{error}");
    remote.credentials.certificate = read("client.crt");
    let error = push(&remote, "1.0.0", "a").unwrap_err().to_string();
    assert!(
        error.contains("tls.crt is there without tls.key"),
        "{error}"
    );
    remote.credentials.key = read("client.key");
    push(&remote, "1.0.0", "a").unwrap();
    assert_eq!(tags(&remote).unwrap(), ["1.0.0"]);
}

#[test]
fn https_and_plain_http_that_were_taken_for_each_other_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let (certificates, config) = tls(directory.path());
    let said = |port: u16, insecure: bool| {
        let mut remote = remote(format!("oci://127.0.0.1:{port}/redis"));
        remote.insecure = insecure;
        remote.credentials = certificates.clone();
        let error = push(&remote, "1.0.0", "a").unwrap_err().to_string();
        error.replace(&port.to_string(), "PORT")
    };
    let plain = Registry::distribution(directory.path(), &Demands::default());
    assert_eq!(
        said(plain.port, false),
        "oci://127.0.0.1:PORT/redis: 127.0.0.1:PORT was asked by https and does not speak TLS; check \
         host and port, or set insecure: true, which speaks plain HTTP"
    );
    let demands = Demands {
        tls_for_all: true,
        ..Demands::default()
    };
    // One that says it in words, and one that breaks off.
    let secure = Registry::distribution(directory.path(), &demands);
    let other = tls_server(
        config,
        "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".to_owned(),
    );
    for port in [secure.port, other] {
        assert_eq!(
            said(port, true),
            "oci://127.0.0.1:PORT/redis: 127.0.0.1:PORT was asked by plain HTTP and speaks TLS alone; \
             take insecure: true away"
        );
    }
    // Where the registry leads elsewhere, no setting of the source is to blame.
    let to = format!("https://127.0.0.1:{}/redis", plain.port);
    let leads = HttpServer::start(move |_| Response::new(307, "").header("Location", &to));
    let want = format!(
        "cannot be reached: it leads to 127.0.0.1:{}, which was asked by https and does not speak TLS",
        plain.port
    );
    let error = said(leads.port, true);
    assert!(error.contains(&want), "{error}");
    // Another 400 keeps its words.
    let body = r#"{"errors": [{"code": "TAG_INVALID", "message": "no tag"}]}"#;
    let refuses = HttpServer::start(move |_| Response::new(400, body));
    let error = said(refuses.port, true);
    assert!(
        error.ends_with("400 for a manifest: TAG_INVALID no tag"),
        "{error}"
    );
}

#[test]
fn the_proxy_of_the_source_is_used_for_both_schemes_with_its_password() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    certificates(path, &["tls"]);
    let proxy = HttpServer::start(proxied_with_password);
    let secure_proxy = tls_front::start(server_config(path, false), proxy.port);
    let plain = Registry::distribution(path, &Demands::default());
    let demands = Demands {
        tls: true,
        ..Demands::default()
    };
    let secure = Registry::distribution(path, &demands);
    let read = |name: &str| std::fs::read_to_string(path.join(name)).ok();
    for address in [
        format!("http://127.0.0.1:{}", proxy.port),
        format!("https://127.0.0.1:{secure_proxy}"),
    ] {
        for (registry, insecure, method) in
            [(&plain, true, "GET http://"), (&secure, false, "CONNECT ")]
        {
            let mut remote = remote(registry.url("redis"));
            remote.insecure = insecure;
            remote.credentials = Credentials {
                ca: read("ca.crt"),
                certificate: read("tls.crt"),
                key: read("tls.key"),
                proxy: Some(Proxy {
                    address: address.clone(),
                    username: Some("proxy".into()),
                    password: Some("wrong".into()),
                }),
                ..Credentials::default()
            };
            let error = push(&remote, "1.0.0", "a").unwrap_err().to_string();
            let want = "the proxy does not take username and password (407)";
            assert!(error.contains(want), "{address}: {error}");
            proxy.requests();
            remote.credentials.proxy.as_mut().unwrap().password = Some("secret".into());
            push(&remote, "1.0.0", "a").unwrap();
            assert_eq!(tags(&remote).unwrap(), ["1.0.0"]);
            let lines = proxy.lines();
            assert!(
                lines.iter().any(|line| line.starts_with(method)),
                "{address}: {lines:?}"
            );
        }
    }
}

#[test]
fn a_proxy_that_is_not_what_its_address_says_is_told() {
    let said = |scheme, port, host: &str, insecure, credentials: &Credentials| {
        let mut remote = remote(format!("oci://{host}/redis"));
        remote.insecure = insecure;
        remote.credentials = credentials.clone();
        remote.credentials.proxy = Some(Proxy {
            address: format!("{scheme}://127.0.0.1:{port}"),
            ..Proxy::default()
        });
        tags(&remote).unwrap_err().to_string()
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (trusting, config) = tls(path);
    let demands = Demands {
        tls_for_all: true,
        ..Demands::default()
    };
    // A server in Go, which answers plainly that it was asked by TLS; the other one tells by an alert.
    let registry = Registry::distribution(path, &Demands::default());
    let plain = registry.port;
    let front = tls_front::start(config, plain);
    let nobody = Credentials::default();
    let no_tls = "the proxy was asked by https and does not speak TLS";
    for (scheme, port, insecure, credentials, want) in [
        ("https", plain, true, &trusting, no_tls),
        ("https", plain, false, &trusting, no_tls),
        ("http", front, true, &trusting, "reached: the proxy: "),
        (
            "http",
            front,
            false,
            &trusting,
            "makes no tunnel to registry.test:",
        ),
        ("https", front, true, &nobody, "reached: the proxy: "),
        ("https", front, false, &nobody, "reached: the proxy: "),
    ] {
        let error = said(scheme, port, "registry.test", insecure, credentials);
        assert!(error.contains(want), "{scheme} {insecure}: {error}");
    }
    // One that passes on what the server said.
    let secure = Registry::distribution(path, &demands);
    let proxy = HttpServer::start(proxied);
    let host = format!("127.0.0.1:{}", secure.port);
    let error = said("http", proxy.port, &host, true, &trusting);
    let want = "the proxy, or the server behind it, was asked by plain HTTP and speaks TLS alone";
    assert!(error.contains(want), "{error}");
}

/// A registry behind `change`, which may answer itself or change an answer.
fn faulty(
    upstream: u16,
    change: impl Fn(&Request, Response) -> Response + Send + Sync + 'static,
) -> HttpServer {
    HttpServer::start(move |request| change(request, forward(upstream, request)))
}

#[test]
fn a_registry_that_asks_for_patience_says_when_to_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::distribution(directory.path(), &Demands::default());
    push(&remote(registry.url("redis")), "1.0.0", "a").unwrap();
    for (status, after, want) in [
        (
            429,
            Some("7"),
            Consequence::RetryAfter(Duration::from_secs(7)),
        ),
        (
            503,
            Some("30"),
            Consequence::RetryAfter(Duration::from_secs(30)),
        ),
        (
            429,
            Some("86400"),
            Consequence::RetryAfter(Duration::from_secs(900)),
        ),
        (429, None, Consequence::Retry),
        (503, None, Consequence::Retry),
        (500, None, Consequence::Retry),
    ] {
        let server = faulty(registry.port, move |_, _| {
            let body = r#"{"errors": [{"code": "TOOMANYREQUESTS", "message": "slow down"}]}"#;
            let answer = Response::new(status, body);
            match after {
                Some(after) => answer.header("Retry-After", after),
                None => answer,
            }
        });
        let remote = remote(format!("oci://127.0.0.1:{}/redis", server.port));
        let error = tags(&remote).unwrap_err();
        assert_eq!(error.consequence(), want, "{error}");
        assert!(!error.is_terminal());
    }
}

#[test]
fn a_bad_registry_is_an_error_in_time_and_nothing_of_it_is_believed() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::distribution(directory.path(), &Demands::default());
    let good = remote(registry.url("redis"));
    let digest = push(&good, "1.0.0", &"a".repeat(3000)).unwrap();
    type Change = fn(&Request, Response) -> Response;
    type Place = fn(&Request) -> bool;
    let in_manifests: Place = |request| request.target.contains("/manifests/sha256:");
    let in_blobs: Place = |request| request.target.contains("/blobs/");
    let cases: [(&str, Place, Change, &str); 12] = [
        (
            "hang",
            in_manifests,
            |_, r| r.manner(Manner::Never),
            "timed out waiting for an answer; the source's timeout is 3s",
        ),
        (
            "hang in a blob",
            in_blobs,
            |_, r| r.manner(Manner::Never),
            "timed out waiting for an answer",
        ),
        (
            "drip",
            in_blobs,
            |_, r| r.manner(Manner::Drip),
            "timed out while reading an answer; the source's timeout is 3s",
        ),
        (
            "half",
            in_blobs,
            |_, r| r.manner(Manner::Half),
            "the answer broke off",
        ),
        (
            "endless blob",
            in_blobs,
            |_, r| r.manner(Manner::Endless),
            "has more than the",
        ),
        (
            "endless manifest",
            in_manifests,
            |_, r| r.manner(Manner::Endless),
            "has more than 4194304 bytes",
        ),
        (
            "other manifest",
            in_manifests,
            |_, mut r| {
                r.body.push(b' ');
                r.without("Docker-Content-Digest")
            },
            "sent other bytes for manifest",
        ),
        (
            "lying header",
            in_manifests,
            |_, mut r| {
                r.body.push(b' ');
                r
            },
            "sent other bytes for manifest",
        ),
        (
            "other blob",
            in_blobs,
            |_, mut r| {
                r.body[20] ^= 1;
                r
            },
            "sent other bytes for blob",
        ),
        (
            "short blob",
            in_blobs,
            |_, mut r| {
                r.body.pop();
                r
            },
            "ended after",
        ),
        (
            "web page",
            in_manifests,
            |_, _| Response::new(200, "<html>").header("Content-Type", "text/html"),
            "sent other bytes for manifest",
        ),
        (
            "redirects",
            in_blobs,
            |q, _| Response::new(307, "").header("Location", &q.target),
            "redirects in a circle",
        ),
    ];
    for (name, place, change, want) in cases {
        let server = faulty(registry.port, move |request, answer| {
            if place(request) {
                change(request, answer)
            } else {
                answer
            }
        });
        let mut remote = remote(format!("oci://127.0.0.1:{}/redis", server.port));
        remote.timeout = Duration::from_secs(3);
        let began = Instant::now();
        let read = |reader: &mut dyn Read| std::io::copy(reader, &mut std::io::sink());
        let error = Artifacts::new().pull(&remote, &digest, read).unwrap_err();
        assert!(error.to_string().contains(want), "{name}: {error}");
        assert_eq!(error.consequence(), Consequence::Retry, "{name}");
        assert!(began.elapsed() < Duration::from_secs(15), "{name}");
    }
    assert_eq!(pulled(&good, &digest).unwrap().len(), FILES.len());
}

#[test]
fn a_list_of_tags_that_never_ends_or_leads_away_is_refused() {
    let away = HttpServer::start(|_| Response::new(200, r#"{"tags": ["1.0.0"]}"#));
    let elsewhere = format!(
        "<http://127.0.0.1:{}/v2/redis/tags/list>; rel=\"next\"",
        away.port
    );
    for (link, tags_on_a_page, want) in [
        (
            "</v2/redis/tags/list?last=1>; rel=\"next\"".to_owned(),
            1,
            "the list of tags has more than 50000 tags",
        ),
        (
            "</v2/redis/tags/list?last=1>; rel=\"next\"".to_owned(),
            1000,
            "the list of tags has more than 50000 tags",
        ),
        (elsewhere, 1, "leads to another host"),
    ] {
        let page = vec!["\"1.0.0\""; tags_on_a_page].join(",");
        let server = HttpServer::start(move |_| {
            Response::new(200, format!(r#"{{"tags": [{page}]}}"#)).header("Link", &link)
        });
        let mut remote = remote(format!("oci://127.0.0.1:{}/redis", server.port));
        remote.credentials.username = Some("ann".into());
        let error = tags(&remote).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
    assert!(away.requests().is_empty());
}

#[test]
fn credentials_do_not_follow_a_redirect_to_another_host() {
    let directory = tempfile::tempdir().unwrap();
    let demands = Demands {
        basic: true,
        ..Demands::default()
    };
    let registry = Registry::distribution(directory.path(), &demands);
    let mut direct = remote(registry.url("redis"));
    direct.credentials.username = Some("ann".into());
    direct.credentials.password = Some("secret".into());
    let digest = push(&direct, "1.0.0", "a").unwrap();
    // As registries do that keep blobs in a store of their cloud.
    let layer = Artifacts::new().manifest(&direct, &digest).unwrap().layers[0]
        .digest
        .clone();
    let stored = registry.storage.join(format!(
        "docker/registry/v2/blobs/sha256/{}/{}/data",
        layer.short(2),
        layer.hex()
    ));
    let bytes = std::fs::read(stored).unwrap();
    let store = HttpServer::start(move |_| Response::new(200, bytes.clone()));
    let to = format!("http://127.0.0.1:{}/signed?x=y", store.port);
    let server = faulty(registry.port, move |request, answer| {
        match request.target.contains("/blobs/") && answer.status == 200 {
            true => Response::new(307, "").header("Location", &to),
            false => answer,
        }
    });
    let mut remote = direct.clone();
    remote.url = format!("oci://127.0.0.1:{}/redis", server.port);
    assert_eq!(pulled(&remote, &digest).unwrap().len(), FILES.len());
    let asked = store.requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].headers.get("authorization"), None);
}

#[test]
fn what_is_no_addon_is_refused_with_what_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::distribution(directory.path(), &Demands::default());
    let layer = directory.path().join("layer.tar.gz");
    std::fs::write(&layer, b"x").unwrap();
    let name = format!("127.0.0.1:{}/image", registry.port);
    let crane = |arguments: &[&str]| {
        let output = Command::new(tool("crane"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    crane(&[
        "append",
        "--new_layer",
        layer.to_str().unwrap(),
        "--new_tag",
        &format!("{name}:1.0.0"),
    ]);
    let digest: Digest = crane(&["digest", &format!("{name}:1.0.0")])
        .parse()
        .unwrap();
    let remote = remote(format!("oci://{name}"));
    let Content::Refused(findings) = Artifacts::new().content(&remote, &digest).unwrap() else {
        panic!("an image is no addon");
    };
    let finding = findings[0].to_string();
    let want =
        "this is no addon: its artifact type is `application/vnd.docker.container.image.v1+json`";
    assert!(finding.contains(want), "{finding}");
    assert!(
        finding.contains("kubectl middleware addon push"),
        "{finding}"
    );
}

/// The artifact types of what points at `digest`.
fn pointing(remote: &Remote, digest: &Digest) -> BTreeSet<String> {
    let found = Artifacts::new().referrers(remote, digest, None).unwrap();
    found
        .into_iter()
        .filter_map(|found| found.artifact_type)
        .collect()
}

fn push_with_referrers(remote: &Remote) -> Digest {
    let artifact = Artifact {
        plugin: "redis",
        version: &version("1.0.0"),
        tree: &tree("a"),
        referrers: true,
    };
    let artifacts = Artifacts::new();
    let pushed = artifacts.push(remote, &artifact).unwrap();
    assert!(pushed.new);
    assert!(!artifacts.push(remote, &artifact).unwrap().new);
    pushed.revision.digest
}

#[test]
fn readme_and_icon_point_at_the_version_in_registries_with_and_without_referrers() {
    let directory = tempfile::tempdir().unwrap();
    let without = Registry::distribution(directory.path(), &Demands::default());
    let with = Registry::with_referrers(directory.path());
    let want: BTreeSet<String> = [README_TYPE, ICON_TYPE].map(str::to_owned).into();
    for (registry, fallback) in [(&without, true), (&with, false)] {
        let upstream = registry.port;
        let seen = HttpServer::start(move |request| forward(upstream, request));
        let remote = remote(format!("oci://127.0.0.1:{}/redis", seen.port));
        let digest = push_with_referrers(&remote);
        seen.requests();
        assert_eq!(pointing(&remote, &digest), want);
        let by_tag = format!("GET /v2/redis/manifests/sha256-{}", digest.hex());
        assert_eq!(seen.lines().contains(&by_tag), fallback);
        let readmes = Artifacts::new()
            .referrers(&remote, &digest, Some(README_TYPE))
            .unwrap();
        assert_eq!(readmes.len(), 1);
        assert_eq!(
            tags(&remote).unwrap(),
            ["1.0.0"],
            "the fallback's tag is no version"
        );
    }
    let bare = remote(without.url("redis"));
    let other = push(&bare, "2.0.0", "bbb").unwrap();
    assert!(pointing(&bare, &other).is_empty());
}

#[test]
fn referrers_that_cannot_be_read_are_an_error_and_not_none() {
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::distribution(directory.path(), &Demands::default());
    let digest = push_with_referrers(&remote(registry.url("redis")));
    type Place = fn(&Request) -> bool;
    let api: Place = |request| request.target.contains("/referrers/");
    let tag: Place = |request| request.target.contains("/manifests/sha256-");
    for place in [api, tag] {
        for status in [401, 403, 429, 500, 503] {
            let server = faulty(registry.port, move |request, answer| match place(request) {
                // As Docker Hub says it, with an envelope.
                true => Response::new(
                    status,
                    r#"{"errors": [{"code": "DENIED", "message": "no"}]}"#,
                ),
                false => answer,
            });
            let remote = remote(format!("oci://127.0.0.1:{}/redis", server.port));
            let found = Artifacts::new().referrers(&remote, &digest, None);
            assert!(found.is_err(), "{status}: {found:?}");
        }
    }
}

#[test]
fn a_version_is_copied_with_its_signatures_and_referrers_and_its_tag_last() {
    let directory = tempfile::tempdir().unwrap();
    let one = Registry::distribution(directory.path(), &Demands::default());
    let two = Registry::with_referrers(directory.path());
    let three = Registry::distribution(directory.path(), &Demands::default());
    let from = remote(one.url("redis"));
    let digest = push_with_referrers(&from);
    // As cosign 2 signs: a manifest under a tag of the digest.
    let signature = format!("sha256-{}.sig", digest.hex());
    let name = from.url.trim_start_matches("oci://");
    let tagged = Command::new(tool("crane"))
        .args([
            "copy",
            &format!("{name}:1.0.0"),
            &format!("{name}:{signature}"),
        ])
        .status();
    assert!(tagged.unwrap().success());

    let mut from = from;
    for to in [&two, &three] {
        let upstream = to.port;
        let seen = HttpServer::start(move |request| forward(upstream, request));
        let target = remote(format!("oci://127.0.0.1:{}/mirror/redis", seen.port));
        let revision = Artifacts::new().resolve(&from).unwrap().remove(0);
        let (meter, told) = metered();
        let copied = Artifacts::new()
            .copy(&from, &target, &revision, &meter)
            .unwrap();
        let end = grown(&told);
        assert!(
            end.bytes == end.total && end.bytes >= copied.bytes,
            "{end:?}"
        );
        assert!(copied.blobs >= 4 && copied.bytes > 0, "{copied:?}");
        let last = seen.lines().pop().unwrap();
        assert_eq!(last, "PUT /v2/mirror/redis/manifests/1.0.0");
        assert_eq!(pointing(&target, &digest), pointing(&from, &digest));
        let mut signed = target.clone();
        signed.reference.tag = Some(signature.clone());
        assert_eq!(Artifacts::new().resolve(&signed).unwrap()[0].digest, digest);
        assert_eq!(
            pulled(&target, &digest).unwrap(),
            pulled(&from, &digest).unwrap()
        );
        // Again: nothing is sent twice.
        let again = Artifacts::new()
            .copy(&from, &target, &revision, &Meter::default())
            .unwrap();
        assert_eq!((again.blobs, again.bytes), (0, 0), "{again:?}");
        from = remote(to.url("mirror/redis"));
    }
    let taken = remote(three.url("taken"));
    push(&taken, "1.0.0", "other").unwrap();
    let revision = Artifacts::new().resolve(&from).unwrap().remove(0);
    let error = Artifacts::new()
        .copy(&from, &taken, &revision, &Meter::default())
        .unwrap_err();
    assert!(matches!(error, Error::Taken { .. }), "{error}");
}

#[test]
fn openssl_and_the_tools_are_there() {
    // What the tests above are made with; said first where it is missing.
    openssl(Path::new("."), &["version"]);
    for name in ["registry", "referrers", "crane"] {
        assert!(tool(name).is_file());
    }
}
