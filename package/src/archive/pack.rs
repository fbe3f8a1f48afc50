//! The archive of a tree.
//!
//! Order of paths, time 0, owner 0, mode 0755 below `scripts/` and 0644 elsewhere, no folders; gzip
//! without name and time. The same tree gives the same archive by the same release.

use crate::tree::{SCRIPTS_PREFIX, Tree};
use flate2::{Compression, GzBuilder};
use std::io::{self, Write};

/// Made on no system in particular (RFC 1952, section 2.3.1).
const NO_SYSTEM: u8 = 255;

/// Writes the archive of `tree` to `out`, and returns that.
///
/// # Errors
/// What `out` says.
pub fn pack<W: Write>(tree: &Tree, out: W) -> io::Result<W> {
    let gzip = GzBuilder::new()
        .operating_system(NO_SYSTEM)
        .mtime(0)
        .write(out, Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for (path, bytes) in tree.files() {
        tar.append_data(&mut header(path, bytes.len() as u64), path, bytes)?;
    }
    tar.into_inner()?.finish()
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
