//! An addon's or a runtime's version: SemVer 2.0 without build metadata (spec.md, section 1).

use serde::{Deserialize, Serialize};
use std::fmt;

/// A version as the platform writes it: no leading `v`, no build metadata, pre-release identifiers in
/// lower case, at most 63 characters. Orders as SemVer does: 1.0.10 after 1.0.9, 1.0.0-rc.1 before
/// 1.0.0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(semver::Version);

/// The text is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no version: {reason}; want MAJOR.MINOR.PATCH as in `1.2.0` or `1.2.0-rc.1`")]
pub struct InvalidVersion {
    text: String,
    reason: String,
}

/// The most characters that a version has: it stands in labels and names.
pub const MAX_LENGTH: usize = 63;

impl Version {
    /// The version without pre-release, of three numbers.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self(semver::Version::new(major, minor, patch))
    }

    /// SemVer's own parts.
    pub fn semver(&self) -> &semver::Version {
        &self.0
    }

    /// Whether it has a pre-release part.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Version {
    type Err = InvalidVersion;

    /// Accepts and drops a leading `v`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |reason: &str| InvalidVersion {
            text: text.to_owned(),
            reason: reason.to_owned(),
        };
        let bare = text.strip_prefix('v').unwrap_or(text);
        let version = semver::Version::parse(bare).map_err(|e| refuse(&e.to_string()))?;
        if !version.build.is_empty() {
            return Err(refuse("build metadata has no order"));
        }
        if bare.len() > MAX_LENGTH {
            return Err(refuse("it is longer than 63 characters"));
        }
        if bare.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(refuse("pre-release identifiers are lower case"));
        }
        if bare.ends_with('-') {
            return Err(refuse("it ends in `-`"));
        }
        Ok(Self(version))
    }
}

impl TryFrom<String> for Version {
    type Error = InvalidVersion;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

#[cfg(feature = "crd")]
impl schemars::JsonSchema for Version {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-(0|[1-9][0-9]*|[0-9]*[a-z-][0-9a-z-]*)(\.(0|[1-9][0-9]*|[0-9]*[a-z-][0-9a-z-]*))*)?$",
            "maxLength": 64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_as_semver_does() {
        let sorted = [
            "1.0.0-dev.2",
            "1.0.0-dev.10",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.9",
            "1.0.10",
            "1.1.0",
        ];
        let versions: Vec<Version> = sorted.iter().map(|v| v.parse().unwrap()).collect();
        assert!(versions.is_sorted());
    }

    #[test]
    fn drops_a_leading_v_and_refuses_what_labels_cannot_hold() {
        assert_eq!("v1.2.3".parse::<Version>().unwrap().to_string(), "1.2.3");
        let long = format!("1.0.0-{}", "a".repeat(60));
        for bad in [
            "1",
            "1.2",
            "1.2.3+build",
            "1.2.3-RC1",
            "01.2.3",
            "vv1.2.3",
            "1.0.0-a-",
            &long,
            "",
        ] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
