//! Upgrading the platform touches no running pod (design.md, invariant 3).

use crate::{
    look, platform,
    stage::{PLATFORM, Stage},
    steps::run::REPLICATION,
};
use anyhow::{Context, Result, ensure};
use kit::tool;
use std::process::Command;

/// The chart is upgraded with another value: both services roll, no object of an App changes, and a
/// definition that was spoilt is upgraded with the rest.
pub fn upgrade(stage: &mut Stage) -> Result<()> {
    let before = stage.owned(REPLICATION)?;
    let definition = "crd/apps.middleware.io";
    let spoil = r#"[{"op":"remove","path":"/spec/versions/0/additionalPrinterColumns"}]"#;
    stage
        .kubectl
        .run(&["patch", definition, "--type=json", "-p", spoil])?;
    let chart = stage.checkout("charts/paamesh");
    let said = Command::new(tool("helm")?)
        .args(["upgrade", "paamesh"])
        .arg(chart)
        .args([
            "--namespace",
            PLATFORM,
            "--reuse-values",
            "--set",
            "workers=6",
        ])
        .args(["--server-side", "true", "--force-conflicts"])
        .env("KUBECONFIG", stage.kubectl.kubeconfig())
        .output()
        .context("run helm")?;
    ensure!(
        said.status.success(),
        "helm upgrade: {}",
        String::from_utf8_lossy(&said.stderr).trim()
    );
    for service in platform::SERVICES {
        platform::await_service(stage, service)?;
    }
    let definition = stage.kubectl.json(&["get", definition])?;
    let columns = look::list(&definition, "/spec/versions/0/additionalPrinterColumns");
    ensure!(
        !columns.is_empty(),
        "helm upgrade left the definition as it was"
    );
    let changed = look::differences(&before, &stage.owned(REPLICATION)?);
    ensure!(changed.is_empty(), "{}", changed.join(", "));
    Ok(())
}
