//! One call to libgit2 that may use the network: its settings, its limits, and afterwards the error
//! that libgit2 cannot carry. It is set for the calling thread by [`Call::run`]; requests of Git's
//! smart HTTP protocol (gitprotocol-http(5)) are made here.

use crate::{
    Credentials, Error, Remote,
    consequence::retry_after,
    deadline::Deadline,
    http::{self, Answer, Failure},
};
use reqwest::{Client, RequestBuilder, header};
use std::{
    cell::RefCell,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};
use url::Url;

/// The most that all answers of one call may hold: an addon is small, and a server may be hostile.
const MAX_BYTES: u64 = 512 << 20;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Call>>> = const { RefCell::new(None) };
}

/// Settings, limits and outcome of one call.
pub(crate) struct Call {
    client: Client,
    remote: Remote,
    url: Url,
    pub(crate) deadline: Deadline,
    state: Mutex<State>,
}

struct State {
    /// Where the server redirected us to.
    base: Url,
    bytes_left: u64,
    failure: Option<Error>,
}

impl Call {
    /// The call to `remote` that begins now.
    pub(crate) fn new(remote: &Remote) -> Result<Arc<Self>, Error> {
        let url = remote.checked_url()?;
        let client = http::client(&remote.credentials).map_err(|reason| {
            let url = remote.url.clone();
            Error::Tls { url, reason }
        })?;
        Ok(Arc::new(Self {
            client,
            remote: remote.clone(),
            deadline: Deadline::after(remote.timeout),
            state: Mutex::new(State {
                base: url.clone(),
                bytes_left: MAX_BYTES,
                failure: None,
            }),
            url,
        }))
    }

    /// Runs `work`, in which libgit2 may use the network, and explains what it could not.
    pub(crate) fn run<T>(
        self: &Arc<Self>,
        work: impl FnOnce() -> Result<T, git2::Error>,
    ) -> Result<T, Error> {
        let before = CURRENT.with(|current| current.replace(Some(Arc::clone(self))));
        let result = work();
        CURRENT.with(|current| current.replace(before));
        result.map_err(|source| self.explain(source))
    }

    /// The call that this thread is in.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.with(|current| current.borrow().clone())
    }

    fn explain(&self, source: git2::Error) -> Error {
        if let Some(failure) = self.state().failure.take() {
            return failure;
        }
        if self.deadline.passed() {
            return self.timed_out("while reading the pack");
        }
        let url = self.remote.url.clone();
        Error::Protocol { url, source }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn timed_out(&self, what: &'static str) -> Error {
        Error::TimedOut {
            url: self.remote.url.clone(),
            what,
            timeout: self.deadline.timeout,
        }
    }

    /// Remembers `error` for [`Self::run`]; libgit2 sees a general one.
    pub(crate) fn fail(&self, error: Error) -> io::Error {
        let text = error.to_string();
        self.state().failure.get_or_insert(error);
        io::Error::other(text)
    }

    fn send(&self, request: RequestBuilder, to: &Url) -> Result<Answer, Error> {
        let request = self.authenticated(request, to);
        let answer = http::send(
            request,
            self.credentials(),
            self.deadline,
            self.deadline.idle(),
        );
        self.accepted(answer.map_err(|failure| self.failed(failure))?)
    }

    /// Credentials go to the host that the source names and to no other.
    fn authenticated(&self, request: RequestBuilder, to: &Url) -> RequestBuilder {
        match self.remote.credentials.authorization() {
            Some(value) if to.origin() == self.url.origin() => {
                request.header(header::AUTHORIZATION, value)
            }
            _ => request,
        }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.remote.credentials
    }

    /// Settings of the source that cannot be used.
    pub(crate) fn settings(&self, reason: String) -> Error {
        let url = self.remote.url.clone();
        Error::Settings { url, reason }
    }

    /// The server does not let `user` in by SSH.
    pub(crate) fn not_admitted(&self, user: &str) -> Error {
        Error::NotAdmitted {
            url: self.remote.url.clone(),
            user: user.to_owned(),
        }
    }

    /// The program at the other end of SSH failed, and `said` why.
    pub(crate) fn refused(&self, said: &[u8]) -> Error {
        let said = String::from_utf8_lossy(said);
        let said: Vec<&str> = said.split_whitespace().collect();
        Error::Refused {
            url: self.remote.url.clone(),
            said: said.join(" "),
        }
    }

    pub(crate) fn failed(&self, failure: Failure) -> Error {
        let url = self.remote.url.clone();
        match failure {
            Failure::TimedOut(what) => self.timed_out(what),
            Failure::Unreachable(reason) => Error::Unreachable { url, reason },
            Failure::BrokenOff(reason) => Error::BrokenOff { url, reason },
            Failure::TooLarge(limit) => Error::TooLarge {
                url,
                limit: limit >> 20,
            },
            Failure::NotLetIn(why) => Error::NotLetIn {
                url,
                reason: why.to_owned(),
            },
            Failure::OtherScheme(at) => self.other_scheme(&at),
        }
    }

    fn other_scheme(&self, at: &Url) -> Error {
        let (url, host) = (self.remote.url.clone(), http::host(at).to_owned());
        match (at.origin() == self.url.origin(), at.scheme()) {
            (false, asked) => Error::Unreachable {
                url,
                reason: http::led_astray(&host, asked),
            },
            (true, "https") => Error::NoTls { url, host },
            (true, _) => Error::TlsAlone { url, host },
        }
    }

    fn accepted(&self, answer: Answer) -> Result<Answer, Error> {
        let url = self.remote.url.clone();
        match answer.status().as_u16() {
            200 => Ok(answer),
            status @ (401 | 403) => Err(Error::Unauthorized {
                url,
                status,
                advice: if self.remote.credentials.authenticate() {
                    "check username and password, or bearerToken, in the Secret of secretRef, and their rights"
                } else {
                    "name a Secret with username and password in secretRef"
                },
            }),
            404 => Err(Error::NoRepository { url }),
            407 => Err(self.failed(Failure::NotLetIn(
                self.remote.credentials.refused_by_proxy(),
            ))),
            status @ (429 | 503) => Err(Error::Busy {
                url,
                status,
                retry_after: answer
                    .header("retry-after")
                    .and_then(|value| retry_after(value, SystemTime::now())),
            }),
            status => Err(Error::Status { url, status }),
        }
    }

    /// `GET <url>/info/refs`: the references, and where the repository really is.
    pub(crate) fn advertisement(&self) -> Result<Answer, Error> {
        const PATH: &str = "/info/refs?service=git-upload-pack";
        let url = join(&self.url, PATH);
        let request = self
            .client
            .get(url.clone())
            .header(header::PRAGMA, "no-cache");
        let answer = self.send(request, &url)?;
        self.is_git(&answer, "application/x-git-upload-pack-advertisement")?;
        if let Some(base) = answer.url().as_str().strip_suffix(PATH)
            && let Ok(base) = Url::parse(base)
        {
            self.state().base = base;
        }
        Ok(answer)
    }

    /// `POST <url>/git-upload-pack`: one round of the negotiation, and the pack.
    pub(crate) fn upload_pack(&self, body: Vec<u8>) -> Result<Answer, Error> {
        const RESULT: &str = "application/x-git-upload-pack-result";
        let url = join(&self.state().base, "/git-upload-pack");
        let request = self
            .client
            .post(url.clone())
            .header(
                header::CONTENT_TYPE,
                "application/x-git-upload-pack-request",
            )
            .header(header::ACCEPT, RESULT)
            .body(body);
        let answer = self.send(request, &url)?;
        self.is_git(&answer, RESULT)?;
        Ok(answer)
    }

    fn is_git(&self, answer: &Answer, want: &str) -> Result<(), Error> {
        let content_type = answer.header("content-type").unwrap_or("no content type");
        if content_type == want {
            return Ok(());
        }
        Err(Error::NotGit {
            url: self.remote.url.clone(),
            content_type: content_type.chars().take(100).collect(),
        })
    }

    /// Reads on, within the limits of time and size.
    pub(crate) fn read(&self, answer: &mut Answer, buffer: &mut [u8]) -> Result<usize, Error> {
        let read = answer
            .read(buffer)
            .map_err(|failure| self.failed(failure))?;
        self.took(read)?;
        Ok(read)
    }

    /// Counts what came.
    pub(crate) fn took(&self, bytes: usize) -> Result<(), Error> {
        let mut state = self.state();
        state.bytes_left = state.bytes_left.saturating_sub(bytes as u64);
        if state.bytes_left == 0 {
            return Err(self.failed(Failure::TooLarge(MAX_BYTES)));
        }
        Ok(())
    }
}

fn join(base: &Url, path: &str) -> Url {
    let text = format!("{}{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&text).unwrap_or_else(|_| base.clone())
}
