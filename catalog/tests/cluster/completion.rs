//! Completion of what the cluster knows, under kubectl and in the shells themselves.

use crate::{
    hands::Hands,
    world::{PLUGIN, World, world},
};
use anyhow::{Context as _, Result};
use serde_json::json;
use std::process::Command;

/// A world with the binary on a PATH under its own name.
async fn on_path() -> Result<(&'static World, String)> {
    let world = world().await?;
    let bin = tempfile::tempdir()?.keep();
    std::os::unix::fs::symlink(PLUGIN, bin.join("kubectl-middleware"))?;
    let path = format!("{}:{}", bin.display(), std::env::var("PATH")?);
    Ok((world, path))
}

/// What the program `shell` prints when it runs `script`.
fn shell(world: &World, path: &str, shell: &[&str], script: &str) -> Result<String> {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg(script);
    command
        .env("PATH", path)
        .env("KUBECONFIG", world.plane.kubeconfig());
    command
        .env("HOME", world.plane.directory())
        .current_dir(world.plane.directory());
    let out = command
        .output()
        .with_context(|| format!("run {}", shell[0]))?;
    let stderr = String::from_utf8(out.stderr)?;
    anyhow::ensure!(
        out.status.success() && stderr.is_empty(),
        "{script}: {stderr}"
    );
    Ok(String::from_utf8(out.stdout)?)
}

async fn source(world: &World, name: &str) -> Result<()> {
    let hands = Hands::new(world).await?;
    if hands.sources().get_opt(name).await?.is_none() {
        hands
            .source(name, json!({"directory": {"path": "tab"}}))
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn kubectl_is_told_what_the_cluster_knows() -> Result<()> {
    let (world, _) = on_path().await?;
    source(world, "tab-kubectl").await?;
    let ask = |words: &str| {
        let mut command = world.command("__complete");
        command.args(words.split(' ').map(|word| word.trim_matches('\'')));
        let out = command.output().unwrap();
        format!("$ {words}\n{}", String::from_utf8(out.stdout).unwrap())
    };
    let asked = [
        "catalog show st",
        "catalog show store@1",
        "catalog versions q",
        "catalog graph store --from ''",
        "catalog graph store --from 1.0.0 --to 2",
        "source show tab-k",
        "source suspend tab-kubectl tab-k",
        "catalog list -n team",
        "catalog list --context ''",
        "catalog show --as nobody ''",
        "catalog show --kubeconfig /nowhere ''",
        "source add mine ''",
        "catalog sh",
    ];
    insta::assert_snapshot!(asked.map(ask).concat());
    Ok(())
}

#[tokio::test]
async fn bash_completes_from_the_cluster() -> Result<()> {
    let (world, path) = on_path().await?;
    source(world, "tab-bash").await?;
    let script = "source <(kubectl-middleware completion bash)
try() {
  COMP_LINE=\"kubectl-middleware $1\" COMP_POINT=$((19 + ${#1})) _kubectl_middleware
  echo \"$1: ${COMPREPLY[*]}\"
}
try 'catalog show st'
try 'catalog show store@1'
try 'source show tab-b'
try 'catalog list -o '
";
    let said = shell(world, &path, &["bash", "-c"], script)?;
    // After `@` Bash completes a word of its own.
    let wanted = "catalog show st: store\ncatalog show store@1: 1.1.0 1.0.0\nsource show tab-b: tab-bash\n\
                  catalog list -o : text wide json yaml name\n";
    assert_eq!(said, wanted);
    Ok(())
}

#[tokio::test]
async fn zsh_completes_from_the_cluster() -> Result<()> {
    let (world, path) = on_path().await?;
    source(world, "tab-zsh").await?;
    // What Zsh's own system calls are given; its line editor needs a terminal.
    let script = "compdef() { defined=$*; }
_describe() { print -r -- \"${words[2,-1]}: ${(j:|:)${(P)4:-}}${(j:|:)candidates} $5 $6\"; }
_files() { print -r -- \"${words[2,-1]}: files $*\"; }
source <(kubectl-middleware completion zsh)
print $defined
try() { words=(kubectl-middleware \"$@\"); CURRENT=$#words; _kubectl_middleware; }
try catalog show st
try catalog show store@1
try source show tab-z
try addon lint ''
";
    insta::assert_snapshot!(shell(world, &path, &["zsh", "-fc"], script)?);
    Ok(())
}

#[tokio::test]
async fn fish_completes_from_the_cluster() -> Result<()> {
    let (world, path) = on_path().await?;
    source(world, "tab-fish").await?;
    let script = "kubectl-middleware completion fish | source
for line in 'catalog show st' 'catalog show store@1' 'source show tab-f' 'catalog list -o ' 'cat'
  echo \"$line:\"
  complete -C \"kubectl-middleware $line\"
end
";
    insta::assert_snapshot!(shell(world, &path, &["fish", "--no-config", "-c"], script)?);
    Ok(())
}
