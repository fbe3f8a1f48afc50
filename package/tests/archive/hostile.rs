//! Archives that nobody may take, each with a name.

use crate::forge::{Forge, gzip};

/// Every hostile archive, by what it is.
pub fn archives() -> Vec<(&'static str, Vec<u8>)> {
    let mut archives = Vec::new();
    archives.extend(paths());
    archives.extend(kinds());
    archives.extend(names());
    archives.extend(headers());
    archives.extend(streams());
    archives
}

/// A whole addon with something more in it.
fn with(more: impl FnOnce(&mut Forge)) -> Vec<u8> {
    let mut forge = Forge::new();
    forge.file("addon.yaml", b"kind: Addon\n");
    more(&mut forge);
    forge.gzip()
}

fn file(name: &str) -> Vec<u8> {
    with(|forge| {
        forge.file(name, b"x");
    })
}

fn raw(name: &[u8]) -> Vec<u8> {
    with(|forge| {
        forge.entry(b'0', name, 1, b"x");
    })
}

fn paths() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("an absolute path", file("/etc/passwd")),
        ("a path that leads out", file("../../etc/passwd")),
        ("a path that leads out from within", file("scripts/../../x")),
        ("a path that comes back in", file("scripts/../addon.yaml")),
        ("a hidden path that leads out", file(".x/../../etc/passwd")),
        ("a `.` within", file("scripts/./a.sh")),
        ("two slashes", file("scripts//a.sh")),
        ("a Windows path", file("C:\\Windows\\x")),
        ("a backslash that leads out", file("scripts/..\\..\\x")),
        ("no name", file("")),
        ("a name of a line", file("scripts/a\nb: addon.yaml")),
        ("a name that is not UTF-8", raw(b"scripts/\xff\xfe.sh")),
        ("a name that turns its end", file("scripts/\u{202e}hs.a")),
        ("a folder too deep", file("scripts/a/b/c/d/e/f")),
        ("a file of no place", file("etc/passwd")),
        (
            "two folders around it",
            Forge::new().file("a/b/addon.yaml", b"x").gzip(),
        ),
        ("no file at all", Forge::new().file("LICENCE", b"").gzip()),
    ]
}

fn kinds() -> Vec<(&'static str, Vec<u8>)> {
    let kind = |kind: u8, name: &'static str| {
        with(|forge| {
            forge.entry(kind, name.as_bytes(), 0, b"");
        })
    };
    let link = |kind: u8, target: &str| {
        with(|forge| {
            forge.link(kind, "scripts/a.sh", target);
            forge.file("scripts/a.sh", b"x");
        })
    };
    vec![
        ("a symbolic link out", link(b'2', "/etc/passwd")),
        ("a symbolic link within", link(b'2', "../addon.yaml")),
        ("a hard link", link(b'1', "addon.yaml")),
        ("a link for a folder, and a file through it", {
            with(|forge| {
                forge.link(b'2', "scripts", "/etc");
                forge.file("scripts/passwd", b"x");
            })
        }),
        (
            "a link with content",
            with(|forge| {
                forge.entry(b'1', b"scripts/a", 9, b"addon.yaml");
            }),
        ),
        ("a character device", kind(b'3', "scripts/null")),
        ("a block device", kind(b'4', "scripts/sda")),
        ("a named pipe", kind(b'6', "scripts/pipe")),
        ("a GNU sparse file", kind(b'S', "templates/a")),
        (
            "a PAX sparse file",
            with(|forge| {
                forge.pax(&[
                    ("GNU.sparse.realsize", b"99999999999"),
                    ("GNU.sparse.major", b"1"),
                ]);
                forge.file("templates/a", b"0\n");
            }),
        ),
        ("a contiguous file", kind(b'7', "templates/a")),
        ("a part of another volume", kind(b'M', "templates/a")),
        ("a volume's label", kind(b'V', "backup")),
        ("a type that nobody knows", kind(b'%', "templates/a")),
        (
            "a folder with content",
            with(|forge| {
                forge.entry(b'5', b"scripts/", 5, b"#!sh\n");
            }),
        ),
        (
            "a file whose name is a folder's",
            with(|forge| {
                forge.entry(b'0', b"scripts/a/", 1, b"x");
            }),
        ),
    ]
}

fn names() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a file twice", file("addon.yaml")),
        ("a file twice, once with `./`", file("./addon.yaml")),
        (
            "names that differ in case",
            with(|forge| {
                forge
                    .file("scripts/Start.sh", b"x")
                    .file("scripts/start.sh", b"y");
            }),
        ),
        (
            "a file too large",
            with(|forge| {
                forge.file("templates/a", &vec![b'x'; (900 << 10) + 1]);
            }),
        ),
        (
            "scripts too large together",
            with(|forge| {
                for name in ["scripts/a", "scripts/b", "scripts/c", "scripts/d"] {
                    forge.file(name, &vec![b'#'; 80 << 10]);
                }
            }),
        ),
        (
            "much at once",
            with(|forge| {
                forge
                    .link(b'2', "scripts/a", "b")
                    .file("../b", b"x")
                    .file("c", b"x");
                forge.file("ADDON.yaml", b"x");
            }),
        ),
        (
            "a hundred faults",
            with(|forge| {
                (0..100).for_each(|i| {
                    forge.file(&format!("/{i:03}"), b"x");
                });
            }),
        ),
    ]
}

fn headers() -> Vec<(&'static str, Vec<u8>)> {
    let pax = |records: &[(&str, &[u8])]| {
        with(|forge| {
            forge.pax(records).file("templates/a", b"x");
        })
    };
    let global = |records: &[(&str, &[u8])]| {
        with(|forge| {
            forge.global(records).file("templates/a", b"x");
        })
    };
    vec![
        ("a PAX size that differs", pax(&[("size", b"1024")])),
        ("a PAX size of nothing", pax(&[("size", b"0")])),
        ("two PAX sizes", pax(&[("size", b"1"), ("size", b"1")])),
        (
            "two PAX headers",
            with(|forge| {
                forge.pax(&[("mtime", b"1")]).pax(&[("size", b"1")]);
                forge.file("templates/a", b"x");
            }),
        ),
        (
            "a global header between a name and its file",
            with(|forge| {
                forge.long_name(b"templates/b").global(&[("comment", b"x")]);
                forge.file("templates/a", b"x");
            }),
        ),
        (
            "a GNU link name for nothing",
            with(|forge| {
                forge.entry(b'K', b"././@LongLink", 2, b"a\0");
            }),
        ),
        (
            "two PAX paths",
            pax(&[("path", b"templates/b"), ("path", b"templates/c")]),
        ),
        ("a PAX path that leads out", pax(&[("path", b"../x")])),
        (
            "a PAX path with a zero in it",
            pax(&[("path", b"scripts/a\0.txt")]),
        ),
        (
            "a broken PAX header",
            with(|forge| {
                forge
                    .entry(b'x', b"x", 9, b"99 path=a")
                    .file("templates/a", b"x");
            }),
        ),
        (
            "a name by PAX and by GNU",
            with(|forge| {
                forge
                    .long_name(b"templates/b")
                    .pax(&[("path", b"templates/c")]);
                forge.file("templates/a", b"x");
            }),
        ),
        (
            "a GNU name that leads out",
            with(|forge| {
                forge.long_name(b"../../x").file("templates/a", b"x");
            }),
        ),
        (
            "a global header that renames",
            global(&[("path", b"scripts/a")]),
        ),
        ("a global header that sizes", global(&[("size", b"0")])),
        (
            "a global header that links",
            global(&[("linkpath", b"/etc/passwd")]),
        ),
        (
            "a header for nothing",
            with(|forge| {
                forge.pax(&[("path", b"templates/b")]);
            }),
        ),
        (
            "a name of 100 MiB",
            with(|forge| {
                forge.entry(b'L', b"././@LongLink", 100 << 20, &[b'a'; 512]);
            }),
        ),
        (
            "a file of 2^62 bytes",
            with(|forge| {
                forge.entry(b'0', b"templates/a", 1 << 62, b"x");
            }),
        ),
        (
            "a size that is no number",
            with(|forge| {
                let mut header = tar::Header::new_ustar();
                header.as_old_mut().name[0] = b'a';
                header.as_old_mut().size = *b"zzzzzzzzzzz\0";
                forge.header(&mut header);
            }),
        ),
        (
            "a wrong checksum",
            with(|forge| {
                let mut header = tar::Header::new_ustar();
                header.set_size(0);
                header.set_cksum();
                header.as_old_mut().name[0] = b'a';
                forge.raw(header.as_bytes());
            }),
        ),
        (
            "a magic that nobody knows",
            with(|forge| {
                let mut header = tar::Header::new_ustar();
                header.set_size(0);
                header.as_mut_bytes()[257..262].copy_from_slice(b"uSTAR");
                forge.header(&mut header);
            }),
        ),
    ]
}

fn streams() -> Vec<(&'static str, Vec<u8>)> {
    let whole = with(|_| {});
    let plain = Forge::new().file("addon.yaml", b"x").plain();
    let hidden = Forge::new().file("scripts/hidden.sh", b"x").plain();
    vec![
        ("nothing", Vec::new()),
        ("no gzip", b"PK\x03\x04 this is a zip".to_vec()),
        ("a tar archive without gzip", plain.clone()),
        ("gzip of nothing", gzip(b"")),
        ("gzip of no tar archive", gzip(&[b'x'; 2000])),
        ("a part of it", whole[..whole.len() / 2].to_vec()),
        (
            "no end of tar",
            gzip(&Forge::new().file("addon.yaml", b"x").unended()),
        ),
        (
            "one block of zeros at the end",
            gzip(&plain[..plain.len() - 512]),
        ),
        ("a wrong sum at the end", {
            let mut archive = whole.clone();
            let sum = archive.len() - 8;
            archive[sum] ^= 1;
            archive
        }),
        ("something after gzip's end", [&whole[..], b"\0"].concat()),
        ("a second gzip member", [&whole[..], &whole].concat()),
        (
            "a second archive after the end",
            gzip(&[&plain[..], &hidden].concat()),
        ),
        ("a file between the two blocks of the end", {
            let end = plain.len() - 512;
            gzip(&[&plain[..end], &hidden, &plain[end..]].concat())
        }),
        (
            "something after tar's end",
            gzip(&[&plain[..], b"hidden"].concat()),
        ),
    ]
}
