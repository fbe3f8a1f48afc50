//! How far `addon push`, `pull` and `copy` are: shown on a terminal while it lasts, in one line of its
//! width, and nowhere else.

use crate::{
    registry::{Registry, addon, ask},
    screen::Terminal,
    world::{PLUGIN, World},
};
use regex::Regex;
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// A version as a branch's builds have it, for which a line must have room beside the bar.
const VERSION: &str = "1.0.0-rc.1.a-branch-on-which-somebody-works";
/// How long a KiB takes over the slow line: 300 KiB come in a second.
const KIB: Duration = Duration::from_millis(3);

/// A slow line to the server at `port` of localhost.
fn slow(port: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let own = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (
                client.unwrap(),
                TcpStream::connect(("127.0.0.1", port)).unwrap(),
            );
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || drip(client, server));
            thread::spawn(move || drip(back.0, back.1));
        }
    });
    own
}

fn drip(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 8 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
        thread::sleep(KIB.mul_f64(length as f64 / 1024.0));
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The test addon with a README of 400 KiB that no compression makes small.
fn large(world: &World) {
    addon(world, "graph/1.0.0", "graph");
    world.sh(&format!(
        "sed -i 's/^version: .*/version: {VERSION}/' graph/addon.yaml
         openssl rand -base64 300000 >graph/README.md"
    ));
}

#[test]
fn how_far_it_is_shows_on_a_terminal_and_goes_when_it_is_done() {
    let world = World::new();
    let (here, there) = (Registry::open(&world), Registry::open(&world));
    large(&world);
    let far = |path: &str| format!("oci://127.0.0.1:{}/{path}", slow(here.port));
    let (from, to) = (far("graph"), there.url("graph"));
    for (line, shown, done) in [
        (
            format!("push graph {from}"),
            r"pushing graph 1.0.0-rc.1.* \[===+[> ].* KiB/",
            "pushed",
        ),
        (
            format!("pull {from}:{VERSION} -o out"),
            r"pulling 1.0.0-rc.1.* \[===+[> ].* KiB/",
            "2 files",
        ),
        (
            format!("copy {from}:{VERSION} {to}"),
            r"copying 1/1 1.0.0-rc.1.* \[===+[> ].* KiB/",
            "copied",
        ),
    ] {
        let here = world.path().display();
        let command = format!("cd {here} && {PLUGIN} addon {line} --insecure");
        let left = Terminal::start(&command, 80, 24).ends();
        let (screen, output) = (&left.screen, &left.output);
        assert!(left.code == 0 && screen.contains(done), "{screen}");
        let shown = Regex::new(shown).unwrap();
        assert!(shown.is_match(output), "`{shown}` is not in {output:?}");
        // What is left of it is nothing, and no line of it was too long at any time.
        assert!(
            !shown.is_match(screen) && !screen.contains("[="),
            "{screen}"
        );
        assert!(!left.is_wrapped && left.is_restored, "{output:?}");
    }
}

#[test]
fn nothing_of_it_is_on_a_pipe_or_a_terminal_that_cannot_move_its_cursor() {
    let world = World::new();
    let registry = Registry::open(&world);
    addon(&world, "graph/1.0.0", "graph");
    let url = registry.url("graph");
    let lines = [
        format!("addon push graph {url} --insecure"),
        format!("addon pull {url}:1.0.0 -o out --insecure"),
        format!("addon copy {url} {url}/mirror --insecure"),
    ];
    for line in &lines {
        let out = ask(&world, line, "", &[]);
        assert!(
            out.status.success() && out.stderr.is_empty(),
            "{line}: {out:?}"
        );
        assert!(
            !out.stdout.contains(&b'\x1b') && !out.stdout.contains(&b'\r'),
            "{line}"
        );
    }
    let here = world.path().display();
    for line in &lines {
        let line = line.replace("-o out", "-o other");
        let command = format!("cd {here} && TERM=dumb {PLUGIN} {line}");
        let left = Terminal::start(&command, 80, 24).ends();
        assert!(
            left.code == 0 && !left.output.contains('\x1b'),
            "{}",
            left.output
        );
    }
}
