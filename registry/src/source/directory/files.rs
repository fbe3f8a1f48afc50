//! The files of a directory that its author works in, within bounds. As in a Git tree, names that begin
//! with a dot are left out, and symbolic links are refused.

use api::crd::source::Finding;
use std::{
    collections::BTreeMap,
    fs::{self, DirEntry},
    io::Read as _,
    path::Path,
};
use transport::collector::{
    Collector, Files, MANIFEST, MAX_FILE_BYTES, finding, is_visible, joined,
};

/// The most addons of one source.
const MAX_ADDONS: usize = 256;

/// An addon's directory.
pub(super) struct Addon {
    /// Below the source's directory; `.` for that itself.
    pub directory: String,
    /// Its files, or what cannot be part of an addon.
    pub files: Result<Files, Vec<Finding>>,
}

/// The addons in `root`: it, those in it, or those in folders in it.
pub(super) fn addons(root: &Path) -> Result<Vec<Addon>, String> {
    let mut found = BTreeMap::new();
    find(root, "", 2, &mut found).map_err(|error| format!("{}: {error}", root.display()))?;
    if found.is_empty() {
        let message = "no addon.yaml is there, nor one or two directories below it";
        let files = Err(vec![finding("", message)]);
        found.insert(".".to_owned(), files);
    }
    let addons = found.into_iter();
    Ok(addons
        .map(|(directory, files)| Addon { directory, files })
        .collect())
}

type Found = BTreeMap<String, Result<Files, Vec<Finding>>>;

fn find(at: &Path, name: &str, levels: usize, found: &mut Found) -> std::io::Result<()> {
    if at.join(MANIFEST).is_file() {
        let name = if name.is_empty() { "." } else { name };
        found.insert(name.to_owned(), read(at));
        return Ok(());
    }
    if levels == 0 || found.len() >= MAX_ADDONS {
        return Ok(());
    }
    for entry in sorted(at)? {
        let Some(below) = visible(&entry) else {
            continue;
        };
        if entry.file_type()?.is_dir() {
            // What goes away meanwhile is not there.
            let _ = find(&entry.path(), &joined(name, &below), levels - 1, found);
        }
    }
    Ok(())
}

/// The files of the addon at `root`, or everything in it that an addon cannot have.
pub(super) fn read(root: &Path) -> Result<Files, Vec<Finding>> {
    let mut collector = Collector::default();
    if let Err(error) = directory(&mut collector, root, "", 0) {
        collector.refuse("", format!("cannot be read: {error}"));
    }
    collector.finish()
}

fn directory(
    collector: &mut Collector,
    at: &Path,
    path: &str,
    depth: usize,
) -> std::io::Result<()> {
    if !collector.enters(path, depth) {
        return Ok(());
    }
    for entry in sorted(at)? {
        if collector.is_full() {
            return Ok(());
        }
        let Some(name) = visible(&entry) else {
            continue;
        };
        let (kind, path) = (entry.file_type()?, joined(path, &name));
        if entry.file_name().to_str().is_none() {
            collector.refuse(&path, "the file's name is not UTF-8");
        } else if kind.is_dir() {
            directory(collector, &entry.path(), &path, depth + 1)?;
        } else if kind.is_file() {
            file(collector, &entry.path(), &path);
        } else {
            let why = "neither a file nor a directory; put the file itself here";
            collector.refuse(&path, why);
        }
    }
    Ok(())
}

fn file(collector: &mut Collector, at: &Path, path: &str) {
    // It may grow while it is read.
    let read = fs::File::open(at).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    match read {
        Ok(bytes) if collector.admits(path, bytes.len() as u64) => collector.add(path, bytes),
        Ok(_) => {}
        // An editor saves by renaming: it is there again in a moment.
        Err(error) => collector.refuse(path, format!("cannot be read: {error}")),
    }
}

fn sorted(at: &Path) -> std::io::Result<Vec<DirEntry>> {
    let mut entries = fs::read_dir(at)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

/// The entry's name, unless it begins with a dot.
fn visible(entry: &DirEntry) -> Option<String> {
    let name = entry.file_name().to_string_lossy().into_owned();
    is_visible(&name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, bytes: &[u8]) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn names(root: &Path) -> Vec<String> {
        let addons = addons(root).unwrap();
        addons.into_iter().map(|addon| addon.directory).collect()
    }

    #[test]
    fn an_addon_or_a_folder_of_addons_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        write(root, "a/addon.yaml", b"");
        write(root, "b/1.0.0/addon.yaml", b"");
        write(root, ".hidden/addon.yaml", b"");
        write(root, "c/d/e/addon.yaml", b"");
        assert_eq!(names(root), ["a", "b/1.0.0"]);
        assert_eq!(names(&root.join("a")), ["."]);
        let nothing = addons(&root.join(".hidden/..").join("c/d/e/..")).unwrap();
        assert!(nothing[0].files.is_ok(), "one below");
        let nothing = addons(&root.join("c")).unwrap();
        assert!(nothing[0].files.is_ok(), "two below");
        fs::create_dir(root.join("empty")).unwrap();
        assert!(addons(&root.join("empty")).unwrap()[0].files.is_err());
    }

    #[test]
    fn files_are_read_in_order_without_what_is_hidden() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for path in ["addon.yaml", "scripts/b", "scripts/a", ".swp", "scripts/.x"] {
            write(root, path, path.as_bytes());
        }
        let files = read(root).unwrap();
        let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["addon.yaml", "scripts/a", "scripts/b"]);
        assert_eq!(files[1].1, b"scripts/a");
    }

    #[test]
    fn what_no_addon_can_have_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        write(root, "large", &vec![0; (MAX_FILE_BYTES + 1) as usize]);
        std::os::unix::fs::symlink("large", root.join("link")).unwrap();
        let findings = read(root).unwrap_err();
        let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(told[0].starts_with("large: more than"), "{told:?}");
        assert!(told[1].starts_with("link: neither a file"), "{told:?}");
    }
}
