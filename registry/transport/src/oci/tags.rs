//! Which tags are meant. Registries list them in lexical order and with those of signatures and
//! referrers among them; we read all pages, leave the latter out and sort by version. Pure but for
//! [`list`].

use super::{Error, Remote, location, session::Session};
use api::{Range, Version};
use regex::RegexBuilder;
use serde::Deserialize;

/// Tags on a page: what large registries give at most.
const PAGE: usize = 1000;
/// Bounds on a listing, which a hostile registry would not end.
const MAX_PAGES: usize = 200;
const MAX_TAGS: usize = 50_000;
const MAX_PAGE_BYTES: u64 = 4 << 20;
/// The most versions that one source is asked for.
const MAX_VERSIONS: usize = 5_000;
/// How many tags an error lists.
const LISTED: usize = 20;
/// The memory that a filter may take.
const FILTER_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// Every tag of the repository but those of signatures and referrers, in the registry's order.
pub(crate) fn list(session: &Session<'_>) -> Result<Vec<String>, Error> {
    let mut tags = Vec::new();
    let mut next = Some(session.at().url(&format!("tags/list?n={PAGE}"))?);
    for _ in 0..MAX_PAGES {
        let Some(url) = next.take() else {
            return Ok(tags);
        };
        let answer = session.get(&url, "application/json", "repository", "for its tags")?;
        next = session.next_page(&answer)?;
        let page: Page = session.json(answer, MAX_PAGE_BYTES, "the list of tags")?;
        let page = page.tags.unwrap_or_default();
        tags.extend(page.into_iter().filter(|tag| is_for_people(tag)));
        if tags.len() > MAX_TAGS {
            break;
        }
    }
    if next.is_none() && tags.len() <= MAX_TAGS {
        return Ok(tags);
    }
    Err(session.too_large("the list of tags", format!("{MAX_TAGS} tags")))
}

/// Whether people gave the tag: cosign's and the specification's own are `sha256-<hex>` with or
/// without an ending.
fn is_for_people(tag: &str) -> bool {
    let of_digest = ["sha256-", "sha384-", "sha512-"].iter().any(|algorithm| {
        let rest = tag.strip_prefix(algorithm);
        let hex = rest.map(|rest| rest.split('.').next().unwrap_or_default());
        hex.is_some_and(|hex| hex.len() >= 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    let of_cosign = [".sig", ".att", ".sbom"]
        .iter()
        .any(|end| tag.ends_with(end));
    location::is_tag(tag) && !of_digest && !of_cosign
}

/// The tags that `remote` means, by version, the oldest first; of two tags for one version the one
/// without `v` first.
pub(crate) fn select(remote: &Remote, tags: &[String]) -> Result<Vec<String>, Error> {
    let range = match &remote.reference.semver {
        Some(range) => range.clone(),
        None => every_release(remote)?,
    };
    let filter = filter(remote)?;
    let mut found: Vec<(Version, &String)> = tags
        .iter()
        .filter(|tag| filter.as_ref().is_none_or(|filter| filter.is_match(tag)))
        .filter_map(|tag| Some((tag.parse::<Version>().ok()?, tag)))
        .filter(|(version, _)| range.matches(version))
        .collect();
    if found.is_empty() {
        return Err(Error::NoTagInRange {
            url: remote.url.clone(),
            range: shown(&range, remote),
            there: listed(tags),
        });
    }
    if found.len() > MAX_VERSIONS {
        return Err(Error::TooLarge {
            url: remote.url.clone(),
            what: format!("the range `{range}`"),
            limit: format!("{MAX_VERSIONS} versions"),
        });
    }
    found.sort();
    Ok(found.into_iter().map(|(_, tag)| tag.clone()).collect())
}

fn every_release(remote: &Remote) -> Result<Range, Error> {
    let every = ">=0.0.0".parse::<Range>();
    every.map_err(|error| remote.refuse(error.to_string()))
}

fn filter(remote: &Remote) -> Result<Option<regex::Regex>, Error> {
    let Some(pattern) = &remote.reference.filter else {
        return Ok(None);
    };
    let built = RegexBuilder::new(pattern).size_limit(FILTER_BYTES).build();
    match built {
        Ok(filter) => Ok(Some(filter)),
        Err(error) => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim();
            let reason = reason.trim_start_matches("error: ");
            Err(remote.refuse(format!(
                "the filter `{pattern}` is no regular expression: {reason}"
            )))
        }
    }
}

fn shown(range: &Range, remote: &Remote) -> String {
    match &remote.reference.filter {
        Some(filter) => format!("{range}` with the filter `{filter}"),
        None => range.to_string(),
    }
}

fn listed(tags: &[String]) -> String {
    match tags.len() {
        0 => "none".to_owned(),
        n if n > LISTED => format!("{}, and {} more", tags[..LISTED].join(", "), n - LISTED),
        _ => tags.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credentials, oci::Reference};
    use std::time::Duration;

    fn remote(semver: Option<&str>, filter: Option<&str>) -> Remote {
        Remote {
            url: "u".into(),
            insecure: false,
            reference: Reference {
                semver: semver.map(|range| range.parse().unwrap()),
                filter: filter.map(str::to_owned),
                ..Reference::default()
            },
            credentials: Credentials::default(),
            timeout: Duration::from_secs(1),
        }
    }

    fn check(semver: Option<&str>, filter: Option<&str>, want: Result<&[&str], &str>) {
        let tags = [
            "1.0.0",
            "1.0.10",
            "1.0.2",
            "1.1.0-rc.1",
            "2.0.0",
            "latest",
            "v1.0.2",
            "1.0.3-alpine",
        ];
        let tags = tags.map(str::to_owned);
        match (select(&remote(semver, filter), &tags), want) {
            (Ok(got), Ok(want)) => assert_eq!(got, want),
            (Err(got), Err(want)) => assert!(got.to_string().contains(want), "{got}"),
            (got, want) => panic!("{got:?}, want {want:?}"),
        }
    }

    #[test]
    fn tags_are_sorted_by_version_and_pre_releases_must_be_asked_for() {
        let releases = ["1.0.0", "1.0.2", "v1.0.2", "1.0.10"];
        check(Some("1.x"), None, Ok(&releases));
        check(
            None,
            None,
            Ok(&["1.0.0", "1.0.2", "v1.0.2", "1.0.10", "2.0.0"]),
        );
        check(
            Some(">=1.0.3-0 <1.0.4"),
            Some("-alpine$"),
            Ok(&["1.0.3-alpine"]),
        );
        check(Some("1.x"), Some("^v"), Ok(&["v1.0.2"]));
    }

    #[test]
    fn nothing_found_is_answered_with_what_is_there() {
        let want = "no tag is a version in the range `3.x`; there is 1.0.0, 1.0.10";
        check(Some("3.x"), None, Err(want));
        let want = "in the range `1.x` with the filter `^y`; there is";
        check(Some("1.x"), Some("^y"), Err(want));
        check(
            Some("1.x"),
            Some("("),
            Err("the filter `(` is no regular expression: unclosed"),
        );
        let huge = r"(\w{200}){200}";
        check(Some("1.x"), Some(huge), Err("is no regular expression"));
    }

    #[test]
    fn tags_of_signatures_and_referrers_are_not_for_people() {
        let hex = "a".repeat(64);
        for tag in [
            format!("sha256-{hex}"),
            format!("sha256-{hex}.sig"),
            format!("sha256-{hex}.att"),
            format!("sha512-{hex}{hex}"),
            "1.0.0.sig".to_owned(),
            "../x".to_owned(),
        ] {
            assert!(!is_for_people(&tag), "{tag}");
        }
        assert!(is_for_people("sha256-tool") && is_for_people("1.0.0"));
    }
}
