//! Whether a server speaks TLS, where that is not how it was asked: over https one that speaks plain
//! HTTP, and the other way round.

use super::{Answer, Failure, runtime};
use crate::{credentials::Credentials, deadline::Deadline};
use reqwest::StatusCode;
use rustls::InvalidMessage;
use url::{Position, Url};

/// What servers that speak TLS alone answer to plain HTTP: those in Go, nginx, Apache.
const PLAIN: [&str; 3] = [
    "HTTP request to an HTTPS server",
    "plain HTTP request was sent to HTTPS port",
    "speaking plain HTTP to an SSL-enabled server port",
];
/// What to do where it is the proxy that may have said so.
const BEHIND_PROXY: &str = "the proxy, or the server behind it, was asked by plain HTTP and speaks TLS \
                            alone; begin the address in the Secret of proxySecretRef with https://, or \
                            ask the server by https";
/// As much of an answer is looked at.
const LOOKED_AT: usize = 16 << 10;

/// `host:port` of `url`, as it is written.
pub(crate) fn host(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// What is wrong where another host than the one that was named speaks not as it was `asked`.
pub(crate) fn led_astray(host: &str, asked: &str) -> String {
    let speaks = match asked {
        "https" => "does not speak TLS",
        _ => "speaks TLS alone",
    };
    format!("it leads to {host}, which was asked by {asked} and {speaks}")
}

/// Whether the bytes that came where a handshake was begun are none of TLS.
pub(super) fn is_no_tls(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)
    )
}

/// `answer`, unless it says that its server wants to be asked by https.
pub(super) fn spoken(mut answer: Answer, credentials: &Credentials) -> Result<Answer, Failure> {
    if answer.status() != StatusCode::BAD_REQUEST || answer.url().scheme() != "http" {
        return Ok(answer);
    }
    let mut body = Vec::new();
    while body.len() < LOOKED_AT
        && let Ok(Some(chunk)) = answer.chunk()
    {
        body.extend_from_slice(&chunk);
    }
    let text = String::from_utf8_lossy(&body);
    if PLAIN.iter().any(|words| text.contains(words)) {
        return Err(match credentials.proxy {
            Some(_) => Failure::NotLetIn(BEHIND_PROXY),
            None => Failure::OtherScheme(answer.url().clone()),
        });
    }
    answer.rest = body.into();
    Ok(answer)
}

/// Whether the server of `url`, which broke off when it was asked by plain HTTP, begins a handshake.
pub(super) fn wants_tls(url: &Url, credentials: &Credentials, deadline: Deadline) -> bool {
    let mut secure = url.clone();
    let (Ok(()), Ok(client)) = (secure.set_scheme("https"), super::client(credentials)) else {
        return false;
    };
    // `set_scheme` takes the port of http for that of https, where none is written.
    if secure.set_port(url.port_or_known_default()).is_err() {
        return false;
    }
    let asked = runtime().map(|runtime| {
        let sent = client.head(secure).send();
        runtime.block_on(async { tokio::time::timeout(deadline.idle(), sent).await })
    });
    match asked {
        Ok(Ok(Ok(_))) => true,
        Ok(Ok(Err(error))) => super::unanswered::tls(&error).is_some_and(|error| !is_no_tls(error)),
        Err(_) | Ok(Err(_)) => false,
    }
}
