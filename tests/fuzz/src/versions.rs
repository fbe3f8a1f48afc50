//! Versions and ranges: what is accepted prints as it reads; versions are those of a naive grammar, in
//! a naive order; ranges match what the crate `semver` says of the same range in its own words.

use crate::{Corpus, Target, ensure};
use api::{Range, Version};
use arbitrary::{Result, Unstructured};
use regex::Regex;
use semver::{Comparator, VersionReq};
use std::{cmp::Ordering, sync::LazyLock};

pub(crate) const VERSION: Target = Target {
    name: "version",
    make: make_versions,
    check: version_holds,
    words,
    more: Vec::new,
};

pub(crate) const RANGE: Target = Target {
    name: "range",
    make: make_range,
    check: range_holds,
    words,
    more: Vec::new,
};

const WORDS: [&str; 48] = [
    "1.2.3",
    "v1.2.3",
    "0.0.0",
    "0.0.3",
    "0.2.1",
    "1.0.10",
    "1.0.9",
    "1.0.0-rc.1",
    "1.0.0-dev.2",
    "1.0.0-dev.10",
    "1.0.0-0",
    "1.0.0--",
    "1.0.0-a-",
    "1.0.0-01",
    "1.0.0-a..b",
    "1.0.0+b",
    "1.0.0-RC1",
    "01.2.3",
    "1.2",
    "1",
    "1.2.x",
    "1.x",
    "x",
    "X",
    "*",
    "1.x.3",
    "^",
    "~",
    ">=",
    "<=",
    ">",
    "<",
    "=",
    "^1.2.0",
    "~1.2",
    ">=1.0.0 <2.0.0",
    "1.2.0 - 1.4.0",
    "1.2 - 1.4",
    " || ",
    ",",
    ", ",
    " ",
    " - ",
    "-",
    "18446744073709551615",
    "18446744073709551616",
    "999999999999.0.0",
    "2.0.0-alpha",
];

fn words() -> Vec<String> {
    WORDS.map(str::to_owned).to_vec()
}

fn number(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.int_in_range(0..=20)? {
        0 => u64::MAX.to_string(),
        1 => u.arbitrary::<u64>()?.to_string(),
        _ => u.int_in_range(0..=3)?.to_string(),
    })
}

fn prerelease(u: &mut Unstructured<'_>) -> Result<String> {
    let parts = [
        "0", "1", "2", "10", "alpha", "beta", "rc", "dev", "a-b", "-", "0a", "x",
    ];
    let parts = (0..u.int_in_range(1..=3)?)
        .map(|_| u.choose(&parts).copied())
        .collect::<Result<Vec<_>>>()?;
    Ok(parts.join("."))
}

fn full(u: &mut Unstructured<'_>) -> Result<String> {
    let mut text = format!("{}.{}.{}", number(u)?, number(u)?, number(u)?);
    if u.ratio(1, 3)? {
        text = format!("{text}-{}", prerelease(u)?);
    }
    Ok(if u.ratio(1, 10)? {
        format!("v{text}")
    } else {
        text
    })
}

fn partial(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.int_in_range(0..=5)? {
        0 => number(u)?,
        1 => format!("{}.{}", number(u)?, number(u)?),
        2 => format!("{}.{}", number(u)?, u.choose(&["x", "X", "*"])?),
        3 => format!(
            "{}.{}.{}",
            number(u)?,
            number(u)?,
            u.choose(&["x", "X", "*"])?
        ),
        _ => full(u)?,
    })
}

/// Two versions.
fn make_versions(u: &mut Unstructured<'_>, _: &Corpus) -> Result<Vec<u8>> {
    Ok(format!("{} {}", full(u)?, full(u)?).into_bytes())
}

/// A range, and versions below it.
fn make_range(u: &mut Unstructured<'_>, _: &Corpus) -> Result<Vec<u8>> {
    let mut any = Vec::new();
    for _ in 0..u.int_in_range(1..=2)? {
        if u.ratio(1, 4)? {
            any.push(format!("{} - {}", partial(u)?, partial(u)?));
            continue;
        }
        let mut all = String::new();
        for at in 0..u.int_in_range(1..=3)? {
            if at > 0 {
                all.push_str(u.choose(&[" ", ",", ", "])?);
            }
            all.push_str(u.choose(&["", "=", ">", "<", ">=", "<=", "^", "~", ">= ", "^ "])?);
            all.push_str(&if u.ratio(1, 20)? {
                "*".to_owned()
            } else {
                partial(u)?
            });
        }
        any.push(all);
    }
    let mut text = any.join("||");
    for _ in 0..u.int_in_range(0..=3)? {
        text.push('\n');
        text.push_str(&full(u)?);
    }
    Ok(text.into_bytes())
}

/// SemVer's own expression (semver.org, item «regular expression»), without build metadata.
static GRAMMAR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(?:-((?:0|[1-9][0-9]*|[0-9]*[a-z-][0-9a-z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-z-][0-9a-z-]*))*))?$",
    )
    .ok()
});

fn version_holds(input: &[u8]) -> std::result::Result<(), String> {
    let Ok(text) = std::str::from_utf8(input) else {
        return Ok(());
    };
    let mut parsed = Vec::new();
    for word in text.split(' ') {
        let version = word.parse::<Version>().ok();
        ensure!(
            version.is_some() == is_version(word),
            "`{word}` is {version:?}"
        );
        let Some(version) = version else {
            continue;
        };
        let printed = version.to_string();
        ensure!(
            printed == word.strip_prefix('v').unwrap_or(word),
            "`{word}` prints as `{printed}`"
        );
        ensure!(
            printed.parse().as_ref() == Ok(&version),
            "`{printed}` reads as another version"
        );
        ensure!(
            version.is_prerelease() == printed.contains('-'),
            "`{printed}`: pre-release?"
        );
        let exact: Range = printed
            .parse()
            .map_err(|e| format!("it is no exact range: {e}"))?;
        ensure!(
            exact.matches(&version),
            "`{printed}` is not in the range `{printed}`"
        );
        parsed.push(version);
    }
    for a in &parsed {
        for b in &parsed {
            let (ours, naive) = (a.cmp(b), order(&a.to_string(), &b.to_string()));
            ensure!(
                ours == naive,
                "{a} is {ours:?} to {b}, and naively {naive:?}"
            );
        }
    }
    Ok(())
}

fn is_version(word: &str) -> bool {
    let Some(parts) = GRAMMAR.as_ref().and_then(|grammar| grammar.captures(word)) else {
        return false;
    };
    let numbers = (1..=3).all(|n| {
        parts
            .get(n)
            .is_some_and(|n| n.as_str().parse::<u64>().is_ok())
    });
    let bare = word.strip_prefix('v').unwrap_or(word);
    numbers && bare.len() <= 63 && !bare.ends_with('-')
}

/// SemVer 2.0, item 11.
fn order(a: &str, b: &str) -> Ordering {
    fn split(text: &str) -> (Vec<u64>, Option<Vec<&str>>) {
        let (numbers, pre) = text
            .split_once('-')
            .map_or((text, None), |(n, p)| (n, Some(p)));
        let numbers = numbers.split('.').filter_map(|n| n.parse().ok()).collect();
        (numbers, pre.map(|pre| pre.split('.').collect()))
    }
    fn identifiers(a: &str, b: &str) -> Ordering {
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        match (number(a), number(b)) {
            (true, true) => (a.len(), a).cmp(&(b.len(), b)),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => a.cmp(b),
        }
    }
    let ((a, a_pre), (b, b_pre)) = (split(a), split(b));
    a.cmp(&b).then_with(|| match (a_pre, b_pre) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => {
            let different = a
                .iter()
                .zip(&b)
                .map(|(a, b)| identifiers(a, b))
                .find(|o| o.is_ne());
            different.unwrap_or(a.len().cmp(&b.len()))
        }
    })
}

fn range_holds(input: &[u8]) -> std::result::Result<(), String> {
    let Ok(text) = std::str::from_utf8(input) else {
        return Ok(());
    };
    let (range, versions) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(parsed) = range.parse::<Range>() else {
        return Ok(());
    };
    let printed = parsed.to_string();
    ensure!(printed == range, "`{range}` prints as `{printed}`");
    ensure!(
        printed.parse().as_ref() == Ok(&parsed),
        "`{printed}` reads as another range"
    );
    let Some(naive) = Naive::parse(range) else {
        return Err(format!("`{range}` is a range, and no naive one"));
    };
    let mut versions: Vec<Version> = versions.lines().filter_map(|v| v.parse().ok()).collect();
    versions.extend(around(range));
    for version in &versions {
        let (ours, theirs) = (parsed.matches(version), naive.matches(version));
        ensure!(
            ours == theirs,
            "`{range}` matches {version}: {ours}, and naively {theirs}"
        );
    }
    Ok(())
}

/// Versions at the numbers that stand in `range`, and just beside them.
fn around(range: &str) -> Vec<Version> {
    let mut numbers = vec![0, 1];
    for digits in range.split(|c: char| !c.is_ascii_digit()) {
        if let Ok(number) = digits.parse::<u64>() {
            numbers.extend([number.saturating_sub(1), number, number.saturating_add(1)]);
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(8);
    let mut versions = Vec::new();
    for major in &numbers {
        for minor in &numbers {
            for patch in &numbers {
                for pre in ["", "-0", "-rc.1", "-alpha"] {
                    versions.extend(format!("{major}.{minor}.{patch}{pre}").parse::<Version>());
                }
            }
        }
    }
    versions
}

/// The same range in the words of the crate `semver`: alternatives of a lower and an upper part.
struct Naive(Vec<Vec<VersionReq>>);

impl Naive {
    fn parse(range: &str) -> Option<Self> {
        let any = range.split("||").map(|all| alternative(all.trim()));
        any.collect::<Option<_>>().map(Self)
    }

    /// Every comparator must hold of the version itself; a pre-release must be named by one of them, as
    /// in npm and Cargo.
    fn matches(&self, version: &Version) -> bool {
        let version = version.semver();
        self.0.iter().any(|all| {
            let comparators = || all.iter().flat_map(|req| &req.comparators);
            let named = comparators().any(|c| {
                let same = (Some(version.minor), Some(version.patch)) == (c.minor, c.patch);
                !c.pre.is_empty() && c.major == version.major && same
            });
            let every = comparators().all(|comparator| holds_of(comparator, version));
            (version.pre.is_empty() || named) && every
        })
    }
}

/// Whether the comparator holds, be the version named or not.
fn holds_of(comparator: &Comparator, version: &semver::Version) -> bool {
    let asked = |comparators, version| VersionReq { comparators }.matches(version);
    if version.pre.is_empty() {
        return asked(vec![comparator.clone()], version);
    }
    if comparator.patch.is_none() {
        // Its bounds are releases without their pre-releases: as the release, but for the lowest.
        let release = semver::Version::new(version.major, version.minor, version.patch);
        return asked(vec![comparator.clone()], &release) && lowest(comparator) != Some(release);
    }
    // With another comparator that is true of this version and names it.
    let exactly = Comparator {
        op: semver::Op::Exact,
        major: version.major,
        minor: Some(version.minor),
        patch: Some(version.patch),
        pre: version.pre.clone(),
    };
    asked(vec![comparator.clone(), exactly], version)
}

/// The lowest release of a comparator in which numbers are missing.
fn lowest(comparator: &Comparator) -> Option<semver::Version> {
    let (major, minor) = (comparator.major, comparator.minor);
    match (comparator.op, minor) {
        (semver::Op::Less | semver::Op::LessEq, _) => None,
        (semver::Op::Greater, None) => Some(semver::Version::new(major.checked_add(1)?, 0, 0)),
        (semver::Op::Greater, Some(minor)) => {
            Some(semver::Version::new(major, minor.checked_add(1)?, 0))
        }
        _ => Some(semver::Version::new(major, minor.unwrap_or(0), 0)),
    }
}

fn alternative(text: &str) -> Option<Vec<VersionReq>> {
    if let Some((low, high)) = text.split_once(" - ") {
        let low = requirement(">=", low.trim())?;
        let high = requirement("<=", high.trim())?;
        return Some(vec![low, high]);
    }
    let mut requirements = Vec::new();
    let mut operator = String::new();
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        let end = word
            .find(|c: char| !"<>=^~".contains(c))
            .unwrap_or(word.len());
        operator.push_str(&word[..end]);
        if end < word.len() {
            requirements.push(requirement(&operator, &word[end..])?);
            operator.clear();
        }
    }
    (operator.is_empty() && !requirements.is_empty()).then_some(requirements)
}

fn requirement(operator: &str, version: &str) -> Option<VersionReq> {
    let bare = version.strip_prefix('v').unwrap_or(version);
    let (numbers, pre) = bare.split_at(bare.find('-').unwrap_or(bare.len()));
    let known: Vec<&str> = numbers
        .split('.')
        .take_while(|part| !matches!(*part, "x" | "X" | "*"))
        .collect();
    if known.is_empty() {
        // `>*` is no range; `<*` matches nothing.
        return match operator {
            "<" => VersionReq::parse("<0.0.0-0").ok(),
            ">" => None,
            // As npm writes it; of the crate's own `*` no pre-release is below.
            _ => VersionReq::parse(">=0.0.0").ok(),
        };
    }
    let operator = if operator.is_empty() { "=" } else { operator };
    VersionReq::parse(&format!("{operator}{}{pre}", known.join("."))).ok()
}
