//! How people name what is in a registry: `oci://host/path:tag@sha256:…`.

use api::Digest;
use std::{fmt, str::FromStr};
use transport::oci::SCHEME;

/// A repository, and perhaps a version in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OciReference {
    /// `oci://host/path`.
    pub(crate) url: String,
    /// `host`, with its port.
    pub(crate) host: String,
    /// The tag.
    pub(crate) tag: Option<String>,
    /// The digest, which goes before the tag.
    pub(crate) digest: Option<Digest>,
}

impl OciReference {
    /// Whether no version is said.
    pub(crate) fn is_repository(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }
}

impl FromStr for OciReference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const WANT: &str = "want oci://HOST/PATH, oci://HOST/PATH:TAG or oci://HOST/PATH@sha256:…";
        let Some(rest) = text.strip_prefix(SCHEME) else {
            return Err(match text.contains("://") || !text.contains('/') {
                true => WANT.to_owned(),
                false => format!("{WANT}; is it `{SCHEME}{text}`?"),
            });
        };
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest.parse::<Digest>();
                let digest = digest.map_err(|_| "want `sha256:` and 64 digits of 0-9a-f after `@`");
                (rest, Some(digest?))
            }
            None => (rest, None),
        };
        let (host, path) = rest.split_once('/').ok_or(WANT)?;
        let (path, tag) = match path.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (path, None),
        };
        if host.is_empty() || path.is_empty() {
            return Err(WANT.to_owned());
        }
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if tag.is_some_and(|tag| tag.is_empty() || tag.len() > 128 || !tag.chars().all(word)) {
            return Err("a tag has letters, digits, `_`, `.` and `-`".to_owned());
        }
        Ok(Self {
            url: format!("{SCHEME}{host}/{path}"),
            host: host.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        })
    }
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: Result<(&str, Option<&str>, bool), &str>) {
        match (text.parse::<OciReference>(), want) {
            (Ok(got), Ok((url, tag, digest))) => {
                let found = (got.url.as_str(), got.tag.as_deref(), got.digest.is_some());
                assert_eq!(found, (url, tag, digest));
                assert_eq!(got.to_string(), text);
            }
            (Err(got), Err(want)) => assert!(got.contains(want), "{got}"),
            (got, want) => panic!("{text}: {got:?}, want {want:?}"),
        }
    }

    #[test]
    fn a_reference_is_taken_apart() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let at = |rest: &str| format!("oci://r.example.com:5000/a/b{rest}");
        let url = "oci://r.example.com:5000/a/b";
        check(&at(""), Ok((url, None, false)));
        check(&at(":1.2.0"), Ok((url, Some("1.2.0"), false)));
        check(&at(&format!("@{digest}")), Ok((url, None, true)));
        check(&at(&format!(":x@{digest}")), Ok((url, Some("x"), true)));
        check("r.example.com/a", Err("is it `oci://r.example.com/a`?"));
        check("https://r/a", Err("want oci://HOST/PATH"));
        check("oci://r.example.com", Err("want oci://HOST/PATH"));
        check(&at("@sha256:abc"), Err("64 digits"));
        check(&at(":"), Err("a tag has"));
        check(&at(":a:b"), Err("a tag has"));
    }
}
