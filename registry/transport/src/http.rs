//! HTTP as Git and OCI need it: one client for each set of TLS and proxy settings, so that
//! connections are used again, and answers that are read within limits of time and size.
//!
//! reqwest runs on a small runtime of its own and callers block. Its blocking client is not used
//! because that knows one timeout for a whole request: here silence and the whole have one each.

mod scheme;
mod unanswered;

pub(crate) use scheme::{host, led_astray};

use crate::{credentials::Credentials, deadline::Deadline, error::chain};
use bytes::Bytes;
use reqwest::{Certificate, Client, Identity, RequestBuilder, Response, StatusCode, redirect, tls};
use std::{
    cell::RefCell,
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};
use url::Url;

/// A server that does not answer a SYN in this time is not there.
const CONNECT: Duration = Duration::from_secs(10);
/// As many as Git follows by default, and more than any forge needs.
const REDIRECTS: usize = 5;
/// More sets of settings than these are not remembered.
const REMEMBERED: usize = 64;

/// Why there is no answer, or not all of it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing came in time: what was waited for.
    TimedOut(&'static str),
    /// There was no connection.
    Unreachable(String),
    /// The answer ended early.
    BrokenOff(String),
    /// The answer has more bytes than this.
    TooLarge(u64),
    /// The server does not take our client certificate, or the proxy who we say we are or how we speak;
    /// or they want what we do not have: what to do.
    NotLetIn(&'static str),
    /// The server of this URL speaks the other one of http and https.
    OtherScheme(Url),
}

/// What of the settings makes another client necessary.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Settings {
    ca: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    proxy: Option<crate::credentials::Proxy>,
}

impl Settings {
    fn of(credentials: &Credentials) -> Self {
        Self {
            ca: credentials.ca.clone(),
            certificate: credentials.certificate.clone(),
            key: credentials.key.clone(),
            proxy: credentials.proxy.clone(),
        }
    }
}

/// The client that trusts the system's authorities and those of `credentials`, shows their client
/// certificate, and uses their proxy or else the environment's.
///
/// # Errors
/// What in the settings cannot be used.
pub(crate) fn client(credentials: &Credentials) -> Result<Client, String> {
    static CLIENTS: OnceLock<Mutex<HashMap<Settings, Client>>> = OnceLock::new();
    let settings = Settings::of(credentials);
    let clients = CLIENTS.get_or_init(Mutex::default);
    let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = clients.get(&settings) {
        return Ok(client.clone());
    }
    let client = build(&settings, None)?;
    if clients.len() >= REMEMBERED {
        clients.clear();
    }
    clients.insert(settings, client.clone());
    Ok(client)
}

fn build(settings: &Settings, newest: Option<tls::Version>) -> Result<Client, String> {
    // Somebody else may have chosen the provider already: that is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authorities = match settings.ca.as_deref() {
        Some(pem) => authorities(pem)?,
        None => Vec::new(),
    };
    let merged = builder(settings, newest)?
        .tls_certs_merge(authorities.clone())
        .build();
    // An image without a bundle of authorities trusts nobody; plain HTTP and `ca` work there too.
    let client = match merged {
        Ok(client) => Ok(client),
        Err(_) => builder(settings, newest)?
            .tls_certs_only(authorities)
            .build(),
    };
    client.map_err(|error| chain(&error))
}

fn builder(
    settings: &Settings,
    newest: Option<tls::Version>,
) -> Result<reqwest::ClientBuilder, String> {
    let mut builder = Client::builder()
        .user_agent(concat!("paamesh/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(16)
        .redirect(redirect::Policy::custom(follow));
    if let Some(identity) = identity(settings)? {
        builder = builder.identity(identity);
    }
    if let Some(newest) = newest {
        builder = builder.tls_version_max(newest);
    }
    if let Some(proxy) = &settings.proxy {
        builder = builder.proxy(through(proxy)?);
    }
    Ok(builder)
}

fn authorities(pem: &str) -> Result<Vec<Certificate>, String> {
    let authorities = Certificate::from_pem_bundle(pem.as_bytes())
        .map_err(|error| format!("ca.crt: {}", chain(&error)))?;
    if authorities.is_empty() {
        return Err("ca.crt holds no certificate".to_owned());
    }
    Ok(authorities)
}

fn identity(settings: &Settings) -> Result<Option<Identity>, String> {
    match (&settings.certificate, &settings.key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            let pem = format!("{}\n{}\n", key.trim_end(), certificate.trim_end());
            Identity::from_pem(pem.as_bytes())
                .map(Some)
                .map_err(|error| format!("tls.crt and tls.key: {}", chain(&error)))
        }
        (Some(_), None) => Err("tls.crt is there without tls.key".to_owned()),
        (None, Some(_)) => Err("tls.key is there without tls.crt".to_owned()),
    }
}

fn through(proxy: &crate::credentials::Proxy) -> Result<reqwest::Proxy, String> {
    let address = &proxy.address;
    if !address.starts_with("http://") && !address.starts_with("https://") {
        return Err(format!("the proxy's address `{address}` is not http(s)://"));
    }
    let through = reqwest::Proxy::all(address)
        .map_err(|error| format!("the proxy's address: {}", chain(&error)))?;
    Ok(match &proxy.username {
        Some(user) => through.basic_auth(user, proxy.password.as_deref().unwrap_or_default()),
        None => through,
    })
}

tokio::task_local! {
    /// Where a redirect led the request that is under way: errors name the URL that it began with.
    static LED: RefCell<Option<Url>>;
}

/// Follows a few redirects, never from https to http.
fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let was_https = attempt.previous().iter().any(|url| url.scheme() == "https");
    if was_https && attempt.url().scheme() != "https" {
        return attempt.error("the server redirects from https to http");
    }
    if attempt.previous().len() > REDIRECTS {
        return attempt.error("the server redirects in a circle");
    }
    let _ = LED.try_with(|led| led.replace(Some(attempt.url().clone())));
    attempt.follow()
}

/// The runtime of all conversations; one thread reads sockets, callers block on their own.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn runtime() -> Result<&'static Runtime, Failure> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(1)
            .thread_name("transport")
            .enable_all();
        builder.build().map_err(|error| error.to_string())
    });
    made.as_ref()
        .map_err(|reason| Failure::Unreachable(reason.clone()))
}

/// Sends `request` of the client for `credentials`; the answer's head must come within `patience`.
pub(crate) fn send(
    request: RequestBuilder,
    credentials: &Credentials,
    deadline: Deadline,
    patience: Duration,
) -> Result<Answer, Failure> {
    if deadline.passed() {
        return Err(Failure::TimedOut("before a request"));
    }
    let runtime = runtime()?;
    // On the thread that has the connections and the timers: fewer wake each other.
    let sent = runtime.block_on(runtime.spawn(LED.scope(RefCell::default(), async move {
        let sent = tokio::time::timeout(patience, request.send()).await;
        (sent, LED.with(RefCell::take))
    })));
    let (sent, led) = sent.map_err(|stopped| Failure::BrokenOff(stopped.to_string()))?;
    match sent {
        Err(_) => Err(Failure::TimedOut(deadline.waited("waiting for an answer"))),
        Ok(Err(error)) => {
            let at = led.or_else(|| error.url().cloned());
            Err(unanswered::why(error, at, credentials, deadline))
        }
        Ok(Ok(response)) => {
            let rest = Bytes::new();
            let answer = Answer {
                response,
                rest,
                deadline,
            };
            scheme::spoken(answer, credentials)
        }
    }
}

/// An answer whose head has come.
#[derive(Debug)]
pub(crate) struct Answer {
    response: Response,
    /// What came and was not read yet.
    rest: Bytes,
    deadline: Deadline,
}

impl Answer {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The header `name`, where it is there and text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Every header `name` that is text.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.response.headers().get_all(name).iter();
        values.filter_map(|value| value.to_str().ok())
    }

    /// Where it came from after redirects.
    pub(crate) fn url(&self) -> &Url {
        self.response.url()
    }

    /// The next bytes; 0 at the end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        while self.rest.is_empty() {
            match self.chunk()? {
                Some(chunk) => self.rest = chunk,
                None => return Ok(0),
            }
        }
        let n = self.rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&self.rest.split_to(n));
        Ok(n)
    }

    fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        const READING: &str = "while reading an answer";
        if self.deadline.passed() {
            return Err(Failure::TimedOut(READING));
        }
        let (idle, response) = (self.deadline.idle(), &mut self.response);
        let came =
            runtime()?.block_on(async { tokio::time::timeout(idle, response.chunk()).await });
        match came {
            Err(_) => Err(Failure::TimedOut(self.deadline.waited(READING))),
            Ok(Err(error)) => Err(Failure::BrokenOff(chain(&error.without_url()))),
            Ok(Ok(chunk)) => Ok(chunk),
        }
    }

    /// The whole body, of at most `limit` bytes.
    pub(crate) fn body(mut self, limit: u64) -> Result<Vec<u8>, Failure> {
        let mut body = self.rest.to_vec();
        while let Some(chunk) = self.chunk()? {
            if (body.len() + chunk.len()) as u64 > limit {
                return Err(Failure::TooLarge(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The response itself, for what streams it on.
    pub(crate) fn into_response(self) -> Response {
        self.response
    }
}
