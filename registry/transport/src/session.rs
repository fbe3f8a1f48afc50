//! One conversation with a server: its references, and what of them is downloaded.

use crate::{
    Error, Remote, Revision,
    call::Call,
    reference::{Head, select},
    registration,
};
use git2::{AutotagOption, Direction, FetchOptions, RemoteCallbacks};
use std::sync::Arc;

/// What `remote` refers to, by its references alone.
pub(crate) fn list(remote: &Remote) -> Result<Revision, Error> {
    registration::ensure();
    let call = Call::new(remote)?;
    let heads = call.run(|| {
        let mut git = git2::Remote::create_detached(remote.url.as_str())?;
        let connection = git.connect_auth(Direction::Fetch, None, None)?;
        Ok(heads(connection.list()?))
    })?;
    select(&remote.url, &remote.reference, &heads)
}

/// A connection that has listed the references, and can go on to download.
pub(crate) struct Session<'a> {
    call: Arc<Call>,
    git: git2::Remote<'a>,
    /// What is advertised.
    pub(crate) heads: Vec<Head>,
}

impl<'a> Session<'a> {
    /// Connects `repository` to `remote` and lists the references.
    pub(crate) fn open(repository: &'a git2::Repository, remote: &Remote) -> Result<Self, Error> {
        registration::ensure();
        let call = Call::new(remote)?;
        let (git, heads) = call.run(|| {
            let mut git = repository.remote_anonymous(&remote.url)?;
            git.connect(Direction::Fetch)?;
            let heads = heads(git.list()?);
            Ok((git, heads))
        })?;
        Ok(Self { call, git, heads })
    }

    /// Downloads what `refspecs` name; `depth` 0 is all of the history.
    pub(crate) fn download(&mut self, refspecs: &[String], depth: i32) -> Result<(), Error> {
        let Self { call, git, .. } = self;
        let deadline = call.deadline;
        call.run(|| {
            let mut callbacks = RemoteCallbacks::new();
            callbacks.transfer_progress(move |_| !deadline.passed());
            let mut options = FetchOptions::new();
            options
                .remote_callbacks(callbacks)
                .download_tags(AutotagOption::None)
                .update_fetchhead(false)
                .depth(depth);
            git.fetch(refspecs, Some(&mut options), None)
        })
    }
}

fn heads(advertised: &[git2::RemoteHead<'_>]) -> Vec<Head> {
    advertised
        .iter()
        .filter(|head| !head.oid().is_zero())
        .map(|head| Head {
            name: head.name().to_owned(),
            commit: head.oid().to_string(),
            symref: head.symref_target().map(str::to_owned),
        })
        .collect()
}
