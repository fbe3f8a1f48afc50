//! `addon check`: the registry's verdict on a whole set before it is merged. Every addon is
//! valid, no version differs from what a Git reference holds, nothing is there twice, and the
//! upgrade graph has no edge that leads nowhere.

use super::{
    checked::{self, Checked},
    explain::told,
    graph::{self, Plugin},
    lint,
    published::{self, Published},
};
use crate::{
    args::CheckArgs,
    output::{self, Annotated, Annotation, Paint, Verdict, WIDTH, count, one_line, wrapped},
};
use api::{Digest, Version, names::PluginName};
use package::{
    Package,
    graph::{Note, Severity},
    manifest,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    against: Against,
    addons: Vec<lint::Addon>,
    /// Versions that the reference holds with other bytes.
    changed: Vec<Changed>,
    /// Versions that are here more than once.
    duplicates: Vec<Duplicate>,
    /// Versions that the reference holds and that are not here.
    removed: Vec<Removed>,
    graphs: Vec<Plugin>,
    summary: Summary,
}

#[derive(Debug, Serialize)]
struct Against {
    reference: String,
    commit: String,
    versions: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    directory: String,
    plugin: PluginName,
    version: Version,
    published_digest: Digest,
    digest: Digest,
    files: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Duplicate {
    plugin: PluginName,
    version: Version,
    directories: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Removed {
    plugin: PluginName,
    version: Version,
    directory: String,
}

#[derive(Debug, Serialize)]
struct Summary {
    addons: usize,
    errors: usize,
    warnings: usize,
}

/// A version of a plugin.
type Name = (PluginName, Version);

/// The verdict on the addons in the arguments' directory.
///
/// # Errors
/// The work could not be done.
pub(super) fn check(args: &CheckArgs) -> anyhow::Result<Report> {
    let addons = checked::all(std::slice::from_ref(&args.dir))?;
    let published = published::at(&args.dir, &args.against)?;
    let before: BTreeMap<Name, &(String, Package)> = published
        .packages
        .iter()
        .map(|offered| (name(&offered.1), offered))
        .collect();
    let report = Report {
        against: Against::new(&args.against, &published),
        changed: changed(&addons, &before),
        duplicates: duplicates(&addons),
        removed: removed(&addons, &before),
        graphs: graph::plugins(&addons),
        addons: addons.iter().map(lint::Addon::of).collect(),
        summary: Summary {
            addons: addons.len(),
            errors: 0,
            warnings: 0,
        },
    };
    Ok(report.counted(&addons))
}

impl Against {
    fn new(reference: &str, published: &Published) -> Self {
        Self {
            reference: reference.to_owned(),
            commit: published.commit.clone(),
            versions: published.packages.len(),
        }
    }
}

impl Report {
    fn counted(mut self, addons: &[Checked]) -> Self {
        let findings: usize = addons.iter().map(|addon| addon.located().len()).sum();
        let notes = |severity| {
            self.notes()
                .filter(|note| note.severity == severity)
                .count()
        };
        let (errors, warnings) = (notes(Severity::Error), notes(Severity::Warning));
        self.summary.errors = findings + self.changed.len() + self.duplicates.len() + errors;
        self.summary.warnings = self.removed.len() + warnings;
        self
    }

    fn notes(&self) -> impl Iterator<Item = &Note> {
        self.graphs.iter().flat_map(|plugin| &plugin.notes)
    }
}

fn name(package: &Package) -> Name {
    let manifest = &package.manifest;
    (manifest.name.clone(), manifest.version.clone())
}

fn changed(addons: &[Checked], before: &BTreeMap<Name, &(String, Package)>) -> Vec<Changed> {
    let mut changed = Vec::new();
    for addon in addons {
        let Ok(package) = &addon.verdict else {
            continue;
        };
        let Some((_, published)) = before.get(&name(package)) else {
            continue;
        };
        if published.digest != package.digest {
            changed.push(Changed {
                directory: addon.directory.display().to_string(),
                plugin: package.manifest.name.clone(),
                version: package.manifest.version.clone(),
                published_digest: published.digest.clone(),
                digest: package.digest.clone(),
                files: published.tree.differing(&package.tree),
            });
        }
    }
    changed
}

fn duplicates(addons: &[Checked]) -> Vec<Duplicate> {
    let mut seen = BTreeMap::<Name, Vec<String>>::new();
    for addon in addons {
        if let (Some(plugin), Some(version)) = (addon.plugin(), addon.version()) {
            let directories = seen.entry((plugin.clone(), version.clone())).or_default();
            directories.push(addon.directory.display().to_string());
        }
    }
    seen.into_iter()
        .filter(|(_, directories)| directories.len() > 1)
        .map(|((plugin, version), directories)| Duplicate {
            plugin,
            version,
            directories,
        })
        .collect()
}

fn removed(addons: &[Checked], before: &BTreeMap<Name, &(String, Package)>) -> Vec<Removed> {
    let here = |(plugin, version): &&Name| {
        let mut addons = addons.iter();
        addons.any(|a| (a.plugin(), a.version()) == (Some(plugin), Some(version)))
    };
    let gone = before.keys().filter(|name| !here(name));
    gone.map(|name| Removed {
        plugin: name.0.clone(),
        version: name.1.clone(),
        directory: before.get(name).map(|(d, _)| d.clone()).unwrap_or_default(),
    })
    .collect()
}

impl Changed {
    fn message(&self, reference: &str) -> String {
        format!(
            "{} {} is at {reference} with other bytes, and a version never changes; put the change \
             into a new version",
            self.plugin, self.version
        )
    }

    fn text(&self, reference: &str, paint: Paint) -> String {
        let text = paint.finding(&self.directory, "error", &self.message(reference));
        let files = wrapped(&one_line(&self.files.join(", ")), WIDTH - 9, "         ");
        let (there, here) = (&self.published_digest, &self.digest);
        format!("{text}  there  {there}\n  here   {here}\n  files  {files}")
    }

    /// At each of the files that differ.
    fn annotations(&self, reference: &str) -> impl Iterator<Item = Annotation> {
        self.files.iter().map(move |file| Annotation {
            level: "error",
            place: (format!("{}/{file}", self.directory), None, None),
            message: self.message(reference),
        })
    }
}

impl Duplicate {
    fn message(&self) -> String {
        let number = self.directories.len();
        format!(
            "{} {} is there {number} times; keep one",
            self.plugin, self.version
        )
    }

    fn text(&self, paint: Paint) -> String {
        paint.finding(&self.directories.join(", "), "error", &self.message())
    }

    /// At each of the manifests.
    fn annotations(&self) -> impl Iterator<Item = Annotation> {
        self.directories.iter().map(|directory| Annotation {
            level: "error",
            place: (format!("{directory}/{}", manifest::FILE), None, None),
            message: self.message(),
        })
    }
}

impl Removed {
    fn text(&self, reference: &str, paint: Paint) -> String {
        let message = format!(
            "{} {} is at {reference} and not here; it stays published, and new clusters will not have \
             it",
            self.plugin, self.version
        );
        paint.finding(&self.directory, "warning", &message)
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        let Against {
            reference,
            commit,
            versions,
        } = &self.against;
        let mut text: String = self.addons.iter().map(|addon| addon.text(paint)).collect();
        text.extend(
            self.changed
                .iter()
                .map(|changed| changed.text(reference, paint)),
        );
        text.extend(self.duplicates.iter().map(|twice| twice.text(paint)));
        text.extend(
            self.removed
                .iter()
                .map(|removed| removed.text(reference, paint)),
        );
        for plugin in &self.graphs {
            let notes = plugin.notes.iter();
            text.extend(notes.map(|note| told(&note.of(&plugin.plugin), paint)));
        }
        let Summary {
            addons,
            errors,
            warnings,
        } = self.summary;
        text.push_str(&format!(
            "\n{} here, {} at {reference} ({}): {}, {}\n",
            count(addons, "addon"),
            count(*versions, "valid version"),
            &commit[..12.min(commit.len())],
            count(errors, "error"),
            count(warnings, "warning")
        ));
        text
    }

    fn verdict(&self) -> Verdict {
        match self.summary.errors {
            0 => Verdict::Clean,
            _ => Verdict::Findings,
        }
    }
}

impl Annotated for Report {
    fn annotations(&self) -> Vec<Annotation> {
        let reference = &self.against.reference;
        let mut all: Vec<Annotation> = self
            .addons
            .iter()
            .flat_map(lint::Addon::annotations)
            .collect();
        let changed = self.changed.iter();
        all.extend(changed.flat_map(|changed| changed.annotations(reference)));
        all.extend(self.duplicates.iter().flat_map(Duplicate::annotations));
        for plugin in &self.graphs {
            let notes = plugin
                .notes
                .iter()
                .filter(|note| note.severity != Severity::Note);
            all.extend(notes.filter_map(|note| self.annotation(plugin, note)));
        }
        all
    }
}

impl Report {
    /// The note, at the manifest of its version.
    fn annotation(&self, plugin: &Plugin, note: &Note) -> Option<Annotation> {
        let mut addons = self.addons.iter();
        let addon = addons.find(|addon| addon.is(&plugin.plugin, &note.version))?;
        Some(Annotation {
            level: if note.is_error() { "error" } else { "warning" },
            place: (addon.manifest(), None, None),
            message: note.message.clone(),
        })
    }
}
