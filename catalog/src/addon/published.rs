//! What a Git reference holds already: addons read from the object database, never from a checkout.
//!
//! Only what a registry would have published counts: what it refuses holds no version number.

use super::checked;
use anyhow::{Context as _, anyhow, bail};
use git2::{ErrorCode, ObjectType, Oid, Repository};
use package::{Package, Tree, manifest, tree};
use std::path::Path;

/// How deep below the given directory an addon may lie, as the registry looks.
const LEVELS: usize = 2;
/// How deep an addon's folders are read: one more than the format allows.
const MAX_DEPTH: usize = 3;
/// The mode of a symbolic link in a Git tree.
const SYMLINK: i32 = 0o120_000;

/// The addons that a reference holds below one directory.
#[derive(Debug)]
pub(super) struct Published {
    /// The commit that the reference is.
    pub(super) commit: String,
    /// The valid addons, with the directory of each in the repository.
    pub(super) packages: Vec<(String, Package)>,
}

/// What `reference` holds where `directory` stands in the repository around it.
///
/// # Errors
/// There is no repository, no such reference, or Git cannot read it.
pub(super) fn at(directory: &Path, reference: &str) -> anyhow::Result<Published> {
    let shown = directory.display();
    let absolute = directory.canonicalize();
    let absolute = absolute.with_context(|| format!("cannot read `{shown}`"))?;
    let repository = repository(&absolute)?;
    let workdir = repository
        .workdir()
        .context("the Git repository has no working directory")?;
    let below = absolute.strip_prefix(workdir.canonicalize()?)?.to_owned();
    let commit = commit(&repository, reference)?;
    let mut found = Vec::new();
    if let Some(tree) = subtree(&repository, commit, &below)? {
        discover(&repository, tree, &slashed(&below), LEVELS, &mut found)?;
    }
    let mut packages = Vec::new();
    for (directory, oid) in found {
        if let Some(package) = package(&repository, oid)? {
            packages.push((directory, package));
        }
    }
    Ok(Published {
        commit: commit.to_string(),
        packages,
    })
}

/// The files of the directory `path`, from the top of the repository around the working directory, at
/// the commit `reference`.
///
/// # Errors
/// There is no repository, commit or directory, or no addon can have what is in it.
pub(super) fn tree(reference: &str, path: &str) -> anyhow::Result<Tree> {
    let here = std::env::current_dir()?;
    let repository = repository(&here)?;
    let commit = commit(&repository, reference)?;
    let path = path.trim_matches('/').trim_start_matches("./");
    let oid = subtree(&repository, commit, Path::new(path))?;
    let oid = oid.with_context(|| {
        format!("no directory `{path}` at `{reference}`; want it from the top of the repository")
    })?;
    let mut files = Vec::new();
    let fits = collect(&repository, oid, "", 0, &mut files)?;
    let tree = Tree::from_files(files).ok().filter(|_| fits);
    tree.with_context(|| format!("`{reference}:{path}` holds what no addon can have"))
}

fn repository(directory: &Path) -> anyhow::Result<Repository> {
    let shown = directory.display();
    Repository::discover(directory).map_err(|error| match error.code() {
        ErrorCode::NotFound => {
            anyhow!("`{shown}` lies in no Git repository, and a commit of one is named")
        }
        ErrorCode::Owner => anyhow!(
            "the Git repository around `{shown}` belongs to another user; where you trust it: `git \
             config --global --add safe.directory {shown}`"
        ),
        _ => anyhow!(error).context(format!("cannot open the Git repository around `{shown}`")),
    })
}

fn commit(repository: &Repository, reference: &str) -> anyhow::Result<Oid> {
    let object = repository.revparse_single(reference);
    let object = match object {
        Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => {
            bail!(
                "no commit `{reference}` in this repository; there are {}. In CI, fetch it first: `git \
             fetch origin BRANCH`, and then name FETCH_HEAD",
                branches(repository)
            )
        }
        object => object?,
    };
    let commit = object.peel_to_commit().map_err(|_| {
        anyhow!("`{reference}` is no commit; want a branch, a tag or a commit of this repository")
    })?;
    Ok(commit.id())
}

fn branches(repository: &Repository) -> String {
    let branches = repository.branches(None).into_iter().flatten().flatten();
    let mut names: Vec<String> = branches
        .filter_map(|(branch, _)| Some(branch.name().ok()??.to_owned()))
        .collect();
    names.sort();
    names.truncate(20);
    match names.is_empty() {
        true => "no branches".to_owned(),
        false => names.join(", "),
    }
}

fn subtree(repository: &Repository, commit: Oid, below: &Path) -> anyhow::Result<Option<Oid>> {
    let root = repository.find_commit(commit)?.tree()?;
    if below.as_os_str().is_empty() {
        return Ok(Some(root.id()));
    }
    match root.get_path(below) {
        Ok(entry) if entry.kind() == Some(ObjectType::Tree) => Ok(Some(entry.id())),
        Ok(_) => Ok(None),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn discover(
    repository: &Repository,
    oid: Oid,
    path: &str,
    levels: usize,
    found: &mut Vec<(String, Oid)>,
) -> Result<(), git2::Error> {
    let tree = repository.find_tree(oid)?;
    if tree.get_name(manifest::FILE).is_some() {
        found.push((path.to_owned(), oid));
        return Ok(());
    }
    if levels == 0 {
        return Ok(());
    }
    for entry in &tree {
        let Ok(name) = entry.name() else {
            continue;
        };
        if entry.kind() == Some(ObjectType::Tree) && !name.starts_with('.') {
            discover(
                repository,
                entry.id(),
                &joined(path, name),
                levels - 1,
                found,
            )?;
        }
    }
    Ok(())
}

fn joined(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}/{name}"),
    }
}

/// The addon that the Git tree is; `None` where the registry would not have published it.
fn package(repository: &Repository, oid: Oid) -> anyhow::Result<Option<Package>> {
    let mut files = Vec::new();
    if !collect(repository, oid, "", 0, &mut files)? {
        return Ok(None);
    }
    let Ok(tree) = Tree::from_files(files) else {
        return Ok(None);
    };
    Ok(checked::judge(tree)?.ok())
}

/// Adds all files below the Git tree; whether an addon can have all of them.
fn collect(
    repository: &Repository,
    oid: Oid,
    path: &str,
    depth: usize,
    files: &mut Vec<(String, Vec<u8>)>,
) -> Result<bool, git2::Error> {
    for entry in &repository.find_tree(oid)? {
        let Ok(name) = entry.name() else {
            return Ok(false);
        };
        if name.starts_with('.') {
            continue;
        }
        let path = joined(path, name);
        let fits = match entry.kind() {
            Some(ObjectType::Tree) if depth < MAX_DEPTH => {
                collect(repository, entry.id(), &path, depth + 1, files)?
            }
            Some(ObjectType::Blob) if entry.filemode() != SYMLINK => {
                blob(repository, entry.id(), path, files)?
            }
            _ => false,
        };
        if !fits || files.len() > tree::MAX_FILES {
            return Ok(false);
        }
    }
    Ok(true)
}

fn blob(
    repository: &Repository,
    oid: Oid,
    path: String,
    files: &mut Vec<(String, Vec<u8>)>,
) -> Result<bool, git2::Error> {
    let (size, _) = repository.odb()?.read_header(oid)?;
    if size > tree::MAX_FILE_BYTES {
        return Ok(false);
    }
    files.push((path, repository.find_blob(oid)?.content().to_vec()));
    Ok(true)
}
