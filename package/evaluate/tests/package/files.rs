//! The files of a folder.

use std::{collections::BTreeMap, fs, path::Path};

/// Files by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Every file below `folder`, by its path relative to that.
pub fn below(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let relative = path.strip_prefix(folder).unwrap().to_str().unwrap();
                files.insert(relative.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}
