//! A package's files: which paths there may be, and how many and how large files (design.md,
//! sections 3 and 5).
//!
//! In: paths and bytes from a Git tree, an artifact or ConfigMaps. Out: a [`Tree`], or every
//! finding. What the files say is [`mod@crate::check`]'s matter.

use crate::{Finding, check::words, digest};
use api::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// The section that holds the files of the root.
pub const MANIFEST_SECTION: &str = "manifest";
/// The sections besides [`MANIFEST_SECTION`].
pub const SECTIONS: [&str; 3] = ["schema", "scripts", "templates"];
/// The sections that a package will have one day.
const LATER_SECTIONS: [&str; 3] = ["backup", "monitoring", "operations"];
/// The files of the root.
pub const ROOT_FILES: [&str; 6] = [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    crate::manifest::FILE,
    "icon.png",
    "icon.svg",
];

/// What the path of a file of a schema begins with.
pub const SCHEMA_PREFIX: &str = "schema/";
/// What the path of a template begins with.
pub const TEMPLATES_PREFIX: &str = "templates/";
/// What the path of a script begins with.
pub const SCRIPTS_PREFIX: &str = "scripts/";

/// The most files: what one version costs the registry in objects.
pub const MAX_FILES: usize = 10_000;
/// The most bytes of all files together.
pub const MAX_BYTES: usize = 100 << 20;
/// The most bytes of one file: it must fit a ConfigMap, whose limit is 1 MiB with its metadata.
pub const MAX_FILE_BYTES: usize = 900 << 10;
/// The most bytes of scripts and action table: two revisions of both stand in one ConfigMap.
pub const MAX_SCRIPT_BYTES: usize = 300 << 10;

/// The validated set of a package's files, by path: `addon.yaml` (root) or `<section>/<file>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    files: BTreeMap<String, Vec<u8>>,
}

impl Tree {
    /// The tree of `files`, whose paths use `/` and are relative to the addon's directory. Files of
    /// which a part of the path begins with a dot are left out.
    ///
    /// # Errors
    /// Every bad path, unknown place, case collision and exceeded limit, sorted by file.
    pub fn from_files(
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<Self, Vec<Finding>> {
        let mut tree = Self::default();
        let mut findings = Vec::new();
        for (path, bytes) in files {
            if path
                .split('/')
                .any(|part| part.starts_with('.') && !is_up(part))
            {
                continue;
            }
            if let Err(message) = check_path(&path) {
                findings.push(finding(&path, message));
                continue;
            }
            if let Some(twice) = tree.files.insert(path.clone(), bytes) {
                findings.push(finding(&path, "the file is there twice".to_owned()));
                tree.files.insert(path, twice);
            }
        }
        findings.extend(tree.collisions());
        findings.extend(tree.excesses());
        if findings.is_empty() {
            return Ok(tree);
        }
        Err(words::told(findings))
    }

    /// The tree of files by section, as content objects hold them; a section may come in parts.
    ///
    /// # Errors
    /// As [`Tree::from_files`].
    pub fn from_sections(
        sections: impl IntoIterator<Item = (String, BTreeMap<String, Vec<u8>>)>,
    ) -> Result<Self, Vec<Finding>> {
        Self::from_files(sections.into_iter().flat_map(|(section, files)| {
            files.into_iter().map(move |(name, bytes)| {
                let path = match section.as_str() {
                    MANIFEST_SECTION => name,
                    _ => format!("{section}/{name}"),
                };
                (path, bytes)
            })
        }))
    }

    /// The bytes of the file at `path`.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// All files, in byte order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// The files by section and by name in it; those of the root are [`MANIFEST_SECTION`].
    pub fn sections(&self) -> BTreeMap<&str, BTreeMap<&str, &[u8]>> {
        let mut sections = BTreeMap::<_, BTreeMap<_, _>>::new();
        for (path, bytes) in self.files() {
            let (section, name) = path.split_once('/').unwrap_or((MANIFEST_SECTION, path));
            sections.entry(section).or_default().insert(name, bytes);
        }
        sections
    }

    /// The digest of all files.
    pub fn digest(&self) -> Digest {
        digest::of(self.files())
    }

    /// The paths at which the two trees differ, sorted; files that only one of them has included.
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let paths: BTreeSet<&String> = self.files.keys().chain(other.files.keys()).collect();
        paths
            .into_iter()
            .filter(|path| self.files.get(*path) != other.files.get(*path))
            .cloned()
            .collect()
    }

    fn collisions(&self) -> Vec<Finding> {
        let mut seen = BTreeMap::<String, &str>::new();
        let mut findings = Vec::new();
        for path in self.files.keys() {
            if let Some(other) = seen.insert(path.to_ascii_lowercase(), path) {
                findings.push(finding(
                    path,
                    format!("differs from `{other}` in case only; rename one of them"),
                ));
            }
        }
        findings
    }

    fn excesses(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .files()
            .filter(|(_, bytes)| bytes.len() > MAX_FILE_BYTES)
            .map(|(path, bytes)| finding(path, too_large("the file", bytes.len(), MAX_FILE_BYTES)))
            .collect();
        if self.files.len() > MAX_FILES {
            let message = format!(
                "{} files, and at most {MAX_FILES} are allowed",
                self.files.len()
            );
            findings.push(finding("", message));
        }
        let all = self.bytes_below("");
        if all > MAX_BYTES {
            findings.push(finding("", too_large("the addon", all, MAX_BYTES)));
        }
        let scripts = self.bytes_below(SCRIPTS_PREFIX);
        if scripts > MAX_SCRIPT_BYTES {
            let message = too_large("the folder", scripts, MAX_SCRIPT_BYTES);
            findings.push(finding("scripts", message));
        }
        findings
    }

    /// The bytes of all files whose paths begin with `prefix`.
    pub(crate) fn bytes_below(&self, prefix: &str) -> usize {
        self.files()
            .filter(|(path, _)| path.starts_with(prefix))
            .map(|(_, bytes)| bytes.len())
            .sum()
    }
}

fn is_up(part: &str) -> bool {
    matches!(part, "." | "..")
}

fn check_path(path: &str) -> Result<(), String> {
    let parts: Vec<&str> = path.split('/').collect();
    if let Some(bad) = parts.iter().find(|part| !is_name(part)) {
        return Err(bad_name(bad));
    }
    match parts[..] {
        [root] if ROOT_FILES.contains(&root) => Ok(()),
        [root] => Err(format!(
            "no such file belongs into an addon's root: {}",
            words::one_of(root, &ROOT_FILES)
        )),
        [section, ..] if LATER_SECTIONS.contains(&section) => Err(format!(
            "the folder `{section}` is not supported yet: this release knows {}",
            SECTIONS.join(", ")
        )),
        [section, ..] if !SECTIONS.contains(&section) => Err(format!(
            "no folder `{section}` belongs into an addon: {}",
            words::one_of(section, &SECTIONS)
        )),
        [_, _] => Ok(()),
        [section, ..] => Err(format!(
            "the folder `{section}` is flat; move the file to `{section}/{}`",
            parts.last().copied().unwrap_or_default()
        )),
        [] => Err("the path is empty".to_owned()),
    }
}

/// What is to be said of a name that is none.
pub(crate) fn bad_name(name: &str) -> String {
    format!(
        "`{name}` is no file name of an addon: want at most 200 letters, digits, `-`, `.` and `_`, \
         starting with a letter or digit"
    )
}

/// `[A-Za-z0-9][-._A-Za-z0-9]*`, short enough for a ConfigMap key with a revision before it.
pub(crate) fn is_name(name: &str) -> bool {
    let first = name
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric());
    let rest = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    first && name.len() <= 200 && name.bytes().all(rest)
}

fn too_large(what: &str, is: usize, most: usize) -> String {
    format!("{what} has {is} bytes, and at most {most} are allowed")
}

fn finding(file: &str, message: String) -> Finding {
    Finding {
        file: file.to_owned(),
        line: None,
        column: None,
        message,
    }
}

#[cfg(test)]
mod tests;
