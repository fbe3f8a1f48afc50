use super::*;
use std::time::{Duration, Instant};

/// What is said against `text`, octals included; nothing where it is fine.
fn said(text: &str) -> String {
    let findings = match Node::parse(text) {
        Err(finding) => vec![finding],
        Ok(node) => {
            let mut octals = Vec::new();
            node.refuse_octals(text, &mut octals);
            octals
        }
    };
    crate::check::words::lines(&findings).replace("addon.yaml:", "")
}

fn json(text: &str) -> Json {
    Node::parse(text).unwrap().json()
}

#[test]
fn a_key_is_there_once() {
    for text in [
        "a: 1\nb: 2\na: 3\n",
        "{b: 2,\n\na: 1, 'a': 2}",
        "b:\n  - {a: 1,\na: 2}\n",
    ] {
        let said = said(text);
        assert!(said.starts_with("3:"), "{text}: {said}");
        assert!(
            said.ends_with("no YAML: duplicate mapping key: a"),
            "{text}: {said}"
        );
    }
}

#[test]
fn a_number_means_the_same_in_yaml_1_1_and_1_2() {
    for text in [
        "a: 014",
        "a: [1, 014]",
        "a: {b: -07}",
        "a: 0o14",
        "a: +0_7",
        "a: 00",
        "- 0644",
        "a: &b 0644\nc: *b",
    ] {
        let said = said(text);
        assert!(
            said.contains("is an octal number to some readers"),
            "{text}: {said}"
        );
    }
    for text in [
        "a: 0",
        "a: 0.5",
        "a: 14",
        "a: \"014\"",
        "a: '0o14'",
        "a: 0x1F",
        "a: 0e1",
        "a: 1.014",
        "a: >-\n  014",
        "a: 0.1.0",
        "a: 07h",
    ] {
        assert_eq!(said(text), "", "{text}");
    }
}

/// Ten values, repeated by ten aliases, and so on: 10^12 in all.
fn bomb() -> String {
    let mut bomb = format!("a0: &a0 [{}]\n", ["x"; 10].join(", "));
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    bomb
}

#[test]
fn what_grows_is_refused_before_it_has_grown() {
    let started = Instant::now();
    let bomb = said(&bomb());
    assert!(
        bomb.contains("more than 50000 values, with those that aliases repeat"),
        "{bomb}"
    );
    let flat = said(&"- 1\n".repeat(60_000));
    assert!(flat.contains("more than 50000 values"), "{flat}");
    let took = started.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn what_is_nested_deep_is_refused() {
    let list = |depth: usize| format!("a: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    let map = |depth: usize| -> String {
        (0..depth)
            .map(|level| format!("{}a:\n", " ".repeat(level)))
            .collect()
    };
    for text in [list(MAX_DEPTH), map(MAX_DEPTH + 1), list(100_000)] {
        let said = said(&text);
        assert!(
            said.contains("lie in each other more than 24 deep"),
            "{said}"
        );
    }
    assert_eq!(said(&list(MAX_DEPTH - 1)), "");
    assert_eq!(said(&map(MAX_DEPTH)), "");
}

#[test]
fn what_is_no_yaml_is_said_so_that_an_author_understands() {
    for (text, says) in [
        (
            "a: &a [*a]\n",
            "1:8: no YAML: an alias stands in what it refers to",
        ),
        (
            "a: *b\n",
            "1:4: no YAML: an alias refers to an anchor that is not before it",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "3:1: no YAML: a second document begins here, and want one",
        ),
        ("? {a: b}\n: c\n", "1:3: no YAML: want text for a key"),
        (
            "a: 1\nnull: c\n",
            "2:1: no YAML: a key is missing or `null`",
        ),
        (
            "a: .inf\n",
            "1:4: no YAML: a number without an end: want a finite one",
        ),
        (
            "a:\n\tb: 1\n",
            "2:2: no YAML: tabs disallowed within this context (block indentation)",
        ),
    ] {
        assert_eq!(said(text), says, "{text:?}");
    }
}

#[test]
fn an_alias_is_what_it_refers_to() {
    assert_eq!(
        json("a: &x [1, -2, 0.5]\nb: *x\n"),
        json("a: [1, -2, 0.5]\nb: [1, -2, 0.5]\n")
    );
    assert_eq!(
        json("a: {b: ~, c: true, d: 18446744073709551615}")["a"]["d"],
        u64::MAX
    );
}
