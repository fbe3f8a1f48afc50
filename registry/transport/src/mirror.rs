//! Bare mirrors on disk: one for each URL and its credentials, shared by all sources that name them.
//!
//! A mirror is a cache: it holds the commits that were wanted and no more (one commit deep where the
//! server can), and whatever is wrong with it is mended by throwing it away. libgit2 writes packs and
//! references by renaming, so a crash leaves a mirror that is whole or one that does not open.

use crate::{
    Error, Offered, Remote, Revision,
    deadline::Deadline,
    reference::{Head, select},
    session::Session,
    trees,
};
use git2::{Oid, Repository};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    time::{Duration, Instant},
};

/// libgit2's depth for all of a history in a repository that is not shallow.
const ALL: i32 = 0;
/// Longer lists of references are not kept.
const MAX_KEPT: usize = 10_000;
/// Packs are never joined; a mirror with more is made anew, one commit deep.
const MAX_PACKS: usize = 100;

/// All mirrors under one directory. One process uses a directory at a time.
#[derive(Debug)]
pub struct Mirrors {
    root: PathBuf,
    locks: Mutex<HashMap<PathBuf, Arc<Locks>>>,
}

/// The locks of one mirror.
#[derive(Debug, Default)]
struct Locks {
    /// Held while files are read or removed; short.
    reading: Mutex<()>,
    /// Held for the whole of a fetch, so that two never write one reference. A server that hangs
    /// delays those who fetch the same repository, and nobody who only reads. What the last look at
    /// the references saw is in it.
    fetching: Mutex<Option<Listing>>,
}

/// The references of a repository, as a look at them saw them.
#[derive(Debug)]
struct Listing {
    /// When the look began: what was pushed before is in it.
    begun: Instant,
    heads: Vec<Head>,
}

impl Mirrors {
    /// The mirrors under `root`, which is made if it is not there.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let root = root.into();
        std::fs::create_dir_all(&root).map_err(|source| Error::Disk {
            path: root.clone(),
            operation: "make the directory of mirrors",
            source,
        })?;
        Ok(Self {
            root,
            locks: Mutex::default(),
        })
    }

    /// What `remote` refers to now; its commit is in the mirror afterwards. An unchanged repository
    /// costs one request.
    ///
    /// # Errors
    /// As [`crate::resolve`], and when the download or the disk fails.
    pub fn fetch(&self, remote: &Remote) -> Result<Revision, Error> {
        self.fetch_since(remote, Instant::now())
    }

    /// The same, where a look at the references that another call took is as good if it began at
    /// `since` or later: of many that fetch one repository at once, one or two ask the server.
    ///
    /// # Errors
    /// As [`Self::fetch`].
    pub fn fetch_since(&self, remote: &Remote, since: Instant) -> Result<Revision, Error> {
        remote.checked_url()?;
        // What is whole and what is one commit deep lie apart, and share the looks.
        let locks = self.locks(&self.place(remote, false));
        let mut listing = held_in_time(&locks.fetching, remote)?;
        let path = self.path(remote);
        match self.attempt(&path, remote, since, &mut listing) {
            Err(error) if error.blames_mirror() => {
                tracing::warn!(url = remote.url, %error, "the mirror is thrown away");
                self.throw_away(&path)?;
                self.attempt(&path, remote, since, &mut listing)
            }
            done => done,
        }
    }

    /// The addons in `directories` of `commit`, in the order of their paths. Those whose tree `known`
    /// says it knows are not read.
    ///
    /// # Errors
    /// The mirror is broken or does not hold the commit: call [`Self::fetch`] again.
    pub fn offered(
        &self,
        remote: &Remote,
        commit: &str,
        directories: &[String],
        known: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Offered>, Error> {
        self.read(remote, |repository| {
            trees::offered(repository, commit, directories, known)
        })
    }

    /// The files of the addon whose tree is `tree`.
    ///
    /// # Errors
    /// The mirror is broken or does not hold the tree: call [`Self::fetch`] again.
    pub fn content(&self, remote: &Remote, tree: &str) -> Result<crate::Content, Error> {
        self.read(remote, |repository| {
            trees::content(repository, Oid::from_str(tree)?)
        })
    }

    pub(crate) fn read<T>(
        &self,
        remote: &Remote,
        read: impl FnOnce(&Repository) -> Result<T, git2::Error>,
    ) -> Result<T, Error> {
        let path = self.path(remote);
        let locks = self.locks(&path);
        let _held = held(&locks.reading);
        let result = Repository::open_bare(&path).and_then(|repository| read(&repository));
        result.map_err(|source| {
            // The next fetch finds nothing and clones.
            let _ = std::fs::remove_dir_all(&path);
            mirror_error(&path, "read", source)
        })
    }

    fn attempt(
        &self,
        path: &Path,
        remote: &Remote,
        since: Instant,
        listing: &mut Option<Listing>,
    ) -> Result<Revision, Error> {
        let locks = self.locks(path);
        let repository = {
            let _held = held(&locks.reading);
            open_or_make(path)?
        };
        let whole = remote.reference.history;
        let holds =
            |commit: &str| holds(&repository, commit) && !(whole && repository.is_shallow());
        if let Some(commit) = &remote.reference.commit
            && holds(commit)
        {
            return Ok(Revision::of_commit(commit));
        }
        let there = |heads: &[Head]| {
            let revision = select(&remote.url, &remote.reference, heads)?;
            let there = holds(&revision.commit) && has_tag(&repository, heads, &revision);
            Ok((revision, there))
        };
        if let Some(seen) = listing.as_ref().filter(|seen| seen.begun >= since)
            && let (revision, true) = there(&seen.heads)?
        {
            return Ok(revision);
        }
        let begun = Instant::now();
        let mut session = Session::open(&repository, remote)?;
        *listing = (session.heads.len() <= MAX_KEPT).then(|| Listing {
            begun,
            heads: session.heads.clone(),
        });
        let (revision, there) = there(&session.heads)?;
        if there {
            return Ok(revision);
        }
        download(&mut session, &revision, if whole { ALL } else { 1 })?;
        if holds(&revision.commit) {
            return Ok(revision);
        }
        drop(session);
        whole_history(&repository, remote)?;
        if holds(&revision.commit) {
            return Ok(revision);
        }
        Err(Error::NoCommit {
            url: remote.url.clone(),
            commit: revision.commit,
        })
    }

    fn throw_away(&self, path: &Path) -> Result<(), Error> {
        let locks = self.locks(path);
        let _held = held(&locks.reading);
        remove(path)
    }

    fn locks(&self, path: &Path) -> Arc<Locks> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(path.to_owned()).or_default())
    }

    fn path(&self, remote: &Remote) -> PathBuf {
        // What is one commit deep and what is whole do not mix.
        self.place(remote, remote.reference.history)
    }

    /// Named by a hash, because a URL is no file name; who has other credentials may see other things.
    fn place(&self, remote: &Remote, whole: bool) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        (&remote.url, &remote.credentials, whole).hash(&mut hasher);
        self.root.join(format!("{:016x}.git", hasher.finish()))
    }
}

fn held(lock: &Mutex<()>) -> MutexGuard<'_, ()> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lock, if it can be had within the remote's timeout.
fn held_in_time<'a, T>(lock: &'a Mutex<T>, remote: &Remote) -> Result<MutexGuard<'a, T>, Error> {
    const PAUSE: Duration = Duration::from_millis(2);
    let deadline = Deadline::after(remote.timeout);
    loop {
        match lock.try_lock() {
            Ok(held) => return Ok(held),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if deadline.passed() => {
                return Err(Error::TimedOut {
                    url: remote.url.clone(),
                    what: "waiting for another look at the repository",
                    timeout: remote.timeout,
                });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
        }
    }
}

fn mirror_error(path: &Path, operation: &'static str, source: git2::Error) -> Error {
    Error::Mirror {
        path: path.to_owned(),
        operation,
        source,
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::Disk {
            path: path.to_owned(),
            operation: "remove the mirror",
            source,
        }),
        _ => Ok(()),
    }
}

fn open_or_make(path: &Path) -> Result<Repository, Error> {
    if packs(path) <= MAX_PACKS
        && let Ok(repository) = Repository::open_bare(path)
    {
        return Ok(repository);
    }
    remove(path)?;
    Repository::init_bare(path).map_err(|source| mirror_error(path, "make", source))
}

fn packs(path: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(path.join("objects/pack")) else {
        return 0;
    };
    let is_pack = |name: std::ffi::OsString| name.to_string_lossy().ends_with(".pack");
    entries
        .flatten()
        .filter(|entry| is_pack(entry.file_name()))
        .count()
}

/// Whether the commit and its tree are there; `commit` is a full hash.
fn holds(repository: &Repository, commit: &str) -> bool {
    Oid::from_str(commit)
        .and_then(|oid| repository.find_commit(oid)?.tree())
        .is_ok()
}

/// Whether the tag that was asked for is there as it is advertised: a tag may be signed anew, and still
/// point at the commit that it did.
fn has_tag(repository: &Repository, heads: &[Head], revision: &Revision) -> bool {
    let full = revision.reference.as_deref().unwrap_or_default();
    let Some(name) = full.strip_prefix("refs/tags/") else {
        return true;
    };
    let advertised = heads.iter().find(|head| head.name == full);
    let there = repository.find_reference(&format!("refs/paamesh/tags/{name}"));
    let there = there.ok().and_then(|reference| reference.target());
    there.map(|oid| oid.to_string()) == advertised.map(|head| head.commit.clone())
}

/// `depth` commits deep, by the name under which it is advertised.
fn download(session: &mut Session<'_>, revision: &Revision, depth: i32) -> Result<(), Error> {
    let advertised = revision.reference.as_deref().or_else(|| {
        let same = |head: &&crate::reference::Head| {
            head.commit == revision.commit && !head.name.ends_with("^{}")
        };
        session
            .heads
            .iter()
            .find(same)
            .map(|head| head.name.as_str())
    });
    match advertised {
        Some(name) => {
            let refspec = format!("+{name}:refs/paamesh/{}", name.trim_start_matches("refs/"));
            session.download(&[refspec], depth)
        }
        // Most servers do not hand out commits by hash: then the history is searched.
        None => Ok(()),
    }
}

/// All branches and tags, for a commit that no name points at.
fn whole_history(repository: &Repository, remote: &Remote) -> Result<(), Error> {
    let mut session = Session::open(repository, remote)?;
    let refspecs = ["heads", "tags"].map(|kind| format!("+refs/{kind}/*:refs/paamesh/{kind}/*"));
    // libgit2: this depth means all, and deepens what is shallow.
    session.download(&refspecs, i32::MAX)
}
