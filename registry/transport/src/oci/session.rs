//! One conversation with a repository: requests that authenticate themselves, and answers that are
//! read within limits (OCI distribution specification 1.1).
//!
//! oci-client is not used here. It reads manifests and lists without a limit, its errors carry no
//! headers and so no `Retry-After`, it has no client certificates, it goes on without credentials
//! where the token server fails, and its referrers take an error of the registry for «there are
//! none», which would make an unreachable signature a missing one.

mod authorization;

use super::{
    Error, Remote, challenge,
    location::Location,
    meter::Meter,
    tokens::{Action, Key, Tokens},
};
use crate::{
    consequence::retry_after,
    deadline::Deadline,
    http::{self, Answer, Failure},
};
use reqwest::{Client, RequestBuilder, header};
use serde::{Deserialize, de::DeserializeOwned};
use std::time::{Duration, SystemTime};
use url::Url;

/// The most of an error's body that is read.
const MAX_ERROR_BYTES: u64 = 16 << 10;

/// A conversation with one repository, within one timeout.
pub(crate) struct Session<'a> {
    remote: &'a Remote,
    at: Location,
    client: Client,
    deadline: Deadline,
    tokens: &'a Tokens,
    action: Action,
    meter: Meter,
}

impl<'a> Session<'a> {
    /// Begins a conversation; nothing is sent yet.
    pub(crate) fn open(
        remote: &'a Remote,
        tokens: &'a Tokens,
        action: Action,
    ) -> Result<Self, Error> {
        let at = Location::parse(&remote.url, remote.insecure)?;
        let client = http::client(&remote.credentials).map_err(|reason| Error::Settings {
            url: remote.url.clone(),
            reason,
        })?;
        Ok(Self {
            remote,
            at,
            client,
            deadline: Deadline::after(remote.timeout),
            tokens,
            action,
            meter: Meter::default(),
        })
    }

    /// The same conversation, of which `meter` tells what is uploaded.
    pub(crate) fn metered(self, meter: &Meter) -> Self {
        let meter = meter.clone();
        Self { meter, ..self }
    }

    /// Who is told what is uploaded.
    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(crate) fn at(&self) -> &Location {
        &self.at
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The repository as images are named: `host/path`.
    pub(crate) fn image_name(&self) -> String {
        format!("{}/{}", self.at.host, self.at.path)
    }

    pub(crate) fn url(&self) -> String {
        self.at.text.clone()
    }

    /// `GET url`; `what` is said to be missing on 404.
    pub(crate) fn get(
        &self,
        url: &Url,
        accept: &str,
        what: &str,
        doing: &'static str,
    ) -> Result<Answer, Error> {
        let request = self.client.get(url.clone()).header(header::ACCEPT, accept);
        self.send(request, url, what, doing)
    }

    /// Sends `request`, authenticated where it goes to the repository itself.
    pub(crate) fn send(
        &self,
        request: RequestBuilder,
        to: &Url,
        what: &str,
        doing: &'static str,
    ) -> Result<Answer, Error> {
        self.send_within(request, to, what, doing, self.deadline.idle())
    }

    /// The same for a body that takes its time.
    pub(crate) fn upload(
        &self,
        request: RequestBuilder,
        to: &Url,
        doing: &'static str,
    ) -> Result<Answer, Error> {
        self.send_within(request, to, "upload", doing, self.deadline.left())
    }

    fn send_within(
        &self,
        request: RequestBuilder,
        to: &Url,
        what: &str,
        doing: &'static str,
        patience: Duration,
    ) -> Result<Answer, Error> {
        let again = request.try_clone();
        let ours = self.is_ours(to);
        let key = Key::of(&self.at, self.action, &self.remote.credentials);
        let held = if ours { self.tokens.get(&key) } else { None };
        let answer = self.attempt(request, held.as_deref(), patience)?;
        if answer.status() != 401 || !ours {
            return self.accepted(answer, what, doing);
        }
        let challenge = challenge::parse(answer.headers("www-authenticate"));
        let (Some(again), Some(challenge)) = (again, challenge) else {
            return self.accepted(answer, what, doing);
        };
        match self.authorize(&challenge)? {
            Some(new) if Some(&new.header) != held.as_ref() => {
                let header = new.header.clone();
                self.tokens.put(key, new);
                let answer = self.attempt(again, Some(&header), patience)?;
                self.accepted(answer, what, doing)
            }
            _ => self.accepted(answer, what, doing),
        }
    }

    /// Whether `to` is at the registry that the source names: what we know goes there alone.
    pub(crate) fn is_ours(&self, to: &Url) -> bool {
        Url::parse(self.at.base()).is_ok_and(|base| base.origin() == to.origin())
    }

    fn attempt(
        &self,
        request: RequestBuilder,
        authorization: Option<&str>,
        patience: Duration,
    ) -> Result<Answer, Error> {
        let request = match authorization {
            Some(value) => request.header(header::AUTHORIZATION, value),
            None => request,
        };
        let credentials = &self.remote.credentials;
        let sent = http::send(request, credentials, self.deadline, patience);
        sent.map_err(|failure| self.failed(failure))
    }

    fn accepted(&self, answer: Answer, what: &str, doing: &'static str) -> Result<Answer, Error> {
        let status = answer.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let url = self.url();
        let after = answer
            .header("retry-after")
            .and_then(|value| retry_after(value, SystemTime::now()));
        match status {
            401 | 403 => Err(self.unauthorized("the registry".to_owned(), status)),
            404 => Err(Error::NotFound {
                url,
                what: what.to_owned(),
            }),
            407 => Err(self.failed(Failure::NotLetIn(
                self.remote.credentials.refused_by_proxy(),
            ))),
            429 => Err(Error::Busy {
                url,
                status,
                retry_after: after,
            }),
            503 if after.is_some() => Err(Error::Busy {
                url,
                status,
                retry_after: after,
            }),
            status => Err(Error::Status {
                url,
                status,
                doing,
                said: said(answer),
            }),
        }
    }

    fn unauthorized(&self, who: String, status: u16) -> Error {
        let credentials = &self.remote.credentials;
        let shown = credentials.authenticate() || credentials.docker_config.is_some();
        Error::Unauthorized {
            url: self.url(),
            who,
            status,
            advice: if shown {
                "check the credentials in the Secret of secretRef, and their rights"
            } else {
                "name a Secret with credentials for this registry in secretRef"
            },
        }
    }

    pub(crate) fn failed(&self, failure: Failure) -> Error {
        let url = self.url();
        match failure {
            Failure::TimedOut(what) => Error::TimedOut {
                url,
                what,
                timeout: self.deadline.timeout,
            },
            Failure::Unreachable(reason) => Error::Unreachable { url, reason },
            Failure::BrokenOff(reason) => Error::BrokenOff { url, reason },
            Failure::TooLarge(limit) => self.too_large("an answer", format!("{limit} bytes")),
            Failure::NotLetIn(why) => Error::NotLetIn {
                url,
                reason: why.to_owned(),
            },
            Failure::OtherScheme(at) => self.other_scheme(&at),
        }
    }

    fn other_scheme(&self, at: &Url) -> Error {
        let (url, host) = (self.url(), http::host(at).to_owned());
        match (self.is_ours(at), at.scheme()) {
            (false, asked) => Error::Unreachable {
                url,
                reason: http::led_astray(&host, asked),
            },
            (true, "https") => Error::NoTls { url, host },
            (true, _) => Error::TlsAlone { url, host },
        }
    }

    pub(crate) fn too_large(&self, what: impl Into<String>, limit: String) -> Error {
        Error::TooLarge {
            url: self.url(),
            what: what.into(),
            limit,
        }
    }

    pub(crate) fn odd(&self, reason: impl Into<String>) -> Error {
        Error::NotARegistry {
            url: self.url(),
            reason: reason.into(),
        }
    }

    /// The body, of at most `limit` bytes.
    pub(crate) fn body(&self, answer: Answer, limit: u64, what: &str) -> Result<Vec<u8>, Error> {
        answer.body(limit).map_err(|failure| match failure {
            Failure::TooLarge(limit) => self.too_large(what, format!("{limit} bytes")),
            other => self.failed(other),
        })
    }

    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        answer: Answer,
        limit: u64,
        what: &str,
    ) -> Result<T, Error> {
        let body = self.body(answer, limit, what)?;
        serde_json::from_slice(&body)
            .map_err(|_| self.odd(format!("{what} is not what it should be")))
    }

    /// The page after this one, by the header `Link` (RFC 8288).
    pub(crate) fn next_page(&self, answer: &Answer) -> Result<Option<Url>, Error> {
        let Some(target) = answer.headers("link").find_map(next) else {
            return Ok(None);
        };
        let next = answer
            .url()
            .join(target)
            .map_err(|_| self.odd("the link to the next page is no URL"))?;
        if !self.is_ours(&next) {
            return Err(self.odd("the link to the next page leads to another host"));
        }
        Ok(Some(next))
    }
}

/// The target of a link `<…>; rel="next"`.
fn next(link: &str) -> Option<&str> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let mut parameters = parameters.split(';').map(str::trim);
    parameters
        .any(|parameter| matches!(parameter, "rel=\"next\"" | "rel=next"))
        .then_some(target)
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The registry's own words, cut to what a message can bear.
fn said(answer: Answer) -> String {
    let body = answer.body(MAX_ERROR_BYTES).unwrap_or_default();
    let errors = serde_json::from_slice::<Errors>(&body).ok();
    let first = errors.and_then(|errors| errors.errors.into_iter().next());
    first.map_or_else(String::new, |said| {
        let text = format!("{} {}", said.code, said.message);
        format!(": {}", super::manifest::shown(text.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn the_next_page_is_found() {
        let link = r#"</v2/a/tags/list?last=1&n=2>; rel="next""#;
        assert_eq!(next(link), Some("/v2/a/tags/list?last=1&n=2"));
        assert_eq!(next("<x>; title=\"t\"; rel=next"), Some("x"));
        for other in [
            "",
            "<x>",
            "<x>; rel=\"prev\"",
            "x; rel=next",
            "<x; rel=next",
        ] {
            assert_eq!(next(other), None, "{other}");
        }
    }
}
