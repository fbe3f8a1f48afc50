//! Every manifest of `docs/examples` is accepted by an API server that has the platform's
//! definitions, without a warning: no field is unknown.

use anyhow::{Result, ensure};
use kit::{ControlPlane, root};

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
    ensure!(seen >= 3, "only {seen} examples");
    Ok(())
}
