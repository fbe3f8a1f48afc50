//! A version is its bytes (invariant 1): the same addon has the same digest by every route, from a
//! directory as the plugin reads it, from Git as the registry fetches it over HTTP, from archives of
//! any program, and through the registry's ConfigMaps as the operator reads them; and any changed
//! byte, name or place gives another one.
//!
//! No Kubernetes: projecting and reading are pure functions, and what lies between is JSON.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not know as such"
)]

#[path = "../../../registry/transport/tests/support/git_server.rs"]
#[allow(dead_code)]
mod git_server;

use api::{
    Digest,
    provenance::{Provenance, SignedProvenance},
};
use git_server::GitServer;
use package::{Tree, archive, load};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use registry::projection;
use std::{
    collections::BTreeMap,
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;
use transport::{Content, Credentials, Mirrors, Reference, Remote};

const MANIFEST: &str = "\
apiVersion: middleware.io/v1alpha1
kind: Addon
name: demo
version: 1.2.3
runtimes:
  - version: 1.0.0
    image: demo:1
components:
  demo:
    command: [/scripts/start.sh]
";

type Files = BTreeMap<String, Vec<u8>>;

/// What lies around the files and is no input.
#[derive(Clone, Debug)]
struct Around {
    modes: Vec<u32>,
    /// Seconds since 1970 of the files.
    times: Vec<u32>,
    /// `.gitattributes`, which would change line ends at a checkout.
    attributes: &'static str,
    /// The flags of the program `tar`, and its environment.
    tar: &'static str,
    zone: &'static str,
    umask: &'static str,
}

fn any_files() -> impl Strategy<Value = Files> {
    let path = prop_oneof![
        Just("README.md".to_owned()),
        Just("icon.png".to_owned()),
        "scripts/[a-zA-Z0-9]{1,5}\\.sh",
        "schema/[a-z]{1,5}\\.cue",
        "templates/[a-z0-9._-]{0,3}[a-z]{1,60}",
    ];
    let path = path.prop_filter("a name begins with a letter", |path: &String| {
        path.rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphanumeric()))
    });
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..60),
        "(#!/bin/sh\r\n|a\r\n|b\n|\r|é|\\$Id\\$|\t ){0,12}".prop_map(String::into_bytes),
    ];
    proptest::collection::btree_map(path, bytes, 0..8)
        .prop_map(|mut files| {
            files.insert("addon.yaml".to_owned(), MANIFEST.as_bytes().to_vec());
            files
        })
        .prop_filter("names that differ in case are refused", |files| {
            Tree::from_files(files.clone()).is_ok()
        })
}

/// What changes line ends and more at a checkout.
const ATTRIBUTES: [&str; 4] = [
    "",
    "* text=auto eol=crlf\n",
    "*.sh text eol=crlf\n* ident\n",
    "* -text export-ignore\n",
];
/// How archives are made by hand.
const TAR: [&str; 5] = [
    "--format=gnu",
    "--format=posix",
    "--format=ustar --owner=0 --group=0",
    "--format=v7",
    "--sort=name --mtime=@0",
];

fn any_around() -> impl Strategy<Value = Around> {
    let choose = (
        proptest::sample::select(&ATTRIBUTES[..]),
        proptest::sample::select(&TAR[..]),
        proptest::sample::select(&["UTC", "Asia/Tokyo", "America/St_Johns"][..]),
        proptest::sample::select(&["0000", "0022", "0077"][..]),
    );
    let modes = vec(
        proptest::sample::select(&[0o600, 0o644, 0o755, 0o700, 0o666][..]),
        9,
    );
    (modes, vec(any::<u32>(), 9), choose).prop_map(
        |(modes, times, (attributes, tar, zone, umask))| Around {
            modes,
            times,
            attributes,
            tar,
            zone,
            umask,
        },
    )
}

/// Writes the files, last first, with modes and times, and things beside them that are left out.
fn write(directory: &Path, files: &Files, around: &Around) {
    fs::create_dir_all(directory.join(".git")).unwrap();
    fs::write(directory.join(".git/config"), "[core]\n\tautocrlf = true\n").unwrap();
    fs::write(directory.join(".DS_Store"), "x").unwrap();
    fs::create_dir_all(directory.join("templates")).unwrap();
    for (at, (path, bytes)) in files.iter().rev().enumerate() {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(around.times[at % 9].into());
        file.set_modified(time).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(around.modes[at % 9])).unwrap();
    }
}

fn from_directory(directory: &Path) -> Digest {
    catalog::tree(directory).unwrap().unwrap().digest()
}

/// Packed by the system's `tar`, unpacked by us.
fn from_tar(directory: &Path, around: &Around) -> Digest {
    let Around {
        tar, zone, umask, ..
    } = around;
    let script = format!("umask {umask} && tar {tar} -czf - .");
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(script)
        .env("TZ", zone)
        .current_dir(directory);
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    archive::unpack(&output.stdout[..]).unwrap().digest()
}

/// A Git repository behind HTTP, and a mirror of it.
struct Git {
    bare: git2::Repository,
    mirrors: Mirrors,
    remote: Remote,
    _server: GitServer,
    _directory: TempDir,
}

impl Git {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let bare = git2::Repository::init_bare(directory.path().join("addons.git")).unwrap();
        bare.set_head("refs/heads/main").unwrap();
        let server = GitServer::start(directory.path());
        let remote = Remote {
            url: server.url("addons.git"),
            insecure: true,
            reference: Reference::default(),
            credentials: Credentials::default(),
            timeout: Duration::from_secs(60),
        };
        Self {
            bare,
            mirrors: Mirrors::open(directory.path().join("mirrors")).unwrap(),
            remote,
            _server: server,
            _directory: directory,
        }
    }

    /// The digest of the files in a commit with executable bits and attributes.
    fn digest(&self, files: &Files, around: &Around) -> Digest {
        self.commit(files, around);
        let revision = self.mirrors.fetch(&self.remote).unwrap();
        let directories = ["addons/demo".to_owned()];
        let offered = self
            .mirrors
            .offered(&self.remote, &revision.commit, &directories, &|_| false)
            .unwrap();
        let [offered] = &offered[..] else {
            panic!("{offered:?}")
        };
        let Content::Files(files) = &offered.content else {
            panic!("{offered:?}")
        };
        Tree::from_files(files.clone()).unwrap().digest()
    }

    fn commit(&self, files: &Files, around: &Around) {
        let mut update = git2::build::TreeUpdateBuilder::new();
        for (at, (path, bytes)) in files.iter().enumerate() {
            let executable = around.modes[at % 9] & 0o100 != 0;
            let mode = if executable {
                git2::FileMode::BlobExecutable
            } else {
                git2::FileMode::Blob
            };
            update.upsert(
                format!("addons/demo/{path}"),
                self.bare.blob(bytes).unwrap(),
                mode,
            );
        }
        let attributes = self.bare.blob(around.attributes.as_bytes()).unwrap();
        update.upsert(".gitattributes", attributes, git2::FileMode::Blob);
        update.upsert(
            "addons/demo/.gitattributes",
            attributes,
            git2::FileMode::Blob,
        );
        let empty = self.bare.treebuilder(None).unwrap().write().unwrap();
        let tree = update
            .create_updated(&self.bare, &self.bare.find_tree(empty).unwrap())
            .unwrap();
        let tree = self.bare.find_tree(tree).unwrap();
        let who = git2::Signature::now("A", "a@b.example").unwrap();
        let parent = self
            .bare
            .find_reference("refs/heads/main")
            .and_then(|r| r.peel_to_commit())
            .ok();
        let parents: Vec<_> = parent.iter().collect();
        self.bare
            .commit(
                Some("refs/heads/main"),
                &who,
                &who,
                "change",
                &tree,
                &parents,
            )
            .unwrap();
    }
}

/// Projected by the registry, as JSON through an API server, read by the operator.
fn from_configmaps(files: &Files) -> (Digest, usize) {
    let package = load(Tree::from_files(files.clone()).unwrap()).unwrap();
    let provenance = Provenance {
        plugin: package.manifest.name.clone(),
        version: package.manifest.version.clone(),
        digest: package.digest.clone(),
        source: "platform".to_owned(),
        url: "https://git.example.com/addons.git".to_owned(),
        revision: format!("main@sha1:{}", "0".repeat(40)),
        directory: "addons/demo".to_owned(),
        signer: None,
        images: Vec::new(),
    };
    let origin = SignedProvenance {
        provenance,
        signature: String::new(),
    };
    let projection = projection(&package, &origin, "paamesh-system");
    let objects = projection.content.len();
    let mut sections = Vec::new();
    for reference in projection.addon.spec.content.iter().rev() {
        let object = projection
            .content
            .iter()
            .find(|o| o.metadata.name.as_ref() == Some(&reference.name));
        let json = serde_json::to_string(object.unwrap()).unwrap();
        assert!(
            json.len() < 1_500_000,
            "etcd takes at most 1.5 MiB: {}",
            json.len()
        );
        let files = package::content::files(serde_json::from_str(&json).unwrap());
        let by_name = files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        let found = package::section_digest(&by_name, &reference.section);
        assert_eq!(Some(&found), reference.digest.as_ref());
        sections.push((reference.section.clone(), files));
    }
    (Tree::from_sections(sections).unwrap().digest(), objects)
}

#[test]
fn every_route_gives_the_same_digest() {
    let git = Git::new();
    // Each case is a fetch over HTTP and a process.
    let cases = ProptestConfig::default().cases.clamp(1, 100_000) / 8;
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    };
    let routes = |(files, around): (Files, Around)| {
        let digest = Tree::from_files(files.clone()).unwrap().digest();
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), &files, &around);
        prop_assert_eq!(
            &from_directory(directory.path()),
            &digest,
            "from a directory"
        );
        prop_assert_eq!(&from_tar(directory.path(), &around), &digest, "from tar");
        prop_assert_eq!(&git.digest(&files, &around), &digest, "from Git");
        prop_assert_eq!(&from_configmaps(&files).0, &digest, "from ConfigMaps");
        let tree = Tree::from_files(files).unwrap();
        let packed = archive::pack(&tree, Vec::new()).unwrap();
        prop_assert_eq!(
            &archive::unpack(&packed[..]).unwrap().digest(),
            &digest,
            "from our archive"
        );
        Ok(())
    };
    TestRunner::new(config)
        .run(&(any_files(), any_around()), routes)
        .unwrap();
}

#[test]
fn a_section_over_several_objects_gives_the_same_digest() {
    let mut files = Files::from([("addon.yaml".to_owned(), MANIFEST.as_bytes().to_vec())]);
    for name in 0..5_u8 {
        files.insert(format!("templates/{name}"), vec![b'a' + name; 400 << 10]);
    }
    files.insert(
        "templates/binary".to_owned(),
        (0..=255).cycle().take(300 << 10).collect(),
    );
    let (digest, objects) = from_configmaps(&files);
    assert_eq!(digest, Tree::from_files(files).unwrap().digest());
    assert!(objects >= 4, "{objects} objects");
}

/// What is changed in the files.
#[derive(Clone, Debug)]
enum Change {
    Byte(prop::sample::Index, prop::sample::Index, u8),
    Longer(prop::sample::Index),
    Name(prop::sample::Index),
    Place(prop::sample::Index),
    Gone(prop::sample::Index),
    Swapped(prop::sample::Index, prop::sample::Index),
}

fn any_change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        (index(), index(), 1..=255_u8).prop_map(|(file, at, bits)| Change::Byte(file, at, bits)),
        index().prop_map(Change::Longer),
        index().prop_map(Change::Name),
        index().prop_map(Change::Place),
        index().prop_map(Change::Gone),
        (index(), index()).prop_map(|(one, other)| Change::Swapped(one, other)),
    ]
}

/// The files after the change; the manifest stays, so that it is an addon.
fn changed(files: &Files, change: &Change) -> Files {
    let mut after = files.clone();
    let others: Vec<String> = files
        .keys()
        .filter(|path| *path != "addon.yaml")
        .cloned()
        .collect();
    if others.is_empty() {
        after.insert("LICENSE".to_owned(), Vec::new());
        return after;
    }
    let path = |index: &prop::sample::Index| index.get(&others);
    match change {
        Change::Byte(file, at, bits) => {
            let bytes = after.get_mut(path(file)).unwrap();
            match bytes.len() {
                0 => bytes.push(*bits),
                length => bytes[at.index(length)] ^= bits,
            }
        }
        Change::Longer(file) => after.get_mut(path(file)).unwrap().push(0),
        Change::Name(file) => {
            let bytes = after.remove(path(file)).unwrap();
            after.insert("scripts/renamed0".to_owned(), bytes);
        }
        Change::Place(file) => {
            let bytes = after.remove(path(file)).unwrap();
            let name = path(file).rsplit('/').next().unwrap();
            let section = if path(file).starts_with("templates/") {
                "schema"
            } else {
                "templates"
            };
            after.insert(format!("{section}/{name}"), bytes);
        }
        Change::Gone(file) => drop(after.remove(path(file))),
        Change::Swapped(one, other) => {
            after.insert(path(one).clone(), files[path(other)].clone());
            after.insert(path(other).clone(), files[path(one)].clone());
        }
    }
    after
}

proptest! {
    // Each case is two processes.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(4)))]

    #[test]
    fn every_change_gives_another_digest(files in any_files(), change in any_change(), around in any_around()) {
        let after = changed(&files, &change);
        prop_assume!(after != files && Tree::from_files(after.clone()).is_ok());
        prop_assert_ne!(from_configmaps(&files).0, from_configmaps(&after).0);
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(one.path(), &files, &around);
        write(other.path(), &after, &around);
        prop_assert_ne!(from_directory(one.path()), from_directory(other.path()));
        prop_assert_ne!(from_tar(one.path(), &around), from_tar(other.path(), &around));
    }
}
