//! `addon diff`: what differs between two versions of an addon, wherever each of them is.

mod files;
mod meaning;
mod side;

use super::diff;
use crate::{
    args::registry::DiffArgs,
    output::{self, Paint},
};
use api::{Digest, Version, names::PluginName};
use files::File;
use meaning::Meaning;
use package::Package;
use serde::Serialize;

/// What differs from one to the other.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    before: Side,
    after: Side,
    files: Vec<File>,
    manifest: Meaning,
    /// The changed lines, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
}

/// One of the two.
#[derive(Debug, Serialize)]
struct Side {
    /// As the person named it.
    at: String,
    plugin: PluginName,
    version: Version,
    /// Of the addon, as the registry computes it.
    digest: Digest,
}

/// Compares the two of the arguments.
///
/// # Errors
/// One of them cannot be read, or is no addon.
pub(super) fn diff(args: &DiffArgs) -> anyhow::Result<Report> {
    let before = side::read(&args.before, &args.registry)?;
    let after = side::read(&args.after, &args.registry)?;
    Ok(Report {
        files: files::changed(&before.tree, &after.tree),
        manifest: Meaning::between(&before, &after),
        diff: args.unified.then(|| {
            let (before, after) = (files::texts(&before.tree), files::texts(&after.tree));
            diff::unified(&before, &after)
        }),
        before: Side::of(&args.before, &before),
        after: Side::of(&args.after, &after),
    })
}

impl Side {
    fn of(at: &str, package: &Package) -> Self {
        Self {
            at: at.to_owned(),
            plugin: package.manifest.name.clone(),
            version: package.manifest.version.clone(),
            digest: package.digest.clone(),
        }
    }

    fn text(&self, mark: &str, paint: Paint) -> String {
        let name = paint.bold(&format!("{} {}", self.plugin, self.version));
        let at = output::one_line(&self.at);
        format!("{mark} {name}  {at}\n    {}\n", self.digest)
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        let mut text = self.before.text("---", paint) + &self.after.text("+++", paint);
        if self.before.digest == self.after.digest {
            return text + "nothing differs\n";
        }
        text.push_str(&self.manifest.text(paint));
        text.push_str(&files::text(&self.files, paint));
        if let Some(diff) = &self.diff {
            text.push_str(&format!("\n{}", diff::painted(diff, paint)));
        }
        text
    }
}
