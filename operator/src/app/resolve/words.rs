//! Phrases of refusals: lists, and what may have been meant.

use std::fmt::Display;

/// How many choices a message lists.
pub(super) const LISTED: usize = 20;

/// The first choices, or `none`.
pub fn listed(choices: &[impl Display]) -> String {
    let shown: Vec<String> = choices
        .iter()
        .take(LISTED)
        .map(ToString::to_string)
        .collect();
    match choices.len() {
        0 => "none".to_owned(),
        n if n > LISTED => format!("{} and {} more", shown.join(", "), n - LISTED),
        _ => shown.join(", "),
    }
}

/// ` (did you mean `x`?)` where a choice is much like `word`.
pub fn meant(word: &str, choices: &[&str]) -> String {
    const ALIKE: f64 = 0.8;
    let best = choices
        .iter()
        .map(|choice| (strsim::jaro_winkler(word, choice), choice))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(String::new, |(_, choice)| {
        format!(" (did you mean `{choice}`?)")
    })
}
