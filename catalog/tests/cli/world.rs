//! A directory to work in, and the binary to run there.

use regex::Regex;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

/// The binary under test.
pub const PLUGIN: &str = env!("CARGO_BIN_EXE_kubectl-middleware");

/// An empty directory, gone at the end.
pub struct World {
    dir: TempDir,
}

impl World {
    pub fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.path().join(path)).unwrap()
    }

    /// Puts the shipped addon `from` at `to`.
    pub fn ship(&self, from: &str, to: &str) {
        copy(&root().join("addons").join(from), &self.path().join(to));
    }

    /// What `kubectl middleware LINE` says here.
    pub fn say(&self, line: &str) -> String {
        say(self.path(), line)
    }

    /// Runs a shell command here, which must succeed.
    pub fn sh(&self, script: &str) -> String {
        let out = shell(script).current_dir(self.path()).output().unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{script}: {stderr}");
        String::from_utf8(out.stdout).unwrap()
    }
}

/// A shell without the person's own Git settings.
pub fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-euc", script]);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_CONFIG_SYSTEM", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "An Author");
        command.env(format!("GIT_{who}_EMAIL"), "author@example.org");
        command.env(format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z");
    }
    command
}

/// The repository of this project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .into()
}

/// What the binary says to `line` on the shipped addons; their digests change with them.
pub fn on_shipped(line: &str) -> String {
    let said = say(&root().join("addons"), line);
    let digest = Regex::new("sha256:[0-9a-f]{64}").unwrap();
    digest.replace_all(&said, "sha256:<64 hex>").into_owned()
}

/// What the binary says to `line` on the addons beside these tests.
pub fn on_test_addons(line: &str) -> String {
    say(&root().join("catalog/tests/addons"), line)
}

/// What the binary says to `line`, both streams and the exit code.
pub fn say(dir: &Path, line: &str) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = run(dir, line);
    let (stdout, stderr) = (text(stdout), text(stderr));
    let mut said = format!("$ kubectl middleware {line}\n{stdout}");
    if !stderr.is_empty() {
        said.push_str(&format!("[stderr]\n{stderr}"));
    }
    said.push_str(&format!("[exit {}]\n", status.code().unwrap()));
    said.replace(&dir.display().to_string(), "<dir>")
}

pub fn run(dir: &Path, line: &str) -> Output {
    Command::new(PLUGIN)
        .args(line.split_whitespace())
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap()
}

/// What the binary answers in JSON to `line`, which must succeed.
pub fn json(dir: &Path, line: &str) -> serde_json::Value {
    let out = run(dir, &format!("{line} --output json"));
    assert!(out.status.success(), "{line}: {}", text(out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, to) = (entry.unwrap(), to);
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::write(target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}
