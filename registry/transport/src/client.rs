//! The HTTP clients: one for each set of trusted authorities, so that connections are used again.

use reqwest::{Certificate, blocking::Client, redirect};
use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

/// A server that does not answer a SYN in this time is not there.
const CONNECT: Duration = Duration::from_secs(10);
/// As many as Git follows by default, and more than any forge needs.
const REDIRECTS: usize = 5;
/// More sets of authorities than these are not remembered.
const REMEMBERED: usize = 64;

/// The client that trusts the system's authorities and `ca` (PEM).
pub(crate) fn client(ca: Option<&str>) -> Result<Client, String> {
    static CLIENTS: OnceLock<Mutex<HashMap<Option<String>, Client>>> = OnceLock::new();
    let clients = CLIENTS.get_or_init(Mutex::default);
    let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
    let key = ca.map(str::to_owned);
    if let Some(client) = clients.get(&key) {
        return Ok(client.clone());
    }
    let client = build(ca)?;
    if clients.len() >= REMEMBERED {
        clients.clear();
    }
    clients.insert(key, client.clone());
    Ok(client)
}

fn build(ca: Option<&str>) -> Result<Client, String> {
    // Somebody else may have chosen the provider already: that is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authorities = match ca {
        Some(pem) => authorities(pem)?,
        None => Vec::new(),
    };
    let merged = builder().tls_certs_merge(authorities.clone()).build();
    // An image without a bundle of authorities trusts nobody; plain HTTP and `ca` work there too.
    merged
        .or_else(|_| builder().tls_certs_only(authorities).build())
        .map_err(|error| crate::error::chain(&error))
}

fn authorities(pem: &str) -> Result<Vec<Certificate>, String> {
    let authorities = Certificate::from_pem_bundle(pem.as_bytes())
        .map_err(|error| format!("ca.crt: {}", crate::error::chain(&error)))?;
    if authorities.is_empty() {
        return Err("ca.crt holds no certificate".to_owned());
    }
    Ok(authorities)
}

fn builder() -> reqwest::blocking::ClientBuilder {
    Client::builder()
        .user_agent(concat!("paamesh/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(4)
        .redirect(redirect::Policy::custom(follow))
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
    attempt.follow()
}
