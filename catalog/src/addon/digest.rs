//! `addon digest`: what a version is, in one line. The files need to be in their places; what they
//! say is not judged.

use super::{checked::Located, read};
use crate::output::{self, Paint, Verdict};
use api::Digest;
use serde::Serialize;
use std::path::Path;

/// The digest, or why there is none.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    directory: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    files: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Located>,
}

/// The digest of the addon in `directory`.
///
/// # Errors
/// The work could not be done.
pub(super) fn digest(directory: &Path) -> anyhow::Result<Report> {
    let (digest, files, findings) = match read::tree(directory)? {
        Ok(tree) => {
            let files = tree.files().map(|(path, _)| path.to_owned()).collect();
            (Some(tree.digest()), files, Vec::new())
        }
        Err(findings) => {
            let located = |finding| Located::new(directory, finding);
            (None, Vec::new(), findings.iter().map(located).collect())
        }
    };
    Ok(Report {
        directory: directory.display().to_string(),
        digest,
        files,
        findings,
    })
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        match &self.digest {
            Some(digest) => format!("{digest}\n"),
            None => self.findings.iter().map(|f| f.text(paint)).collect(),
        }
    }

    fn verdict(&self) -> Verdict {
        match self.digest {
            Some(_) => Verdict::Clean,
            None => Verdict::Findings,
        }
    }
}
