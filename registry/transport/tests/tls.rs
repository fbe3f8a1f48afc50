//! HTTPS with an authority that only the source knows, made by the real openssl.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "support/git_server.rs"]
#[allow(dead_code)]
mod git_server;

use git_server::{GitServer, Repository};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{path::Path, process::Command, time::Duration};
use transport::{Credentials, Mirrors, Reference, Remote};

fn openssl(directory: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .current_dir(directory)
        .args(arguments.split_whitespace())
        .output()
        .expect("openssl must be installed");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {error}");
}

fn certificates(directory: &Path) -> rustls::ServerConfig {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(
        directory,
        &format!("req -x509 {key} -keyout ca.key -out ca.crt -days 2 -subj /CN=ca"),
    );
    openssl(
        directory,
        &format!("req {key} -keyout tls.key -out tls.csr -subj /CN=git"),
    );
    std::fs::write(directory.join("san"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    let sign =
        "x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out tls.crt";
    openssl(directory, &format!("{sign} -extfile san"));
    let chain = CertificateDer::pem_file_iter(directory.join("tls.crt"))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let key = PrivateKeyDer::from_pem_file(directory.join("tls.key")).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

#[test]
fn the_authority_of_the_source_is_trusted_and_without_it_nothing_is() {
    let directory = tempfile::tempdir().unwrap();
    let config = certificates(directory.path());
    let repository = Repository::create(directory.path(), "addons.git");
    repository.write("addon.yaml", "1");
    let commit = repository.push();
    let server = GitServer::start_tls(directory.path(), config);
    let mirrors = Mirrors::open(directory.path().join("mirrors")).unwrap();
    let mut remote = Remote {
        url: server.url("addons.git"),
        insecure: false,
        reference: Reference::default(),
        credentials: Credentials::default(),
        timeout: Duration::from_secs(20),
    };
    let error = mirrors.fetch(&remote).unwrap_err().to_string();
    assert!(error.contains("ca.crt"), "{error}");
    assert!(server.requests().is_empty());
    remote.credentials.ca = Some("no certificate".to_owned());
    let error = mirrors.fetch(&remote).unwrap_err().to_string();
    assert!(error.contains("TLS cannot be set up: ca.crt"), "{error}");
    remote.credentials.ca = std::fs::read_to_string(directory.path().join("ca.crt")).ok();
    assert_eq!(mirrors.fetch(&remote).unwrap().commit, commit);
}
