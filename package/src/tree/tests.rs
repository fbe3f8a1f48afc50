use super::*;
use proptest::{collection::vec, prelude::*, sample::Index};

fn files(paths: &[&str]) -> Vec<(String, Vec<u8>)> {
    paths
        .iter()
        .map(|path| ((*path).to_owned(), b"x".to_vec()))
        .collect()
}

/// What is said of a tree of these files, a line each.
fn said(paths: &[&str]) -> String {
    let findings = Tree::from_files(files(paths)).unwrap_err();
    crate::check::listed(&findings)
}

#[test]
fn takes_what_belongs_into_an_addon_and_leaves_dot_files_out() {
    let paths = [
        "addon.yaml",
        "README.md",
        "icon.svg",
        "templates/redis.conf",
        "scripts/a_b-c.1.sh",
        ".gitignore",
        ".github/workflows/ci.yaml",
        "scripts/.swp",
    ];
    let tree = Tree::from_files(files(&paths)).unwrap();
    let kept: Vec<&str> = tree.files().map(|(path, _)| path).collect();
    assert_eq!(
        kept,
        [
            "README.md",
            "addon.yaml",
            "icon.svg",
            "scripts/a_b-c.1.sh",
            "templates/redis.conf"
        ]
    );
    assert_eq!(tree.get("addon.yaml"), Some(&b"x"[..]));
}

#[test]
fn refuses_every_path_that_belongs_nowhere() {
    for (path, message) in [
        (
            "notes.txt",
            "no such file belongs into an addon's root: want one of CHANGELOG.md",
        ),
        ("adon.yaml", "did you mean `addon.yaml`?"),
        ("template/a", "did you mean `templates`?"),
        ("schemas/redis.cue", "did you mean `schema`?"),
        ("operations/a.yaml", "not supported yet"),
        ("backup/a.yaml", "not supported yet"),
        ("monitoring/a.yaml", "not supported yet"),
        (
            "scripts/lib/a.sh",
            "the folder `scripts` is flat; move the file to `scripts/a.sh`",
        ),
        ("scripts/ä", "is no file name"),
        ("scripts/-a", "is no file name"),
        ("scripts/a b", "is no file name"),
        ("../addon.yaml", "`..` is no file name"),
        ("./addon.yaml", "`.` is no file name"),
        ("/addon.yaml", "`` is no file name"),
        ("manifest/addon.yaml", "no folder `manifest`"),
        ("scripts", "no such file"),
        ("", "is no file name"),
    ] {
        let said = said(&[path]);
        assert!(said.contains(message), "{path}: {said}");
    }
}

#[test]
fn says_everything_at_once() {
    let findings =
        Tree::from_files(files(&["z.txt", "scripts/A", "scripts/a", "x/y"])).unwrap_err();
    let places: Vec<&str> = findings.iter().map(|f| f.file.as_str()).collect();
    assert_eq!(places, ["scripts/a", "x/y", "z.txt"]);
    assert!(said(&["scripts/a", "scripts/A"]).contains("differs from `scripts/A` in case only"));
    assert!(said(&["addon.yaml", "addon.yaml"]).contains("there twice"));
}

#[test]
fn has_limits() {
    let of = |path: &str, size: usize| (path.to_owned(), vec![b'x'; size]);
    let parts = |n: usize, size: usize| (0..n).map(move |i| of(&format!("templates/{i}"), size));
    let said = |files: Vec<(String, Vec<u8>)>| {
        Tree::from_files(files).map_err(|findings| crate::check::listed(&findings))
    };
    assert!(said(vec![of("templates/a", MAX_FILE_BYTES)]).is_ok());
    assert!(
        said(vec![of("templates/a", MAX_FILE_BYTES + 1)])
            .unwrap_err()
            .contains("at most 921600")
    );
    assert!(said(vec![of("scripts/a", 200 << 10), of("scripts/b", 100 << 10)]).is_ok());
    let scripts = vec![of("scripts/a", 200 << 10), of("scripts/b", (100 << 10) + 1)];
    assert!(said(scripts).unwrap_err().contains("at most 307200"));
    assert!(said(parts(MAX_FILES, 0).collect()).is_ok());
    assert!(
        said(parts(MAX_FILES + 1, 0).collect())
            .unwrap_err()
            .contains("10001 files")
    );
    let most =
        parts(113, MAX_FILE_BYTES).chain([of("templates/last", MAX_BYTES - 113 * MAX_FILE_BYTES)]);
    assert!(said(most.clone().collect()).is_ok());
    assert!(
        said(most.chain([of("LICENSE", 1)]).collect())
            .unwrap_err()
            .contains("at most 104857600")
    );
}

#[test]
fn says_at_which_files_two_differ() {
    let tree = |files: &[(&str, &str)]| {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
        Tree::from_files(files.iter().map(owned)).unwrap()
    };
    let one = tree(&[("addon.yaml", "1"), ("LICENSE", "1"), ("scripts/a", "1")]);
    let other = tree(&[("addon.yaml", "2"), ("LICENSE", "1"), ("scripts/b", "1")]);
    assert_eq!(
        one.differing(&other),
        ["addon.yaml", "scripts/a", "scripts/b"]
    );
    assert_eq!(one.differing(&one), [""; 0]);
}

fn any_files() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let path = prop_oneof![
        Just("addon.yaml".to_owned()),
        Just("README.md".to_owned()),
        "scripts/[a-z0-9]{1,6}",
        "templates/[a-z0-9]{1,6}\\.[a-z]{1,3}",
    ];
    vec((path, vec(any::<u8>(), 0..40)), 1..8).prop_map(|files| {
        files
            .into_iter()
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect()
    })
}

proptest! {
    #[test]
    fn the_digest_does_not_depend_on_order_or_way(files in any_files(), seed in any::<Index>()) {
        let tree = Tree::from_files(files.clone()).unwrap();
        let mut turned = files.clone();
        turned.rotate_left(seed.index(files.len()));
        prop_assert_eq!(Tree::from_files(turned).unwrap().digest(), tree.digest());

        let owned = |files: BTreeMap<&str, &[u8]>| {
            files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect()
        };
        let sections = tree.sections().into_iter().map(|(name, files)| (name.to_owned(), owned(files)));
        let again = Tree::from_sections(sections).unwrap();
        prop_assert_eq!(again.digest(), tree.digest());
        prop_assert_eq!(again.differing(&tree).len(), 0);
    }

    #[test]
    fn every_byte_and_every_name_counts(
        files in any_files(), which in any::<Index>(), place in any::<Index>(), byte in 1..=255_u8,
    ) {
        let tree = Tree::from_files(files.clone()).unwrap();
        let which = which.index(files.len());

        let mut changed = files.clone();
        match changed[which].1.len() {
            0 => changed[which].1.push(byte),
            len => changed[which].1[place.index(len)] ^= byte,
        }
        let changed = Tree::from_files(changed).unwrap();
        prop_assert_ne!(changed.digest(), tree.digest());
        prop_assert_eq!(changed.differing(&tree), [files[which].0.clone()]);

        let mut fewer = files.clone();
        fewer.remove(which);
        prop_assert_ne!(Tree::from_files(fewer).unwrap().digest(), tree.digest());

        let mut renamed = files.clone();
        renamed[which].0 = "scripts/renamed0".to_owned();
        prop_assert_ne!(Tree::from_files(renamed).unwrap().digest(), tree.digest());
    }

    #[test]
    fn bytes_that_move_from_one_file_to_the_next_count(left in vec(any::<u8>(), 0..9), right in vec(any::<u8>(), 1..9)) {
        let tree = |a: &[u8], b: &[u8]| {
            Tree::from_files([("scripts/a".to_owned(), a.to_vec()), ("scripts/b".to_owned(), b.to_vec())])
        };
        let moved = [&left[..], &right[..1]].concat();
        prop_assert_ne!(tree(&left, &right).unwrap().digest(), tree(&moved, &right[1..]).unwrap().digest());
    }

    #[test]
    fn no_path_makes_it_panic(paths in vec("[a-zA-Z./ä\\\\\0-]{0,12}", 0..6)) {
        let files = paths.iter().map(|path| (path.clone(), Vec::new()));
        if let Ok(tree) = Tree::from_files(files) {
            for (path, _) in tree.files() {
                prop_assert!(ROOT_FILES.contains(&path) || path.split('/').count() == 2);
            }
        }
    }
}
