//! Git over HTTPS and through others: authorities and client certificates that only the source knows,
//! made by the real openssl; tokens; proxies; a server that asks for patience.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "support/authority.rs"]
mod authority;
#[path = "support/git_server.rs"]
#[allow(dead_code)]
mod git_server;
#[path = "support/http_server.rs"]
#[allow(dead_code)]
mod http_server;

#[path = "support/registries.rs"]
#[allow(dead_code)]
mod registries;
#[path = "support/tls_front.rs"]
mod tls_front;

use authority::{certificates, server_config};
use git_server::{GitServer, Repository};
use http_server::{HttpServer, Response, forward, proxied_with_password};
use registries::{Demands, Registry};
use std::time::Duration;
use transport::{Consequence, Credentials, Mirrors, Proxy, Reference, Remote};

fn remote(url: String, insecure: bool) -> Remote {
    Remote {
        url,
        insecure,
        reference: Reference::default(),
        credentials: Credentials::default(),
        timeout: Duration::from_secs(20),
    }
}

#[test]
fn the_authority_of_the_source_is_trusted_and_without_it_nothing_is() {
    let directory = tempfile::tempdir().unwrap();
    certificates(directory.path(), &["tls"]);
    let config = server_config(directory.path(), false);
    let repository = Repository::create(directory.path(), "addons.git");
    repository.write("addon.yaml", "1");
    let commit = repository.push();
    let server = GitServer::start_tls(directory.path(), config);
    let mirrors = Mirrors::open(directory.path().join("mirrors")).unwrap();
    let mut remote = remote(server.url("addons.git"), false);
    let error = mirrors.fetch(&remote).unwrap_err().to_string();
    assert!(error.contains("ca.crt"), "{error}");
    assert!(server.requests().is_empty());
    remote.credentials.ca = Some("no certificate".to_owned());
    let error = mirrors.fetch(&remote).unwrap_err().to_string();
    assert!(error.contains("TLS cannot be set up: ca.crt"), "{error}");
    remote.credentials.ca = std::fs::read_to_string(directory.path().join("ca.crt")).ok();
    assert_eq!(mirrors.fetch(&remote).unwrap().commit, commit);
}

#[test]
fn a_client_certificate_is_shown_where_the_server_wants_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    certificates(path, &["tls", "client"]);
    let repository = Repository::create(path, "addons.git");
    repository.write("addon.yaml", "1");
    let commit = repository.push();
    let server = GitServer::start_tls(path, server_config(path, true));
    let mirrors = Mirrors::open(path.join("mirrors")).unwrap();
    let read = |name: &str| std::fs::read_to_string(path.join(name)).ok();
    let mut remote = remote(server.url("addons.git"), false);
    remote.credentials.ca = read("ca.crt");
    let error = mirrors.fetch(&remote).unwrap_err().to_string();
    assert!(error.contains("wants a client certificate"), "{error}");
    assert!(server.requests().is_empty());
    remote.credentials.certificate = read("client.crt");
    let error = mirrors.fetch(&remote).unwrap_err().to_string();
    assert!(
        error.contains("tls.crt is there without tls.key"),
        "{error}"
    );
    remote.credentials.key = read("client.key");
    assert_eq!(mirrors.fetch(&remote).unwrap().commit, commit);
}

#[test]
fn https_and_plain_http_that_were_taken_for_each_other_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    certificates(path, &["tls"]);
    let mirrors = Mirrors::open(path.join("mirrors")).unwrap();
    let said = |port: u16, insecure: bool| {
        let scheme = if insecure { "http" } else { "https" };
        let url = format!("{scheme}://127.0.0.1:{port}/addons.git");
        let error = mirrors.fetch(&remote(url, insecure)).unwrap_err();
        error.to_string().replace(&port.to_string(), "PORT")
    };
    // Servers in Go, which answer in words, and one that breaks off.
    let plain = Registry::distribution(path, &Demands::default());
    assert_eq!(
        said(plain.port, false),
        "https://127.0.0.1:PORT/addons.git: 127.0.0.1:PORT was asked by https and does not speak TLS; \
         check host and port, or begin the URL with http:// and set insecure: true"
    );
    let demands = Demands {
        tls_for_all: true,
        ..Demands::default()
    };
    let secure = Registry::distribution(path, &demands);
    let git = GitServer::start_tls(path, server_config(path, false));
    for port in [secure.port, port(&git)] {
        assert_eq!(
            said(port, true),
            "http://127.0.0.1:PORT/addons.git: 127.0.0.1:PORT was asked by plain HTTP and speaks TLS \
             alone; begin the URL with https://"
        );
    }
}

/// A repository with one commit, its server, and mirrors beside it.
fn plain() -> (tempfile::TempDir, GitServer, Mirrors, String) {
    let directory = tempfile::tempdir().unwrap();
    let repository = Repository::create(directory.path(), "addons.git");
    repository.write("addon.yaml", "1");
    let commit = repository.push();
    let server = GitServer::start(directory.path());
    let mirrors = Mirrors::open(directory.path().join("mirrors")).unwrap();
    (directory, server, mirrors, commit)
}

fn port(server: &GitServer) -> u16 {
    let url = url::Url::parse(&server.url("")).unwrap();
    url.port().unwrap()
}

#[test]
fn a_token_is_sent_as_bearer() {
    let (_directory, server, mirrors, commit) = plain();
    let upstream = port(&server);
    let guarded = HttpServer::start(move |request| {
        match request.headers.get("authorization").map(String::as_str) {
            Some("Bearer secret") => forward(upstream, request),
            _ => Response::new(401, ""),
        }
    });
    let mut remote = remote(
        format!("http://127.0.0.1:{}/addons.git", guarded.port),
        true,
    );
    let error = mirrors.fetch(&remote).unwrap_err().to_string();
    assert!(error.contains("401"), "{error}");
    remote.credentials.bearer_token = Some("secret".into());
    assert_eq!(mirrors.fetch(&remote).unwrap().commit, commit);
}

#[test]
fn the_proxy_of_the_source_is_used_for_both_schemes() {
    let (directory, server, mirrors, commit) = plain();
    let path = directory.path();
    certificates(path, &["tls"]);
    let secure = GitServer::start_tls(path, server_config(path, false));
    let proxy = HttpServer::start(proxied_with_password);
    let secure_proxy = tls_front::start(server_config(path, false), proxy.port);
    for address in [
        format!("http://127.0.0.1:{}", proxy.port),
        format!("https://127.0.0.1:{secure_proxy}"),
    ] {
        for (server, insecure, method) in
            [(&server, true, "GET http://"), (&secure, false, "CONNECT ")]
        {
            let mut remote = remote(server.url("addons.git"), insecure);
            remote.credentials = Credentials {
                ca: std::fs::read_to_string(path.join("ca.crt")).ok(),
                proxy: Some(Proxy {
                    address: address.clone(),
                    username: Some("proxy".into()),
                    password: Some("wrong".into()),
                }),
                ..Credentials::default()
            };
            let error = mirrors.fetch(&remote).unwrap_err().to_string();
            let want = "the proxy does not take username and password (407)";
            assert!(error.contains(want), "{address}: {error}");
            proxy.requests();
            remote.credentials.proxy.as_mut().unwrap().password = Some("secret".into());
            assert_eq!(mirrors.fetch(&remote).unwrap().commit, commit);
            let lines = proxy.lines();
            assert!(
                lines.iter().any(|line| line.starts_with(method)),
                "{address}: {lines:?}"
            );
        }
    }
    let mut remote = remote(server.url("addons.git"), true);
    remote.credentials.proxy = Some(Proxy {
        address: "socks5://127.0.0.1:1".into(),
        ..Proxy::default()
    });
    let error = mirrors.fetch(&remote).unwrap_err().to_string();
    assert!(error.contains("is not http(s)://"), "{error}");
}

#[test]
fn a_server_that_asks_for_patience_says_when_to_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let mirrors = Mirrors::open(directory.path()).unwrap();
    for (status, want) in [
        (429, Consequence::RetryAfter(Duration::from_secs(42))),
        (503, Consequence::RetryAfter(Duration::from_secs(42))),
        (500, Consequence::Retry),
    ] {
        let server =
            HttpServer::start(move |_| Response::new(status, "").header("Retry-After", "42"));
        let remote = remote(format!("http://127.0.0.1:{}/addons.git", server.port), true);
        let error = mirrors.fetch(&remote).unwrap_err();
        assert_eq!(error.consequence(), want, "{error}");
    }
}
