//! What differs between the configuration files of two versions, as a unified diff.

use crate::output::Paint;
use similar::TextDiff;
use std::collections::{BTreeMap, BTreeSet};

/// Lines of context around a change, as `diff -u` has them.
const CONTEXT: usize = 3;

/// The diff from `before` to `after`, files by name; empty where they are the same.
pub(super) fn unified(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> String {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut text = String::new();
    for name in names {
        let side = |files: &BTreeMap<String, String>, prefix: &str| match files.get(name) {
            Some(content) => (content.clone(), format!("{prefix}/{name}")),
            None => (String::new(), "/dev/null".to_owned()),
        };
        let ((old, from), (new, to)) = (side(before, "a"), side(after, "b"));
        let diff = TextDiff::from_lines(&old, &new);
        let mut unified = diff.unified_diff();
        text.push_str(
            &unified
                .context_radius(CONTEXT)
                .header(&from, &to)
                .to_string(),
        );
    }
    text
}

/// The diff in colours.
pub(super) fn painted(diff: &str, paint: Paint) -> String {
    let line = |line: &str| match line {
        line if line.starts_with("+++") || line.starts_with("---") => paint.bold(line),
        line if line.starts_with('+') => paint.green(line),
        line if line.starts_with('-') => paint.red(line),
        line => line.to_owned(),
    };
    let lines: Vec<String> = diff.split('\n').map(line).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_come_change_and_go() {
        let files = |files: &[(&str, &str)]| {
            let files = files.iter();
            files
                .map(|(n, t)| ((*n).to_owned(), (*t).to_owned()))
                .collect()
        };
        let before = files(&[("gone", "x\n"), ("kept", "same\n"), ("other", "1\n2\n")]);
        let after = files(&[("come", "y\n"), ("kept", "same\n"), ("other", "1\n3\n")]);
        insta::assert_snapshot!(unified(&before, &after));
        assert_eq!(unified(&before, &before), "");
    }
}
