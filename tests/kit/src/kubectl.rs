//! `kubectl`, run as a person runs it.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    ffi::OsStr,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// `kubectl` for one kubeconfig.
#[derive(Clone, Debug)]
pub struct Kubectl {
    binary: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    /// The pinned `kubectl`, for `kubeconfig`.
    ///
    /// # Errors
    /// `kubectl` is not built.
    pub fn new(kubeconfig: impl AsRef<Path>) -> Result<Self> {
        Ok(Self {
            binary: crate::tool("kubectl")?,
            kubeconfig: kubeconfig.as_ref().to_owned(),
        })
    }

    /// The kubeconfig that it uses.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A command, for what the other functions do not do.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(args)
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::null());
        command
    }

    /// What it did, whether or not it succeeded.
    ///
    /// # Errors
    /// It could not be run.
    pub fn output(&self, args: &[&str]) -> Result<Output> {
        self.command(args).output().context("run kubectl")
    }

    /// Its standard output, without the last line end.
    ///
    /// # Errors
    /// It ended with another status than 0; the message has the command and what it said.
    pub fn run(&self, args: &[&str]) -> Result<String> {
        said(args, &self.output(args)?)
    }

    /// Its standard output with `-o json` added, read.
    ///
    /// # Errors
    /// As for [`Kubectl::run`], or the output is no JSON.
    pub fn json(&self, args: &[&str]) -> Result<Value> {
        let args = [args, &["-o", "json"]].concat();
        serde_json::from_str(&self.run(&args)?).with_context(|| args.join(" "))
    }

    /// Its standard output, with `input` on its standard input.
    ///
    /// # Errors
    /// As for [`Kubectl::run`].
    pub fn run_with(&self, args: &[&str], input: &str) -> Result<String> {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("run kubectl")?;
        let stdin = child
            .stdin
            .take()
            .context("kubectl has no standard input")?;
        // A kubectl that ended early says itself why.
        let _ = { stdin }.write_all(input.as_bytes());
        said(args, &child.wait_with_output()?)
    }

    /// `kubectl apply` of the YAML documents in `manifests`, server-side.
    ///
    /// # Errors
    /// As for [`Kubectl::run`].
    pub fn apply(&self, manifests: &str) -> Result<String> {
        self.run_with(&["apply", "--server-side", "-f", "-"], manifests)
    }
}

fn said(args: &[&str], output: &Output) -> Result<String> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        return Ok(stdout.trim_end().to_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let (status, said) = (output.status, format!("{stdout}{stderr}"));
    bail!(
        "`kubectl {}` ended with {status}: {}",
        args.join(" "),
        said.trim()
    )
}
