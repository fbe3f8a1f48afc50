//! Git over SSH: one channel in which `git-upload-pack` runs, within the limits of its [`Call`].
//!
//! russh speaks SSH, because libgit2's own transport has no limits on time that hold for one call, and
//! trusts hosts by a file of the machine's user. A host is believed by the source's `known_hosts` and
//! by nothing else; there is no first use.

use crate::{
    Error,
    call::Call,
    error::chain,
    http::{Failure, runtime},
    known_hosts::Known,
};
use bytes::Bytes;
use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream};
use russh::{
    ChannelMsg, Preferred,
    client::{self, Handle, Msg},
    keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key},
};
use std::{
    borrow::Cow,
    io::{self, Read, Write},
    sync::{Arc, Mutex, PoisonError},
};

/// Who asks where neither URL nor Secret says it: every forge's name for its users.
const USER: &str = "git";
/// The most of the server's own words that is kept.
const MAX_SAID: usize = 300;

/// libgit2's view of a [`Call`] over SSH.
pub(crate) struct Subtransport(Arc<Call>);

impl Subtransport {
    /// The transport of the call that this thread is in.
    pub(crate) fn of_this_call() -> Result<Self, git2::Error> {
        Call::current()
            .map(Self)
            .ok_or_else(|| git2::Error::from_str("Git over SSH outside of a call"))
    }
}

impl SmartSubtransport for Subtransport {
    fn action(
        &self,
        _url: &str,
        service: Service,
    ) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        match service {
            Service::UploadPackLs | Service::UploadPack => {
                let channel = connect(&self.0).map_err(|error| {
                    let error = self.0.fail(error);
                    git2::Error::from_str(&error.to_string())
                })?;
                Ok(Box::new(channel))
            }
            Service::ReceivePackLs | Service::ReceivePack => {
                Err(git2::Error::from_str("pushing is not supported"))
            }
        }
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

/// What happened to the host's key.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Option<String>>>);

/// Our side: it judges the host's key.
struct Client {
    known: Known,
    /// The key of a host that was refused.
    refused: Seen,
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            return Ok(false);
        };
        let trusted = self.known.trusts(key);
        if !trusted {
            let print = key.fingerprint(russh::keys::HashAlg::Sha256).to_string();
            let mut refused = self
                .refused
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *refused = Some(print);
        }
        Ok(trusted)
    }
}

/// A channel in which `git-upload-pack` runs.
struct Channel {
    call: Arc<Call>,
    channel: russh::Channel<Msg>,
    /// Kept: the connection ends with it.
    _handle: Handle<Client>,
    rest: Bytes,
    said: Vec<u8>,
    ended: bool,
}

fn connect(call: &Arc<Call>) -> Result<Channel, Error> {
    let command = format!("git-upload-pack {}", quoted(&path(call)?));
    let credentials = call.credentials();
    let host = call.url().host_str().unwrap_or_default().to_owned();
    let host = host.trim_matches(['[', ']']).to_owned();
    let port = call.url().port().unwrap_or(22);
    let refuse = |reason: &str| call.settings(reason.to_owned());
    let known = credentials.known_hosts.as_deref();
    let known = known.ok_or_else(|| refuse("SSH needs known_hosts"))?;
    let known = Known::of(known, &host, port).map_err(|reason| call.settings(reason))?;
    if known.is_empty() {
        return Err(call.settings(format!("known_hosts says nothing of `{host}` port {port}")));
    }
    let identity = credentials.identity.as_deref();
    let identity = identity.ok_or_else(|| refuse("SSH needs identity, a private key"))?;
    let key = decode_secret_key(identity.trim(), credentials.password.as_deref())
        .map_err(|error| call.settings(format!("identity: {}", chain(&error))))?;
    let config = client::Config {
        preferred: Preferred {
            key: Cow::Owned(known.algorithms()),
            ..Preferred::default()
        },
        nodelay: true,
        ..client::Config::default()
    };
    let refused = Seen::default();
    let client = Client {
        known,
        refused: refused.clone(),
    };
    let user = user(call);
    let conversation = async {
        let mut handle = client::connect(Arc::new(config), (host.as_str(), port), client)
            .await
            .map_err(|error| unreachable(call, &refused, &error))?;
        let hash = handle.best_supported_rsa_hash().await;
        let hash = hash
            .map_err(|error| unreachable(call, &refused, &error))?
            .flatten();
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
        let admitted = handle.authenticate_publickey(&user, key).await;
        let admitted = admitted.map_err(|error| unreachable(call, &refused, &error))?;
        if !admitted.success() {
            return Err(call.not_admitted(&user));
        }
        let channel = handle.channel_open_session().await;
        let channel = channel.map_err(|error| unreachable(call, &refused, &error))?;
        let sent = channel.exec(true, command).await;
        sent.map_err(|error| unreachable(call, &refused, &error))?;
        Ok((handle, channel))
    };
    let (handle, channel) = waited(call, "connecting by SSH", conversation)??;
    Ok(Channel {
        call: Arc::clone(call),
        channel,
        _handle: handle,
        rest: Bytes::new(),
        said: Vec::new(),
        ended: false,
    })
}

/// Runs `work` until it ends or the call's patience does.
fn waited<T>(call: &Call, what: &'static str, work: impl Future<Output = T>) -> Result<T, Error> {
    if call.deadline.passed() {
        return Err(call.timed_out(what));
    }
    let runtime = runtime().map_err(|failure| call.failed(failure))?;
    let patience = call.deadline.idle();
    let done = runtime.block_on(async { tokio::time::timeout(patience, work).await });
    done.map_err(|_| call.timed_out(call.deadline.waited(what)))
}

fn unreachable(call: &Call, refused: &Seen, error: &russh::Error) -> Error {
    let refused = refused.0.lock().unwrap_or_else(PoisonError::into_inner);
    match refused.as_ref() {
        Some(print) => call.settings(format!(
            "the host shows a key that is not in known_hosts ({print}); somebody may stand between"
        )),
        None => call.failed(Failure::Unreachable(chain(error))),
    }
}

/// Who asks: the URL says it, else the Secret.
fn user(call: &Call) -> String {
    let named = Some(call.url().username()).filter(|user| !user.is_empty());
    let named = named.or(call.credentials().username.as_deref());
    named.unwrap_or(USER).to_owned()
}

/// The repository's path, as Git understands URLs: `/~user` is below somebody's home.
fn path(call: &Call) -> Result<String, Error> {
    let path = call.url().path();
    if path.contains('%') {
        return Err(call.settings("the path has characters that must be escaped".to_owned()));
    }
    let home = path.strip_prefix('/').filter(|rest| rest.starts_with('~'));
    Ok(home.unwrap_or(path).to_owned())
}

/// As one word of a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

impl Channel {
    /// The next bytes; 0 at the end.
    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        while self.rest.is_empty() && !self.ended {
            let call = Arc::clone(&self.call);
            match waited(&call, "while reading an answer", self.channel.wait())? {
                Some(ChannelMsg::Data { data }) => self.rest = data,
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    let room = MAX_SAID.saturating_sub(self.said.len());
                    self.said.extend_from_slice(&data[..data.len().min(room)]);
                }
                Some(ChannelMsg::ExitStatus { exit_status }) if exit_status != 0 => {
                    return Err(self.call.refused(&self.said));
                }
                Some(ChannelMsg::Failure) => return Err(self.call.refused(&self.said)),
                Some(ChannelMsg::Close) | None => self.ended = true,
                Some(_) => {}
            }
        }
        let n = self.rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&self.rest.split_to(n));
        self.call.took(n)?;
        Ok(n)
    }
}

impl Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.next(buffer).map_err(|error| self.call.fail(error))
    }
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let call = Arc::clone(&self.call);
        let send = self.channel.data_bytes(bytes.to_vec());
        let sent = waited(&call, "while sending", send).map_err(|error| call.fail(error))?;
        sent.map_err(|error| {
            let reason = chain(&error);
            call.fail(call.failed(Failure::BrokenOff(reason)))
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        assert_eq!(quoted("/a b"), "'/a b'");
        assert_eq!(quoted("/a'; rm x; '"), r"'/a'\''; rm x; '\'''");
    }
}
