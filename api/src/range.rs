//! A range of versions, as `upgradeFrom`, `migrateFrom` and sources write it (spec.md, section 1):
//! a bare full version is exact; `x`, `^`, `~`, comparators and hyphen ranges; blank or comma means
//! and, `||` means or; a range without a pre-release matches none.

use crate::Version;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A range of versions. Prints as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Range {
    text: String,
    /// Any of these; each a conjunction.
    any: Vec<Vec<Bound>>,
}

/// The text is no range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no version range: {reason}; want an exact version (`1.2.0`), `1.2.x`, `^1.2.0`, \
     `~1.2.0`, `>=1.2.0 <2.0.0`, `1.2.0 - 1.4.0`, joined by `||`"
)]
pub struct InvalidRange {
    text: String,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Bound {
    op: Op,
    version: semver::Version,
    /// Whether a person wrote the pre-release: only then it may match pre-releases.
    named_prerelease: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Eq,
    Lt,
    Le,
    Gt,
    Ge,
}

/// The most characters of a range.
pub const MAX_LENGTH: usize = 256;

impl Range {
    /// Whether `version` lies in the range.
    pub fn matches(&self, version: &Version) -> bool {
        self.any
            .iter()
            .any(|all| conjunction_matches(all, version.semver()))
    }

    /// The positions of those among `sorted`, which ascend, that lie in the range; some maybe twice.
    /// It looks only at the versions between the bounds of the range.
    pub fn positions<'a>(&'a self, sorted: &'a [&Version]) -> impl Iterator<Item = usize> + 'a {
        self.any.iter().flat_map(move |all| {
            let start = sorted.partition_point(|v| all.iter().any(|b| b.is_above(v.semver())));
            let rest = sorted.iter().enumerate().skip(start);
            let between = rest.take_while(|(_, v)| !all.iter().any(|b| b.is_below(v.semver())));
            let matching = between.filter(|(_, v)| conjunction_matches(all, v.semver()));
            matching.map(|(at, _)| at)
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Bound {
    /// Whether `version`, and every one before it, is too low.
    fn is_above(&self, version: &semver::Version) -> bool {
        match self.op {
            Op::Eq | Op::Ge => *version < self.version,
            Op::Gt => *version <= self.version,
            Op::Lt | Op::Le => false,
        }
    }

    /// Whether `version`, and every one after it, is too high.
    fn is_below(&self, version: &semver::Version) -> bool {
        match self.op {
            Op::Eq | Op::Le => *version > self.version,
            Op::Lt => *version >= self.version,
            Op::Gt | Op::Ge => false,
        }
    }
}

fn conjunction_matches(all: &[Bound], version: &semver::Version) -> bool {
    let in_bounds = all.iter().all(|bound| match bound.op {
        Op::Eq => *version == bound.version,
        Op::Lt => *version < bound.version,
        Op::Le => *version <= bound.version,
        Op::Gt => *version > bound.version,
        Op::Ge => *version >= bound.version,
    });
    // A pre-release is meant only where one of the same release is named, as npm and Helm have it.
    let meant = version.pre.is_empty()
        || all.iter().any(|b| {
            let v = &b.version;
            let same = (v.major, v.minor, v.patch) == (version.major, version.minor, version.patch);
            b.named_prerelease && same
        });
    in_bounds && meant
}

/// A version of which trailing parts may be missing or `x`.
struct Partial {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    pre: semver::Prerelease,
}

impl Partial {
    fn parse(text: &str) -> Result<Self, String> {
        let bare = text.strip_prefix('v').unwrap_or(text);
        if bare.contains('+') {
            return Err(format!("`{text}` has build metadata"));
        }
        let (numbers, pre) = match bare.split_once('-') {
            Some((_, "")) => return Err(format!("the pre-release of `{text}` is empty")),
            Some((numbers, pre)) => (numbers, pre),
            None => (bare, ""),
        };
        if pre.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(format!("the pre-release of `{text}` is not in lower case"));
        }
        let mut parts = Vec::new();
        for part in numbers.split('.') {
            parts.push(match part {
                "x" | "X" | "*" => None,
                _ => Some(number(part).ok_or_else(|| format!("`{text}` is no version"))?),
            });
        }
        if parts.len() > 3 {
            return Err(format!("`{text}` has more than three numbers"));
        }
        parts.resize(3, None);
        let wildcard_then_number = parts
            .iter()
            .skip_while(|p| p.is_some())
            .any(Option::is_some);
        if wildcard_then_number {
            return Err(format!("`{text}` has a number after a wildcard"));
        }
        if !pre.is_empty() && parts[2].is_none() {
            return Err(format!("`{text}` has a pre-release without three numbers"));
        }
        let pre = semver::Prerelease::new(pre).map_err(|e| format!("`{text}`: {e}"))?;
        Ok(Self {
            major: parts[0],
            minor: parts[1],
            patch: parts[2],
            pre,
        })
    }

    /// The lowest version it can mean.
    fn low(&self) -> semver::Version {
        semver::Version {
            major: self.major.unwrap_or(0),
            minor: self.minor.unwrap_or(0),
            patch: self.patch.unwrap_or(0),
            pre: self.pre.clone(),
            build: semver::BuildMetadata::EMPTY,
        }
    }

    /// The first release above all that it can mean; `None` where there is none.
    fn above(&self) -> Option<semver::Version> {
        let major = || {
            let next = self.major?.checked_add(1)?;
            Some(semver::Version::new(next, 0, 0))
        };
        let minor = || {
            let next = self.minor?.checked_add(1)?;
            Some(semver::Version::new(self.major?, next, 0))
        };
        let patch = || {
            let next = self.patch?.checked_add(1)?;
            Some(semver::Version::new(self.major?, self.minor?, next))
        };
        patch().or_else(minor).or_else(major)
    }

    fn is_full(&self) -> bool {
        self.patch.is_some()
    }

    fn bound(&self, op: Op, version: semver::Version) -> Bound {
        Bound {
            op,
            named_prerelease: !version.pre.is_empty(),
            version,
        }
    }

    fn at_least(&self) -> Bound {
        self.bound(Op::Ge, self.low())
    }
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if digits && !leading_zero {
        text.parse().ok()
    } else {
        None
    }
}

fn comparator(text: &str) -> Result<Vec<Bound>, String> {
    let split = text
        .find(|c: char| !"<>=^~".contains(c))
        .unwrap_or(text.len());
    let (op, rest) = text.split_at(split);
    let partial = Partial::parse(rest)?;
    let below = |version: Option<semver::Version>| version.map(before);
    Ok(match op {
        "" | "=" if partial.is_full() => vec![partial.bound(Op::Eq, partial.low())],
        "" | "=" => [Some(partial.at_least()), below(partial.above())]
            .into_iter()
            .flatten()
            .collect(),
        ">=" => vec![partial.at_least()],
        ">" if partial.is_full() => vec![partial.bound(Op::Gt, partial.low())],
        ">" => match partial.above() {
            Some(above) => vec![partial.bound(Op::Ge, above)],
            None => return Err("`>` any version matches none".to_owned()),
        },
        "<" if partial.is_full() => vec![partial.bound(Op::Lt, partial.low())],
        "<" => vec![before(partial.low())],
        "<=" if partial.is_full() => vec![partial.bound(Op::Le, partial.low())],
        "<=" => match below(partial.above()) {
            Some(below) => vec![below],
            None => vec![partial.bound(Op::Ge, semver::Version::new(0, 0, 0))],
        },
        "~" => {
            let top = Partial {
                patch: None,
                pre: semver::Prerelease::EMPTY,
                ..partial_copy(&partial)
            };
            [Some(partial.at_least()), below(top.above())]
                .into_iter()
                .flatten()
                .collect()
        }
        "^" => {
            let top = Partial {
                pre: semver::Prerelease::EMPTY,
                ..partial_copy(&partial)
            };
            let top = match (top.major, top.minor) {
                (Some(0), Some(0)) => top,
                (Some(0), Some(_)) => Partial { patch: None, ..top },
                _ => Partial {
                    minor: None,
                    patch: None,
                    ..top
                },
            };
            [Some(partial.at_least()), below(top.above())]
                .into_iter()
                .flatten()
                .collect()
        }
        other => return Err(format!("`{other}` is no comparator")),
    })
}

/// Below the release and its pre-releases: `^1.2.0` means nothing of 2.0.0, also where another
/// comparator names a pre-release of it.
fn before(release: semver::Version) -> Bound {
    Bound {
        op: Op::Lt,
        version: semver::Version {
            pre: semver::Prerelease::new("0").unwrap_or_default(),
            ..release
        },
        named_prerelease: false,
    }
}

fn partial_copy(partial: &Partial) -> Partial {
    Partial {
        pre: partial.pre.clone(),
        ..*partial
    }
}

fn conjunction(text: &str) -> Result<Vec<Bound>, String> {
    if let Some((low, high)) = text.split_once(" - ") {
        let (low, high) = (Partial::parse(low.trim())?, Partial::parse(high.trim())?);
        let mut bounds = vec![low.at_least()];
        if high.is_full() {
            bounds.push(high.bound(Op::Le, high.low()));
        } else if let Some(version) = high.above() {
            bounds.push(before(version));
        }
        return Ok(bounds);
    }
    let mut bounds = Vec::new();
    let mut operator = String::new();
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        // `>= 1.0.0` is written with a blank by many.
        if word.chars().all(|c| "<>=^~".contains(c)) && operator.is_empty() {
            operator = word.to_owned();
            continue;
        }
        bounds.extend(comparator(&format!("{operator}{word}"))?);
        operator.clear();
    }
    if !operator.is_empty() {
        return Err(format!("`{operator}` has no version"));
    }
    if bounds.is_empty() {
        return Err("an alternative is empty".to_owned());
    }
    Ok(bounds)
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Range {
    type Err = InvalidRange;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |reason: String| InvalidRange {
            text: text.to_owned(),
            reason,
        };
        if text.len() > MAX_LENGTH {
            return Err(refuse(format!("it is longer than {MAX_LENGTH} characters")));
        }
        let any = text
            .split("||")
            .map(|all| conjunction(all.trim()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(refuse)?;
        Ok(Self {
            text: text.to_owned(),
            any,
        })
    }
}

impl TryFrom<String> for Range {
    type Error = InvalidRange;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Range> for String {
    fn from(range: Range) -> Self {
        range.text
    }
}

#[cfg(feature = "crd")]
impl schemars::JsonSchema for Range {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Range".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "minLength": 1, "maxLength": MAX_LENGTH})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `range` matches all of `yes` and none of `no`.
    fn check(range: &str, yes: &str, no: &str) {
        let parsed: Range = range.parse().unwrap();
        for version in yes.split_whitespace() {
            assert!(
                parsed.matches(&version.parse().unwrap()),
                "{range} must match {version}"
            );
        }
        for version in no.split_whitespace() {
            assert!(
                !parsed.matches(&version.parse().unwrap()),
                "{range} must not match {version}"
            );
        }
        assert_eq!(parsed.to_string(), range);
    }

    #[test]
    fn every_form_of_the_specification() {
        check("1.0.0", "1.0.0", "1.0.1 1.0.0-rc.1 2.0.0");
        check("1.0.x", "1.0.0 1.0.99", "1.1.0 0.9.9 1.0.1-rc.1");
        check("1.x", "1.0.0 1.9.0", "2.0.0");
        check("*", "0.0.1 9.0.0", "1.0.0-rc.1");
        check("^1.2.0", "1.2.0 1.9.9", "1.1.9 2.0.0 2.0.0-rc.1");
        check("^0.2.1", "0.2.1 0.2.9", "0.3.0");
        check("^0.0.3", "0.0.3", "0.0.4");
        check("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2");
        check("~1", "1.0.0 1.9.0", "2.0.0");
        check(">=1.0.0 <2.0.0", "1.0.0 1.9.9", "2.0.0");
        check(">= 1.0.0, < 2.0.0", "1.0.0 1.9.9", "2.0.0");
        check(">1.2", "1.3.0", "1.2.9");
        check("<=1.2", "1.2.9", "1.3.0");
        check("1.2.0 - 1.4.0", "1.2.0 1.4.0", "1.4.1");
        check("1.2 - 1.4", "1.2.0 1.4.9", "1.5.0");
        check("1.0.x || 3.0.0", "1.0.4 3.0.0", "2.0.0");
        check("v1.0.0", "1.0.0", "1.0.1");
    }

    #[test]
    fn a_prerelease_matches_only_where_one_of_its_release_is_named() {
        check(
            ">=1.0.0-dev.1",
            "1.0.0-dev.1 1.0.0-dev.10 1.0.0 1.1.0",
            "1.0.0-alpha 1.1.0-dev.1",
        );
        check("1.0.0-rc.1", "1.0.0-rc.1", "1.0.0 1.0.0-rc.2");
        check("^1.0.0 <=2.0.0-rc.1", "1.9.0", "2.0.0-rc.1 2.0.0-alpha");
        check(
            ">=1.0.0-alpha <1.2 || 1.2.0-rc.1",
            "1.0.0-rc.1",
            "1.2.0-alpha",
        );
        check("1.x || 2.0.0-rc.1", "1.9.0 2.0.0-rc.1", "2.0.0-rc.2 2.0.0");
    }

    #[test]
    fn the_largest_numbers_have_no_next() {
        check(
            "^18446744073709551615.1.0",
            "18446744073709551615.2.0",
            "18446744073709551615.0.0",
        );
        check(
            "1.18446744073709551615",
            "1.18446744073709551615.3",
            "2.0.0 1.2.0",
        );
        check(
            "<=18446744073709551615",
            "0.0.0 18446744073709551615.0.0",
            "",
        );
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for bad in [
            "", " ", "||", "1.0.0 ||", "latest", "1.x.3", "=>1.0.0", ">=", "1.0.0+b", "1.2.3.4",
            "01.0.0", "1.x-rc", ">*", "1.2.3-", "1-",
        ] {
            assert!(bad.parse::<Range>().is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn positions_are_those_of_all_that_match(
            range in r"(\^|~|>|>=|<|<=|)[0-2]\.([0-2x]|[0-2]\.[0-2x]|[0-2]\.[0-2]-a)( (<|>=)1\.[0-2])?( \|\| 2\.x)?",
            versions in proptest::collection::btree_set(r"[0-2]\.[0-2]\.[0-2](-[ab])?", 0..30),
        ) {
            let Ok(range) = range.parse::<Range>() else { return Ok(()) };
            let versions: Vec<Version> = versions.iter().map(|v| v.parse().unwrap()).collect();
            let mut sorted: Vec<&Version> = versions.iter().collect();
            sorted.sort();
            let found: std::collections::BTreeSet<usize> = range.positions(&sorted).collect();
            for (at, version) in sorted.iter().enumerate() {
                proptest::prop_assert_eq!(found.contains(&at), range.matches(version), "{}", version);
            }
        }

        #[test]
        fn never_panics_and_prints_what_it_parsed(text in r"[0-9xv.*^~<>=|, \-a-c]{0,24}") {
            if let Ok(range) = text.parse::<Range>() {
                proptest::prop_assert_eq!(range.to_string().parse::<Range>().unwrap(), range);
            }
        }
    }
}
