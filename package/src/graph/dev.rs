//! States of a version that its author saves, each a pre-release of its own: `<version>-dev.<n>`.
//! They accept each other in `upgradeFrom`, whatever their manifests say.

use crate::{Finding, check::document::Node, manifest};
use api::Version;

/// What stands between the version and its state's number.
const MARK: &str = "-dev.";

/// A state of a version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dev {
    /// The version that the manifest names.
    pub base: Version,
    /// Which state of it, from 1.
    pub n: u64,
}

impl Dev {
    /// The state that `version` is of another; none where it is no such version.
    pub fn of(version: &Version) -> Option<Self> {
        let text = version.to_string();
        let (base, n) = text.rsplit_once(MARK)?;
        let n = n.parse().ok()?;
        let base: Version = base.parse().ok()?;
        Self::of(&base).is_none().then_some(Self { base, n })
    }

    /// As a version; none where that would be too long.
    pub fn version(&self) -> Option<Version> {
        format!("{}{MARK}{}", self.base, self.n).parse().ok()
    }
}

/// Whether both are states of one version.
pub(super) fn are_siblings(a: &Version, b: &Version) -> bool {
    let base = |version: &Version| Dev::of(version).map(|dev| dev.base);
    a.is_prerelease() && b.is_prerelease() && base(a).is_some_and(|a| Some(a) == base(b))
}

/// The version that `text`, a manifest, names; none where it names none that is one.
pub fn named(text: &str) -> Option<Version> {
    let document = Node::parse(text).ok()?;
    document.get("version")?.text()?.parse().ok()
}

/// The manifest `text` with `version` in place of its own; every other byte stays.
///
/// # Errors
/// It names no version, or not as plain text or in quotes.
pub fn with_version(text: &str, version: &Version) -> Result<String, Finding> {
    let document = Node::parse(text)?;
    let refuse = |node: &Node| {
        let message = "want the version as plain text, `version: 1.2.0`";
        Err(node.finding(message))
    };
    let Some(node) = document.get("version") else {
        return Err(Finding {
            file: manifest::FILE.to_owned(),
            message: "want the version as plain text, `version: 1.2.0`".to_owned(),
            ..Finding::default()
        });
    };
    let (Some(own), source) = (node.text(), node.place.source(text)) else {
        return refuse(node);
    };
    let Some((start, _)) = node.place.span() else {
        return refuse(node);
    };
    let Some(within) = source.find(own).filter(|_| !own.is_empty()) else {
        return refuse(node);
    };
    let at = start + within;
    let (Some(before), Some(after)) = (text.get(..at), text.get(at + own.len()..)) else {
        return refuse(node);
    };
    let written = format!("{before}{version}{after}");
    if named(&written).as_ref() == Some(version) {
        return Ok(written);
    }
    refuse(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn a_state_is_told_by_its_version() {
        for (text, base, n) in [
            ("1.2.0-dev.1", "1.2.0", 1),
            ("1.2.0-dev.10", "1.2.0", 10),
            ("1.2.0-rc.1-dev.3", "1.2.0-rc.1", 3),
        ] {
            let dev = Dev::of(&version(text)).unwrap();
            assert_eq!((dev.base.to_string().as_str(), dev.n), (base, n));
            assert_eq!(dev.version(), Some(version(text)));
        }
        for text in [
            "1.2.0",
            "1.2.0-dev",
            "1.2.0-dev.x",
            "1.2.0-rc.1",
            "1.2.0-dev.1-dev.2",
        ] {
            assert_eq!(Dev::of(&version(text)), None, "{text}");
        }
    }

    #[test]
    fn states_of_one_version_are_siblings() {
        let siblings = |a, b| are_siblings(&version(a), &version(b));
        assert!(siblings("1.2.0-dev.1", "1.2.0-dev.9"));
        assert!(!siblings("1.2.0-dev.1", "1.2.1-dev.1"));
        assert!(!siblings("1.2.0-dev.1", "1.2.0"));
        assert!(!siblings("1.2.0-rc.1", "1.2.0-rc.2"));
    }

    #[test]
    fn the_version_alone_is_written_anew() {
        for (before, after) in [
            ("version: 1.2.0\n", "version: 1.2.0-dev.7\n"),
            (
                "version: 'v1.2.0' # ours\n",
                "version: '1.2.0-dev.7' # ours\n",
            ),
            ("version:\t\"1.2.0\"\r\n", "version:\t\"1.2.0-dev.7\"\r\n"),
            (
                "{version: 1.2.0, name: 1.2.0}",
                "{version: 1.2.0-dev.7, name: 1.2.0}",
            ),
            (
                "# version: 1.2.0\nruntimes:\n- version: 1.2.0\nversion:   1.2.0   # ä\n",
                "# version: 1.2.0\nruntimes:\n- version: 1.2.0\nversion:   1.2.0-dev.7   # ä\n",
            ),
            (
                "# ünï\nversion: &v 1.2.0\nvalues: {v: *v}\n",
                "# ünï\nversion: &v 1.2.0-dev.7\nvalues: {v: *v}\n",
            ),
        ] {
            let written = with_version(before, &version("1.2.0-dev.7"));
            assert_eq!(written.as_deref(), Ok(after), "{before}");
        }
    }

    #[test]
    fn what_names_no_version_is_refused_with_its_place() {
        for (text, line) in [
            ("name: a\n", None),
            ("version: 1.2\n", Some(1)),
            ("name: a\nversion: [1.2.0]\n", Some(2)),
            ("name: [\n", Some(1)),
            ("version: \"\\u0031\\u002e2.0\"\n", Some(1)),
        ] {
            let finding = with_version(text, &version("1.2.0-dev.1")).unwrap_err();
            assert_eq!(finding.file, "addon.yaml");
            assert_eq!(finding.line, line, "{text}: {finding}");
        }
    }
}
