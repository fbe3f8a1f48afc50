//! A person's clone of the Git repository that holds the addons.

use anyhow::{Context, Result, ensure};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A work tree; removed when dropped.
#[derive(Debug)]
pub struct Repository {
    place: TempDir,
}

impl Repository {
    /// An empty repository on branch `main`.
    pub fn new() -> Result<Self> {
        let place = tempfile::Builder::new()
            .prefix("paamesh-story-")
            .tempdir()?;
        let new = Self { place };
        new.git(&["init", "--quiet", "--initial-branch=main"])?;
        Ok(new)
    }

    /// A path in the work tree.
    pub fn path(&self, path: &str) -> PathBuf {
        self.place.path().join(path)
    }

    /// Copies a directory of the checkout, as it is, to `to`.
    pub fn copy(&self, from: &Path, to: &str) -> Result<()> {
        copy(from, &self.path(to)).with_context(|| format!("copy {}", from.display()))
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.path(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))
    }

    /// Replaces `old`, which must be there, in a file.
    pub fn replace(&self, path: &str, old: &str, new: &str) -> Result<()> {
        let text = self.read(path)?;
        ensure!(text.contains(old), "{path} has no `{old}`");
        self.write(path, &text.replacen(old, new, 1))
    }

    /// A file's text.
    pub fn read(&self, path: &str) -> Result<String> {
        std::fs::read_to_string(self.path(path)).with_context(|| format!("read {path}"))
    }

    /// Removes a file or a directory.
    pub fn remove(&self, path: &str) -> Result<()> {
        let path = self.path(path);
        let removed = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
        removed.with_context(|| format!("remove {}", path.display()))
    }

    /// Commits everything under `subject` and pushes it to `url`; returns the commit.
    pub fn push(&self, url: &str, subject: &str) -> Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "-m", subject])?;
        self.git(&["push", "--quiet", url, "HEAD:main"])?;
        self.git(&["rev-parse", "HEAD"])
    }

    fn git(&self, args: &[&str]) -> Result<String> {
        let out = Command::new("git")
            .args(args)
            .current_dir(self.place.path())
            .envs([
                ("GIT_AUTHOR_NAME", "Ada"),
                ("GIT_AUTHOR_EMAIL", "ada@example.com"),
            ])
            .envs([
                ("GIT_COMMITTER_NAME", "Ada"),
                ("GIT_COMMITTER_EMAIL", "ada@example.com"),
            ])
            .envs([
                ("GIT_CONFIG_GLOBAL", "/dev/null"),
                ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ])
            .envs([("GIT_TERMINAL_PROMPT", "0"), ("no_proxy", "*")])
            .output()
            .context("run git")?;
        let said = String::from_utf8_lossy(&out.stderr);
        ensure!(
            out.status.success(),
            "git {}: {}",
            args.join(" "),
            said.trim()
        );
        Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
