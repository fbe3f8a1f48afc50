//! Why a request got no answer: whether the server refuses our certificate, or the proxy us, which a
//! person can mend, or it cannot be reached.

use super::{Failure, Settings, build, runtime};
use crate::{credentials::Credentials, deadline::Deadline, error::chain};
use reqwest::tls;
use rustls::AlertDescription;

/// Why no answer came. The tunnel's error has no type that can be named.
pub(super) fn why(error: reqwest::Error, credentials: &Credentials, deadline: Deadline) -> Failure {
    const TUNNEL: &str = "proxy authorization required";
    let secure = error.url().filter(|url| url.scheme() == "https").cloned();
    let error = error.without_url();
    if alert(&error).is_some_and(refuses_certificate) {
        return Failure::NotLetIn(credentials.refused_certificate());
    }
    // With TLS 1.3 it is luck to hear of it: the request is on its way by then, and the server, which
    // does not read it, resets the connection.
    let closed = !error.is_connect() && !error.is_timeout();
    if let Some(url) = secure
        && closed
        && refuses_in_handshake(url, credentials, deadline)
    {
        return Failure::NotLetIn(credentials.refused_certificate());
    }
    let text = chain(&error);
    match text.contains(TUNNEL) {
        true => Failure::NotLetIn(credentials.refused_by_proxy()),
        false => Failure::Unreachable(text),
    }
}

/// Whether the server of `url` refuses our certificate in a handshake of TLS 1.2, which ends before
/// anything is asked.
fn refuses_in_handshake(url: url::Url, credentials: &Credentials, deadline: Deadline) -> bool {
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
fn alert(error: &(dyn std::error::Error + 'static)) -> Option<AlertDescription> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::AlertReceived(alert)) = error.downcast_ref() {
            return Some(*alert);
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
