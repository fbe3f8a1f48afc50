//! What can go wrong between us and a registry of artifacts: what, where, and what to do. The texts
//! are the same each time that the same thing happens, so that a condition that holds one does not
//! flap.

use crate::Consequence;
use api::Digest;
use std::time::Duration;

/// Why an OCI repository could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL cannot be used.
    #[error("`{url}` is no usable OCI repository: {reason}")]
    InvalidUrl {
        /// The URL.
        url: String,
        /// Why.
        reason: String,
    },
    /// What is asked for cannot be asked for.
    #[error("{url}: {reason}")]
    InvalidReference {
        /// The repository.
        url: String,
        /// Why.
        reason: String,
    },
    /// The TLS or proxy settings, or the docker config, cannot be used.
    #[error("{url}: the settings cannot be used: {reason}; check the Secrets of the source")]
    Settings {
        /// The repository.
        url: String,
        /// Why.
        reason: String,
    },
    /// No connection.
    #[error(
        "{url}: the registry cannot be reached: {reason}; check host, network, proxy, ca.crt and tls.crt"
    )]
    Unreachable {
        /// The repository.
        url: String,
        /// Why.
        reason: String,
    },
    /// It was asked by https.
    #[error(
        "{url}: {host} was asked by https and does not speak TLS; check host and port, or set insecure: true, which speaks plain HTTP"
    )]
    NoTls {
        /// The repository.
        url: String,
        /// With its port, where that is written.
        host: String,
    },
    /// It was asked by plain HTTP.
    #[error("{url}: {host} was asked by plain HTTP and speaks TLS alone; take insecure: true away")]
    TlsAlone {
        /// The repository.
        url: String,
        /// With its port, where that is written.
        host: String,
    },
    /// The server wants another client certificate, or the proxy another user or manner.
    #[error("{url}: {reason}")]
    NotLetIn {
        /// The repository.
        url: String,
        /// Who wants what, and where it is given.
        reason: String,
    },
    /// The registry was too slow.
    #[error("{url}: timed out {what}; the source's timeout is {timeout:?}")]
    TimedOut {
        /// The repository.
        url: String,
        /// What was waited for.
        what: &'static str,
        /// The most that a call may take.
        timeout: Duration,
    },
    /// 401 or 403, from the registry or from the server of its tokens.
    #[error("{url}: {who} answered {status}; {advice}")]
    Unauthorized {
        /// The repository.
        url: String,
        /// `the registry`, or `the token server <host>`.
        who: String,
        /// The status.
        status: u16,
        /// What to do.
        advice: &'static str,
    },
    /// 404.
    #[error("{url}: there is no {what}{}", advice_for_missing(what))]
    NotFound {
        /// The repository.
        url: String,
        /// `repository`, `tag 1.2.0`, `manifest sha256:…`, `blob sha256:…`.
        what: String,
    },
    /// 429, or 503 with a time to come back.
    #[error("{url}: the registry asks for patience ({status})")]
    Busy {
        /// The repository.
        url: String,
        /// The status.
        status: u16,
        /// When to come back, where it says so.
        retry_after: Option<Duration>,
    },
    /// Another bad status.
    #[error("{url}: the registry answered {status} {doing}{said}")]
    Status {
        /// The repository.
        url: String,
        /// The status.
        status: u16,
        /// What was asked for.
        doing: &'static str,
        /// The registry's own words with `: ` before them, or nothing.
        said: String,
    },
    /// The answer is not a registry's.
    #[error("{url}: no OCI registry answers there: {reason}; check host and path")]
    NotARegistry {
        /// The repository.
        url: String,
        /// What is odd.
        reason: String,
    },
    /// The answer ended early or broke.
    #[error("{url}: the answer broke off: {reason}")]
    BrokenOff {
        /// The repository.
        url: String,
        /// How.
        reason: String,
    },
    /// More bytes, tags or pages than we take.
    #[error("{url}: {what} has more than {limit}")]
    TooLarge {
        /// The repository.
        url: String,
        /// What.
        what: String,
        /// How much is taken, with its unit.
        limit: String,
    },
    /// The bytes are not those that were asked for.
    #[error("{url}: the registry sent other bytes for {what}: want {want}, got {got}")]
    WrongDigest {
        /// The repository.
        url: String,
        /// What was asked for.
        what: String,
        /// The digest that was asked for.
        want: Digest,
        /// The digest of what came.
        got: Digest,
    },
    /// No tag lies in the range.
    #[error("{url}: no tag is a version in the range `{range}`; there is {there}")]
    NoTagInRange {
        /// The repository.
        url: String,
        /// The range.
        range: String,
        /// What is there.
        there: String,
    },
    /// The artifact is not an addon.
    #[error("{url}@{digest}: this is no addon: {reason}")]
    NotAnAddon {
        /// The repository.
        url: String,
        /// The artifact.
        digest: Digest,
        /// What is wrong with it.
        reason: String,
    },
    /// The tag is there with other content: a version never changes.
    #[error(
        "{url}:{tag} is there already with other content: {there}, not {ours}; a version never \
         changes, raise it in addon.yaml"
    )]
    Taken {
        /// The repository.
        url: String,
        /// The tag.
        tag: String,
        /// What is there.
        there: Digest,
        /// What was to be pushed.
        ours: Digest,
    },
}

fn advice_for_missing(what: &str) -> &'static str {
    if what == "repository" {
        "; check the path, and whether it needs credentials"
    } else {
        ""
    }
}

impl Error {
    /// What follows from it for who asked.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::InvalidUrl { .. } | Self::InvalidReference { .. } => Consequence::Terminal,
            Self::Busy {
                retry_after: Some(after),
                ..
            } => Consequence::RetryAfter(*after),
            _ => Consequence::Retry,
        }
    }

    /// Whether only an edit of the source can mend it.
    pub fn is_terminal(&self) -> bool {
        self.consequence() == Consequence::Terminal
    }

    /// Whether it says that the thing asked for is not there, so that its absence is known.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}
