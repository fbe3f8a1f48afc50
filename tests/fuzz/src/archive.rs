//! The unpacker: what it takes stays inside, within its bounds, packs and unpacks to the same tree,
//! and is what the crate `tar` reads; what it refuses, it refuses with a name.
//!
//! An input that is no gzip is a tar archive: its checksums are made right and it is compressed, so
//! that changes reach the reader of tar.

use crate::{
    Corpus, Target, ensure,
    forge::{Forge, gzip},
    hostile,
};
use arbitrary::{Result, Unstructured};
use package::{
    Tree,
    archive::{MAX_ARCHIVE_BYTES, UnpackError, pack, unpack},
    tree::{MAX_BYTES, MAX_FILE_BYTES, MAX_FILES, ROOT_FILES, SECTIONS},
};
use std::{collections::BTreeMap, io::Read};

pub(crate) const TARGET: Target = Target {
    name: "archive",
    make,
    check: holds,
    words,
    more: || {
        let archives = hostile::archives().into_iter();
        archives
            .map(|(name, archive)| (name.to_owned(), archive))
            .collect()
    },
};

const BLOCK: usize = 512;
const NAMES: [&str; 26] = [
    "addon.yaml",
    "README.md",
    "LICENSE",
    "Addon.yaml",
    "scripts/a",
    "scripts/A",
    "scripts/b.sh",
    "schema/main.cue",
    "templates/main.conf",
    "./addon.yaml",
    "./scripts/a",
    "scripts/",
    "templates",
    "./",
    "demo-1/addon.yaml",
    "demo-1/scripts/a",
    ".git/config",
    "scripts/.hidden",
    "../x",
    "scripts/../../x",
    "/etc/passwd",
    "scripts//a",
    "scripts/./a",
    "a\\b",
    "",
    "scripts/a\nb",
];
const KINDS: [u8; 19] = *b"0000000\x00125346LKxgS";
const KEYS: [&str; 9] = [
    "path",
    "size",
    "linkpath",
    "mtime",
    "comment",
    "GNU.sparse.major",
    "GNU.sparse.name",
    "SCHILY.realsize",
    "uid",
];

fn words() -> Vec<String> {
    let words = NAMES
        .into_iter()
        .chain(KEYS)
        .chain(["ustar\u{0}00", "ustar  \u{0}"]);
    words.map(str::to_owned).collect()
}

/// A tar archive of any entries in any order.
fn make(u: &mut Unstructured<'_>, _: &Corpus) -> Result<Vec<u8>> {
    let mut forge = Forge::new();
    if u.ratio(3, 4)? {
        forge.file("addon.yaml", b"kind: Addon\n");
    }
    for _ in 0..u.int_in_range(0..=8)? {
        forge.gnu = u.arbitrary()?;
        forge.mode = u.int_in_range(0..=0o7777)?;
        let name = *u.choose(&NAMES)?;
        let size = *u.choose(&[0, 1, 11, 511, 512, 513, 4096])?;
        match u.int_in_range(0..=9)? {
            0..=4 => drop_ref(forge.file(name, &vec![b'x'; size])),
            5 => {
                let keys = 0..u.int_in_range(0..=2)?;
                let records = keys
                    .map(|_| Ok((*u.choose(&KEYS)?, *u.choose(&NAMES)?)))
                    .collect::<Result<Vec<_>>>()?;
                let number = size.to_string();
                let records: Vec<(&str, &[u8])> = records
                    .iter()
                    .map(|(key, value)| {
                        (
                            *key,
                            if *key == "size" {
                                number.as_bytes()
                            } else {
                                value.as_bytes()
                            },
                        )
                    })
                    .collect();
                if u.ratio(1, 4)? {
                    forge.global(&records);
                } else {
                    forge.pax(&records);
                }
            }
            6 => drop_ref(forge.long_name(name.as_bytes())),
            _ => {
                let kind = *u.choose(&KINDS)?;
                let said = if u.ratio(3, 4)? {
                    size
                } else {
                    u.int_in_range(0..=2000)?
                };
                drop_ref(forge.entry(kind, name.as_bytes(), said as u64, &vec![b'1'; size]));
            }
        }
    }
    let mut plain = forge.plain();
    if u.ratio(1, 8)? {
        plain.truncate(u.int_in_range(0..=plain.len())?);
    }
    if u.ratio(1, 8)? {
        plain.extend(u.bytes(8.min(u.len()))?);
    }
    Ok(plain)
}

fn drop_ref(_: &mut Forge) {}

fn holds(input: &[u8]) -> std::result::Result<(), String> {
    let archive = if input.starts_with(&[0x1f, 0x8b]) {
        input.to_vec()
    } else {
        let mut plain = input.to_vec();
        mend(&mut plain);
        gzip(&plain)
    };
    let mut source = Counted {
        rest: &archive,
        read: 0,
    };
    let unpacked = unpack(&mut source);
    ensure!(
        source.read <= MAX_ARCHIVE_BYTES + 1,
        "{} bytes were read",
        source.read
    );
    match unpacked {
        Ok(tree) => taken(&tree, &archive),
        Err(UnpackError::Unreadable(error)) => {
            Err(format!("bytes in memory are unreadable: {error}"))
        }
        Err(UnpackError::Refused(findings)) => {
            ensure!(!findings.is_empty(), "refused without a finding");
            ensure!(
                findings.is_sorted(),
                "findings are not sorted: {findings:?}"
            );
            for finding in &findings {
                let shown = finding.to_string();
                ensure!(!finding.message.trim().is_empty(), "an empty message");
                ensure!(
                    finding.file.len() <= 512 && finding.message.len() <= 2048,
                    "too long: {shown}"
                );
                ensure!(
                    !shown.contains(char::is_control),
                    "a control character in {shown:?}"
                );
            }
            Ok(())
        }
    }
}

fn taken(tree: &Tree, archive: &[u8]) -> std::result::Result<(), String> {
    let mut bytes = 0;
    for (path, content) in tree.files() {
        ensure!(is_inside(path), "`{path}` is not inside");
        ensure!(
            content.len() <= MAX_FILE_BYTES,
            "`{path}` has {} bytes",
            content.len()
        );
        bytes += content.len();
    }
    ensure!(
        bytes <= MAX_BYTES && tree.files().count() <= MAX_FILES,
        "too much"
    );
    let again = pack(tree, Vec::new()).map_err(|error| format!("it does not pack: {error}"))?;
    let again = unpack(&again[..]).map_err(|error| format!("its archive is refused: {error}"))?;
    ensure!(
        again == *tree && again.digest() == tree.digest(),
        "packed, it is another tree"
    );
    let other = by_another_reader(archive)?;
    let ours: BTreeMap<_, _> = tree
        .files()
        .map(|(path, b)| (path.to_owned(), b.to_vec()))
        .collect();
    ensure!(
        ours == other,
        "we read {:?}, and another reader {:?}",
        ours.keys(),
        other.keys()
    );
    Ok(())
}

/// A file of the root, or one below a section: said again, without the code that is tested.
fn is_inside(path: &str) -> bool {
    let plain = path
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-._/".contains(c));
    let place = match path.split('/').collect::<Vec<_>>()[..] {
        [root] => ROOT_FILES.contains(&root),
        [section, name] => {
            SECTIONS.contains(&section) && !name.is_empty() && !name.starts_with(['.', '-', '_'])
        }
        _ => false,
    };
    plain && place
}

/// The visible files as the crate `tar` reads them, without the folder around them.
fn by_another_reader(archive: &[u8]) -> std::result::Result<BTreeMap<String, Vec<u8>>, String> {
    let failed = |error: std::io::Error| format!("another reader refuses it: {error}");
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let mut files = BTreeMap::new();
    for entry in tar.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let kind = entry.header().entry_type();
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
        let hidden = path.split('/').any(|part| part.starts_with('.'));
        if hidden || path.is_empty() || path.ends_with('/') || kind.is_pax_global_extensions() {
            continue;
        }
        if kind.is_dir() {
            continue;
        }
        ensure!(kind.is_file(), "another reader sees `{path}` as {kind:?}");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(failed)?;
        ensure!(
            files.insert(path.clone(), bytes).is_none(),
            "another reader sees `{path}` twice"
        );
    }
    let folder = files
        .keys()
        .find_map(|path| path.strip_suffix("/addon.yaml"))
        .map(|f| format!("{f}/"));
    Ok(match folder {
        Some(folder) if files.keys().all(|path| path.starts_with(&folder)) => files
            .into_iter()
            .map(|(path, bytes)| (path[folder.len()..].to_owned(), bytes))
            .collect(),
        _ => files,
    })
}

/// Makes the checksum of every header right, as far as sizes lead from one to the next.
fn mend(plain: &mut [u8]) {
    let mut at = 0;
    while let Some(block) = plain.get_mut(at..at + BLOCK) {
        let mut header = tar::Header::new_old();
        header.as_mut_bytes().copy_from_slice(block);
        header.set_cksum();
        let size = header.entry_size().unwrap_or(0);
        if block.iter().any(|b| *b != 0) {
            block.copy_from_slice(header.as_bytes());
        }
        let blocks = usize::try_from(size.div_ceil(BLOCK as u64)).unwrap_or(usize::MAX);
        at = at
            .saturating_add(BLOCK)
            .saturating_add(blocks.saturating_mul(BLOCK));
        if at > plain.len() {
            return;
        }
    }
}

struct Counted<'a> {
    rest: &'a [u8],
    read: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.rest.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}
