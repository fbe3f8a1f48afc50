//! The decompressed bytes of one gzip member (RFC 1952), counted on both sides, and what is wrong
//! with it told apart from what is wrong with whoever hands us the bytes.

use super::{MAX_ARCHIVE_BYTES, Stop, refused};
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead as _, BufReader, Read};

/// The two bytes that every gzip member begins with.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A decompressed stream of at most [`MAX_ARCHIVE_BYTES`], from at most as many.
pub(super) struct Gzip<R> {
    decoder: GzDecoder<BufReader<Source<R>>>,
    read: u64,
}

impl<R: Read> Gzip<R> {
    pub(super) fn new(input: R) -> Self {
        let source = Source {
            input,
            // One more tells the end from too much.
            left: MAX_ARCHIVE_BYTES + 1,
            full: false,
            failure: None,
        };
        Self {
            decoder: GzDecoder::new(BufReader::new(source)),
            read: 0,
        }
    }

    /// Fills `buffer`; returns how many bytes there were, fewer only at the end.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Stop> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.decoder.read(rest) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.explain(&error)),
            }
        }
        self.read += filled as u64;
        if self.read > MAX_ARCHIVE_BYTES {
            return Err(too_large("decompressed, the archive"));
        }
        Ok(filled)
    }

    /// Nothing may follow the member.
    pub(super) fn end(&mut self) -> Result<(), Stop> {
        let rest = match self.decoder.get_mut().fill_buf() {
            Ok(rest) => rest,
            Err(error) => return Err(self.explain(&error)),
        };
        if rest.is_empty() {
            return Ok(());
        }
        Err(refused(if rest.starts_with(&MAGIC) {
            "a second gzip member follows the first; compress one tar archive once"
        } else {
            "something follows the end of the gzip stream; pack the addon again"
        }))
    }

    fn explain(&mut self, error: &io::Error) -> Stop {
        let begun = self.read > 0 || self.decoder.header().is_some();
        let source = self.decoder.get_mut().get_mut();
        if let Some(failure) = source.failure.take() {
            return Stop::Unreadable(failure);
        }
        if source.full {
            return too_large("the archive");
        }
        refused(match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                "the gzip stream ends too early: the archive is not whole".to_owned()
            }
            _ if begun => format!("the gzip stream is damaged: {error}"),
            _ => "no gzip: want a tar archive in gzip, as `kubectl middleware addon package` \
                  writes it"
                .to_owned(),
        })
    }
}

fn too_large(what: &str) -> Stop {
    refused(format!(
        "{what} has more than {MAX_ARCHIVE_BYTES} bytes, which is the most"
    ))
}

/// The caller's bytes, so many and no more; a failure of the caller's is kept, for the decoder
/// passes on no more than that there was one.
struct Source<R> {
    input: R,
    left: u64,
    full: bool,
    failure: Option<io::Error>,
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        let most = buffer.len().min(room);
        let read = self.input.read(&mut buffer[..most]).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failure = Some(error);
            }
            kind
        })?;
        self.left -= read as u64;
        self.full = self.left == 0;
        if self.full {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(read)
    }
}
