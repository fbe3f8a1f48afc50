//! Archives: what is packed reads back, whatever made the archive; what hostile ones are told.
//!
//! `golden/archive/hostile.md` is the table of hostile archive → message.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests stand beside them here"
)]

#[path = "archive/forge.rs"]
mod forge;
#[path = "archive/hostile.rs"]
mod hostile;

use flate2::Compression;
use forge::{Forge, gzip};
use package::{
    Tree,
    archive::{MAX_ARCHIVE_BYTES, UnpackError, pack, unpack},
    tree::{MAX_BYTES, MAX_FILE_BYTES, MAX_FILES},
};
use proptest::{collection::vec, prelude::*};
use std::{
    collections::BTreeMap,
    io::{self, Read},
};

fn tree(files: &[(&str, &[u8])]) -> Tree {
    let files = files.iter();
    Tree::from_files(files.map(|(p, b)| ((*p).to_owned(), b.to_vec()))).unwrap()
}

fn small() -> Tree {
    tree(&[
        ("addon.yaml", b"kind: Addon\n"),
        ("README.md", b""),
        ("icon.png", &[0, 255, 13, 10]),
        ("scripts/start.sh", b"#!/bin/sh\r\nexec x\n"),
    ])
}

/// What is said of the archive, a line for each finding.
fn said(archive: &[u8]) -> String {
    match unpack(archive) {
        Ok(tree) => format!("taken: {} files", tree.files().count()),
        Err(error) => error.to_string(),
    }
}

/// The first lines, and how many more there are.
fn first(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    match lines.get(most..) {
        Some(more) if !more.is_empty() => {
            format!("{}\n… {} more", lines[..most].join("\n"), more.len())
        }
        _ => text.to_owned(),
    }
}

#[test]
fn every_hostile_archive_is_told_what_is_wrong() {
    let mut table = String::from("| archive | what is said |\n| --- | --- |\n");
    for (name, archive) in hostile::archives() {
        let said = said(&archive);
        assert!(!said.starts_with("taken"), "{name} is taken");
        let said = first(&said, 5).replace('|', "\\|").replace('\n', "<br>");
        table.push_str(&format!("| {name} | {said} |\n"));
    }
    insta::with_settings!({snapshot_path => "golden/archive", prepend_module_to_snapshot => false,
        omit_expression => true}, {
        insta::assert_snapshot!("hostile", table);
    });
}

#[test]
fn the_order_of_files_is_no_input_and_scripts_can_run() {
    let files: [(&str, &[u8]); 3] = [
        ("scripts/b.sh", b"b"),
        ("addon.yaml", b"a"),
        ("templates/c", b"c"),
    ];
    let one = pack(&tree(&files), Vec::new()).unwrap();
    let turned: Vec<_> = files.into_iter().rev().collect();
    assert_eq!(one, pack(&tree(&turned), Vec::new()).unwrap());

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

#[test]
fn one_folder_around_all_is_taken_off_where_the_addon_lies_in_it() {
    let in_folder = |folder: &str, beside: Option<&str>| {
        let mut forge = Forge::new();
        forge.folder(folder);
        for (path, bytes) in small().files() {
            forge.file(&format!("{folder}/{path}"), bytes);
        }
        if let Some(beside) = beside {
            forge.file(beside, b"x");
        }
        unpack(&forge.gzip()[..])
    };
    assert_eq!(in_folder("redis-1.0.0", None).unwrap(), small());
    assert_eq!(in_folder("./redis-1.0.0", None).unwrap(), small());
    // What Finder leaves beside it is left out first.
    assert_eq!(in_folder("redis", Some("._redis")).unwrap(), small());
    let refused = in_folder("redis", Some("README.md")).unwrap_err();
    let said = refused.to_string();
    assert!(
        said.contains("redis/addon.yaml: no folder `redis`"),
        "{said}"
    );
    let refused = in_folder("a/redis", None).unwrap_err().to_string();
    assert!(refused.contains("no folder `a`"), "{refused}");
}

#[test]
fn what_a_directory_leaves_out_is_left_out() {
    let mut forge = Forge::new();
    forge.file(".git/config", b"x");
    forge.link(b'2', ".git/hooks/a", "/etc/passwd");
    forge.file("scripts/.start.sh.swp", b"x");
    for (path, bytes) in small().files() {
        forge.file(path, bytes);
    }
    assert_eq!(unpack(&forge.gzip()[..]).unwrap(), small());
}

#[test]
fn long_names_are_read_from_gnu_and_from_pax() {
    let name = format!("templates/{}", "n".repeat(200));
    let tree = tree(&[("addon.yaml", b"x"), (&name, b"y")]);
    assert_eq!(unpack(&pack(&tree, Vec::new()).unwrap()[..]).unwrap(), tree);
    let mut forge = Forge::new();
    forge.global(&[("comment", b"0123456789")]);
    forge.file("addon.yaml", b"x");
    forge.pax(&[("path", name.as_bytes()), ("mtime", b"1.5"), ("size", b"1")]);
    forge.file("templates/short", b"y");
    assert_eq!(unpack(&forge.gzip()[..]).unwrap(), tree);
}

/// A reader that says how much was asked of it.
struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

/// What is said of an archive without end, and how much of it was read.
fn endless(archive: impl Read) -> (String, u64) {
    let mut counted = Counted {
        inner: archive,
        read: 0,
    };
    let error = unpack(&mut counted).unwrap_err();
    assert!(matches!(error, UnpackError::Refused(_)), "{error}");
    (error.to_string(), counted.read)
}

#[test]
fn a_bomb_is_stopped_at_the_bound() {
    // Each kilobyte of it becomes a file of 900 KiB.
    let (said, read) = endless(forge::Endless::of_files(MAX_FILE_BYTES));
    assert!(
        said.contains(&format!("more than {MAX_BYTES} bytes")),
        "{said}"
    );
    assert!(read < 1 << 20, "{read} bytes were read");
    let (said, read) = endless(forge::Endless::of_files(0));
    assert!(
        said.contains(&format!("more than {MAX_FILES} files")),
        "{said}"
    );
    assert!(read < 1 << 20, "{read} bytes were read");
    let (said, _) = endless(forge::Endless::of_folders());
    assert!(said.contains("entries, which is the most"), "{said}");
    // Bytes that decompress to nothing at all.
    let (said, read) = endless(forge::Endless::of_nothing());
    assert!(said.contains("the archive has more than"), "{said}");
    assert_eq!(read, MAX_ARCHIVE_BYTES + 1);
    // Zeros after the end.
    let (said, read) = endless(forge::Endless::of_zeros());
    assert!(said.contains("decompressed, the archive"), "{said}");
    assert!(read < 1 << 20, "{read} bytes were read");
}

#[test]
fn a_reader_that_fails_is_no_fault_of_the_archive() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "reset"))
        }
    }
    let archive = pack(&small(), Vec::new()).unwrap();
    for whole in 0..archive.len() {
        let error = unpack(archive[..whole].chain(Broken)).unwrap_err();
        let UnpackError::Unreadable(source) = error else {
            panic!("after {whole} bytes: {error}")
        };
        assert_eq!(source.to_string(), "reset");
    }
}

#[test]
fn a_part_of_an_archive_is_refused_wherever_it_ends() {
    let archive = pack(&small(), Vec::new()).unwrap();
    for whole in 0..archive.len() {
        let said = said(&archive[..whole]);
        assert!(said.contains("ends too early"), "{whole}: {said}");
    }
    // Also where the compressed stream is whole.
    let mut forge = Forge::new();
    forge.file("addon.yaml", &[b'x'; 700]);
    let plain = forge.plain();
    for whole in 1..plain.len() - 512 {
        let said = said(&gzip(&plain[..whole]));
        assert!(said.contains("ends too early"), "{whole}: {said}");
    }
}

fn any_files() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
    let path = prop_oneof![
        Just("README.md".to_owned()),
        "scripts/[a-z0-9]{1,6}",
        "schema/[a-z0-9]{1,6}\\.cue",
        "templates/[a-z0-9]{1,120}\\.[a-z]{1,3}",
    ];
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..40),
        vec(any::<u8>(), 500..540),
        "(yes|no|0?14|\r\n|\n|é){0,9}".prop_map(String::into_bytes),
    ];
    proptest::collection::btree_map(path, bytes, 0..8).prop_map(|mut files| {
        files.insert("addon.yaml".to_owned(), b"kind: Addon\n".to_vec());
        files
    })
}

/// How an archive may be made.
#[derive(Clone, Debug)]
struct Way {
    mode: u32,
    mtime: u64,
    owner: u64,
    level: u32,
    dot: bool,
    folder: bool,
    folders: bool,
    pax: bool,
    gnu: bool,
    shift: usize,
    record: usize,
}

fn any_way() -> impl Strategy<Value = Way> {
    let numbers = (0..0o10000_u32, 0..1_u64 << 33, 0..1_u64 << 21, 0..10_u32);
    let switches = (any::<[bool; 5]>(), 0..8_usize, 0..21_usize);
    (numbers, switches).prop_map(|((mode, mtime, owner, level), (on, shift, record))| Way {
        mode,
        mtime,
        owner,
        level,
        dot: on[0],
        folder: on[1],
        folders: on[2],
        pax: on[3],
        gnu: on[4],
        shift,
        record,
    })
}

fn packed(files: &BTreeMap<String, Vec<u8>>, way: &Way) -> Vec<u8> {
    let mut forge = Forge::new();
    forge.mode = way.mode;
    forge.mtime = way.mtime;
    forge.owner = way.owner;
    forge.gnu = way.gnu;
    let mut prefix = String::new();
    if way.dot {
        forge.folder(".");
        prefix.push_str("./");
    }
    if way.folder {
        prefix.push_str("demo-1.0.0/");
    }
    if way.folders {
        for section in ["scripts", "schema", "templates"] {
            forge.folder(&format!("{prefix}{section}"));
        }
    }
    let mut files: Vec<_> = files.iter().collect();
    let shift = way.shift % files.len();
    files.rotate_left(shift);
    for (path, bytes) in files {
        let path = format!("{prefix}{path}");
        if way.pax {
            forge.pax(&[("mtime", b"1700000000.5"), ("path", path.as_bytes())]);
            forge.entry(b'0', b"short", bytes.len() as u64, bytes);
        } else {
            forge.file(&path, bytes);
        }
    }
    let mut plain = forge.plain();
    plain.extend(std::iter::repeat_n(0, way.record * 512));
    forge::gzip_at(&plain, Compression::new(way.level))
}

proptest! {
    #[test]
    fn what_is_packed_reads_back(files in any_files()) {
        let tree = Tree::from_files(files).unwrap();
        let archive = pack(&tree, Vec::new()).unwrap();
        prop_assert_eq!(&archive, &pack(&tree, Vec::new()).unwrap());
        prop_assert_eq!(unpack(&archive[..]).unwrap(), tree);
    }

    #[test]
    fn how_an_archive_was_made_is_no_input(files in any_files(), way in any_way()) {
        let tree = Tree::from_files(files.clone()).unwrap();
        let unpacked = unpack(&packed(&files, &way)[..]).unwrap();
        prop_assert_eq!(unpacked.digest(), tree.digest());
        prop_assert_eq!(unpacked, tree);
    }

    #[test]
    fn a_flipped_byte_is_refused_or_is_no_input(files in any_files(), place in any::<usize>(), bit in 0..8) {
        let tree = Tree::from_files(files).unwrap();
        let mut archive = pack(&tree, Vec::new()).unwrap();
        let place = place % archive.len();
        archive[place] ^= 1_u8 << bit;
        // The header of gzip has no sum, and deflate more than one way to say the same.
        if let Ok(unpacked) = unpack(&archive[..]) {
            prop_assert_eq!(unpacked, tree);
        }
    }
}
