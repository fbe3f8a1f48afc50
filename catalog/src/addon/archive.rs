//! An addon as one file: a tar archive in gzip whose bytes depend on the addon's alone.
//!
//! Order of paths, time 0, owner 0, mode 0755 below `scripts/` and 0644 elsewhere, no folders; gzip
//! without name and time. The same tree gives the same archive by the same release.

use flate2::{Compression, GzBuilder};
use package::{Tree, tree::SCRIPTS_PREFIX};
use std::io::{self, Write as _};

/// The archive of `tree`.
///
/// # Errors
/// A path does not fit a tar header; a valid addon has none such.
pub(super) fn archive(tree: &Tree) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in tree.files() {
        let mut header = header(path, bytes.len() as u64);
        tar.append_data(&mut header, path, bytes)?;
    }
    // 255: made on no system in particular (RFC 1952, section 2.3.1).
    let mut gzip = GzBuilder::new()
        .operating_system(255)
        .mtime(0)
        .write(Vec::new(), Compression::best());
    gzip.write_all(&tar.into_inner()?)?;
    gzip.finish()
}

fn header(path: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    let executable = path.starts_with(SCRIPTS_PREFIX);
    header.set_mode(if executable { 0o755 } else { 0o644 });
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn the_order_of_files_is_no_input_and_scripts_can_run() {
        let files = [
            ("scripts/b.sh", "b"),
            ("addon.yaml", "a"),
            ("templates/c", "c"),
        ];
        let tree = |files: &[(&str, &str)]| {
            let files = files.iter();
            Tree::from_files(files.map(|(p, b)| ((*p).to_owned(), b.as_bytes().to_vec()))).unwrap()
        };
        let one = archive(&tree(&files)).unwrap();
        let turned: Vec<_> = files.into_iter().rev().collect();
        assert_eq!(one, archive(&tree(&turned)).unwrap());

        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&one[..])
            .read_to_end(&mut plain)
            .unwrap();
        let mut tar = tar::Archive::new(&plain[..]);
        let entries: Vec<_> = tar
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                let path = entry.path().unwrap().display().to_string();
                (path, header.mode().unwrap(), header.mtime().unwrap())
            })
            .collect();
        let entry = |path: &str, mode| (path.to_owned(), mode, 0);
        assert_eq!(
            entries,
            [
                entry("addon.yaml", 0o644),
                entry("scripts/b.sh", 0o755),
                entry("templates/c", 0o644)
            ]
        );
    }
}
