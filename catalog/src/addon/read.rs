//! Addons on this machine's disk: which directories are addons, and the files of one. Links and
//! everything else that is no plain file are refused, and nothing large is read.

use package::{Finding, Tree, manifest, tree};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// How deep below the given directory an addon may lie: a folder of addons, of versions. The
/// registry looks as far.
const LEVELS: usize = 2;
/// The most addons of one call.
const MAX_ADDONS: usize = 10_000;
/// How deep folders are read; the format is flat, so that this only names what is too deep.
const MAX_DEPTH: usize = 4;

/// The disk did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// A file or directory cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no such file or directory.
    #[error("there is no `{}`; is it written right, and meant from here?", .path.display())]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// Nothing there is an addon.
    #[error(
        "no addon in `{}`: want a directory with {}, or one with addons at most {LEVELS} folders \
         below; `kubectl middleware addon init NAME` writes one",
        .directory.display(), manifest::FILE
    )]
    NoAddon {
        /// Where was looked.
        directory: PathBuf,
    },
    /// More addons than anybody has.
    #[error("more than {MAX_ADDONS} addons in `{}`; name a smaller folder", .directory.display())]
    TooMany {
        /// Where was looked.
        directory: PathBuf,
    },
    /// One addon is wanted.
    #[error(
        "`{}` is no addon: want one directory with {} in it", .directory.display(), manifest::FILE
    )]
    NotOne {
        /// What was given.
        directory: PathBuf,
    },
}

impl ReadError {
    fn new(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            _ => Self::Unreadable { path, source },
        }
    }
}

/// The directories of all addons in `directories`, each once, sorted.
///
/// # Errors
/// One of them has no addon, or cannot be read.
pub(super) fn addons(directories: &[PathBuf]) -> Result<Vec<PathBuf>, ReadError> {
    let mut found = Vec::new();
    for directory in directories {
        let before = found.len();
        descend(directory, LEVELS, &mut found)?;
        if found.len() == before {
            let directory = directory.clone();
            return Err(ReadError::NoAddon { directory });
        }
        if found.len() > MAX_ADDONS {
            let directory = directory.clone();
            return Err(ReadError::TooMany { directory });
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The files of the addon `directory`, or what cannot be part of one.
///
/// # Errors
/// It is no addon's directory, or the disk does not give it.
pub(super) fn tree(directory: &Path) -> Result<Result<Tree, Vec<Finding>>, ReadError> {
    if !is_addon(directory)? {
        let path = directory.to_owned();
        return Err(match directory.exists() {
            true => ReadError::NotOne { directory: path },
            false => ReadError::Missing { path },
        });
    }
    let mut reading = Reading::default();
    reading.folder(directory, "", 0)?;
    let Reading {
        files,
        mut findings,
        ..
    } = reading;
    if !findings.is_empty() {
        findings.sort();
        return Ok(Err(findings));
    }
    Ok(Tree::from_files(files))
}

/// The text of one file of at most `most` bytes.
///
/// # Errors
/// It cannot be read, is larger, or is no text.
pub(super) fn text(path: &Path, most: usize) -> Result<String, ReadError> {
    let unreadable = |source| ReadError::new(path, source);
    let file = File::open(path).map_err(unreadable)?;
    let bytes = capped(file, most).map_err(unreadable)?;
    let bytes = bytes.ok_or_else(|| {
        let message = format!("it is larger than {most} bytes");
        unreadable(io::Error::new(io::ErrorKind::FileTooLarge, message))
    })?;
    String::from_utf8(bytes).map_err(|_| {
        let message = "it is not UTF-8";
        unreadable(io::Error::new(io::ErrorKind::InvalidData, message))
    })
}

/// The file of an archive, open to be read.
///
/// # Errors
/// It cannot be opened.
pub(super) fn archive(path: &Path) -> Result<io::BufReader<File>, ReadError> {
    let file = File::open(path).map_err(|source| ReadError::new(path, source))?;
    Ok(io::BufReader::new(file))
}

fn descend(directory: &Path, levels: usize, found: &mut Vec<PathBuf>) -> Result<(), ReadError> {
    if found.len() > MAX_ADDONS {
        return Ok(());
    }
    if is_addon(directory)? {
        found.push(directory.to_owned());
        return Ok(());
    }
    if levels == 0 {
        return Ok(());
    }
    for entry in entries(directory)? {
        if entry.kind == Kind::Folder && !entry.name.starts_with('.') {
            descend(&below(directory, &entry.name), levels - 1, found)?;
        }
    }
    Ok(())
}

/// What is in `directory`, as a person writes it: `a` and not `./a`.
fn below(directory: &Path, name: &str) -> PathBuf {
    match directory {
        here if here == Path::new(".") => name.into(),
        directory => directory.join(name),
    }
}

fn is_addon(directory: &Path) -> Result<bool, ReadError> {
    let path = directory.join(manifest::FILE);
    match fs::symlink_metadata(&path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(ReadError::NotOne {
            directory: directory.to_owned(),
        }),
        Err(source) => Err(ReadError::Unreadable { path, source }),
    }
}

struct Entry {
    /// The name; what of it is not UTF-8 stands as U+FFFD.
    name: String,
    is_text: bool,
    kind: Kind,
}

#[derive(PartialEq)]
enum Kind {
    Folder,
    File,
    Link,
    Other,
}

/// What is in a directory, in byte order of names.
fn entries(directory: &Path) -> Result<Vec<Entry>, ReadError> {
    let unreadable = |source| ReadError::new(directory, source);
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        let name = entry.file_name();
        entries.push(Entry {
            is_text: name.to_str().is_some(),
            name: name.to_string_lossy().into_owned(),
            kind: match kind {
                kind if kind.is_dir() => Kind::Folder,
                kind if kind.is_file() => Kind::File,
                kind if kind.is_symlink() => Kind::Link,
                _ => Kind::Other,
            },
        });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

#[derive(Default)]
struct Reading {
    files: Vec<(String, Vec<u8>)>,
    bytes: usize,
    findings: Vec<Finding>,
}

impl Reading {
    fn folder(&mut self, folder: &Path, path: &str, depth: usize) -> Result<(), ReadError> {
        for entry in entries(folder)? {
            let path = match path {
                "" => entry.name.clone(),
                _ => format!("{path}/{}", entry.name),
            };
            if entry.name.starts_with('.') || self.is_full() {
                continue;
            }
            match entry.kind {
                _ if !entry.is_text => self.refuse(&path, "the file's name is not UTF-8"),
                Kind::Link => self.refuse(&path, "a symbolic link; put the file itself here"),
                Kind::Other => self.refuse(&path, "neither file nor folder; take it away"),
                Kind::Folder if depth == MAX_DEPTH => self.refuse(&path, "too deep a folder"),
                Kind::Folder => self.folder(&folder.join(&entry.name), &path, depth + 1)?,
                Kind::File => self.file(&folder.join(&entry.name), path)?,
            }
        }
        Ok(())
    }

    fn file(&mut self, file: &Path, path: String) -> Result<(), ReadError> {
        let unreadable = |source| ReadError::new(file, source);
        let opened = File::open(file).map_err(unreadable)?;
        match capped(opened, tree::MAX_FILE_BYTES).map_err(unreadable)? {
            Some(bytes) => {
                self.bytes += bytes.len();
                self.files.push((path, bytes));
            }
            None => {
                let most = tree::MAX_FILE_BYTES;
                self.refuse(&path, &format!("more than {most} bytes, which is the most"));
            }
        }
        Ok(())
    }

    /// Whether more would be refused anyway; it is said once.
    fn is_full(&mut self) -> bool {
        let full = self.files.len() > tree::MAX_FILES || self.bytes > tree::MAX_BYTES;
        if full && !self.findings.iter().any(|finding| finding.file.is_empty()) {
            let (files, bytes) = (tree::MAX_FILES, tree::MAX_BYTES);
            let message = format!("more than {files} files or {bytes} bytes, which is the most");
            self.refuse("", &message);
        }
        full
    }

    fn refuse(&mut self, file: &str, message: &str) {
        self.findings.push(Finding {
            file: file.to_owned(),
            message: message.to_owned(),
            ..Finding::default()
        });
    }
}

/// All bytes of `file`, `None` where they are more than `most`.
fn capped(file: File, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}
