//! The tree digest (design.md, section 3): SHA-256 over a framing that names every file once.
//!
//! In: paths and bytes, ordered by path. Out: [`api::Digest`]. Modes, times and the place that the
//! bytes came from are no input.

use api::Digest;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The first line of the framing: its version.
const HEADER: &[u8] = b"paamesh-tree-v1\n";

/// The digest of `files`, which must come in byte order of their paths: the header line, then for
/// each file path, NUL, size in decimal, NUL, bytes.
pub(crate) fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Digest {
    let mut hash = Sha256::new();
    hash.update(HEADER);
    for (path, bytes) in files {
        hash.update(path.as_bytes());
        hash.update(b"\0");
        hash.update(bytes.len().to_string().as_bytes());
        hash.update(b"\0");
        hash.update(bytes);
    }
    Digest::sha256(hash.finalize().into())
}

/// The digest of files of one section, framed as the tree digest is, with paths relative to the
/// section: `scripts/probe.sh` and `probe.sh` are the same file of the section `scripts`.
pub fn section_digest(files: &BTreeMap<&str, &[u8]>, section: &str) -> Digest {
    let names: BTreeMap<&str, &[u8]> = files
        .iter()
        .map(|(path, bytes)| (within(path, section), *bytes))
        .collect();
    of(names)
}

fn within<'a>(path: &'a str, section: &str) -> &'a str {
    path.strip_prefix(section)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_framing_is_the_published_one() {
        // printf 'paamesh-tree-v1\nREADME.md\0003\000hi\naddon.yaml\0000\000' | sha256sum
        let files: [(&str, &[u8]); 2] = [("README.md", b"hi\n"), ("addon.yaml", b"")];
        assert_eq!(of(files).to_string(), include_str!("digest.known").trim());
    }

    #[test]
    fn a_section_is_digested_without_its_prefix() {
        let full = BTreeMap::from([("scripts/a", &b"1"[..])]);
        let short = BTreeMap::from([("a", &b"1"[..])]);
        assert_eq!(
            section_digest(&full, "scripts"),
            section_digest(&short, "scripts")
        );
    }
}
