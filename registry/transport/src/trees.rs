//! Addons in a commit: found by their manifest, read from blobs, never from a checkout, so no filter
//! and no line end touches them. Names that begin with a dot are left out (design.md, section 3).

use crate::collector::{Collector, MANIFEST, finding, is_visible, joined};
use api::crd::source::Finding;
use git2::{ErrorCode, ObjectType, Oid, Repository, Tree, TreeEntry};
use std::collections::{BTreeMap, HashSet};

/// The most addons of one revision.
const MAX_ADDONS: usize = 10_000;

/// An addon that a revision offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its directory, relative to the root of the repository, `.` for the root itself.
    pub directory: String,
    /// The hash of its Git tree: the same hash is the same content. Empty where there is none.
    pub tree: String,
    /// What is in it.
    pub content: Content,
}

/// What is in an addon's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Not read: the caller knows the tree.
    Known,
    /// Paths relative to the directory, and bytes, in the order of Git.
    Files(Vec<(String, Vec<u8>)>),
    /// What cannot be part of an addon.
    Refused(Vec<Finding>),
}

/// See [`crate::Mirrors::offered`].
pub(crate) fn offered(
    repository: &Repository,
    commit: &str,
    directories: &[String],
    known: &dyn Fn(&str) -> bool,
) -> Result<Vec<Offered>, git2::Error> {
    let root = repository.find_commit(Oid::from_str(commit)?)?.tree()?;
    // A directory that two entries reach is offered once.
    let mut found = BTreeMap::new();
    let mut refused = Vec::new();
    for directory in wanted(directories) {
        let before = found.len();
        match normal(directory) {
            Some(path) => discover(repository, &root, &path, &mut found)?,
            None => refused.push(nowhere(
                directory,
                "want a path inside the repository, without `..`",
            )),
        }
        if found.len() == before && normal(directory).is_some_and(|path| !reached(&found, &path)) {
            refused.push(nowhere(
                directory,
                "no addon.yaml is there, nor one or two directories below it",
            ));
        }
    }
    let mut all = refused;
    for (directory, tree) in found {
        all.push(read(repository, directory, tree, known)?);
    }
    Ok(all)
}

/// The directories that are looked at: the root where none is named.
fn wanted(directories: &[String]) -> impl Iterator<Item = &str> {
    let root = directories.is_empty().then_some(".");
    directories.iter().map(String::as_str).chain(root)
}

fn read(
    repository: &Repository,
    directory: String,
    oid: Oid,
    known: &dyn Fn(&str) -> bool,
) -> Result<Offered, git2::Error> {
    let tree = oid.to_string();
    let content = if known(&tree) {
        Content::Known
    } else {
        content(repository, oid)?
    };
    Ok(Offered {
        directory,
        tree,
        content,
    })
}

fn nowhere(directory: &str, why: &str) -> Offered {
    Offered {
        directory: directory.to_owned(),
        tree: String::new(),
        content: Content::Refused(vec![finding("", why)]),
    }
}

/// The path without `.`, `./` and trailing `/`; the root is empty. `None` where it leads out.
fn normal(directory: &str) -> Option<String> {
    let parts: Vec<&str> = directory
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let leads_out = directory.starts_with('/') || parts.contains(&"..");
    (!leads_out).then(|| parts.join("/"))
}

fn reached(found: &BTreeMap<String, Oid>, path: &str) -> bool {
    found.keys().any(|directory| {
        path.is_empty() || directory == path || directory.starts_with(&format!("{path}/"))
    })
}

/// The addons in `directories` of the tree `root`, by directory. A directory is passed over whose tree
/// `looked` has seen there.
pub(crate) fn found(
    repository: &Repository,
    root: &Tree<'_>,
    directories: &[String],
    looked: &mut HashSet<(String, Oid)>,
) -> Result<BTreeMap<String, Oid>, git2::Error> {
    let mut found = BTreeMap::new();
    for path in wanted(directories).filter_map(normal) {
        if let Some(tree) = subtree(repository, root, &path)?
            && looked.insert((path.clone(), tree.id()))
        {
            descend(repository, &tree, &path, 2, &mut found)?;
        }
    }
    Ok(found)
}

/// An addon, a folder of addons, or of folders of versions: the manifest stands at most two
/// directories below `path`.
fn discover(
    repository: &Repository,
    root: &Tree<'_>,
    path: &str,
    found: &mut BTreeMap<String, Oid>,
) -> Result<(), git2::Error> {
    match subtree(repository, root, path)? {
        Some(tree) => descend(repository, &tree, path, 2, found),
        None => Ok(()),
    }
}

/// The directory `path` of `root`, if it is there and one.
fn subtree<'a>(
    repository: &'a Repository,
    root: &Tree<'a>,
    path: &str,
) -> Result<Option<Tree<'a>>, git2::Error> {
    if path.is_empty() {
        return Ok(Some(root.clone()));
    }
    match root.get_path(std::path::Path::new(path)) {
        Ok(entry) if entry.kind() == Some(ObjectType::Tree) => {
            repository.find_tree(entry.id()).map(Some)
        }
        Ok(_) => Ok(None),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn descend(
    repository: &Repository,
    tree: &Tree<'_>,
    path: &str,
    levels: usize,
    found: &mut BTreeMap<String, Oid>,
) -> Result<(), git2::Error> {
    if found.len() >= MAX_ADDONS {
        return Ok(());
    }
    if tree.get_name(MANIFEST).is_some() {
        let directory = if path.is_empty() { "." } else { path };
        found.insert(directory.to_owned(), tree.id());
        return Ok(());
    }
    if levels == 0 {
        return Ok(());
    }
    for entry in tree {
        let Some(name) = visible(&entry) else {
            continue;
        };
        if entry.kind() == Some(ObjectType::Tree) {
            let below = repository.find_tree(entry.id())?;
            descend(repository, &below, &joined(path, name), levels - 1, found)?;
        }
    }
    Ok(())
}

/// The entry's name, unless it begins with a dot. One that is not UTF-8 is visible as refused later.
fn visible<'a>(entry: &'a TreeEntry<'_>) -> Option<&'a str> {
    let name = entry.name().unwrap_or("\u{fffd}");
    is_visible(name).then_some(name)
}

/// All files under the tree `oid`, or everything in it that an addon cannot have.
pub(crate) fn content(repository: &Repository, oid: Oid) -> Result<Content, git2::Error> {
    let mut reading = Reading {
        repository,
        collector: Collector::default(),
    };
    reading.tree(&repository.find_tree(oid)?, "", 0)?;
    Ok(match reading.collector.finish() {
        Ok(files) => Content::Files(files),
        Err(findings) => Content::Refused(findings),
    })
}

struct Reading<'a> {
    repository: &'a Repository,
    collector: Collector,
}

impl Reading<'_> {
    fn tree(&mut self, tree: &Tree<'_>, path: &str, depth: usize) -> Result<(), git2::Error> {
        if !self.collector.enters(path, depth) {
            return Ok(());
        }
        for entry in tree {
            if self.collector.is_full() {
                return Ok(());
            }
            if let Some(name) = visible(&entry) {
                self.entry(&entry, &joined(path, name), depth)?;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &TreeEntry<'_>,
        path: &str,
        depth: usize,
    ) -> Result<(), git2::Error> {
        const SYMLINK: i32 = 0o120_000;
        let why = match entry.kind() {
            _ if entry.name().is_err() => "the file's name is not UTF-8",
            Some(ObjectType::Tree) => {
                let below = self.repository.find_tree(entry.id())?;
                return self.tree(&below, path, depth + 1);
            }
            Some(ObjectType::Blob) if entry.filemode() == SYMLINK => {
                "a symbolic link; put the file itself here"
            }
            Some(ObjectType::Blob) => return self.file(entry.id(), path),
            _ => "a submodule; put the files themselves here",
        };
        self.collector.refuse(path, why);
        Ok(())
    }

    fn file(&mut self, oid: Oid, path: &str) -> Result<(), git2::Error> {
        let (size, _) = self.repository.odb()?.read_header(oid)?;
        if self.collector.admits(path, size as u64) {
            let bytes = self.repository.find_blob(oid)?.content().to_vec();
            self.collector.add(path, bytes);
        }
        Ok(())
    }
}
