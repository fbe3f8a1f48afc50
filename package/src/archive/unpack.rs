//! The tree that an archive holds, read block by block: what each header says is checked before a
//! byte that follows it is kept.
//!
//! The fields of a header are read by the crate `tar`; which headers there may be, and what they may
//! say together, is decided here, because readers that differ in it see different files.

use super::{
    Stop, UnpackError,
    gzip::Gzip,
    name::{Place, place, shown},
    pax::Records,
    refused,
};
use crate::{
    Finding,
    check::words,
    manifest,
    tree::{MAX_BYTES, MAX_FILE_BYTES, MAX_FILES, Tree},
};
use std::io::Read;
use tar::{EntryType, Header};

const BLOCK: usize = 512;
const FOLDER: &str = "a folder";
const NOTHING: [u8; BLOCK] = [0; BLOCK];
/// The most headers: each file may come with another one for its name, and with a folder.
const MAX_HEADERS: usize = 4 * MAX_FILES;
/// The most bytes of what a header says of the next one.
const MAX_EXTENSION_BYTES: u64 = 64 << 10;
/// The most findings: more helps nobody.
const MOST: usize = 50;

/// The tree in the archive `input`; see [the module](super) for what is taken and what refused.
///
/// # Errors
/// [`UnpackError::Refused`] names every entry at fault, as far as the archive can be read;
/// [`UnpackError::Unreadable`] is what `input` said.
pub fn unpack(input: impl Read) -> Result<Tree, UnpackError> {
    let mut archive = Archive::new(input);
    let read = archive.read();
    let Archive {
        files,
        mut findings,
        ..
    } = archive;
    match read {
        Err(Stop::Unreadable(error)) => return Err(UnpackError::Unreadable(error)),
        Err(Stop::Refused(finding)) => {
            findings.push(finding);
            return Err(UnpackError::Refused(words::told(findings)));
        }
        Ok(()) => {}
    }
    match Tree::from_files(without_folder(files)) {
        Ok(tree) if findings.is_empty() => Ok(tree),
        Ok(_) => Err(UnpackError::Refused(words::told(findings))),
        Err(more) => {
            findings.extend(more);
            Err(UnpackError::Refused(words::told(findings)))
        }
    }
}

type Files = Vec<(String, Vec<u8>)>;

/// The files without the one folder in which all of them lie, where the manifest stands in it.
fn without_folder(files: Files) -> Files {
    let below = |folder: &str, path: &str| -> Option<String> {
        let rest = path.strip_prefix(folder)?.strip_prefix('/')?;
        Some(rest.to_owned())
    };
    let folder = files.iter().find_map(|(path, _)| {
        let (folder, file) = path.split_once('/')?;
        (file == manifest::FILE).then(|| folder.to_owned())
    });
    let folder = folder.filter(|folder| files.iter().all(|(p, _)| below(folder, p).is_some()));
    let Some(folder) = folder else {
        return files;
    };
    files
        .into_iter()
        .filter_map(|(path, bytes)| Some((below(&folder, &path)?, bytes)))
        .collect()
}

struct Archive<R> {
    input: Gzip<R>,
    files: Files,
    bytes: u64,
    headers: usize,
    findings: Vec<Finding>,
    /// What headers before it say of the next entry.
    next: Option<Next>,
    /// The name of the last header: what is wrong in no entry is wrong after it.
    last: Vec<u8>,
}

/// What headers before it say of an entry.
#[derive(Default)]
struct Next {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    pax: bool,
}

impl<R: Read> Archive<R> {
    fn new(input: R) -> Self {
        Self {
            input: Gzip::new(input),
            files: Vec::new(),
            bytes: 0,
            headers: 0,
            findings: Vec::new(),
            next: None,
            last: Vec::new(),
        }
    }

    fn read(&mut self) -> Result<(), Stop> {
        while let Some(header) = self.header()? {
            self.entry(&header)?;
            if self.findings.len() >= MOST {
                return Err(refused("more is wrong than is said here"));
            }
        }
        if self.next.is_some() {
            return Err(at(&self.last, "a header for a file that does not follow"));
        }
        self.end()
    }

    /// The next header; nothing at the mark of the end, two blocks of zeros.
    fn header(&mut self) -> Result<Option<Header>, Stop> {
        let mut header = Header::new_old();
        self.block(header.as_mut_bytes())?;
        if *header.as_bytes() == NOTHING {
            self.block(header.as_mut_bytes())?;
            if *header.as_bytes() != NOTHING {
                return Err(refused(
                    "something follows the end of the tar archive; pack the addon again",
                ));
            }
            return Ok(None);
        }
        self.headers += 1;
        if self.headers > MAX_HEADERS {
            return Err(refused(format!(
                "more than {MAX_HEADERS} entries, which is the most"
            )));
        }
        if !is_sound(&header) {
            return Err(match self.headers {
                1 => refused("no tar archive is in the gzip stream"),
                _ => at(&self.last, "the header after it is damaged"),
            });
        }
        self.last = header.path_bytes().into_owned();
        Ok(Some(header))
    }

    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<(), Stop> {
        if self.input.fill(block)? < BLOCK {
            return Err(self.too_short());
        }
        Ok(())
    }

    fn entry(&mut self, header: &Header) -> Result<(), Stop> {
        match header.entry_type() {
            EntryType::XHeader => self.pax(header),
            EntryType::XGlobalHeader => self.global(header),
            EntryType::GNULongName => self.long_name(header),
            // A link's, which is refused itself.
            EntryType::GNULongLink => {
                self.next.get_or_insert_default();
                self.extension(header).map(drop)
            }
            _ => self.content(header),
        }
    }

    fn pax(&mut self, header: &Header) -> Result<(), Stop> {
        let records = self.records(header)?;
        if records.sparse {
            return Err(at(&self.last, "a sparse file; put the file itself there"));
        }
        if let Some(path) = records.path {
            self.name(path)?;
        }
        let next = self.next.get_or_insert_default();
        if next.pax {
            return Err(at(&self.last, "a second PAX header for one file"));
        }
        next.pax = true;
        next.size = records.size;
        Ok(())
    }

    fn global(&mut self, header: &Header) -> Result<(), Stop> {
        if self.next.is_some() {
            let message = "a global PAX header between another header and its file";
            return Err(at(&self.last, message));
        }
        if self.records(header)?.is_empty() {
            return Ok(());
        }
        Err(at(
            &self.last,
            "a global PAX header with the path, size or link of every file; pack the addon again",
        ))
    }

    fn records(&mut self, header: &Header) -> Result<Records, Stop> {
        let data = self.extension(header)?;
        Records::parse(&data).map_err(|message| at(&self.last, message))
    }

    fn long_name(&mut self, header: &Header) -> Result<(), Stop> {
        let mut name = self.extension(header)?;
        let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
        name.truncate(end);
        self.name(name)
    }

    /// Remembers the name of the next entry.
    fn name(&mut self, path: Vec<u8>) -> Result<(), Stop> {
        let next = self.next.get_or_insert_default();
        match next.path.replace(path) {
            None => Ok(()),
            Some(other) => Err(at(&other, "a second header names the same file")),
        }
    }

    /// What a header says of the next one.
    fn extension(&mut self, header: &Header) -> Result<Vec<u8>, Stop> {
        let size = size(header)?;
        if size > MAX_EXTENSION_BYTES {
            let message =
                format!("a header of {size} bytes, and at most {MAX_EXTENSION_BYTES} are allowed");
            return Err(at(&self.last, &message));
        }
        self.data(size)
    }

    fn content(&mut self, header: &Header) -> Result<(), Stop> {
        let next = self.next.take().unwrap_or_default();
        let name = next
            .path
            .unwrap_or_else(|| header.path_bytes().into_owned());
        let size = size(header)?;
        if next.size.is_some_and(|other| other != size) {
            return Err(at(&name, "its headers say two sizes"));
        }
        let (what, advice) = match header.entry_type() {
            // So v7 writes folders.
            EntryType::Regular if name.ends_with(b"/") => (FOLDER, ""),
            EntryType::Regular => return self.file(&name, size),
            EntryType::Directory => (FOLDER, ""),
            EntryType::Symlink => ("a symbolic link", "put the file itself here"),
            EntryType::Link => ("a hard link", "put the file itself here"),
            EntryType::Char | EntryType::Block => ("a device", "take it away"),
            EntryType::Fifo => ("a named pipe", "take it away"),
            EntryType::GNUSparse => {
                return Err(at(&name, "a sparse file; put the file itself there"));
            }
            // What follows such a header is not known, so that nothing after it can be read.
            _ => {
                let message = "an entry of an unknown type; pack the addon again";
                return Err(at(&name, message));
            }
        };
        if size > 0 {
            return Err(at(&name, &format!("{what} with content")));
        }
        match place(&name) {
            Err(message) => self.note(&name, message),
            Ok(Place::At(_)) if what != FOLDER => {
                self.note(&name, format!("{what}; {advice}"));
            }
            Ok(_) => {}
        }
        Ok(())
    }

    fn file(&mut self, name: &[u8], size: u64) -> Result<(), Stop> {
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > MAX_BYTES as u64 {
            return Err(at(
                name,
                &format!("with it the files have more than {MAX_BYTES} bytes, which is the most"),
            ));
        }
        match place(name) {
            Err(message) => self.note(name, message),
            Ok(Place::Nowhere) => {}
            Ok(Place::At(_)) if size > MAX_FILE_BYTES as u64 => self.note(
                name,
                format!("the file has {size} bytes, and at most {MAX_FILE_BYTES} are allowed"),
            ),
            Ok(Place::At(_)) if self.files.len() == MAX_FILES => {
                let message = format!("with it there are more than {MAX_FILES} files");
                return Err(at(name, &message));
            }
            Ok(Place::At(path)) => {
                let bytes = self.data(size)?;
                self.files.push((path, bytes));
                return Ok(());
            }
        }
        self.skip(size)
    }

    /// The content of `size` bytes, and past what fills its last block.
    fn data(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        let size = usize::try_from(size).map_err(|_| self.too_short())?;
        let mut data = vec![0; size];
        if self.input.fill(&mut data)? < size {
            return Err(self.too_short());
        }
        let rest = size.next_multiple_of(BLOCK) - size;
        if self.input.fill(&mut [0; BLOCK][..rest])? < rest {
            return Err(self.too_short());
        }
        Ok(data)
    }

    /// Past the content of `size` bytes.
    fn skip(&mut self, size: u64) -> Result<(), Stop> {
        for _ in 0..size.div_ceil(BLOCK as u64) {
            self.block(&mut [0; BLOCK])?;
        }
        Ok(())
    }

    /// Past the zeros that fill the archive's last record, to its very end.
    fn end(&mut self) -> Result<(), Stop> {
        let mut rest = [0; BLOCK];
        loop {
            let read = self.input.fill(&mut rest)?;
            if rest.iter().take(read).any(|b| *b != 0) {
                return Err(refused(
                    "something follows the end of the tar archive; pack the addon again",
                ));
            }
            if read < BLOCK {
                return self.input.end();
            }
        }
    }

    fn too_short(&self) -> Stop {
        let message = "the tar archive ends too early: it is not whole";
        match self.headers {
            0 => refused(message),
            _ => at(&self.last, &format!("here {message}")),
        }
    }

    fn note(&mut self, name: &[u8], message: impl Into<String>) {
        self.findings.push(finding(name, message));
    }
}

/// The end of reading, at that entry.
fn at(name: &[u8], message: &str) -> Stop {
    Stop::Refused(finding(name, message))
}

/// Whether the checksum is right and the header of a kind that names files as we read them.
fn is_sound(header: &Header) -> bool {
    let bytes = header.as_bytes();
    let others = bytes[..148].iter().chain(&bytes[156..]);
    // The checksum is counted with blanks in its own place.
    let sum = others.map(|b| u32::from(*b)).sum::<u32>() + 8 * u32::from(b' ');
    let old = bytes[257..265] == [0; 8];
    let known = old || header.as_ustar().is_some() || header.as_gnu().is_some();
    known && header.cksum().is_ok_and(|said| said == sum)
}

fn size(header: &Header) -> Result<u64, Stop> {
    header
        .entry_size()
        .map_err(|_| at(&header.path_bytes(), "its size is no number"))
}

fn finding(name: &[u8], message: impl Into<String>) -> Finding {
    Finding {
        file: shown(name),
        message: message.into(),
        ..Finding::default()
    }
}
