//! The author's guide, played: every `sh` block is run, in order, in an empty directory.

use crate::world::{PLUGIN, World, root, shell};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

const GUIDE: &str = "docs/authors-guide.md";

#[test]
fn every_command_of_the_guide_works() {
    let text = fs::read_to_string(root().join(GUIDE)).unwrap();
    let blocks = blocks(&text, "sh");
    assert!(blocks.len() >= 8, "only {} blocks", blocks.len());
    let (world, bin) = (World::new(), World::new());
    path_with_kubectl(bin.path());
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", bin.path().display());
    for (line, block) in blocks {
        let out = shell(&block)
            .current_dir(world.path())
            .env("PATH", &path)
            .output()
            .unwrap();
        let (stdout, stderr) = (
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr),
        );
        assert!(
            out.status.success(),
            "{GUIDE}:{line}\n{block}\n{stdout}{stderr}"
        );
    }
    // What the guide ends with is what it promises.
    let recipes = crate::world::json(world.path(), "addon render recipes");
    let rendered = recipes["components"][0]["config"]["recipes.conf"].as_str();
    insta::assert_snapshot!(rendered.unwrap());
    let last = crate::world::json(&world.path().join("platform"), "addon lint addons");
    assert_eq!(last["summary"]["findings"], 0);
    assert_eq!(last["addons"].as_array().unwrap().len(), 2);
}

#[test]
fn every_field_and_filter_stands_in_the_guide() {
    let text = fs::read_to_string(root().join(GUIDE)).unwrap();
    for source in ["package/src/manifest.rs", "package/evaluate/src/filters.rs"] {
        let source = fs::read_to_string(root().join(source)).unwrap();
        let own = source.split("#[cfg(test)]").next().unwrap();
        for name in names(own) {
            assert!(
                text.contains(&format!("`{name}`")),
                "{name} is not in {GUIDE}"
            );
        }
    }
}

/// The fields of a file's serialized structs, as an author writes them, and the filters registered.
fn names(source: &str) -> Vec<String> {
    let field = regex::Regex::new(r"(?m)^    pub ([a-z_]+): ").unwrap();
    let filter = regex::Regex::new(r#"register_filter\("([a-z_]+)""#).unwrap();
    let fields = field.captures_iter(source).map(|found| camel(&found[1]));
    let filters = filter
        .captures_iter(source)
        .map(|found| found[1].to_owned());
    let names: Vec<String> = fields.chain(filters).collect();
    assert!(names.len() > 5, "{names:?}");
    names
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(1);
        text.push_str(&first.to_uppercase());
        text.push_str(rest);
    }
    text
}

/// A directory with `kubectl`, which runs its plugins as the real one does, and the plugin.
fn path_with_kubectl(bin: &Path) {
    let kubectl = bin.join("kubectl");
    let script = "#!/bin/sh\nplugin=$1\nshift\nexec \"kubectl-$plugin\" \"$@\"\n";
    fs::write(&kubectl, script).unwrap();
    fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(PLUGIN, bin.join("kubectl-middleware")).unwrap();
}

/// The fenced blocks of `language`, with the line of each.
fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (i, line) in text.lines().enumerate() {
        match (&mut open, line) {
            (Some(_), "```") => blocks.extend(open.take()),
            (Some((_, block)), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, line) if line.strip_prefix("```") == Some(language) => {
                open = Some((i + 2, String::new()));
            }
            (None, _) => {}
        }
    }
    blocks
}
