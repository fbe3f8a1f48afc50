//! Which of a repository's references is meant, and what it is called in a revision. Pure.

use crate::Error;
use api::{Range, Version};

/// How many names an error lists.
const LISTED: usize = 20;

/// What of a repository is meant. The first that is given wins: commit, tag, semver, branch; the
/// default branch where none is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// A branch.
    pub branch: Option<String>,
    /// A tag.
    pub tag: Option<String>,
    /// The newest tag in a range of versions.
    pub semver: Option<Range>,
    /// A commit's full hash.
    pub commit: Option<String>,
    /// What the tags of `semver` begin with: `redis/` for `redis/v1.2.0`. Alone it means the newest
    /// release of that name.
    pub prefix: Option<String>,
    /// Whether the whole history of the reference is wanted, for [`crate::Mirrors::history`].
    pub history: bool,
}

/// A commit, and by which name it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// `main@sha1:…`, `1.2.0@sha1:…`, or `sha1:…` where a commit was asked for.
    pub text: String,
    /// The commit's full hash.
    pub commit: String,
    /// The full name of the reference, `refs/heads/main`; `None` where a commit was asked for.
    pub reference: Option<String>,
}

impl Revision {
    /// The revision of a commit that was asked for by its hash.
    pub(crate) fn of_commit(commit: &str) -> Self {
        Self {
            text: format!("sha1:{commit}"),
            commit: commit.to_owned(),
            reference: None,
        }
    }

    fn of(prefix: &str, name: &str, commit: &str) -> Self {
        Self {
            text: format!("{name}@sha1:{commit}"),
            commit: commit.to_owned(),
            reference: Some(format!("{prefix}{name}")),
        }
    }
}

/// A reference that the server advertises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) commit: String,
    pub(crate) symref: Option<String>,
}

const BRANCHES: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";
const PEELED: &str = "^{}";

/// What `reference` means among `heads` of the repository `url`.
pub(crate) fn select(url: &str, reference: &Reference, heads: &[Head]) -> Result<Revision, Error> {
    if let Some(commit) = &reference.commit {
        return Ok(Revision::of_commit(commit));
    }
    if heads.is_empty() {
        return Err(Error::Empty {
            url: url.to_owned(),
        });
    }
    if let Some(tag) = &reference.tag {
        return named(url, TAGS, "tag", tag, heads);
    }
    if reference.semver.is_some() || reference.prefix.is_some() {
        return newest(url, reference, heads);
    }
    match &reference.branch {
        Some(branch) => named(url, BRANCHES, "branch", branch, heads),
        None => default(url, heads),
    }
}

fn named(
    url: &str,
    prefix: &str,
    kind: &'static str,
    name: &str,
    heads: &[Head],
) -> Result<Revision, Error> {
    match peeled(heads, &format!("{prefix}{name}")) {
        Some(commit) => Ok(Revision::of(prefix, name, commit)),
        None => Err(Error::NoReference {
            url: url.to_owned(),
            kind,
            name: name.to_owned(),
            there: listed(heads, prefix),
        }),
    }
}

fn newest(url: &str, reference: &Reference, heads: &[Head]) -> Result<Revision, Error> {
    let prefix = reference.prefix.as_deref().unwrap_or_default();
    let range = reference.semver.as_ref();
    let meant = |version: &Version| match range {
        Some(range) => range.matches(version),
        None => !version.is_prerelease(),
    };
    let newest = names(heads, TAGS)
        .filter_map(|name| Some((name.strip_prefix(prefix)?.parse::<Version>().ok()?, name)))
        .filter(|(version, _)| meant(version))
        .max();
    match newest {
        Some((_, name)) => named(url, TAGS, "tag", name, heads),
        None => Err(Error::NoTagInRange {
            url: url.to_owned(),
            range: format!("{prefix}{}", range.map_or("x", Range::as_str)),
            there: listed(heads, TAGS),
        }),
    }
}

fn default(url: &str, heads: &[Head]) -> Result<Revision, Error> {
    let head = heads.iter().find(|head| head.name == "HEAD");
    let none = || Error::NoDefaultBranch {
        url: url.to_owned(),
        there: listed(heads, BRANCHES),
    };
    let head = head.ok_or_else(none)?;
    match head
        .symref
        .as_deref()
        .and_then(|to| to.strip_prefix(BRANCHES))
    {
        Some(branch) => Ok(Revision::of(BRANCHES, branch, &head.commit)),
        None => Ok(Revision::of("", "HEAD", &head.commit)),
    }
}

/// The commit that `full` points at; an annotated tag's own object is passed over.
fn peeled<'a>(heads: &'a [Head], full: &str) -> Option<&'a str> {
    let find = |name: &str| heads.iter().find(|head| head.name == name);
    find(&format!("{full}{PEELED}"))
        .or_else(|| find(full))
        .map(|head| head.commit.as_str())
}

fn names<'a>(heads: &'a [Head], prefix: &'static str) -> impl Iterator<Item = &'a str> {
    heads
        .iter()
        .filter_map(move |head| head.name.strip_prefix(prefix))
        .filter(|name| !name.ends_with(PEELED))
}

fn listed(heads: &[Head], prefix: &str) -> String {
    let prefix = if prefix == TAGS { TAGS } else { BRANCHES };
    let all: Vec<&str> = names(heads, prefix).collect();
    match all.len() {
        0 => "none".to_owned(),
        n if n > LISTED => format!("{}, and {} more", all[..LISTED].join(", "), n - LISTED),
        _ => all.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(lines: &[(&str, &str)]) -> Vec<Head> {
        lines
            .iter()
            .map(|(name, commit)| Head {
                name: (*name).to_owned(),
                commit: (*commit).to_owned(),
                symref: (*name == "HEAD").then(|| "refs/heads/main".to_owned()),
            })
            .collect()
    }

    fn some() -> Vec<Head> {
        heads(&[
            ("HEAD", "c1"),
            ("refs/heads/main", "c1"),
            ("refs/heads/next", "c2"),
            ("refs/tags/v1.9.0", "a1"),
            ("refs/tags/v1.9.0^{}", "c3"),
            ("refs/tags/1.10.0", "c4"),
            ("refs/tags/2.0.0-rc.1", "c5"),
            ("refs/tags/nightly", "c6"),
            ("refs/tags/redis/v1.2.0", "c7"),
            ("refs/tags/redis/v1.10.0", "c8"),
            ("refs/tags/redis/v2.0.0-rc.1", "c9"),
        ])
    }

    fn check(reference: &Reference, want: Result<&str, &str>) {
        match (select("u", reference, &some()), want) {
            (Ok(got), Ok(want)) => assert_eq!(got.text, want),
            (Err(got), Err(want)) => assert_eq!(got.to_string(), want),
            (got, want) => panic!("{reference:?}: {got:?}, want {want:?}"),
        }
    }

    #[test]
    fn the_first_that_is_given_wins() {
        let all = Reference {
            branch: Some("next".into()),
            tag: Some("nightly".into()),
            semver: Some("1.x".parse().unwrap()),
            commit: Some("f".repeat(40)),
            ..Reference::default()
        };
        check(&all, Ok(&format!("sha1:{}", "f".repeat(40))));
        let tag = Reference {
            commit: None,
            ..all
        };
        check(&tag, Ok("nightly@sha1:c6"));
        let semver = Reference { tag: None, ..tag };
        check(&semver, Ok("1.10.0@sha1:c4"));
        let branch = Reference {
            semver: None,
            ..semver
        };
        check(&branch, Ok("next@sha1:c2"));
        check(&Reference::default(), Ok("main@sha1:c1"));
    }

    #[test]
    fn an_annotated_tag_is_peeled() {
        let reference = Reference {
            semver: Some("1.9.x".parse().unwrap()),
            ..Reference::default()
        };
        check(&reference, Ok("v1.9.0@sha1:c3"));
    }

    #[test]
    fn tags_of_one_addon_among_several_are_found_by_their_prefix() {
        let reference = |semver: Option<&str>| Reference {
            prefix: Some("redis/".into()),
            semver: semver.map(|range| range.parse().unwrap()),
            ..Reference::default()
        };
        check(&reference(Some("1.2.x")), Ok("redis/v1.2.0@sha1:c7"));
        check(&reference(None), Ok("redis/v1.10.0@sha1:c8"));
        check(
            &reference(Some(">=2.0.0-0")),
            Ok("redis/v2.0.0-rc.1@sha1:c9"),
        );
        let none = select("u", &reference(Some("3.x")), &some()).unwrap_err();
        let want = "u: no tag is a version in the range `redis/3.x`; there is v1.9.0";
        assert!(none.to_string().starts_with(want), "{none}");
    }

    #[test]
    fn what_is_missing_is_answered_with_what_is_there() {
        let branch = Reference {
            branch: Some("dev".into()),
            ..Reference::default()
        };
        check(&branch, Err("u: no branch `dev`; there is main, next"));
        let range = Reference {
            semver: Some("3.x".parse().unwrap()),
            ..Reference::default()
        };
        check(
            &range,
            Err(
                "u: no tag is a version in the range `3.x`; there is v1.9.0, 1.10.0, 2.0.0-rc.1, nightly, redis/v1.2.0, \
                 redis/v1.10.0, redis/v2.0.0-rc.1",
            ),
        );
        let nothing = select("u", &Reference::default(), &[]).unwrap_err();
        assert_eq!(
            nothing.to_string(),
            "u: the repository is empty; push a branch first"
        );
        let unborn = heads(&[("refs/heads/trunk", "c1")]);
        let unborn = select("u", &Reference::default(), &unborn).unwrap_err();
        assert_eq!(
            unborn.to_string(),
            "u: the default branch does not exist; set ref.branch, there is trunk"
        );
    }
}
