//! An author with a directory and a terminal: what is saved, what is heard.

use crate::world::World;
use anyhow::{Context as _, Result, ensure};
use kit::{Process, until};
use std::{
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};
use tempfile::TempDir;

/// How long what takes seconds may take on a machine that does other things.
const SOON: Duration = Duration::from_secs(60);
const BINARY: &str = env!("CARGO_BIN_EXE_kubectl-middleware");

pub struct Author<'a> {
    world: &'a World,
    directory: TempDir,
    log: PathBuf,
    session: Option<Process>,
}

/// What a command said, both streams, and its exit code.
pub struct Said {
    pub text: String,
    pub code: i32,
}

impl<'a> Author<'a> {
    /// An author with the shipped Redis as the plugin of this world.
    pub fn new(world: &'a World, version: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let from = kit::root().join("addons/redis").join(version);
        let copied = Command::new("cp")
            .arg("-r")
            .arg(&from)
            .arg(directory.path().join("addon"))
            .status();
        assert!(copied.unwrap().success());
        let author = Self {
            world,
            log: directory.path().join("log"),
            directory,
            session: None,
        };
        let manifest = author.read("addon.yaml");
        let plugin = &world.name;
        author.save(
            "addon.yaml",
            &manifest.replace("name: redis\nversion", &format!("name: {plugin}\nversion")),
        );
        author
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.addon().join(path)).unwrap()
    }

    /// Saves as editors do: beside, and then in its place.
    pub fn save(&self, path: &str, text: &str) {
        let path = self.addon().join(path);
        let beside = path.with_file_name(".saving");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(&beside, &path).unwrap();
    }

    fn addon(&self) -> PathBuf {
        self.directory.path().join("addon")
    }

    fn command(&self, flags: &str) -> Command {
        let mut command = Command::new(BINARY);
        let app = if flags.contains("--app") {
            ""
        } else {
            "--app cache"
        };
        command
            .args(["addon", "dev", "addon"])
            .args(app.split_whitespace());
        command
            .args(flags.split_whitespace())
            .args(["-n", &self.world.name, "--kubeconfig"]);
        command
            .arg(self.world.kubeconfig())
            .current_dir(self.directory.path());
        command
    }

    /// Begins a session.
    pub fn begin(&mut self, flags: &str) -> Result<()> {
        self.session = Some(Process::start(self.command(flags), &self.log)?);
        Ok(())
    }

    /// Waits until the session has said so.
    pub fn hears(&self, text: &str) -> Result<()> {
        until(SOON, text, || {
            let log = std::fs::read_to_string(&self.log)?;
            ensure!(flat(&log).contains(text), "{log}");
            Ok(())
        })
    }

    /// Ends the session by Ctrl-C; all that it said.
    pub fn ends(&mut self) -> Result<String> {
        let session = self.session.as_mut().context("a session")?;
        let pid = session.pid().to_string();
        ensure!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()?
                .success()
        );
        until(SOON, "it ended", || {
            ensure!(session.alive().is_err(), "it runs");
            Ok(())
        })?;
        Ok(flat(&session.log()?))
    }

    /// Brings the state that is there to the App, and nothing more.
    pub fn once(&self, flags: &str) -> Result<Said> {
        Ok(said(self.command(&format!("--once {flags}")).output()?))
    }

    /// The same while the test goes on.
    pub async fn once_beside(&self, flags: &str) -> Result<Said> {
        let mut command = self.command(&format!("--once {flags}"));
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        Ok(said(output))
    }

    /// Publishes the directory as it is, as a release.
    pub async fn publish(&self, version: &str) -> Result<()> {
        self.world.publish(&self.addon(), version).await
    }
}

fn said(output: Output) -> Said {
    let text = [output.stdout, output.stderr].concat();
    Said {
        text: flat(&String::from_utf8_lossy(&text)),
        code: output.status.code().unwrap_or(-1),
    }
}

/// Without the line ends within what is told.
fn flat(text: &str) -> String {
    text.replace("\n          ", " ").replace("\n  ", " ")
}
