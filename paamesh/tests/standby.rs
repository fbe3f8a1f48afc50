//! Two replicas of the registry as real processes: one leads and answers webhooks, the other stands by
//! and says so; after the leader's end it is the other's turn.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "support/world.rs"]
#[allow(dead_code)]
mod world;

use anyhow::{Context as _, Result, ensure};
use kit::{ControlPlane, Process, eventually};
use std::{net::SocketAddr, process::Command, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// More than a Lease lasts that nobody gives back.
const SOON: Duration = Duration::from_secs(60);

struct Replica {
    process: Process,
    hooks: SocketAddr,
}

async fn start(cp: &ControlPlane, namespace: &str, identity: &str) -> Result<Replica> {
    let data = cp.directory().join(identity);
    // Free a moment ago; nobody else asks for it by its number.
    let hooks = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let port = hooks.to_string();
    let data = data.to_str().context("UTF-8")?;
    let arguments = [
        ["--namespace", namespace],
        ["--identity", identity],
        ["--data-dir", data],
        ["--webhook-listen", &port],
    ];
    let arguments = arguments.iter().flatten().map(|a| (*a).to_owned());
    let log = cp.directory().join(format!("{identity}.log"));
    let arguments: Vec<_> = arguments.collect();
    let process = world::spawn("registry", &arguments, &cp.kubeconfig(), &log)?;
    Ok(Replica { process, hooks })
}

/// The head of the answer to a webhook of a source that nobody knows.
async fn post(hooks: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(hooks).await?;
    stream
        .write_all(b"POST /hook/nobody HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn answers(replica: &mut Replica, status: &str) -> Result<String> {
    eventually(SOON, status, async || {
        replica.process.alive()?;
        let answer = post(replica.hooks).await?;
        ensure!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        Ok(answer)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_stands_by_says_so_until_it_leads() -> Result<()> {
    let cp = ControlPlane::start().await?;
    cp.install_crds().await?;
    let namespace = cp.namespace("platform").await?;
    let mut first = start(&cp, &namespace, "first").await?;
    answers(&mut first, "401").await?;
    let mut second = start(&cp, &namespace, "second").await?;
    let answer = answers(&mut second, "503").await?;
    assert!(answer.contains("retry-after: 5"), "{answer}");

    // Asked to end, it gives the Lease back, and the other need not wait for its end.
    let asked = Command::new("kill")
        .args(["-TERM", &first.process.pid().to_string()])
        .status()?;
    assert!(asked.success());
    answers(&mut second, "401").await?;
    eventually(SOON, "the end", async || {
        ensure!(first.process.alive().is_err(), "it runs");
        Ok(())
    })
    .await?;
    assert!(post(first.hooks).await.is_err());
    Ok(())
}
