//! Every manifest of `docs/examples` is accepted by an API server that has the platform's
//! definitions, without a warning: no field is unknown. The addons that ship are as small as promised.

use anyhow::{Context, Result, ensure};
use kit::{ControlPlane, root};
use std::path::Path;

/// An addon, and the lines below which each of its versions stays, or all of them together.
const SIZES: [(&str, Counted, usize); 3] = [
    ("memcached", Counted::Each, 60),
    ("postgresql", Counted::Each, 500),
    ("redis", Counted::All, 700),
];

enum Counted {
    Each,
    All,
}

#[tokio::test]
async fn every_example_is_accepted() -> Result<()> {
    let cp = ControlPlane::shared().await?;
    let kubectl = cp.kubectl()?;
    let mut seen = 0;
    for file in std::fs::read_dir(root().join("docs/examples"))? {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let path = path.to_string_lossy().into_owned();
        let args = [
            "apply",
            "--dry-run=server",
            "--validate=strict",
            "-f",
            &path,
        ];
        let out = kubectl.output(&args)?;
        let said = String::from_utf8_lossy(&out.stderr);
        ensure!(out.status.success() && said.is_empty(), "{path}: {said}");
        seen += 1;
    }
    ensure!(seen >= 5, "only {seen} examples");
    Ok(())
}

#[test]
fn addons_that_ship_are_small() -> Result<()> {
    for (addon, counted, limit) in SIZES {
        let mut versions = Vec::new();
        for version in std::fs::read_dir(root().join("addons").join(addon))? {
            let version = version?;
            versions.push((lines(&version.path())?, version.file_name()));
        }
        ensure!(!versions.is_empty(), "{addon} has no version");
        let each = versions.iter().map(|(lines, _)| *lines);
        let most = match counted {
            Counted::Each => each.max(),
            Counted::All => Some(each.sum()),
        };
        let most = most.unwrap_or_default();
        ensure!(most < limit, "{addon} has {most} lines: {versions:?}");
    }
    let shipped = std::fs::read_dir(root().join("addons"))?.count();
    ensure!(shipped == SIZES.len(), "an addon has no limit here");
    Ok(())
}

/// The lines of every file below a directory.
fn lines(directory: &Path) -> Result<usize> {
    let mut lines = 0;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        lines += if path.is_dir() {
            self::lines(&path)?
        } else {
            let text = std::fs::read_to_string(&path);
            text.with_context(|| path.display().to_string())?
                .lines()
                .count()
        };
    }
    Ok(lines)
}
