use super::*;
use std::collections::BTreeMap;

/// Rows, newest first, of `version: those before it`.
fn rows(of: &[(&str, &[&str])]) -> Vec<Row> {
    let row = |(version, from): &(&str, &[&str])| Row {
        version: version.parse().unwrap(),
        runtimes: vec!["7.0.15".parse().unwrap()],
        upgrade_from: Vec::new(),
        migrate_from: BTreeMap::new(),
        from: from.iter().map(|v| v.parse().unwrap()).collect(),
        closed_from: Vec::new(),
        remark: String::new(),
    };
    of.iter().map(row).collect()
}

#[test]
fn a_chain_has_a_line_for_each_step() {
    let drawn = graph(&rows(&[
        ("3.0.0", &["2.0.0"]),
        ("2.0.0", &["1.0.0"]),
        ("1.0.0", &[]),
    ]));
    insta::assert_snapshot!(drawn);
}

#[test]
fn lines_that_pass_are_told_from_lines_that_join() {
    let drawn = graph(&rows(&[
        ("2.1.0", &["2.0.0", "1.1.0"]),
        ("2.0.0", &["1.0.0"]),
        ("1.1.0", &["1.0.0"]),
        ("1.0.0", &[]),
    ]));
    insta::assert_snapshot!(drawn);
}

#[test]
fn a_downgrade_is_told_in_words() {
    let drawn = graph(&rows(&[("1.1.0", &["1.0.0"]), ("1.0.0", &["1.1.0"])]));
    insta::assert_snapshot!(drawn);
}

#[test]
fn no_line_is_wider_than_a_terminal() {
    let versions: Vec<String> = (0..40).rev().map(|n| format!("1.{n}.0")).collect();
    let all: Vec<&str> = versions.iter().map(String::as_str).collect();
    let of: Vec<(&str, &[&str])> = (0..40).map(|i| (all[i], &all[i + 1..])).collect();
    let drawn = graph(&rows(&of));
    assert_eq!(drawn.lines().count(), 40);
    let widest = drawn.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(WIDTH), "{widest:?}");
    assert!(drawn.contains("from 1.38.0, 1.37.0"), "{drawn}");
}
