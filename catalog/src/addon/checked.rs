//! One addon on disk and the verdict on it, the same that registry and operator give.

use super::{evaluator::evaluator, excerpt::Excerpt, read};
use crate::output::{Annotation, Paint};
use anyhow::bail;
use api::{Digest, Version, names::PluginName};
use package::{Finding, Package, Refusal, Tree};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// An addon and what is to be said of it.
#[derive(Debug)]
pub(super) struct Checked {
    /// Where it lies, as the person wrote it.
    pub(super) directory: PathBuf,
    /// The package, or everything that is wrong.
    pub(super) verdict: Result<Package, Invalid>,
}

/// An addon that is refused.
#[derive(Debug)]
pub(super) struct Invalid {
    /// The plugin's name, where it can be read.
    pub(super) plugin: Option<PluginName>,
    /// The version, where it can be read.
    pub(super) version: Option<Version>,
    /// What is wrong; files are relative to the addon's directory.
    pub(super) findings: Vec<Finding>,
}

/// One fault, with a path that an editor opens.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Located {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    message: String,
    /// What stands there, for people.
    #[serde(skip)]
    excerpt: Option<Excerpt>,
}

/// Every addon in `directories`, with its verdict.
///
/// # Errors
/// The disk does not give them, or the evaluator gave no verdict.
pub(super) fn all(directories: &[PathBuf]) -> anyhow::Result<Vec<Checked>> {
    let found = read::addons(directories)?;
    found.into_iter().map(|path| one(&path)).collect()
}

/// The addon in `directory`, with its verdict.
///
/// # Errors
/// As [`all`].
pub(super) fn one(directory: &Path) -> anyhow::Result<Checked> {
    let verdict = match read::tree(directory)? {
        Ok(tree) => judge(tree)?,
        Err(findings) => Err(Invalid {
            plugin: None,
            version: None,
            findings,
        }),
    };
    Ok(Checked {
        directory: directory.to_owned(),
        verdict,
    })
}

/// The package that `tree` is.
///
/// # Errors
/// The evaluator gave no verdict.
pub(super) fn judge(tree: Tree) -> anyhow::Result<Result<Package, Invalid>> {
    Ok(match package::check(tree, evaluator()) {
        Ok(package) => Ok(package),
        Err(Refusal::Invalid {
            plugin,
            version,
            findings,
        }) => Err(Invalid {
            plugin,
            version,
            findings,
        }),
        Err(refusal @ Refusal::PlatformTooOld { .. }) => Err(too_old(refusal)),
        Err(refusal @ Refusal::NotJudged { .. }) => bail!(refusal),
    })
}

fn too_old(refusal: Refusal) -> Invalid {
    let message = refusal.to_string();
    let (plugin, version) = match refusal {
        Refusal::PlatformTooOld {
            plugin, version, ..
        } => (Some(plugin), Some(version)),
        _ => (None, None),
    };
    let finding = Finding {
        file: package::manifest::FILE.to_owned(),
        message,
        ..Finding::default()
    };
    Invalid {
        plugin,
        version,
        findings: vec![finding],
    }
}

impl Checked {
    /// The plugin's name, where it can be read.
    pub(super) fn plugin(&self) -> Option<&PluginName> {
        match &self.verdict {
            Ok(package) => Some(&package.manifest.name),
            Err(invalid) => invalid.plugin.as_ref(),
        }
    }

    /// The version, where it can be read.
    pub(super) fn version(&self) -> Option<&Version> {
        match &self.verdict {
            Ok(package) => Some(&package.manifest.version),
            Err(invalid) => invalid.version.as_ref(),
        }
    }

    /// The digest of a valid addon.
    pub(super) fn digest(&self) -> Option<&Digest> {
        self.verdict.as_ref().ok().map(|package| &package.digest)
    }

    /// Everything that is wrong, with paths from where the person stands.
    pub(super) fn located(&self) -> Vec<Located> {
        let Err(invalid) = &self.verdict else {
            return Vec::new();
        };
        let findings = invalid.findings.iter();
        findings
            .map(|finding| Located::new(&self.directory, finding))
            .collect()
    }
}

impl Located {
    /// The finding in the addon of `directory`.
    pub(super) fn new(directory: &Path, finding: &Finding) -> Self {
        let path = match finding.file.as_str() {
            "" => directory.to_owned(),
            file => directory.join(file),
        };
        Self {
            excerpt: Excerpt::of(&path, finding.line, finding.column),
            file: path.display().to_string(),
            line: finding.line,
            column: finding.column,
            message: finding.message.clone(),
        }
    }

    /// One line, as compilers print it; on a terminal with what stands there below it.
    pub(super) fn text(&self, paint: Paint) -> String {
        self.told(&self.message, paint)
    }

    /// The same with another message.
    pub(super) fn told(&self, message: &str, paint: Paint) -> String {
        let text = paint.finding(&self.place(), "", message);
        match &self.excerpt {
            Some(excerpt) if paint.on_terminal() => text + &excerpt.text(paint),
            _ => text,
        }
    }

    /// `file:line:column`, as far as it is known.
    pub(super) fn place(&self) -> String {
        let mut place = self.file.clone();
        for number in [self.line, self.column].into_iter().flatten() {
            place.push_str(&format!(":{number}"));
        }
        place
    }

    /// What a forge shows.
    pub(super) fn annotation(&self) -> Annotation {
        Annotation {
            level: "error",
            place: (self.file.clone(), self.line, self.column),
            message: self.message.clone(),
        }
    }

    /// What is wrong.
    pub(super) fn message(&self) -> &str {
        &self.message
    }
}
