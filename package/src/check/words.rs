//! Phrases of findings: lists, what may have been meant, and all of them in order and in bounds.

use crate::Finding;
use std::fmt::Display;

/// How alike two words are, from 0 to 1, for one to be offered in place of the other.
const ALIKE: f64 = 0.8;
/// The most items that are listed: a person reads no more.
const MOST_LISTED: usize = 20;
/// The most bytes of a finding's file, as AddonSource's schema has it.
const MAX_FILE: usize = 512;
/// The most bytes of a finding's message, as AddonSource's schema has it.
const MAX_MESSAGE: usize = 2048;

/// `want one of a, b`, with the one that was probably meant in place of `word`.
pub(crate) fn one_of(word: &str, allowed: &[&str]) -> String {
    let lower = word.to_ascii_lowercase();
    let likeness = |other: &str| strsim::jaro_winkler(&lower, &other.to_ascii_lowercase());
    let best = allowed
        .iter()
        .map(|other| (likeness(other), *other))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let meant = match best {
        Some((_, best)) => format!("; did you mean `{best}`?"),
        None => String::new(),
    };
    match allowed {
        [] => "there is none at all".to_owned(),
        [one] => format!("want `{one}`"),
        _ => format!("want one of {}{meant}", listed(allowed)),
    }
}

/// `a, b, c`, or `nothing`; the first [`MOST_LISTED`].
pub(crate) fn listed(items: &[impl Display]) -> String {
    if items.is_empty() {
        return "nothing".to_owned();
    }
    let mut shown: Vec<String> = items
        .iter()
        .take(MOST_LISTED)
        .map(ToString::to_string)
        .collect();
    if items.len() > MOST_LISTED {
        shown.push(format!("… ({} in all)", items.len()));
    }
    shown.join(", ")
}

/// One finding a line.
pub(crate) fn lines(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The findings sorted by place, each once, and cut to what a status holds.
pub(crate) fn told(mut findings: Vec<Finding>) -> Vec<Finding> {
    for finding in &mut findings {
        cut(&mut finding.file, MAX_FILE);
        cut(&mut finding.message, MAX_MESSAGE);
    }
    findings.sort();
    findings.dedup();
    findings
}

fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most - '…'.len_utf8()));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_what_was_probably_meant() {
        let fields = ["port", "ports", "probe"];
        assert_eq!(
            one_of("prots", &fields),
            "want one of port, ports, probe; did you mean `ports`?"
        );
        assert_eq!(one_of("xyz", &fields), "want one of port, ports, probe");
        assert_eq!(one_of("x", &["y"]), "want `y`");
        assert_eq!(one_of("x", &[]), "there is none at all");
    }

    #[test]
    fn what_is_told_fits_a_status() {
        let finding = |file: &str, text: &str| Finding {
            file: file.to_owned(),
            message: text.to_owned(),
            ..Finding::default()
        };
        let long = finding("b", &"é".repeat(2000));
        let told = told(vec![long.clone(), finding("a", "x"), long]);
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].file, "a");
        assert!(told[1].message.len() <= MAX_MESSAGE && told[1].message.ends_with('…'));
        assert!(listed(&[1; 100]).ends_with("… (100 in all)"));
    }
}
