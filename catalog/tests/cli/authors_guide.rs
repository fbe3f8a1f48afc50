//! The author's guide, played: every `sh` block is run, in order, in an empty directory, and the lines
//! of an `output` block stand in what the block before it printed.

use crate::world::{PLUGIN, World, root, shell};
use kit::Block;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

const GUIDE: &str = "docs/authors-guide.md";

#[test]
fn every_command_of_the_guide_works() {
    let text = fs::read_to_string(root().join(GUIDE)).unwrap();
    let played = |block: &Block| ["sh", "output"].contains(&block.language.as_str());
    let blocks: Vec<Block> = kit::blocks(&text).into_iter().filter(played).collect();
    let commands = blocks.iter().filter(|block| block.language == "sh").count();
    assert!(commands >= 20, "only {commands} blocks");
    let (world, bin) = (World::new(), World::new());
    path_with_kubectl(bin.path());
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", bin.path().display());
    let mut printed = String::new();
    for Block {
        line,
        language,
        text,
    } in blocks
    {
        if language == "output" {
            let missing = text.lines().find(|line| !printed.contains(line));
            assert_eq!(missing, None, "{GUIDE}:{line}: not in\n{printed}");
            continue;
        }
        let out = shell(&text)
            .current_dir(world.path())
            .env("PATH", &path)
            .output()
            .unwrap();
        printed = String::from_utf8_lossy(&out.stdout).into_owned();
        printed.push_str(&String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success(), "{GUIDE}:{line}\n{text}\n{printed}");
    }
    what_it_promises(world.path());
}

/// What the guide ends with: the addon that ships, and a set that is accepted.
fn what_it_promises(world: &Path) {
    let shipped = root().join("addons/memcached/1.0.0");
    let written = world.join("platform/addons/memcached/1.0.0");
    assert_eq!(files(&written), files(&shipped), "not what ships");
    let last = crate::world::json(&world.join("platform"), "addon lint addons");
    assert_eq!(last["summary"]["findings"], 0);
    assert_eq!(last["addons"].as_array().unwrap().len(), 2);
    let shop = "addon render shop --profile production --topology quorum --enable cache";
    let shop = crate::world::json(world, shop);
    let rendered = shop["components"][1]["config"]["shop.conf"].as_str();
    insta::assert_snapshot!(rendered.unwrap());
}

/// Path and text of every file below a directory.
fn files(directory: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let below = self::files(&path).into_iter();
            files.extend(below.map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            files.push((name, fs::read_to_string(path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn every_filter_stands_in_the_guide() {
    let text = fs::read_to_string(root().join(GUIDE)).unwrap();
    let source =
        fs::read_to_string(root().join("package/evaluate/templates/src/filters.rs")).unwrap();
    let filter = regex::Regex::new(r#"register_filter\("([a-z_]+)""#).unwrap();
    let names: Vec<&str> = filter
        .captures_iter(&source)
        .filter_map(|found| Some(found.get(1)?.as_str()))
        .collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        assert!(
            text.contains(&format!("`{name}`")),
            "{name} is not in {GUIDE}"
        );
    }
}

/// A directory with `kubectl`, which runs its plugins as the real one does, and the plugin.
fn path_with_kubectl(bin: &Path) {
    let kubectl = bin.join("kubectl");
    let script = "#!/bin/sh\nplugin=$1\nshift\nexec \"kubectl-$plugin\" \"$@\"\n";
    fs::write(&kubectl, script).unwrap();
    fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(PLUGIN, bin.join("kubectl-middleware")).unwrap();
}
