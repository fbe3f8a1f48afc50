//! Validation at the door: a tree becomes a [`Package`], or every fault in it is said.
//!
//! In: a [`Tree`] and an evaluator. Out: the package, or a [`Refusal`] with file, line and column of
//! each finding. The verdict depends on the bytes alone.

mod cases;
pub(crate) mod document;
mod later;
mod memo;
pub(crate) mod read;
mod rules;
mod syntax;
pub(crate) mod words;

use document::{Node, Value};
pub(crate) use words::{listed, one_of};

use crate::{Evaluate, Finding, Manifest, Tree, manifest};
use api::{Digest, Version, names::PluginName};

/// The fields of the root that every manifest has.
const REQUIRED: [&str; 6] = [
    "apiVersion",
    "kind",
    "name",
    "version",
    "runtimes",
    "components",
];

/// A checked addon.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// What it declares.
    pub manifest: Manifest,
    /// Its files.
    pub tree: Tree,
    /// The digest of its files.
    pub digest: Digest,
}

/// A tree is no package, or that is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The checks refuse it.
    #[error("{}", words::lines(.findings))]
    Invalid {
        /// The plugin's name, where the manifest says it.
        plugin: Option<PluginName>,
        /// The version, where the manifest says it.
        version: Option<Version>,
        /// All that is wrong, sorted by place.
        findings: Vec<Finding>,
    },
    /// A newer platform is needed.
    #[error(
        "{plugin} {version} needs platform {needs} or newer, and this is {}; upgrade the platform",
        api::PLATFORM_VERSION
    )]
    PlatformTooOld {
        /// The plugin's name.
        plugin: PluginName,
        /// The version.
        version: Version,
        /// The oldest platform that it runs on, `MAJOR.MINOR`.
        needs: String,
    },
    /// There is no verdict; ask again later.
    #[error("not judged: {reason}")]
    NotJudged {
        /// Why.
        reason: String,
    },
}

/// The package that `tree` is, after every check.
///
/// # Errors
/// [`Refusal::NotJudged`] only where `evaluate` gave no verdict.
pub fn check(tree: Tree, evaluate: &dyn Evaluate) -> Result<Package, Refusal> {
    let (document, package) = parse(tree)?;
    let ruled = rules::check(&package.manifest, &package.tree, &document);
    let mut findings = ruled.findings;
    findings.extend(cases::check(&package, &document, ruled.spoiled, evaluate)?);
    if findings.is_empty() {
        return Ok(package);
    }
    Err(invalid(&document, findings))
}

/// The package that `tree` is, parsed only: for what is published already, and is never judged
/// again.
///
/// # Errors
/// The manifest does not parse.
pub fn load(tree: Tree) -> Result<Package, Refusal> {
    parse(tree).map(|(_, package)| package)
}

fn parse(tree: Tree) -> Result<(Node, Package), Refusal> {
    let document = document(&tree)?;
    needs_platform(&document)?;
    let manifest = read::read(&document).map_err(|mut findings| {
        findings.extend(missing(&document));
        invalid(&document, findings)
    })?;
    let digest = tree.digest();
    let package = Package {
        manifest,
        tree,
        digest,
    };
    Ok((document, package))
}

/// Every required field of the root that is not there: reading stops at the first of them.
fn missing(document: &Node) -> Vec<Finding> {
    if !matches!(document.value, Value::Map(_) | Value::Null) {
        return Vec::new();
    }
    let absent = REQUIRED
        .into_iter()
        .filter(|field| document.get(field).is_none());
    absent
        .map(|field| document.finding(read::missing_field(field)))
        .collect()
}

/// The manifest as YAML.
fn document(tree: &Tree) -> Result<Node, Refusal> {
    let unreadable = |finding| Refusal::Invalid {
        plugin: None,
        version: None,
        findings: words::told(vec![finding]),
    };
    let whole = |message: &str| {
        unreadable(Finding {
            file: manifest::FILE.to_owned(),
            line: None,
            column: None,
            message: message.to_owned(),
        })
    };
    let bytes = tree.get(manifest::FILE);
    let bytes = bytes.ok_or_else(|| whole("the file is missing: it makes a folder an addon"))?;
    let text = std::str::from_utf8(bytes).map_err(|_| whole("it is not UTF-8"))?;
    let document = Node::parse(text).map_err(|finding| Refusal::Invalid {
        plugin: root_text(text, "name: "),
        version: root_text(text, "version: "),
        findings: words::told(vec![finding]),
    })?;
    let mut octals = Vec::new();
    document.refuse_octals(text, &mut octals);
    if octals.is_empty() {
        return Ok(document);
    }
    Err(invalid(&document, octals))
}

/// Refuses what a newer platform only can read, before anything else of it is read: it may have
/// fields that this release does not know.
fn needs_platform(document: &Node) -> Result<(), Refusal> {
    let Some(node) = document.get("minPlatform") else {
        return Ok(());
    };
    let needs = node.text().and_then(major_minor).ok_or_else(|| {
        let message = "want `\"MAJOR.MINOR\"` of the platform, in quotes";
        invalid(document, vec![node.finding(message)])
    })?;
    let own = api::PLATFORM_VERSION.parse::<Version>().ok();
    let own = own.map(|own| (own.semver().major, own.semver().minor));
    if own.is_none_or(|own| own >= needs) {
        return Ok(());
    }
    match (plugin(document), version(document)) {
        (Some(plugin), Some(version)) => Err(Refusal::PlatformTooOld {
            plugin,
            version,
            needs: format!("{}.{}", needs.0, needs.1),
        }),
        _ => Ok(()),
    }
}

fn major_minor(text: &str) -> Option<(u64, u64)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn invalid(document: &Node, findings: Vec<Finding>) -> Refusal {
    Refusal::Invalid {
        plugin: plugin(document),
        version: version(document),
        findings: words::told(findings),
    }
}

/// What a line of the root says, in a text that is no YAML elsewhere.
fn root_text<T: std::str::FromStr>(text: &str, key: &str) -> Option<T> {
    let value = text.lines().find_map(|line| line.strip_prefix(key))?;
    value.trim().trim_matches(['"', '\'']).parse().ok()
}

fn plugin(document: &Node) -> Option<PluginName> {
    document.get("name")?.text()?.parse().ok()
}

fn version(document: &Node) -> Option<Version> {
    document.get("version")?.text()?.parse().ok()
}

#[cfg(test)]
mod tests;
