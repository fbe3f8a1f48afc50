//! The local cluster: brought up by `hack/cluster`, with the platform's images in its registry.

use crate::{Options, voice::Voice};
use anyhow::{Context, Result, bail, ensure};
use kit::hack;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Images of the platform, as the chart's values name them.
pub const PLATFORM_IMAGE: &str = "paamesh/paamesh:dev";
/// The image of the agent.
pub const AGENT_IMAGE: &str = "paamesh/agent:dev";

/// Where the platform's image has the compiled evaluators.
const EVALUATORS: &str = "/usr/local/share/paamesh/evaluate";

/// Where the cluster of a name keeps its kubeconfig and its audit log.
pub fn state(name: &str) -> PathBuf {
    let all = std::env::var_os("PAAMESH_STATE").unwrap_or_else(|| "/var/lib/paamesh-dev".into());
    Path::new(&all).join(name)
}

/// Brings the cluster up, empty unless it is to be kept, and pushes the images.
pub fn up(voice: &Voice, options: &Options) -> Result<()> {
    for binary in [&options.paamesh, &options.agent] {
        ensure!(
            binary.is_file(),
            "no program {}: build it first",
            binary.display()
        );
    }
    let mut args = vec!["up", "--name", &options.cluster];
    if !options.keep {
        args.push("--fresh");
    }
    // The images are put together while the cluster starts.
    let (images, registry) = std::thread::scope(|scope| {
        let images = scope.spawn(|| build_images(&options.paamesh, &options.agent));
        let registry = bring_up(voice, &args);
        (images.join(), registry)
    });
    images.map_err(|_| anyhow::anyhow!("putting the images together panicked"))??;
    let mut push = hack("images/push");
    push.arg(registry?).args([PLATFORM_IMAGE, AGENT_IMAGE]);
    said(&push.output()?, "hack/images/push")
}

/// Runs `hack/cluster`, shows its lines, and returns the address of the registry.
fn bring_up(voice: &Voice, args: &[&str]) -> Result<String> {
    let mut child = hack("cluster").args(args).stdout(Stdio::piped()).spawn()?;
    let mut registry = None;
    let output = child.stdout.take().context("hack/cluster has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        match line.strip_prefix("registry=") {
            Some(address) => registry = Some(address.to_owned()),
            None if line.starts_with("KUBECONFIG=") => {}
            None => voice.output(&line),
        }
    }
    let status = child.wait()?;
    ensure!(
        status.success(),
        "hack/cluster {} ended with {status}",
        args.join(" ")
    );
    registry.context("hack/cluster named no registry")
}

fn build_images(paamesh: &Path, agent: &Path) -> Result<()> {
    said(
        &hack("images/debian").arg("base").output()?,
        "hack/images/debian",
    )?;
    let evaluators = precompiled(paamesh)?;
    let mut platform = hack("images/binary");
    platform
        .arg("paamesh/base:1")
        .arg(paamesh)
        .args(["/usr/local/bin/paamesh", PLATFORM_IMAGE])
        .args(["--tree", &format!("{}={EVALUATORS}", evaluators.display())])
        .args(["--env", &format!("PAAMESH_EVALUATE_CACHE={EVALUATORS}")]);
    said(&platform.output()?, "hack/images/binary")?;
    let mut binary = hack("images/binary");
    binary
        .arg("scratch")
        .arg(agent)
        .args(["/paamesh-agent", AGENT_IMAGE]);
    said(&binary.output()?, "hack/images/binary")
}

/// The evaluators as machine code, beside the program: compiled once, and then part of the image, so
/// that no pod does it.
fn precompiled(paamesh: &Path) -> Result<PathBuf> {
    let beside = paamesh.with_file_name("evaluate");
    let mut command = Command::new(paamesh);
    command.args(["evaluate", "--precompile"]).arg(&beside);
    said(&command.output()?, "paamesh evaluate --precompile")?;
    Ok(beside)
}

fn said(out: &std::process::Output, script: &str) -> Result<()> {
    if !out.status.success() {
        bail!("{script}: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}
