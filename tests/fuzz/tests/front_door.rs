//! What an author is told of hostile files: each sample comes as an archive, is unpacked and checked
//! as the registry would, and the message stands in `golden/`. Bombs end by limits that are counted,
//! so that the messages are the same on every machine.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not know as such"
)]

use evaluate::Host;
use fuzz::{Corpus, target};
use package::{
    Tree,
    archive::{UnpackError, pack, unpack},
    check,
};
use std::collections::BTreeMap;

/// An addon without a fault, with a template and a schema.
const MANIFEST: &str = "\
apiVersion: middleware.io/v1alpha1
kind: Addon
name: demo
version: 1.2.3
runtimes:
  - version: 1.0.0
    image: demo:1
components:
  redis:
    command: [/scripts/start.sh]
    ports: [{ name: redis, port: 6379 }]
    config: [{ file: main.conf, template: main.conf }]
    schema: [{ file: main.cue }]
";

type Files = BTreeMap<String, Vec<u8>>;

fn addon() -> Files {
    let files = [
        ("addon.yaml", MANIFEST),
        ("schema/main.cue", "parameters: {}\n"),
        ("scripts/probe.sh", "#!/bin/sh\n"),
        ("scripts/start.sh", "#!/bin/sh\n"),
        ("templates/main.conf", "x\n"),
        ("templates/part.conf", "part\n"),
    ];
    files
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into()
}

/// What is said of an archive, in at most three lines.
fn said(archive: &[u8]) -> String {
    let said = match unpack(archive) {
        Err(error @ UnpackError::Unreadable(_)) => panic!("bytes in memory: {error}"),
        Err(error) => error.to_string(),
        Ok(tree) => match check(tree, &Host) {
            Ok(package) => format!(
                "taken as {} {}",
                package.manifest.name, package.manifest.version
            ),
            Err(refusal) => refusal.to_string(),
        },
    };
    let lines: Vec<String> = said
        .lines()
        .map(|line| line.chars().take(300).collect())
        .collect();
    match lines.get(3..) {
        Some(more) if !more.is_empty() => {
            format!("{}\n… {} more", lines[..3].join("\n"), more.len())
        }
        _ => lines.join("\n"),
    }
}

/// The table for the samples of one target, which become the file `path` of the addon.
fn table(name: &str, path: &str) {
    let mut table = String::from("| sample | what is said |\n| --- | --- |\n");
    for (sample, bytes) in Corpus::committed(target(name).unwrap()).unwrap() {
        let mut files = addon();
        // A schema that nobody names is refused, and would be all that is said of a manifest.
        let names = |name: &str| bytes.windows(name.len()).any(|w| w == name.as_bytes());
        if path == "addon.yaml" && !names("main.cue") {
            files.remove("schema/main.cue");
        }
        files.insert(path.to_owned(), bytes);
        let archive = Tree::from_files(files).map(|tree| pack(&tree, Vec::new()).unwrap());
        let said =
            archive.map_or_else(|findings| format!("{findings:?}"), |archive| said(&archive));
        row(&mut table, &sample, &said);
    }
    golden(name, &table);
}

fn row(table: &mut String, sample: &str, said: &str) {
    let said = said.replace('|', "\\|").replace('\n', "<br>");
    assert!(!said.is_empty(), "nothing is said of {sample}");
    table.push_str(&format!("| {sample} | {said} |\n"));
}

fn golden(name: &str, table: &str) {
    insta::with_settings!({snapshot_path => "../golden/front-door", prepend_module_to_snapshot => false,
        omit_expression => true}, {
        insta::assert_snapshot!(name, table);
    });
}

#[test]
fn manifests() {
    table("manifest", "addon.yaml");
}

#[test]
fn templates() {
    table("template", "templates/main.conf");
}

#[test]
fn schemas() {
    table("schema", "schema/main.cue");
}

#[test]
fn archives() {
    let mut table = String::from("| sample | what is said |\n| --- | --- |\n");
    for (sample, archive) in Corpus::committed(target("archive").unwrap()).unwrap() {
        if sample.ends_with(".tar") {
            row(&mut table, &sample, &said(&fuzz::compressed(&archive)));
        } else {
            row(&mut table, &sample, &said(&archive));
        }
    }
    golden("archive", &table);
}
