//! A cluster behind a proxy, which the kubeconfig names or the environment, as kubectl has it.

use crate::world::{PLUGIN, World, steady, world};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

/// `ann:secret`.
const ANN: &str = "Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n";
/// A host that nobody's DNS knows; the proxy does.
const BEHIND: &str = "https://cluster.invalid:6443";

/// A proxy that leads to the API server, whatever host it is asked for.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What a proxy speaks.
#[derive(Clone, Copy)]
enum Speaks {
    /// HTTP's CONNECT, with everybody.
    Http,
    /// The same, with `ann` alone.
    Password,
    Socks,
}

impl Proxy {
    fn start(world: &World, speaks: Speaks) -> Result<Self> {
        let server = kubeconfig(world)?["clusters"][0]["cluster"]["server"].clone();
        let server = server.as_str().context("a server")?.to_owned();
        let server = server.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = asked.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (told, server) = (told.clone(), server.clone());
                thread::spawn(move || match speaks {
                    Speaks::Socks => socks(client, &server, &told),
                    Speaks::Http => connect(client, &server, &told, ""),
                    Speaks::Password => connect(client, &server, &told, ANN),
                });
            }
        });
        Ok(Self { port, asked })
    }

    /// For which hosts it was asked since the last call, each once.
    fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.dedup();
        asked
    }
}

fn connect(
    client: TcpStream,
    server: &str,
    asked: &Mutex<Vec<String>>,
    needs: &str,
) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && client.read_line(&mut head)? > 0 {}
    let target = head.split(' ').nth(1).unwrap_or_default();
    asked.lock().unwrap().push(target.to_owned());
    let mut client = client.into_inner();
    if !head.to_lowercase().contains(&needs.to_lowercase()) {
        return client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    }
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    tunnel(client, server)
}

/// SOCKS 5 without a password (RFC 1928).
fn socks(mut client: TcpStream, server: &str, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting)?;
    client.read_exact(&mut vec![0; usize::from(greeting[1])])?;
    client.write_all(&[5, 0])?;
    let mut request = [0; 5];
    client.read_exact(&mut request)?;
    // A name has its length before it, an IPv4 address has four bytes.
    let more = if request[3] == 3 {
        usize::from(request[4]) + 2
    } else {
        5
    };
    client.read_exact(&mut vec![0; more])?;
    asked.lock().unwrap().push("socks".to_owned());
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    tunnel(client, server)
}

fn tunnel(mut client: TcpStream, server: &str) -> io::Result<()> {
    let mut server = TcpStream::connect(server)?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    io::copy(&mut server, &mut client).map(|_| ())
}

fn kubeconfig(world: &World) -> Result<Value> {
    let text = std::fs::read_to_string(world.plane.kubeconfig())?;
    serde_saphyr::from_str(&text).context("a kubeconfig")
}

/// The kubeconfig with `fields` in its cluster.
fn with(world: &World, name: &str, fields: &[(&str, &str)]) -> Result<PathBuf> {
    let mut config = kubeconfig(world)?;
    for (field, value) in fields {
        config["clusters"][0]["cluster"][field] = Value::from(*value);
    }
    let path = world.plane.directory().join(name);
    std::fs::write(&path, config.to_string())?;
    Ok(path)
}

/// What `catalog list -o name` says, and whether it could.
fn list(kubeconfig: &PathBuf, env: &[(&str, &str)]) -> Result<(bool, String)> {
    let mut command = Command::new(PLUGIN);
    command.args(["catalog", "list", "-o", "name", "--kubeconfig"]);
    command.arg(kubeconfig);
    for name in ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"] {
        command.env_remove(name);
    }
    let out = command.envs(env.iter().copied()).output()?;
    let text = String::from_utf8([out.stdout, out.stderr].concat())?;
    Ok((out.status.success(), steady(&text)))
}

#[tokio::test]
async fn the_proxy_of_the_kubeconfig_leads_to_the_cluster() -> Result<()> {
    let world = world().await?;
    for (speaks, scheme, asked) in [
        (Speaks::Http, "http://", "cluster.invalid:6443"),
        (
            Speaks::Password,
            "http://ann:secret@",
            "cluster.invalid:6443",
        ),
        (Speaks::Socks, "socks5://", "socks"),
    ] {
        let proxy = Proxy::start(world, speaks)?;
        let url = format!("{scheme}127.0.0.1:{}", proxy.port);
        let fields = [
            ("proxy-url", url.as_str()),
            ("server", BEHIND),
            ("tls-server-name", "localhost"),
        ];
        let kubeconfig = with(world, "proxied", &fields)?;
        // What the kubeconfig says goes before the environment's, and no host is left out of it.
        let env = [
            ("HTTPS_PROXY", "http://127.0.0.1:1"),
            ("NO_PROXY", "cluster.invalid"),
        ];
        let (ok, said) = list(&kubeconfig, &env)?;
        assert!(ok && said.contains("store"), "{url}: {said}");
        assert_eq!(proxy.asked(), [asked]);
    }
    Ok(())
}

#[tokio::test]
async fn the_environments_proxy_is_for_other_machines_but_those_that_it_leaves_out() -> Result<()> {
    let world = world().await?;
    let proxy = Proxy::start(world, Speaks::Http)?;
    // People leave the scheme out, and end lists with a comma.
    let url = format!("127.0.0.1:{}", proxy.port);
    let fields = [("server", BEHIND), ("tls-server-name", "localhost")];
    let behind = with(world, "behind", &fields)?;
    let (ok, said) = list(
        &behind,
        &[
            ("https_proxy", &url),
            ("NO_PROXY", "example.com,10.0.0.0/8"),
        ],
    )?;
    assert!(ok, "{said}");
    assert_eq!(proxy.asked(), ["cluster.invalid:6443"]);
    let (ok, said) = list(&behind, &[("HTTPS_PROXY", &url), ("NO_PROXY", ".invalid")])?;
    assert!(!ok && said.contains("does not answer: "), "{said}");
    let (ok, said) = list(&world.plane.kubeconfig(), &[("HTTPS_PROXY", &url)])?;
    assert!(ok, "this machine: {said}");
    assert_eq!(proxy.asked(), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_proxy_that_does_not_lead_there_is_named() -> Result<()> {
    let world = world().await?;
    let closed = Proxy::start(world, Speaks::Password)?;
    let port = format!(":{}", closed.port);
    let mut all = String::new();
    for url in [
        format!("http://ann:wrong@127.0.0.1{port}"),
        "http://127.0.0.1:1".to_owned(),
        "ftp://127.0.0.1:21".to_owned(),
        "http://".to_owned(),
        "http://a b".to_owned(),
    ] {
        let kubeconfig = with(world, "closed", &[("proxy-url", &url)])?;
        let (ok, said) = list(&kubeconfig, &[])?;
        assert!(!ok, "{said}");
        all.push_str(&said.replace(&port, ":<port>"));
    }
    let behind = with(world, "behind-nobody", &[("server", BEHIND)])?;
    for env in [
        ("HTTPS_PROXY", "127.0.0.1:1"),
        ("HTTPS_PROXY", "gopher://h:70"),
    ] {
        all.push_str(&list(&behind, &[env])?.1);
    }
    let env = [("HTTPS_PROXY", "127.0.0.1:1"), ("NO_PROXY", "a,,b")];
    all.push_str(&list(&behind, &env)?.1);
    insta::assert_snapshot!(all);
    Ok(())
}
