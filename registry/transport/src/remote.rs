//! Where a repository is and how it is reached: the settings of one call.

use crate::{Error, Reference, credentials::Credentials};
use std::time::Duration;
use url::Url;

/// A Git repository and how it is reached.
#[derive(Clone, Debug)]
pub struct Remote {
    /// `https://…`, `ssh://USER@HOST[:PORT]/…`, or `http://…` where `insecure` is true. No password in it.
    pub url: String,
    /// Whether plain HTTP is allowed.
    pub insecure: bool,
    /// What of the repository is meant.
    pub reference: Reference,
    /// Who asks, and whom we trust.
    pub credentials: Credentials,
    /// How long one call may take in all.
    pub timeout: Duration,
}

impl Remote {
    /// The URL, checked: its scheme is allowed, and it holds no credentials.
    pub(crate) fn checked_url(&self) -> Result<Url, Error> {
        let refuse = |url: String, reason: &str| Error::InvalidUrl {
            url,
            reason: reason.to_owned(),
        };
        let url =
            Url::parse(&self.url).map_err(|error| refuse(self.url.clone(), &error.to_string()))?;
        // Over SSH the user is part of the address.
        let user = !url.username().is_empty() && url.scheme() != "ssh";
        if user || url.password().is_some() {
            let mut bare = url;
            let _ = bare.set_username("");
            let _ = bare.set_password(None);
            let reason = "it holds credentials; they belong into the Secret of secretRef";
            return Err(refuse(bare.into(), reason));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse(self.url.clone(), "it has a query or a fragment"));
        }
        match url.scheme() {
            "https" => Ok(url),
            "ssh" if url.has_host() => Ok(url),
            "http" if self.insecure => Ok(url),
            "http" => Err(refuse(
                self.url.clone(),
                "plain HTTP is not allowed; set insecure: true to allow it",
            )),
            other => Err(refuse(
                self.url.clone(),
                &format!("scheme `{other}` is not supported; want https or ssh"),
            )),
        }
    }
}
