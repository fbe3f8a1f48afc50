//! Every addon that ever stood in the first-parent history of a commit: what «publish the whole
//! history» means. Pure but for the mirror that is read.

use crate::{Error, Mirrors, Remote, trees};
use git2::{Oid, Repository};
use std::collections::HashSet;

/// Bounds on a history, which a hostile repository would not end.
const MAX_COMMITS: usize = 100_000;
const MAX_CANDIDATES: usize = 20_000;

/// An addon that stood in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its directory in that commit.
    pub directory: String,
    /// The hash of its tree, for [`Mirrors::content`].
    pub tree: String,
    /// The first commit in which it stood there.
    pub commit: String,
}

impl Mirrors {
    /// Every addon that ever stood in `directories` in the first-parent history of `commit`, the oldest
    /// first; one tree in one directory is told once. Nothing is unpacked: of several candidates for a
    /// version the first that passes the checks is meant.
    ///
    /// # Errors
    /// The mirror is broken or does not hold the history: call [`Mirrors::fetch`] again, with
    /// [`crate::Reference::history`].
    pub fn history(
        &self,
        remote: &Remote,
        commit: &str,
        directories: &[String],
    ) -> Result<Vec<Candidate>, Error> {
        let found = self.read(remote, |repository| walk(repository, commit, directories))?;
        found.map_err(|limit| Error::HistoryTooLong {
            url: remote.url.clone(),
            limit,
        })
    }
}

/// What a history has too much of.
type Limit = String;

fn walk(
    repository: &Repository,
    commit: &str,
    directories: &[String],
) -> Result<Result<Vec<Candidate>, Limit>, git2::Error> {
    let Some(line) = line(repository, commit)? else {
        return Ok(Err(format!("{MAX_COMMITS} commits")));
    };
    let mut found = Vec::new();
    // Most commits leave most directories as they were: what was looked into is not looked into again.
    let (mut looked, mut seen) = (HashSet::new(), HashSet::new());
    for commit in line.into_iter().rev() {
        let root = repository.find_commit(commit)?.tree()?;
        for (directory, tree) in trees::found(repository, &root, directories, &mut looked)? {
            if !seen.insert((directory.clone(), tree)) {
                continue;
            }
            if found.len() == MAX_CANDIDATES {
                return Ok(Err(format!("{MAX_CANDIDATES} addons")));
            }
            found.push(Candidate {
                directory,
                tree: tree.to_string(),
                commit: commit.to_string(),
            });
        }
    }
    Ok(Ok(found))
}

/// The commit, its first parent, that one's first parent, and so on; none where that is too long.
fn line(repository: &Repository, commit: &str) -> Result<Option<Vec<Oid>>, git2::Error> {
    let mut line = Vec::new();
    let mut next = Some(Oid::from_str(commit)?);
    while let Some(oid) = next {
        if line.len() == MAX_COMMITS {
            return Ok(None);
        }
        line.push(oid);
        next = repository.find_commit(oid)?.parent_ids().next();
    }
    Ok(Some(line))
}
