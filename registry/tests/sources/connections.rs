//! How sources reach their servers: by authorities, client certificates and proxies of their own.

use crate::{
    authority::{certificates, server_config},
    git_server::GitServer,
    http_server::{HttpServer, proxied, proxied_with_password},
    registries::{Demands, Registry},
    stage::{Stage, push, says},
    world::{World, addon, manifest, ready},
};
use anyhow::Result;
use serde_json::{Value, json};
use std::path::Path;
use transport::Credentials;

/// Looks at all of `sources`, and waits until each says `text`.
async fn all_say(world: &World, sources: &[&str], text: &str) -> Result<()> {
    for name in sources {
        world.ask_for(name).await?;
    }
    for name in sources {
        world
            .seen_of(name, |source| says(source, "FetchFailed", text))
            .await?;
    }
    Ok(())
}

/// Looks at all of `sources`, and waits until the version of each is there and published.
async fn all_publish(world: &World, sources: &[&str]) -> Result<()> {
    for name in sources {
        world.ask_for(name).await?;
    }
    for name in sources {
        world.publish(&format!("{name}-1.0.0")).await?;
        world.seen_of(name, ready).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_reached_by_the_authority_and_the_client_certificate_of_the_source()
-> Result<()> {
    const SOURCES: [&str; 2] = ["mutual-git", "mutual-oci"];
    let world = World::shared("mutual").await?;
    let path = world.directory.path();
    let strangers = path.join("strangers");
    std::fs::create_dir(&strangers)?;
    certificates(path, &["tls", "client"]);
    certificates(&strangers, &["client"]);
    let read = |at: &Path, name: &str| std::fs::read_to_string(at.join(name)).unwrap();
    let (ca, certificate, key) = (
        read(path, "ca.crt"),
        read(path, "client.crt"),
        read(path, "client.key"),
    );

    let git = GitServer::start_tls(path, server_config(path, true));
    addon(&world, "mutual", "mutual-git", "1.0.0");
    world.repository.push();
    let demands = Demands {
        tls: true,
        ..Demands::default()
    };
    let registry = Registry::distribution(path, &demands);
    let credentials = Credentials {
        ca: Some(ca.clone()),
        certificate: Some(certificate.clone()),
        key: Some(key.clone()),
        ..Credentials::default()
    };
    let text = manifest("mutual-oci", "1.0.0");
    let url = registry.url("mutual");
    push(&url, credentials, "mutual-oci", "1.0.0", &text, "a");

    let secret = json!({"name": "mutual"});
    let git = json!({"url": git.url("addons.git"), "secretRef": secret});
    let oci = json!({"url": url, "certSecretRef": secret});
    let shown = json!({"tls.crt": certificate, "tls.key": key});
    world.secret("mutual", shown.clone()).await?;
    world
        .create("mutual-git", json!({"interval": "1h", "git": git}))
        .await?;
    world
        .create("mutual-oci", json!({"interval": "1h", "oci": oci}))
        .await?;
    all_say(&world, &SOURCES, "check host, network, proxy, ca.crt").await?;
    world.secret("mutual", json!({"ca.crt": ca})).await?;
    all_say(&world, &SOURCES, "the server wants a client certificate").await?;
    let mut strange = json!({"ca.crt": ca});
    strange["tls.crt"] = json!(read(&strangers, "client.crt"));
    strange["tls.key"] = json!(read(&strangers, "client.key"));
    world.secret("mutual", strange).await?;
    all_say(
        &world,
        &SOURCES,
        "the server does not take the client certificate",
    )
    .await?;
    let advice = "put one that it trusts under tls.crt, and its private key under tls.key, in the";
    all_say(&world, &SOURCES, advice).await?;
    let mut right = shown;
    right["ca.crt"] = json!(ca);
    world.secret("mutual", right).await?;
    all_publish(&world, &SOURCES).await
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_reached_through_the_proxy_of_the_source() -> Result<()> {
    const LOCKED: [&str; 3] = ["proxied-git", "proxied-tls", "proxied-oci"];
    const OPEN: [&str; 2] = ["proxied-git-open", "proxied-oci-open"];
    let world = World::shared("proxied").await?;
    let path = world.directory.path();
    certificates(path, &["tls"]);
    let secure = GitServer::start_tls(path, server_config(path, false));
    let stage = Stage::new(path, &Demands::default());
    for name in LOCKED.iter().chain(&OPEN) {
        match name.contains("oci") {
            true => drop(stage.push(name, name, "1.0.0", "a")),
            false => addon(&world, name, name, "1.0.0"),
        }
    }
    world.repository.push();
    let (locked, open) = (
        HttpServer::start(proxied_with_password),
        HttpServer::start(proxied),
    );
    let address = |proxy: &HttpServer| json!(format!("http://127.0.0.1:{}", proxy.port));
    let mut secret = json!({"address": address(&locked)});
    world.secret("proxied", secret.clone()).await?;
    world
        .secret("proxied-open", json!({"address": address(&open)}))
        .await?;
    let ca = std::fs::read_to_string(path.join("ca.crt"))?;
    world.secret("proxied-tls", json!({"ca.crt": ca})).await?;

    // Nobody but the proxy knows these hosts.
    let hidden = |url: String, host: &str| url.replace("127.0.0.1", host);
    for name in LOCKED.into_iter().chain(OPEN) {
        let through = match name.ends_with("open") {
            true => "proxied-open",
            false => "proxied",
        };
        let mut source = json!({"insecure": true, "proxySecretRef": {"name": through}});
        let mut spec = json!({"interval": "1h"});
        let kind = match name.contains("oci") {
            true => "oci",
            false => "git",
        };
        source["url"] = json!(match (kind, name) {
            ("oci", _) => hidden(stage.url(name), "registry.invalid"),
            (_, "proxied-tls") => secure.url("addons.git"),
            _ => hidden(world.server.url("addons.git"), "git.invalid"),
        });
        if kind == "git" {
            source["directories"] = json!([name]);
        }
        if name == "proxied-tls" {
            source["secretRef"] = json!({"name": "proxied-tls"});
            source["insecure"] = Value::Bool(false);
        }
        spec[kind] = source;
        world.create(name, spec).await?;
    }
    all_publish(&world, &OPEN).await?;
    let lines = open.lines();
    for host in ["http://git.invalid", "http://registry.invalid"] {
        assert!(lines.iter().any(|line| line.contains(host)), "{lines:?}");
    }
    let nobody = "the proxy wants a user (407); put username and password into the Secret of proxy";
    all_say(&world, &LOCKED, nobody).await?;
    secret["username"] = json!("proxy");
    secret["password"] = json!("wrong");
    world.secret("proxied", secret.clone()).await?;
    let wrong = "the proxy does not take username and password (407); check them in the Secret of";
    all_say(&world, &LOCKED, wrong).await?;
    secret["password"] = json!("secret");
    world.secret("proxied", secret).await?;
    all_publish(&world, &LOCKED).await?;
    let lines = locked.lines();
    let tunnels = lines.iter().any(|line| line.starts_with("CONNECT "));
    assert!(tunnels, "{lines:?}");
    Ok(())
}
