//! What a webhook is answered, and as what it is counted.

use crate::metrics::Delivered;
use axum::{
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};

/// Why a request is refused; only logs and metrics tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No source has this name.
    NoSuchSource,
    /// The source has no `spec.webhook`.
    NoWebhook,
    /// The Secret is not there, or has no `token`.
    NoToken,
    /// The header with the signature or token is missing.
    Missing,
    /// It is there, and not in its form.
    Malformed,
    /// It is not that of the source's token.
    Wrong,
}

impl Refusal {
    /// One word for logs and metrics.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoSuchSource => "NoSuchSource",
            Self::NoWebhook => "NoWebhook",
            Self::NoToken => "NoToken",
            Self::Missing => "SignatureMissing",
            Self::Malformed => "SignatureMalformed",
            Self::Wrong => "SignatureWrong",
        }
    }
}

/// What a webhook is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The source is looked at.
    Accepted,
    /// A look that comes anyway answers this one too.
    Coalesced,
    /// The same delivery came before.
    Replayed,
    /// GitHub tries whether somebody is there.
    Pong,
    /// Nothing in it is of the source's repository.
    Ignored,
    /// The source is left alone.
    Suspended,
    /// No token is known, or it was not proved.
    Refused(Refusal),
    /// Too many were refused lately.
    TooManyRefused,
    /// The body is too large.
    TooLarge,
    /// The body takes too long.
    TooSlow,
    /// The connection broke within the body.
    BrokenOff,
    /// The body is not what its type says.
    Malformed,
    /// Another replica leads, or none does yet.
    StandsBy,
    /// The API server does not give the token.
    TokenUnreadable,
}

impl Answer {
    /// As what it is counted.
    pub fn delivered(self) -> Delivered {
        let (result, reason) = match self {
            Self::Accepted => ("accepted", "Look"),
            Self::Coalesced => ("accepted", "Coalesced"),
            Self::Replayed => ("accepted", "Replayed"),
            Self::Pong => ("accepted", "Ping"),
            Self::Ignored => ("accepted", "OtherRepository"),
            Self::Suspended => ("accepted", "Suspended"),
            Self::Refused(refusal) => ("refused", refusal.reason()),
            Self::TooManyRefused => ("refused", "TooManyRefused"),
            Self::TooLarge => ("refused", "TooLarge"),
            Self::TooSlow => ("refused", "TooSlow"),
            Self::BrokenOff => ("refused", "BrokenOff"),
            Self::Malformed => ("refused", "Malformed"),
            Self::StandsBy => ("refused", "StandsBy"),
            Self::TokenUnreadable => ("refused", "TokenUnreadable"),
        };
        Delivered { result, reason }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Accepted | Self::Coalesced | Self::Suspended => StatusCode::ACCEPTED,
            Self::Replayed | Self::Pong | Self::Ignored => StatusCode::OK,
            Self::Refused(_) => StatusCode::UNAUTHORIZED,
            Self::TooManyRefused => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BrokenOff | Self::Malformed => StatusCode::BAD_REQUEST,
            Self::StandsBy | Self::TokenUnreadable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Accepted => "the source is looked at\n",
            Self::Coalesced => {
                "the source is looked at within a second, for several requests at once\n"
            }
            Self::Replayed => "this delivery came before; nothing is done\n",
            Self::Pong => "pong\n",
            Self::Ignored => {
                "no push or delete in it is of the source's repository; nothing is done\n"
            }
            Self::Suspended => "the source is suspended; nothing is done until it is resumed\n",
            Self::Refused(_) => {
                "refused: no such webhook, or a missing or wrong signature or token; see the \
                 registry's log for the reason\n"
            }
            Self::TooManyRefused => "too many refused requests; try again later\n",
            Self::TooLarge => "the body is larger than 1 MiB\n",
            Self::TooSlow => "the body took longer than 5 s\n",
            Self::BrokenOff => "the body broke off\n",
            Self::Malformed => {
                "the body is not a notification of an OCI registry: {\"events\": [...]}\n"
            }
            Self::StandsBy => "this replica does not lead; try again\n",
            Self::TokenUnreadable => "the token cannot be read now; try again\n",
        }
    }

    /// A header that this answer brings.
    fn header(self) -> Option<(HeaderName, &'static str)> {
        match self {
            Self::Refused(_) => Some((header::WWW_AUTHENTICATE, "Bearer")),
            Self::TooManyRefused => Some((header::RETRY_AFTER, "10")),
            Self::StandsBy | Self::TokenUnreadable => Some((header::RETRY_AFTER, "5")),
            _ => None,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.text()).into_response();
        if let Some((name, value)) = self.header() {
            let value = header::HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response
    }
}
