//! Files that change in one step: a reader sees the old content or the new, never a part.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Replaces the file at `path`, or makes it, with `mode` whatever the umask is. Each path has one
/// writer: the name of the file in between is fixed, so that what a crash left is overwritten.
///
/// # Errors
/// Whatever the file system says; `path` is then as it was.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let between = between(path);
    remove(&between)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&between)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.set_permissions(Permissions::from_mode(mode)))
        .and_then(|()| fs::rename(&between, path));
    if written.is_err() {
        let _ = fs::remove_file(&between);
    }
    written
}

/// As [`replace`], but leaves alone a file that already has this content and mode. Answers whether
/// it wrote.
///
/// # Errors
/// As [`replace`].
pub fn settle(path: &Path, content: &[u8], mode: u32) -> io::Result<bool> {
    if holds(path, content, mode) {
        return Ok(false);
    }
    replace(path, content, mode).map(|()| true)
}

/// Removes what is at `path`; nothing there is fine.
///
/// # Errors
/// Whatever the file system says.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The size is asked first: most differences are found without reading the file.
fn holds(path: &Path, content: &[u8], mode: u32) -> bool {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return false;
    };
    metadata.is_file()
        && metadata.len() == content.len() as u64
        && metadata.permissions().mode() & 0o7777 == mode
        && fs::read(path).is_ok_and(|found| found == content)
}

fn between(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_only_file_is_replaced_and_what_a_crash_left_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("probe.sh");
        fs::write(between(&path), "half of it").unwrap();
        fs::set_permissions(between(&path), Permissions::from_mode(0o400)).unwrap();
        replace(&path, b"one", 0o555).unwrap();
        replace(&path, b"two", 0o555).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o555
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_settled_file_is_written_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("redis.conf");
        assert!(settle(&path, b"port 6379", 0o444).unwrap());
        assert!(!settle(&path, b"port 6379", 0o444).unwrap());
        assert!(
            settle(&path, b"port 6380", 0o444).unwrap(),
            "the same size, other bytes"
        );
        assert!(settle(&path, b"port 6380", 0o555).unwrap(), "another mode");
    }
}
