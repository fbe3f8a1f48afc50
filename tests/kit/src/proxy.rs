//! A proxy before the real API server that kills the one program which uses it, before or after its
//! n-th write.
//!
//! In: plain HTTP on loopback, by a kubeconfig of its own. Out: the same requests to the API server as
//! the administrator, each with the user agent that it had. Writes are counted, but for those of Leases:
//! how many of them there are is a matter of time. What arrived at the proxy reaches the API server,
//! also when the program is killed meanwhile, as it does on a wire.

use crate::ControlPlane;
use anyhow::{Context, Result};
use http_body_util::BodyExt as _;
use hyper::{Method, Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use kube::{Client, client::Body};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Where a program is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// At which of its writes, counted from 1.
    pub at: usize,
    /// On which side of it.
    pub side: Side,
}

/// On which side of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The API server never sees it.
    Before,
    /// The API server has answered it, and the program never sees the answer.
    After,
}

impl std::fmt::Display for Kill {
    /// `before write 7`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = match self.side {
            Side::Before => "before",
            Side::After => "after",
        };
        write!(f, "{side} write {}", self.at)
    }
}

/// A running proxy; it ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    kubeconfig: PathBuf,
    accepting: JoinHandle<()>,
}

struct Shared {
    client: Client,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pid: Option<u32>,
    kill: Option<Kill>,
    writes: usize,
    hit: Option<String>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.state().fmt(f)
    }
}

impl Proxy {
    /// A proxy before the API server of `cp`.
    ///
    /// # Errors
    /// No port is free, or the kubeconfig cannot be written.
    pub async fn start(cp: &ControlPlane) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let kubeconfig = cp.directory().join(format!("proxy-{}", address.port()));
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: proxy\n\
             clusters: [{{name: proxy, cluster: {{server: 'http://{address}'}}}}]\n\
             users: [{{name: proxy, user: {{}}}}]\n\
             contexts: [{{name: proxy, context: {{cluster: proxy, user: proxy}}}}]\n"
        );
        std::fs::write(&kubeconfig, text).context("write the proxy's kubeconfig")?;
        let shared = Arc::new(Shared {
            // Without a user agent of its own.
            client: Client::try_from(cp.config().await?)?,
            state: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self {
            shared,
            kubeconfig,
            accepting,
        })
    }

    /// The kubeconfig of whoever is to be killed.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Counts from now, and kills as `kill` says whoever [`Proxy::watch`] names. Returns the write at
    /// which the process was killed before.
    pub fn arm(&self, kill: Option<Kill>) -> Option<String> {
        let mut state = self.shared.state();
        state.kill = kill;
        state.writes = 0;
        state.hit.take()
    }

    /// Whom to kill: the process `pid`.
    pub fn watch(&self, pid: u32) {
        self.shared.state().pid = Some(pid);
    }

    /// How many writes came since [`Proxy::arm`].
    pub fn writes(&self) -> usize {
        self.shared.state().writes
    }

    /// The write at which the process was killed since [`Proxy::arm`].
    pub fn hit(&self) -> Option<String> {
        self.shared.state().hit.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request; the kill of which it is the last.
    fn count(&self, request: &Request<Incoming>) -> Option<Kill> {
        if !is_counted(request) {
            return None;
        }
        let mut state = self.state();
        state.writes += 1;
        state.kill.filter(|kill| kill.at == state.writes)
    }

    fn kill(&self, what: String) {
        let mut state = self.state();
        let pid = state.pid.and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            // It may have ended by itself, which the test finds.
            let _ = kill_process(pid, Signal::KILL);
        }
        state.hit = Some(what);
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>> {
        let kill = self.count(&request);
        let what = kill.map(|kill| format!("{kill}: {} {}", request.method(), request.uri()));
        let side = kill.map(|kill| kill.side);
        if let (Some(Side::Before), Some(what)) = (side, &what) {
            self.kill(what.clone());
            anyhow::bail!("{what}");
        }
        let (mut parts, body) = request.into_parts();
        // Of this connection alone.
        for name in ["host", "connection", "transfer-encoding"] {
            parts.headers.remove(name);
        }
        let body = Body::from(body.collect().await?.to_bytes().to_vec());
        let mut answer = self.client.send(Request::from_parts(parts, body)).await?;
        if let (Some(Side::After), Some(what)) = (side, what) {
            self.kill(what.clone());
            anyhow::bail!("{what}");
        }
        answer.headers_mut().remove("connection");
        answer.headers_mut().remove("transfer-encoding");
        Ok(answer)
    }
}

fn is_counted(request: &Request<Incoming>) -> bool {
    let writes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    writes.contains(request.method()) && !request.uri().path().contains("/leases")
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, shared.clone()));
    }
}

/// An error closes the connection, as the end of either side does.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let shared = shared.clone();
        // In a task of its own: it goes on when whoever asked is gone.
        let answer = tokio::spawn(async move { shared.answer(request).await });
        async { answer.await? }
    });
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
