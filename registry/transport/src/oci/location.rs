//! Where a repository's API is: `oci://HOST[:PORT]/PATH` taken apart (OCI distribution
//! specification 1.1, section «Pulling manifests»). Pure.

use super::Error;
use url::Url;

/// What a URL of a repository begins with.
pub const SCHEME: &str = "oci://";
/// The longest host and path together: the specification advises 255.
const MAX_LENGTH: usize = 255;

/// A repository's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// As a person wrote it.
    pub(crate) text: String,
    /// Host and port as written: the key into a docker config.
    pub(crate) host: String,
    /// The repository's path, `team/redis`.
    pub(crate) path: String,
    /// `https://host/v2/team/redis`.
    base: String,
}

impl Location {
    /// Takes `text` apart; `insecure` speaks plain HTTP.
    pub(crate) fn parse(text: &str, insecure: bool) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::InvalidUrl {
            url: text.to_owned(),
            reason: reason.to_owned(),
        };
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| refuse("want `oci://HOST/PATH`"))?;
        if rest.contains('@') {
            let reason =
                "it holds credentials or a digest; those belong into the Secret and into ref";
            return Err(Error::InvalidUrl {
                url: format!("{SCHEME}…@{}", rest.rsplit('@').next().unwrap_or_default()),
                reason: reason.to_owned(),
            });
        }
        let (host, path) = rest
            .split_once('/')
            .ok_or_else(|| refuse("it has no path; want `oci://HOST/PATH`"))?;
        if rest.len() > MAX_LENGTH {
            return Err(refuse("it is longer than 255 characters"));
        }
        if !is_path(path) {
            return Err(refuse(
                "the path may have lower-case letters, digits, and `.`, `_`, `-` between them, in parts \
                 divided by `/`; a tag or digest belongs into ref",
            ));
        }
        let scheme = if insecure { "http" } else { "https" };
        let (api_host, api_path) = api_of(host, path);
        let base = format!("{scheme}://{api_host}/v2/{api_path}");
        let url = Url::parse(&base).map_err(|error| refuse(&error.to_string()))?;
        if url.host_str().is_none_or(str::is_empty) || url.path() != format!("/v2/{api_path}") {
            return Err(refuse("the host cannot be used"));
        }
        Ok(Self {
            text: text.to_owned(),
            host: host.to_owned(),
            path: api_path,
            base,
        })
    }

    /// `https://host/v2/team/redis`.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The URL of `what` in the repository: `tags/list`, `manifests/1.2.0` …
    pub(crate) fn url(&self, what: &str) -> Result<Url, Error> {
        let text = format!("{}/{what}", self.base);
        Url::parse(&text).map_err(|error| Error::InvalidUrl {
            url: self.text.clone(),
            reason: error.to_string(),
        })
    }
}

/// Docker Hub's API has a host of its own, and its official repositories a hidden part.
fn api_of(host: &str, path: &str) -> (String, String) {
    if !matches!(host, "docker.io" | "index.docker.io") {
        return (host.to_owned(), path.to_owned());
    }
    let path = if path.contains('/') {
        path.to_owned()
    } else {
        format!("library/{path}")
    };
    ("registry-1.docker.io".to_owned(), path)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` in parts divided by `/`.
fn is_path(path: &str) -> bool {
    path.split('/').all(is_part)
}

fn is_part(part: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = part
        .split(alphanumeric)
        .filter(|between| !between.is_empty());
    part.starts_with(alphanumeric)
        && part.ends_with(alphanumeric)
        && separators.into_iter().all(|between| {
            matches!(between, "." | "_" | "__") || between.bytes().all(|b| b == b'-')
        })
}

/// Whether `tag` can be a tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
pub(crate) fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=128).contains(&tag.len())
        && tag.starts_with(word)
        && tag.chars().all(|c| word(c) || matches!(c, '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, insecure: bool, want: Result<&str, &str>) {
        let got = Location::parse(text, insecure);
        match (got, want) {
            (Ok(got), Ok(want)) => assert_eq!(got.url("tags/list").unwrap().as_str(), want),
            (Err(got), Err(want)) => assert!(got.to_string().contains(want), "{got}"),
            (got, want) => panic!("{text}: {got:?}, want {want:?}"),
        }
    }

    #[test]
    fn a_repository_is_found_by_its_url() {
        for (text, insecure, want) in [
            (
                "oci://example.com/a/b",
                false,
                "https://example.com/v2/a/b/tags/list",
            ),
            (
                "oci://[::1]:5000/a__b/c-d.e",
                true,
                "http://[::1]:5000/v2/a__b/c-d.e/tags/list",
            ),
            (
                "oci://docker.io/redis",
                false,
                "https://registry-1.docker.io/v2/library/redis/tags/list",
            ),
            (
                "oci://docker.io/ann/redis",
                false,
                "https://registry-1.docker.io/v2/ann/redis/tags/list",
            ),
        ] {
            check(text, insecure, Ok(want));
        }
    }

    #[test]
    fn what_is_no_repository_is_refused() {
        for (text, want) in [
            ("https://example.com/a", "want `oci://"),
            ("oci://example.com", "no path"),
            ("oci://example.com/", "the path may have"),
            ("oci:///a", "no usable OCI repository"),
            ("oci://example.com/A", "the path may have"),
            ("oci://example.com/a/../b", "the path may have"),
            ("oci://example.com/a:1.0.0", "belongs into ref"),
            ("oci://example.com/a..b", "the path may have"),
            ("oci://example.com/a?x=1", "the path may have"),
            ("oci://exa mple/a", "no usable OCI repository"),
        ] {
            check(text, false, Err(want));
        }
        let error = Location::parse("oci://ann:secret@example.com/a", false).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.is_terminal());
    }

    #[test]
    fn tags_have_a_form() {
        assert!(is_tag("1.2.0-rc.1") && is_tag("_x"));
        assert!(!is_tag("") && !is_tag("-x") && !is_tag("a/b") && !is_tag(&"a".repeat(129)));
    }
}
