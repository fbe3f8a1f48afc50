//! The kit itself on a real API server: what it starts serves our CRDs, writes down every request,
//! and is gone when its owner is.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::ConfigMap;
use kit::{ControlPlane, eventually, hack, until};
use kube::{Api, api::PostParams};
use std::{path::Path, process::Command, time::Duration};

#[tokio::test]
async fn serves_the_crds_and_counts_requests() -> Result<()> {
    let cp = ControlPlane::shared().await?;
    let listed = cp
        .kubectl()?
        .run(&["api-resources", "--api-group", "middleware.io"])?;
    for kind in [
        "AddonSource",
        "MiddlewareAddon",
        "App",
        "Component",
        "Group",
    ] {
        assert!(listed.contains(kind), "{listed}");
    }

    let namespace = cp.namespace("counted").await?;
    let client = cp.client_as("counting-test/1.0").await?;
    let maps: Api<ConfigMap> = Api::namespaced(client, &namespace);
    let mark = cp.audit().mark()?;
    let mut map = ConfigMap::default();
    map.metadata.name = Some("one".into());
    maps.create(&PostParams::default(), &map).await?;
    maps.get("one").await?;

    let seen = cp.audit().since(mark)?.by("counting-test/");
    assert_eq!((seen.len(), seen.sequential()), (2, 2), "{seen}");
    assert_eq!(seen.writes().resource("configmaps").len(), 1, "{seen}");
    Ok(())
}

#[tokio::test]
async fn is_gone_with_its_owner() -> Result<()> {
    let place = tempfile::tempdir()?;
    let directory = place.path().join("cp");
    let mut owner = Command::new("sleep").arg("60").spawn()?;
    let started = hack("control-plane")
        .arg("start")
        .arg(&directory)
        .args(["--owner-pid", &owner.id().to_string()])
        .status()?;
    ensure!(started.success(), "hack/control-plane start");
    let pids = pids(&directory)?;
    ensure!(pids.len() >= 2, "etcd and the API server run: {pids:?}");
    owner.kill()?;
    owner.wait()?;
    eventually(Duration::from_secs(20), "no process is left", async || {
        let left: Vec<_> = pids.iter().filter(|pid| runs(pid)).collect();
        ensure!(left.is_empty(), "processes {left:?}");
        Ok(())
    })
    .await?;
    until(Duration::from_secs(10), "the directory is gone", || {
        ensure!(!directory.exists(), "{}", directory.display());
        Ok(())
    })
}

fn pids(directory: &Path) -> Result<Vec<String>> {
    let mut pids = Vec::new();
    for file in std::fs::read_dir(directory.join("pids"))? {
        let text = std::fs::read_to_string(file?.path())?;
        pids.push(
            text.lines()
                .next()
                .context("a pid file without a pid")?
                .to_owned(),
        );
    }
    Ok(pids)
}

fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.starts_with(" Z"))
}
