//! Files that a manifest names: commands from `scripts/`, templates from `templates/`.

use super::Rules;
use crate::{
    check::document::Node,
    manifest::Component,
    tree::{MAX_SCRIPT_BYTES, SCRIPTS_PREFIX, TEMPLATES_PREFIX},
};
use api::agent::SCRIPTS_DIR;

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
        if self.file(at, TEMPLATES_PREFIX, name) {
            let path = format!("{TEMPLATES_PREFIX}{name}");
            let bytes = self.tree.get(&path).unwrap_or_default();
            if std::str::from_utf8(bytes).is_err() {
                self.refuse(at, format!("`{path}` is no template: it is not UTF-8"));
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
