//! The proxy of the environment, for sources that name none. One test in a process of its own, because
//! it sets the environment.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such
#![expect(
    unsafe_code,
    reason = "the environment is set before anything reads it"
)]

#[path = "support/git_server.rs"]
#[allow(dead_code)]
mod git_server;
#[path = "support/http_server.rs"]
#[allow(dead_code)]
mod http_server;
#[path = "support/registries.rs"]
#[allow(dead_code)]
mod registries;

use git_server::{GitServer, Repository};
use http_server::{HttpServer, proxied};
use package::Tree;
use registries::{Demands, Registry};
use std::time::Duration;
use transport::{
    Credentials, Mirrors,
    oci::{Artifact, Artifacts},
};

#[test]
fn the_proxy_of_the_environment_is_used_but_for_the_hosts_that_it_leaves_out() {
    let proxy = HttpServer::start(proxied);
    let address = format!("http://127.0.0.1:{}", proxy.port);
    for (name, value) in [
        ("HTTP_PROXY", address.as_str()),
        ("HTTPS_PROXY", address.as_str()),
        ("NO_PROXY", "localhost"),
    ] {
        // SAFETY: this is the process's only test, and the threads of its servers read no environment.
        unsafe { std::env::set_var(name, value) };
    }
    let directory = tempfile::tempdir().unwrap();

    let registry = Registry::distribution(directory.path(), &Demands::default());
    let files = [("addon.yaml".to_owned(), b"a".to_vec())];
    let artifact = Artifact {
        plugin: "redis",
        version: &"1.0.0".parse().unwrap(),
        tree: &Tree::from_files(files).unwrap(),
        referrers: false,
    };
    for (host, through) in [("127.0.0.1", true), ("localhost", false)] {
        let remote = transport::oci::Remote {
            url: format!("oci://{host}:{}/redis", registry.port),
            insecure: true,
            reference: transport::oci::Reference::default(),
            credentials: Credentials::default(),
            timeout: Duration::from_secs(20),
        };
        Artifacts::new().push(&remote, &artifact).unwrap();
        assert_eq!(!proxy.requests().is_empty(), through, "{host}");
    }

    let repository = Repository::create(directory.path(), "addons.git");
    repository.write("addon.yaml", "1");
    let commit = repository.push();
    let server = GitServer::start(directory.path());
    let mirrors = Mirrors::open(directory.path().join("mirrors")).unwrap();
    for (host, through) in [("127.0.0.1", true), ("localhost", false)] {
        let remote = transport::Remote {
            url: server.url("addons.git").replace("127.0.0.1", host),
            insecure: true,
            reference: transport::Reference::default(),
            credentials: Credentials::default(),
            timeout: Duration::from_secs(20),
        };
        assert_eq!(mirrors.fetch(&remote).unwrap().commit, commit);
        assert_eq!(!proxy.requests().is_empty(), through, "{host}");
    }
    // HTTPS by CONNECT; what answers there is no TLS, which is seen behind the proxy.
    let secure = transport::Remote {
        url: server.url("addons.git").replace("http://", "https://"),
        insecure: false,
        reference: transport::Reference::default(),
        credentials: Credentials::default(),
        timeout: Duration::from_secs(2),
    };
    mirrors.fetch(&secure).unwrap_err();
    assert!(
        proxy
            .lines()
            .iter()
            .any(|line| line.starts_with("CONNECT "))
    );
}
