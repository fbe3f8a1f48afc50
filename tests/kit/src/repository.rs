//! Where the repository and its tools lie.

use anyhow::{Context, Result, ensure};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The root of the repository that this was built from.
pub fn root() -> &'static Path {
    const KIT: &str = env!("CARGO_MANIFEST_DIR");
    let kit = Path::new(KIT);
    kit.ancestors().nth(2).unwrap_or(kit)
}

/// A command that runs `hack/<script>`, with nothing on its standard input.
pub fn hack(script: &str) -> Command {
    let mut command = Command::new(root().join("hack").join(script));
    command.stdin(Stdio::null());
    command
}

/// The path of a tool that `hack/tools/build` built, for example `kubectl` or `helm`.
///
/// # Errors
/// It is not built.
pub fn tool(name: &str) -> Result<PathBuf> {
    let out = hack("tools/path")
        .arg(name)
        .output()
        .context("run hack/tools/path")?;
    let path = PathBuf::from(String::from_utf8_lossy(&out.stdout).trim());
    ensure!(
        out.status.success() && path.is_file(),
        "{name} is not built: run `hack/tools/build {name}`"
    );
    Ok(path)
}
