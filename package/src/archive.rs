//! An addon as one file: a tar archive in gzip.
//!
//! In: a [`Tree`](crate::Tree), or the bytes of an archive that somebody else fetched. Out: an archive whose bytes
//! depend on the tree's alone, or the tree that the archive holds, the same as from a directory or
//! from Git. Nothing is written anywhere but to what the caller hands in.
//!
//! # What [`unpack`] takes
//!
//! One gzip member that holds one tar archive (v7, ustar, GNU, PAX) of files and folders. Modes,
//! times, owners, order and folders are no input. Names may begin with `./`, and be as long as a PAX
//! or GNU header says. Where everything lies in one folder beside nothing else, as `git archive
//! --prefix`, `oras push` and forges pack it, and `addon.yaml` stands in that folder, the folder is
//! taken off. What a directory or Git leaves out, a name of which a part begins with a dot, is left
//! out here too.
//!
//! # What it refuses
//!
//! Absolute paths, `..`, `.` and empty segments; links, devices, pipes and sparse files; names that
//! are not UTF-8, that come twice, or that differ in case only; headers that say two things of one
//! file; whatever stands after the end, and what ends too early. It reads as a stream, and stops at
//! the first byte above its bounds: [`MAX_BYTES`](crate::tree::MAX_BYTES) of files,
//! [`MAX_FILES`](crate::tree::MAX_FILES) and [`MAX_ARCHIVE_BYTES`] in all, before and after
//! decompression; nothing of a file above [`MAX_FILE_BYTES`](crate::tree::MAX_FILE_BYTES) is kept.

mod gzip;
mod name;
mod pack;
mod pax;
mod unpack;

pub use pack::pack;
pub use unpack::unpack;

use crate::{Finding, check::words};
use std::io;

/// The most bytes of an archive, as it comes and as decompressed: the files, and for each of them
/// headers, a long name and padding.
pub const MAX_ARCHIVE_BYTES: u64 = 128 << 20;

/// There is no tree.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The archive is no addon's, whoever reads it.
    #[error("{}", words::lines(.0))]
    Refused(Vec<Finding>),
    /// The bytes of the archive could not be had; ask again later.
    #[error("the archive could not be read: {0}")]
    Unreadable(#[source] io::Error),
}

/// Why reading ends before the archive does.
enum Stop {
    Refused(Finding),
    Unreadable(io::Error),
}

/// What is wrong with the archive as a whole.
fn refused(message: impl Into<String>) -> Stop {
    Stop::Refused(Finding {
        message: message.into(),
        ..Finding::default()
    })
}
