//! Files that a manifest names: commands from `scripts/`, templates from `templates/`, schemas from
//! `schema/`.

use super::Rules;
use crate::{
    check::document::Node,
    manifest::Component,
    tree::{MAX_SCRIPT_BYTES, SCHEMA_PREFIX, SCRIPTS_PREFIX, TEMPLATES_PREFIX, bad_name, is_name},
};
use api::{Version, agent::SCRIPTS_DIR};
use std::collections::BTreeSet;

impl Rules<'_> {
    /// The field `command` of `at`.
    pub(super) fn command(&mut self, at: &Node, words: &[String]) {
        let list = at.key("command");
        if words.first().is_none_or(String::is_empty) {
            self.refuse(
                list,
                "`command` is missing or empty: want the program and its arguments",
            );
        }
        self.scripts(list, words);
    }

    /// Refuses words that are scripts and are not there.
    pub(super) fn scripts(&mut self, list: &Node, words: &[String]) {
        for (i, word) in words.iter().enumerate() {
            let script = word
                .strip_prefix(SCRIPTS_DIR)
                .and_then(|rest| rest.strip_prefix('/'));
            if let Some(script) = script {
                self.file(list.index(i), SCRIPTS_PREFIX, script);
            }
        }
    }

    /// Scripts and action table go into one ConfigMap, two revisions of each.
    pub(super) fn content_size(&mut self, at: &Node, component: &Component) {
        let table = component.actions().ok();
        let table = table.and_then(|table| serde_json::to_vec(&table).ok());
        let bytes = self.tree.bytes_below(SCRIPTS_PREFIX) + table.map_or(0, |table| table.len());
        if bytes > MAX_SCRIPT_BYTES {
            let message = format!(
                "scripts and actions have {bytes} bytes, and at most {MAX_SCRIPT_BYTES} are allowed"
            );
            self.refuse(at, message);
        }
    }

    pub(super) fn template(&mut self, at: &Node, name: &str) {
        self.text(at, TEMPLATES_PREFIX, name, "template");
    }

    /// The schema of a component: each file once, and at least one for every runtime.
    pub(super) fn schema(&mut self, list: &Node, component: &Component) {
        let mut names = BTreeSet::new();
        for (i, schema) in component.schema.iter().enumerate() {
            let at = list.index(i);
            if !is_name(&schema.file) {
                self.refuse(at.key("file"), bad_name(&schema.file));
            } else if !schema.file.ends_with(".cue") {
                let message = format!(
                    "`{}` is no CUE file: want a name that ends in `.cue`",
                    schema.file
                );
                self.refuse(at.key("file"), message);
            } else {
                self.text(at.key("file"), SCHEMA_PREFIX, &schema.file, "schema");
            }
            self.unique(at.key("file"), "the file", &mut names, &schema.file);
            self.some_runtime(at, schema.runtimes.as_ref());
        }
        let versions = self.manifest.runtime_versions();
        let bare = versions
            .into_iter()
            .filter(|version| !component.schema.iter().any(|schema| schema.is_for(version)));
        let bare: Vec<Version> = bare.collect();
        if !component.schema.is_empty() && !bare.is_empty() {
            let message = format!(
                "no file of the schema is for runtime {}; want one for every runtime: without `runtimes` \
                 it is for all",
                crate::check::listed(&bare)
            );
            self.refuse(list, message);
        }
    }

    /// A file of `folder` that is text.
    fn text(&mut self, at: &Node, folder: &str, name: &str, what: &str) {
        if self.file(at, folder, name) {
            let path = format!("{folder}{name}");
            let bytes = self.tree.get(&path).unwrap_or_default();
            if std::str::from_utf8(bytes).is_err() {
                self.refuse(at, format!("`{path}` is no {what}: it is not UTF-8"));
            }
        }
    }

    /// Refuses a reference to a file that is not there.
    fn file(&mut self, at: &Node, folder: &str, name: &str) -> bool {
        let path = format!("{folder}{name}");
        if self.tree.get(&path).is_some() {
            return true;
        }
        let paths = self.tree.files().map(|(path, _)| path);
        let there: Vec<&str> = paths.filter_map(|path| path.strip_prefix(folder)).collect();
        let message = format!(
            "the file `{path}` is missing: {}",
            crate::check::one_of(name, &there)
        );
        self.refuse(at, message);
        false
    }
}
