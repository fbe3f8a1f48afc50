//! What the operator put into the pod: files by revision in the mounted ConfigMaps.
//!
//! A key there is `<8 hex of revision>.<file>`; what a revision holds never changes, so files may be
//! read one after the other while the kubelet syncs. In: the mounts, and the revisions that the pod
//! is to run, by downward API. Out: the files of one revision, put where the middleware sees them.

use crate::atomic;
use crate::root::Root;
use api::agent::{
    ACTIONS_FILE, ActionTable, CONFIG_DIR, CONTENT_DIR, EMPTY_REVISION, POD_DIR, SCRIPTS_DIR,
};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Scripts: read and executed by whoever runs in the pod, written by nobody.
const SCRIPT_MODE: u32 = 0o555;
/// Configuration files, likewise.
const CONFIG_MODE: u32 = 0o444;
/// Another container of the pod may run as another user of the same group.
const DIRECTORY_MODE: u32 = 0o775;

/// The pod's content cannot be read or put in place.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The downward API's file holds something else than a revision.
    #[error("{}: `{text}` is no revision: want 8 lower-case hex digits", path.display())]
    Revision {
        /// The file.
        path: PathBuf,
        /// What it holds.
        text: String,
    },
    /// The action table is not what this agent reads.
    #[error("{key} in {CONTENT_DIR} is no action table")]
    Table {
        /// The key in the ConfigMap.
        key: String,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A file or directory cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file or directory cannot be made, replaced or removed.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A revision of content or configuration: 8 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision(String);

impl Revision {
    /// Whether it has no files, so that there are none to wait for.
    pub fn is_empty(&self) -> bool {
        self.0 == EMPTY_REVISION
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The files of one revision: name without revision → bytes.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The scripts and the action table of one content revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// What the agent may be asked to run.
    pub table: ActionTable,
    /// The scripts, by name.
    pub scripts: Files,
}

/// The revision in `file` of [`POD_DIR`]; `None` while the pod has no such annotation.
///
/// # Errors
/// [`ContentError::Revision`], [`ContentError::Read`].
pub fn revision(root: &Root, file: &str) -> Result<Option<Revision>, ContentError> {
    let path = root.at(POD_DIR).join(file);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(ContentError::Read { path, source }),
    };
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    match text.len() {
        0 => Ok(None),
        8 if text.bytes().all(hex) => Ok(Some(Revision(text))),
        _ => Err(ContentError::Revision { path, text }),
    }
}

/// The content of `revision`; `None` while the kubelet has not brought its action table. The
/// kubelet swaps a ConfigMap's files all at once, so with the table the scripts are there too.
///
/// # Errors
/// [`ContentError::Read`], [`ContentError::Table`].
pub fn content(root: &Root, revision: &Revision) -> Result<Option<Content>, ContentError> {
    let mut scripts = files(&root.at(CONTENT_DIR), revision)?;
    let Some(table) = scripts.remove(ACTIONS_FILE) else {
        return Ok(None);
    };
    let key = || format!("{revision}.{ACTIONS_FILE}");
    let table = serde_json::from_slice(&table)
        .map_err(|source| ContentError::Table { key: key(), source })?;
    Ok(Some(Content { table, scripts }))
}

/// The configuration files of `revision`; empty while the kubelet has not brought them.
///
/// # Errors
/// [`ContentError::Read`].
pub fn configuration(root: &Root, revision: &Revision) -> Result<Files, ContentError> {
    files(&root.at(CONFIG_DIR), revision)
}

/// Makes `scripts` all that is in [`SCRIPTS_DIR`].
///
/// # Errors
/// [`ContentError::Read`], [`ContentError::Write`].
pub fn place_scripts(root: &Root, scripts: &Files) -> Result<(), ContentError> {
    place(&root.at(SCRIPTS_DIR), scripts, SCRIPT_MODE)
}

/// Makes `files` all that is in [`api::agent::MIDDLEWARE_CONFIG_DIR`].
///
/// # Errors
/// [`ContentError::Read`], [`ContentError::Write`].
pub fn place_configuration(root: &Root, files: &Files) -> Result<(), ContentError> {
    place(
        &root.at(api::agent::MIDDLEWARE_CONFIG_DIR),
        files,
        CONFIG_MODE,
    )
}

fn files(dir: &Path, revision: &Revision) -> Result<Files, ContentError> {
    let prefix = format!("{revision}.");
    let mut files = Files::new();
    for key in names(dir)? {
        let Some(name) = key.strip_prefix(&prefix) else {
            continue;
        };
        let path = dir.join(&key);
        let bytes = fs::read(&path).map_err(|source| ContentError::Read { path, source })?;
        files.insert(name.to_owned(), bytes);
    }
    Ok(files)
}

/// Each file changes in one step; files that are no longer wanted go last.
fn place(dir: &Path, files: &Files, mode: u32) -> Result<(), ContentError> {
    let written = |path: PathBuf| move |source| ContentError::Write { path, source };
    make_directory(dir).map_err(written(dir.to_owned()))?;
    for (name, bytes) in files {
        let path = dir.join(name);
        atomic::settle(&path, bytes, mode).map_err(written(path.clone()))?;
    }
    for name in names(dir)?
        .into_iter()
        .filter(|name| !files.contains_key(name))
    {
        let path = dir.join(name);
        atomic::remove(&path).map_err(written(path.clone()))?;
    }
    Ok(())
}

fn make_directory(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Ok(()) => fs::set_permissions(dir, Permissions::from_mode(DIRECTORY_MODE)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Names of files; none while there is no directory. The kubelet's own `..data` is not among them.
fn names(dir: &Path) -> Result<Vec<String>, ContentError> {
    let read = |source| ContentError::Read {
        path: dir.to_owned(),
        source,
    };
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(read)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(read)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("..") && !entry.file_type().map_err(read)?.is_dir() {
            names.push(name);
        }
    }
    Ok(names)
}
