//! Archives made header by header, as no well-meaning program makes them.

use flate2::{Compression, write::GzEncoder};
use std::io::{self, Read, Write as _};

const BLOCK: usize = 512;

/// A tar archive in the making.
#[derive(Clone, Default)]
pub struct Forge {
    bytes: Vec<u8>,
    /// Of the entries that follow.
    pub mode: u32,
    pub mtime: u64,
    pub owner: u64,
    /// GNU's magic in place of ustar's.
    pub gnu: bool,
}

impl Forge {
    pub fn new() -> Self {
        Self {
            mode: 0o644,
            ..Self::default()
        }
    }

    /// An entry of any type, whose header says `size` whatever `data` is.
    pub fn entry(&mut self, kind: u8, name: &[u8], size: u64, data: &[u8]) -> &mut Self {
        let mut header = if self.gnu {
            tar::Header::new_gnu()
        } else {
            tar::Header::new_ustar()
        };
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_mode(self.mode);
        header.set_mtime(self.mtime);
        header.set_uid(self.owner);
        header.set_gid(self.owner);
        header.set_size(size);
        let old = header.as_old_mut();
        let fits = name.len().min(old.name.len());
        old.name[..fits].copy_from_slice(&name[..fits]);
        self.header(&mut header);
        self.data(data)
    }

    /// The header with its checksum.
    pub fn header(&mut self, header: &mut tar::Header) -> &mut Self {
        header.set_cksum();
        self.raw(header.as_bytes())
    }

    /// Bytes, filled up to a whole block.
    pub fn data(&mut self, data: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(data);
        let whole = self.bytes.len().next_multiple_of(BLOCK);
        self.bytes.resize(whole, 0);
        self
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A file; a name that does not fit comes before it.
    pub fn file(&mut self, name: &str, data: &[u8]) -> &mut Self {
        if name.len() > 100 {
            self.long_name(name.as_bytes());
        }
        self.entry(b'0', name.as_bytes(), data.len() as u64, data)
    }

    pub fn folder(&mut self, name: &str) -> &mut Self {
        self.entry(b'5', format!("{name}/").as_bytes(), 0, b"")
    }

    pub fn link(&mut self, kind: u8, name: &str, target: &str) -> &mut Self {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_size(0);
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_link_name_literal(target).unwrap();
        self.header(&mut header)
    }

    /// GNU's name of the next entry.
    pub fn long_name(&mut self, name: &[u8]) -> &mut Self {
        let data = [name, b"\0"].concat();
        self.entry(b'L', b"././@LongLink", data.len() as u64, &data)
    }

    /// What a PAX header says of the next entry.
    pub fn pax(&mut self, records: &[(&str, &[u8])]) -> &mut Self {
        let data = pax_records(records);
        self.entry(b'x', b"PaxHeaders/x", data.len() as u64, &data)
    }

    /// What a global PAX header says of every entry.
    pub fn global(&mut self, records: &[(&str, &[u8])]) -> &mut Self {
        let data = pax_records(records);
        self.entry(b'g', b"pax_global_header", data.len() as u64, &data)
    }

    /// The archive without compression.
    pub fn plain(&self) -> Vec<u8> {
        [&self.bytes[..], &[0; 2 * BLOCK]].concat()
    }

    /// What was written so far, without an end.
    pub fn unended(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    pub fn gzip(&self) -> Vec<u8> {
        gzip(&self.plain())
    }
}

fn pax_records(records: &[(&str, &[u8])]) -> Vec<u8> {
    let mut data = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let mut length = rest;
        while length != rest + length.to_string().len() {
            length = rest + length.to_string().len();
        }
        data.extend_from_slice(format!("{length} {key}=").as_bytes());
        data.extend_from_slice(value);
        data.push(b'\n');
    }
    data
}

pub fn gzip(plain: &[u8]) -> Vec<u8> {
    gzip_at(plain, Compression::fast())
}

pub fn gzip_at(plain: &[u8], level: Compression) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), level);
    gzip.write_all(plain).unwrap();
    gzip.finish().unwrap()
}

/// A gzip stream without end: a beginning, and then the same part for ever. A part is whole deflate
/// blocks that refer to nothing before them.
pub struct Endless {
    beginning: Vec<u8>,
    part: Vec<u8>,
    read: usize,
}

impl Endless {
    /// Files of so many zeros.
    pub fn of_files(size: usize) -> Self {
        let mut forge = Forge::new();
        forge.file("templates/a", &vec![0; size]);
        Self::of(&[], &forge.unended())
    }

    pub fn of_folders() -> Self {
        Self::of(&[], &Forge::new().folder("templates").unended())
    }

    /// Stored blocks of no bytes.
    pub fn of_nothing() -> Self {
        let mut endless = Self::of(&[], &[]);
        endless.part = [0, 0, 0, 0xff, 0xff].repeat(1000);
        endless
    }

    /// An archive and zeros after it.
    pub fn of_zeros() -> Self {
        let whole = Forge::new().file("addon.yaml", b"x").plain();
        Self::of(&whole, &vec![0; 1 << 20])
    }

    fn of(beginning: &[u8], part: &[u8]) -> Self {
        let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        Self {
            beginning: [&header[..], &deflated(beginning)].concat(),
            part: deflated(part),
            read: 0,
        }
    }
}

/// Deflate blocks up to a byte's end, and none of them the last.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut deflate = flate2::Compress::new(Compression::best(), false);
    let mut out = Vec::with_capacity(bytes.len() + 1024);
    deflate
        .compress_vec(bytes, &mut out, flate2::FlushCompress::Full)
        .unwrap();
    assert_eq!(deflate.total_in(), bytes.len() as u64);
    out
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let from = match self.beginning.get(self.read..).filter(|b| !b.is_empty()) {
            Some(beginning) => beginning,
            None => &self.part[(self.read - self.beginning.len()) % self.part.len()..],
        };
        let read = from.len().min(buffer.len());
        buffer[..read].copy_from_slice(&from[..read]);
        self.read += read;
        Ok(read)
    }
}
