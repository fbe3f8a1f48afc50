//! What can go wrong between us and a repository: what, where, and what to do. The texts are the
//! same each time that the same thing happens, so that a condition that holds one does not flap.

use crate::Consequence;
use std::{path::PathBuf, time::Duration};

/// Why a repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL cannot be used.
    #[error("`{url}` is no usable URL: {reason}")]
    InvalidUrl {
        /// The URL, without credentials.
        url: String,
        /// Why.
        reason: String,
    },
    /// `ca.crt` cannot be used, or the system trusts nobody.
    #[error("{url}: TLS cannot be set up: {reason}; check ca.crt in the Secret of secretRef")]
    Tls {
        /// The repository.
        url: String,
        /// Why.
        reason: String,
    },
    /// The settings for SSH cannot be used, or do not fit the host.
    #[error("{url}: {reason}; check the Secret of secretRef")]
    Settings {
        /// The repository.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server does not take the key.
    #[error(
        "{url}: the server does not let `{user}` in with the key identity; check that its public half is \
         registered there"
    )]
    NotAdmitted {
        /// The repository.
        url: String,
        /// Who asked.
        user: String,
    },
    /// The program at the other end of SSH failed.
    #[error("{url}: the server refused: {said}; check the path, and the rights of the key")]
    Refused {
        /// The repository.
        url: String,
        /// The server's own words.
        said: String,
    },
    /// 429 or 503.
    #[error("{url}: the server asks for patience ({status})")]
    Busy {
        /// The repository.
        url: String,
        /// The status.
        status: u16,
        /// When to come back, where it says so.
        retry_after: Option<Duration>,
    },
    /// No connection.
    #[error(
        "{url}: the server cannot be reached: {reason}; check host, network, proxy, ca.crt and tls.crt"
    )]
    Unreachable {
        /// The repository.
        url: String,
        /// Why.
        reason: String,
    },
    /// It was asked by https.
    #[error(
        "{url}: {host} was asked by https and does not speak TLS; check host and port, or begin the URL with http:// and set insecure: true"
    )]
    NoTls {
        /// The repository.
        url: String,
        /// With its port, where that is written.
        host: String,
    },
    /// It was asked by plain HTTP.
    #[error(
        "{url}: {host} was asked by plain HTTP and speaks TLS alone; begin the URL with https://"
    )]
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
    /// The server was too slow.
    #[error("{url}: timed out {what}; the source's timeout is {timeout:?}")]
    TimedOut {
        /// The repository.
        url: String,
        /// What was waited for.
        what: &'static str,
        /// The most that a look may take.
        timeout: Duration,
    },
    /// 401 or 403.
    #[error("{url}: the server answered {status}; {advice}")]
    Unauthorized {
        /// The repository.
        url: String,
        /// The status.
        status: u16,
        /// What to do.
        advice: &'static str,
    },
    /// 404.
    #[error(
        "{url}: the server knows no such repository (404); check the path, and whether it needs credentials"
    )]
    NoRepository {
        /// The repository.
        url: String,
    },
    /// Another bad status.
    #[error("{url}: the server answered {status}")]
    Status {
        /// The repository.
        url: String,
        /// The status.
        status: u16,
    },
    /// The answer is not Git's.
    #[error("{url}: not a Git repository: the server answered with {content_type}; check the path")]
    NotGit {
        /// The repository.
        url: String,
        /// What it said it is.
        content_type: String,
    },
    /// The answer ended early or broke.
    #[error("{url}: the answer broke off: {reason}")]
    BrokenOff {
        /// The repository.
        url: String,
        /// How.
        reason: String,
    },
    /// More bytes than we take.
    #[error(
        "{url}: the server sent more than {limit} MiB; keep addons in a repository of their own"
    )]
    TooLarge {
        /// The repository.
        url: String,
        /// In MiB.
        limit: u64,
    },
    /// Nobody pushed yet.
    #[error("{url}: the repository is empty; push a branch first")]
    Empty {
        /// The repository.
        url: String,
    },
    /// HEAD names nothing that is there.
    #[error("{url}: the default branch does not exist; set ref.branch, there is {there}")]
    NoDefaultBranch {
        /// The repository.
        url: String,
        /// The branches.
        there: String,
    },
    /// The reference is not there.
    #[error("{url}: no {kind} `{name}`; there is {there}")]
    NoReference {
        /// The repository.
        url: String,
        /// `branch`, `tag`.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// What is there.
        there: String,
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
    /// The commit cannot be had.
    #[error("{url}: commit {commit} is not reachable from any branch or tag")]
    NoCommit {
        /// The repository.
        url: String,
        /// The commit.
        commit: String,
    },
    /// A history that is to be published whole has no end in sight.
    #[error("{url}: the history has more than {limit}; publish it from a repository of its own")]
    HistoryTooLong {
        /// The repository.
        url: String,
        /// How much is taken, with its unit.
        limit: String,
    },
    /// Git's own protocol failed.
    #[error("{url}: {}", .source.message())]
    Protocol {
        /// The repository.
        url: String,
        /// libgit2's word.
        #[source]
        source: git2::Error,
    },
    /// The mirror on disk cannot be read or written.
    #[error("mirror {}: {operation}: {}", path.display(), .source.message())]
    Mirror {
        /// The mirror.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// libgit2's word.
        #[source]
        source: git2::Error,
    },
    /// The data directory cannot be read or written.
    #[error("{}: {operation}: {source}", path.display())]
    Disk {
        /// The path.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// What follows from it for who asked.
    pub fn consequence(&self) -> Consequence {
        match self {
            Self::InvalidUrl { .. } => Consequence::Terminal,
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

    /// Whether a new mirror may mend it.
    pub(crate) fn blames_mirror(&self) -> bool {
        matches!(self, Self::Mirror { .. } | Self::Protocol { .. })
    }
}

/// `error` and what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
