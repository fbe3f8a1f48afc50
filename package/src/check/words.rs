//! Phrases of findings: lists, and what may have been meant.

use crate::Finding;
use std::fmt::Display;

/// How alike two words are, from 0 to 1, for one to be offered in place of the other.
const ALIKE: f64 = 0.8;

/// `; did you mean `x`?` where one of `allowed` is much like `word`, else nothing.
pub(crate) fn did_you_mean(word: &str, allowed: &[&str]) -> String {
    let lower = word.to_ascii_lowercase();
    let likeness = |other: &str| strsim::jaro_winkler(&lower, &other.to_ascii_lowercase());
    let best = allowed
        .iter()
        .map(|other| (likeness(other), *other))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((_, best)) => format!("; did you mean `{best}`?"),
        None => String::new(),
    }
}

/// `a, b, c`, or `nothing`.
pub(crate) fn listed(items: &[impl Display]) -> String {
    if items.is_empty() {
        return "nothing".to_owned();
    }
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}

/// One finding a line.
pub(crate) fn lines(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
