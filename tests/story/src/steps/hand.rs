//! Step 2, the other way: the same addon put there by a person, with no registry.

use crate::{
    look,
    stage::{PLATFORM, Stage},
};
use anyhow::{Context, Result, ensure};
use kit::{ControlPlane, Kubectl, Process};
use std::{path::Path, process::Command};

/// A control plane of its own, an operator beside it, ConfigMaps and a MiddlewareAddon by kubectl:
/// the digest is that of the version which came from Git.
pub fn same_digest(stage: &mut Stage) -> Result<()> {
    let control_plane = ControlPlane::start_blocking()?;
    let kubectl = control_plane.kubectl()?;
    let definitions = Command::new(&stage.options.paamesh).arg("crds").output()?;
    kubectl.apply(&String::from_utf8(definitions.stdout)?)?;
    kubectl.run(&[
        "wait",
        "--for=condition=Established",
        "--timeout=30s",
        "crd",
        "--all",
    ])?;
    kubectl.run(&["create", "namespace", PLATFORM])?;
    let mut operator = Process::start(
        operator(&stage.options.paamesh, &kubectl),
        control_plane.directory().join("operator.log"),
    )?;

    let folder = stage.checkout("addons/redis/1.0.0");
    let content = create_content(&kubectl, &folder)?;
    kubectl.apply(&manifest(&content))?;
    let digest = stage.wait(60, "redis-1.0.0 made by hand is Active", || {
        operator.alive()?;
        let version = kubectl.json(&["get", "mwa", "redis-1.0.0"])?;
        let phase = look::text(&version, "/status/phase");
        ensure!(phase == "Active", "{phase}: {}", look::conditions(&version));
        Ok(look::text(&version, "/status/digest").to_owned())
    })?;
    let from_git = stage.kubectl.json(&["get", "mwa", "redis-1.0.0"])?;
    let from_git = look::text(&from_git, "/status/digest");
    ensure!(digest == from_git, "by hand {digest}, from Git {from_git}");
    stage.voice.output(&format!("by hand:  {digest}"));
    stage.voice.output(&format!("from Git: {from_git}"));
    Ok(())
}

fn operator(paamesh: &Path, kubectl: &Kubectl) -> Command {
    let mut command = Command::new(paamesh);
    command
        .args([
            "operator",
            "--agent-image",
            "paamesh/agent:dev",
            "--listen",
            "127.0.0.1:0",
        ])
        .args(["--namespace", PLATFORM])
        .env("KUBECONFIG", kubectl.kubeconfig());
    command
}

/// One ConfigMap per section, under names of the person's choice; returns section and name.
fn create_content(kubectl: &Kubectl, folder: &Path) -> Result<Vec<(String, String)>> {
    let mut sections = vec![("manifest".to_owned(), folder.to_owned())];
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sections.push((
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            ));
        }
    }
    let mut content = Vec::new();
    for (section, directory) in sections {
        let name = format!("my-redis-{section}");
        let files = format!("--from-file={}", directory.display());
        let made = kubectl.run(&["-n", PLATFORM, "create", "configmap", &name, &files]);
        made.with_context(|| format!("section {section}"))?;
        content.push((section, name));
    }
    Ok(content)
}

fn manifest(content: &[(String, String)]) -> String {
    let mut text = "apiVersion: middleware.io/v1alpha1\nkind: MiddlewareAddon\nmetadata:\n  name: redis-1.0.0\n\
        spec:\n  plugin: redis\n  version: 1.0.0\n  content:\n".to_owned();
    for (section, name) in content {
        text.push_str(&format!(
            "  - {{section: {section}, kind: ConfigMap, name: {name}}}\n"
        ));
    }
    text
}
