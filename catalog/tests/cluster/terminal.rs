//! On a real terminal of 80 columns, which `script` provides.

use crate::{
    hands::{Hands, stalled},
    world::{PLUGIN, World, world},
};
use anyhow::Result;
use serde_json::json;
use std::process::Command;

/// What a terminal shows of `line`, with `env` before it.
fn shown(world: &World, env: &str, line: &str) -> Result<String> {
    let script = format!("exec script -qec '{env} {PLUGIN} {line}; true' /dev/null </dev/null");
    let mut command = Command::new("sh");
    command
        .args(["-c", &script])
        .env("KUBECONFIG", world.plane.kubeconfig());
    command.env("TERM", "xterm").env_remove("NO_COLOR");
    Ok(String::from_utf8(command.output()?.stdout)?.replace('\r', ""))
}

#[tokio::test]
async fn every_answer_fits_eighty_columns() -> Result<()> {
    let world = world().await?;
    let hands = Hands::new(world).await?;
    let url = format!("https://git.example.com/{}.git", "long/".repeat(20));
    hands.source("wide", json!({"git": {"url": url}})).await?;
    let message =
        "a message that is longer than a line of a terminal, and then a little longer still";
    let status = json!({
        "conditions": stalled("AddonsFailed", message), "revision": "main@sha1:0123",
        "failed": [{"directory": "addons/kv", "findings": [{"file": "addon.yaml", "line": 1, "message": message}]}],
    });
    hands.source_says("wide", status).await?;
    for line in [
        "catalog list",
        "catalog search a",
        "catalog versions store",
        "catalog show store",
        "catalog show store@1.0.0",
        "catalog show store --parameters",
        "catalog graph store",
        "catalog graph store --from 1.0.0",
        "source list",
        "source show nothing",
        "catalog search kafka",
        "catalog show stroe",
        "catalog list --as nobody",
    ] {
        let text = shown(world, "NO_COLOR=1", line)?;
        let long: Vec<&str> = text.lines().filter(|l| l.chars().count() > 80).collect();
        assert!(
            long.is_empty() && !text.trim().is_empty(),
            "{line}:\n{text}"
        );
        assert!(!text.contains('\u{1b}'), "{line}: {text}");
    }
    let text = shown(world, "NO_COLOR=1", "source show wide")?;
    // A URL is a word, and stays one.
    let long = text
        .lines()
        .filter(|l| l.chars().count() > 80 && !l.contains("https://"));
    assert_eq!(long.count(), 0, "{text}");
    Ok(())
}

#[tokio::test]
async fn colours_are_for_terminals_that_want_them() -> Result<()> {
    let world = world().await?;
    let coloured = shown(world, "", "catalog versions store")?;
    assert!(
        coloured.contains("\u{1b}[31mWithdrawn\u{1b}[0m"),
        "{coloured}"
    );
    assert!(coloured.contains("\u{1b}[1m2.0.0\u{1b}[0m"), "{coloured}");
    assert!(!world.say("catalog versions store").contains('\u{1b}'));
    Ok(())
}
