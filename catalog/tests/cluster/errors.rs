//! What goes wrong between a person and a cluster.

use crate::world::{PLUGIN, World, said, world};
use anyhow::Result;
use serde_json::json;
use std::{path::Path, process::Command};

/// What it says with `kubeconfig`, in an empty home.
fn with(world: &World, kubeconfig: Option<&Path>, line: &str) -> Result<String> {
    let home = tempfile::tempdir()?;
    let mut command = Command::new(PLUGIN);
    command
        .args(line.split_whitespace())
        .env("HOME", home.path());
    command
        .current_dir(world.plane.directory())
        .env_remove("KUBECONFIG");
    for name in ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"] {
        command.env_remove(name);
    }
    if let Some(kubeconfig) = kubeconfig {
        command.env("KUBECONFIG", kubeconfig);
    }
    Ok(said(line, &command.output()?))
}

/// A kubeconfig with one context, of an API server where nobody listens.
fn deserted(world: &World) -> Result<std::path::PathBuf> {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "prod",
        "clusters": [{"name": "c", "cluster": {"server": format!("https://{nobody}")}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c"}}],
    });
    let path = world.plane.directory().join("deserted");
    std::fs::write(&path, config.to_string())?;
    Ok(path)
}

#[tokio::test]
async fn without_a_cluster_it_says_how_to_name_one() -> Result<()> {
    let world = world().await?;
    let deserted = deserted(world)?;
    let wrong = world.plane.directory().join("wrong");
    std::fs::write(&wrong, "clusters: [\n")?;
    let said = [
        with(world, None, "catalog list")?,
        with(world, Some(&deserted), "catalog list")?,
        with(world, Some(&deserted), "catalog list --context pord")?,
        with(world, Some(Path::new("/nowhere")), "source list")?,
    ];
    insta::assert_snapshot!(said.concat());
    let unreadable = with(world, Some(&wrong), "source list")?;
    assert!(
        unreadable.contains("does `kubectl config view` read it?"),
        "{unreadable}"
    );
    assert!(unreadable.ends_with("[exit 2]\n"), "{unreadable}");
    Ok(())
}

#[tokio::test]
async fn without_the_platform_it_says_how_to_install_it() -> Result<()> {
    insta::assert_snapshot!(world().await?.before);
    Ok(())
}

#[tokio::test]
async fn every_command_documents_itself() -> Result<()> {
    let world = world().await?;
    let mut said = String::new();
    for line in [
        "catalog",
        "catalog list",
        "catalog search",
        "catalog show",
        "catalog versions",
        "catalog graph",
        "source",
        "source add",
        "source list",
        "source show",
        "source sync",
        "source suspend",
        "source resume",
        "source remove",
    ] {
        said.push_str(&world.say(&format!("{line} -h")));
    }
    insta::assert_snapshot!(said);
    Ok(())
}
