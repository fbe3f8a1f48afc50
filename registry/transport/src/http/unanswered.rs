//! Why a request got no answer: whether the server refuses our certificate, or the proxy us, or they
//! speak TLS or not, which a person can mend, or it cannot be reached.

use super::{Failure, Settings, build, runtime, scheme};
use crate::{credentials::Credentials, deadline::Deadline, error::chain};
use reqwest::tls;
use rustls::AlertDescription;
use url::Url;

/// What the client says before the cause of a connection that was not made.
const NOISE: &str = "error sending request: client error (Connect): ";
/// What an error says where the proxy was to tunnel to the server; its type cannot be named.
const TUNNEL: &str = "tunnel error";
const UNKNOWN: &str = "tunnel error: proxy authorization required";
const NO_TUNNEL: &str = "tunnel error: unsuccessful";

/// Why no answer came from `at`.
pub(super) fn why(
    error: reqwest::Error,
    at: Option<Url>,
    credentials: &Credentials,
    deadline: Deadline,
) -> Failure {
    let error = error.without_url();
    let text = chain(&error).replacen(NOISE, "", 1);
    if alert(&error).is_some_and(refuses_certificate) {
        return Failure::NotLetIn(credentials.refused_certificate());
    }
    if text.contains(UNKNOWN) {
        return Failure::NotLetIn(credentials.refused_by_proxy());
    }
    let Some(url) = at else {
        return Failure::Unreachable(text);
    };
    let secure = url.scheme() == "https";
    if tls(&error).is_some_and(scheme::is_no_tls) {
        // With the server itself nobody spoke TLS then: it is the proxy.
        return match secure && !text.contains(TUNNEL) {
            true => Failure::OtherScheme(url),
            false => Failure::NotLetIn(credentials.proxy_without_tls()),
        };
    }
    // With TLS 1.3 it is luck to hear of a refusal: the request is on its way by then, and the server,
    // which does not read it, resets the connection.
    let closed = !error.is_connect() && !error.is_timeout();
    match (closed, secure) {
        (true, true) if refuses_in_handshake(url.clone(), credentials, deadline) => {
            Failure::NotLetIn(credentials.refused_certificate())
        }
        (true, false) if scheme::wants_tls(&url, credentials, deadline) => {
            Failure::OtherScheme(url)
        }
        _ => Failure::Unreachable(of_proxy(&text, &url, credentials).unwrap_or(text)),
    }
}

/// The same said of the proxy, where it was not the server of `url` that `text` is about.
fn of_proxy(text: &str, url: &Url, credentials: &Credentials) -> Option<String> {
    if text.contains(NO_TUNNEL) {
        let host = scheme::host(url);
        return Some(format!(
            "the proxy makes no tunnel to {host}: it does not allow or find that, or its address begins \
             with the wrong one of http:// and https://"
        ));
    }
    let alone = url.scheme() == "http" && credentials.proxy.is_some();
    (alone || text.contains(TUNNEL)).then(|| format!("the proxy: {text}"))
}

/// Whether the server of `url` refuses our certificate in a handshake of TLS 1.2, which ends before
/// anything is asked.
fn refuses_in_handshake(url: Url, credentials: &Credentials, deadline: Deadline) -> bool {
    let settings = Settings::of(credentials);
    let Ok(client) = build(&settings, Some(tls::Version::TLS_1_2)) else {
        return false;
    };
    let asked = runtime().map(|runtime| {
        let sent = client.head(url).send();
        runtime.block_on(async { tokio::time::timeout(deadline.idle(), sent).await })
    });
    // That is what Go's servers say there to who shows none.
    let refuses = |alert| refuses_certificate(alert) || alert == AlertDescription::HandshakeFailure;
    matches!(asked, Ok(Ok(Err(error))) if alert(&error).is_some_and(refuses))
}

/// Whether an alert is about our certificate (RFC 8446, section 6.2).
fn refuses_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            // The certificate of another authority of the same name.
            | Alert::DecryptError
    )
}

/// The alert of TLS that the server sent, where it did.
fn alert(error: &reqwest::Error) -> Option<AlertDescription> {
    match tls(error)? {
        rustls::Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

/// What was wrong with TLS, where that was it.
pub(super) fn tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        // What an error of IO holds is not its source.
        let held = error.downcast_ref::<std::io::Error>();
        let held = held.and_then(std::io::Error::get_ref);
        next = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}
