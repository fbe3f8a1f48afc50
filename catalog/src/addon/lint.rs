//! `addon lint`: everything that the checks at the door would say.

use super::checked::{self, Checked, Located};
use crate::output::{self, Annotated, Annotation, Paint, Verdict, count, one_line};
use api::{Digest, Version, names::PluginName};
use serde::Serialize;
use std::path::PathBuf;

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    addons: Vec<Addon>,
    summary: Summary,
}

/// One addon.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Addon {
    directory: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<PluginName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Version>,
    /// Of a valid addon.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    valid: bool,
    findings: Vec<Located>,
}

#[derive(Debug, Serialize)]
struct Summary {
    addons: usize,
    valid: usize,
    findings: usize,
}

/// The verdict on every addon in `directories`.
///
/// # Errors
/// The work could not be done.
pub(super) fn lint(directories: &[PathBuf]) -> anyhow::Result<Report> {
    let checked = checked::all(directories)?;
    let addons: Vec<Addon> = checked.iter().map(Addon::of).collect();
    let summary = Summary {
        addons: addons.len(),
        valid: addons.iter().filter(|addon| addon.valid).count(),
        findings: addons.iter().map(|addon| addon.findings.len()).sum(),
    };
    Ok(Report { addons, summary })
}

impl Addon {
    /// What is said of one addon.
    pub(super) fn of(checked: &Checked) -> Self {
        Self {
            directory: checked.directory.display().to_string(),
            plugin: checked.plugin().cloned(),
            version: checked.version().cloned(),
            digest: checked.digest().cloned(),
            valid: checked.verdict.is_ok(),
            findings: checked.located(),
        }
    }

    /// Whether it is that version of that plugin.
    pub(super) fn is(&self, plugin: &PluginName, version: &Version) -> bool {
        (self.plugin.as_ref(), self.version.as_ref()) == (Some(plugin), Some(version))
    }

    /// Where its manifest lies.
    pub(super) fn manifest(&self) -> String {
        let path = PathBuf::from(&self.directory).join(package::manifest::FILE);
        path.display().to_string()
    }

    /// What a forge shows.
    pub(super) fn annotations(&self) -> impl Iterator<Item = Annotation> {
        self.findings.iter().map(Located::annotation)
    }

    /// Whether nothing is wrong.
    pub(super) fn is_valid(&self) -> bool {
        self.valid
    }

    /// The findings, or one line that says that there is none.
    pub(super) fn text(&self, paint: Paint) -> String {
        if let (true, Some(plugin), Some(version)) = (self.valid, &self.plugin, &self.version) {
            let ok = paint.green("ok");
            return format!("{ok}  {plugin} {version}  {}\n", one_line(&self.directory));
        }
        self.findings.iter().map(|f| f.text(paint)).collect()
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        let mut text: String = self.addons.iter().map(|addon| addon.text(paint)).collect();
        let Summary {
            addons,
            valid,
            findings,
        } = self.summary;
        let said = match addons - valid {
            0 => format!("{}, no findings", count(addons, "addon")),
            refused => format!(
                "{}: {valid} valid, {refused} refused with {}",
                count(addons, "addon"),
                count(findings, "finding")
            ),
        };
        text.push_str(&format!("\n{said}\n"));
        text
    }

    fn verdict(&self) -> Verdict {
        match self.addons.iter().all(Addon::is_valid) {
            true => Verdict::Clean,
            false => Verdict::Findings,
        }
    }
}

impl Annotated for Report {
    fn annotations(&self) -> Vec<Annotation> {
        self.addons.iter().flat_map(Addon::annotations).collect()
    }
}
