//! Inputs: the committed ones, and changes of them that keep most of their structure.

use crate::Target;
use arbitrary::{Result, Unstructured};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The longest input that is made.
const MAX_BYTES: usize = 256 << 10;
/// Numbers at which readers differ or overflow.
const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "-1",
    "00",
    "014",
    "0o14",
    "0x1F",
    "1e3",
    "1_000",
    "255",
    "256",
    "65536",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
];

/// The inputs of one target that are worth changing.
pub struct Corpus {
    /// The inputs; never empty.
    pub inputs: Vec<Vec<u8>>,
    /// Words of its language.
    pub words: Arc<[String]>,
}

impl Corpus {
    /// Where the inputs of `target` lie.
    pub fn folder(target: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(target)
    }

    /// The committed inputs of `target`, by name.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn committed(target: Target) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut inputs = (target.more)();
        for entry in fs::read_dir(Self::folder(target.name))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            inputs.push((name.to_string_lossy().into_owned(), fs::read(&path)?));
        }
        inputs.sort();
        Ok(inputs)
    }

    /// One of the inputs.
    pub fn one(&self, u: &mut Unstructured<'_>) -> Result<&[u8]> {
        u.choose(&self.inputs).map(Vec::as_slice)
    }

    /// One of the inputs with a few changes.
    pub fn changed(&self, u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
        let mut bytes = self.one(u)?.to_vec();
        for _ in 0..u.int_in_range(1..=4)? {
            self.change(u, &mut bytes)?;
            bytes.truncate(MAX_BYTES);
        }
        Ok(bytes)
    }

    fn change(&self, u: &mut Unstructured<'_>, bytes: &mut Vec<u8>) -> Result<()> {
        match u.int_in_range(0..=11)? {
            0 => {
                let word = self.word(u)?.as_bytes();
                insert(u, bytes, word)
            }
            1 | 2 => {
                let token = token(u, bytes)?;
                bytes.splice(token, self.word(u)?.bytes());
                Ok(())
            }
            3 => {
                let token = token(u, bytes)?;
                bytes.splice(token, u.choose(&NUMBERS)?.bytes());
                Ok(())
            }
            4 => {
                let span = span(u, bytes, 16)?;
                bytes.drain(span);
                Ok(())
            }
            5 => {
                let line = line(u, bytes)?;
                let copy = bytes[line.clone()].to_vec();
                bytes.splice(line.end..line.end, copy);
                Ok(())
            }
            6 => {
                let line = line(u, bytes)?;
                bytes.drain(line);
                Ok(())
            }
            7 => {
                let (from, to) = (line(u, bytes)?, line(u, bytes)?);
                let moved = bytes[from].to_vec();
                bytes.splice(to.start..to.start, moved);
                Ok(())
            }
            8 => {
                let start = line(u, bytes)?.start;
                let blank = bytes.get(start) == Some(&b' ');
                match u.arbitrary()? {
                    true if blank => drop(bytes.drain(start..start + 1)),
                    _ => drop(bytes.splice(start..start, *b"  ")),
                }
                Ok(())
            }
            9 => {
                let place = place(u, bytes)?;
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 1 << u.int_in_range(0..=7)?;
                }
                Ok(())
            }
            10 => {
                let other = self.one(u)?;
                let (here, there) = (place(u, bytes)?, place(u, other)?);
                bytes.truncate(here);
                bytes.extend_from_slice(&other[there..]);
                Ok(())
            }
            _ => {
                let span = span(u, bytes, 24)?;
                let copies = bytes[span.clone()].repeat(u.int_in_range(1..=64)?);
                bytes.splice(span.end..span.end, copies);
                Ok(())
            }
        }
    }

    fn word(&self, u: &mut Unstructured<'_>) -> Result<&str> {
        u.choose(&self.words).map(String::as_str)
    }
}

type Span = std::ops::Range<usize>;

fn place(u: &mut Unstructured<'_>, bytes: &[u8]) -> Result<usize> {
    u.int_in_range(0..=bytes.len())
}

fn insert(u: &mut Unstructured<'_>, bytes: &mut Vec<u8>, what: &[u8]) -> Result<()> {
    let place = place(u, bytes)?;
    bytes.splice(place..place, what.iter().copied());
    Ok(())
}

fn span(u: &mut Unstructured<'_>, bytes: &[u8], most: usize) -> Result<Span> {
    let start = place(u, bytes)?;
    Ok(start..(start + u.int_in_range(1..=most)?).min(bytes.len()))
}

/// A run of letters, digits and what stands within numbers and versions.
fn token(u: &mut Unstructured<'_>, bytes: &[u8]) -> Result<Span> {
    let start = place(u, bytes)?;
    let within = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
    let back = bytes[..start]
        .iter()
        .rev()
        .take_while(|b| within(b))
        .count();
    let on = bytes[start..].iter().take_while(|b| within(b)).count();
    Ok(start - back..start + on)
}

/// A line with its end.
fn line(u: &mut Unstructured<'_>, bytes: &[u8]) -> Result<Span> {
    let place = place(u, bytes)?;
    let before = bytes[..place].iter().rposition(|b| *b == b'\n');
    let after = bytes[place..].iter().position(|b| *b == b'\n');
    Ok(before.map_or(0, |at| at + 1)..after.map_or(bytes.len(), |at| place + at + 1))
}
