//! One API server, and the binary to run against it.

use crate::{hands::Hands, store};
use anyhow::Result;
use kit::ControlPlane;
use regex::Regex;
use std::{
    process::{Command, Output, Stdio},
    sync::LazyLock,
    time::Duration,
};
use tokio::sync::{OnceCell, RwLock};

/// The binary under test.
pub const PLUGIN: &str = env!("CARGO_BIN_EXE_kubectl-middleware");
/// How long a test waits for what takes milliseconds.
pub const SOON: Duration = Duration::from_secs(30);
/// The platform's namespace.
pub const PLATFORM: &str = "paamesh-system";

/// Held for reading where a test reads the whole catalog, and for writing where one adds to it.
pub static CATALOG: RwLock<()> = RwLock::const_new(());

/// An API server whose catalog is filled, and read by every test.
pub struct World {
    pub plane: ControlPlane,
    /// What `catalog list` said before the platform's resources were there.
    pub before: String,
}

/// The world that all tests share. Sources that a test writes have names of their own.
pub async fn world() -> Result<&'static World> {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    WORLD
        .get_or_try_init(async || {
            let plane = ControlPlane::start().await?;
            let mut world = World {
                plane,
                before: String::new(),
            };
            world.before = world.say("catalog list");
            world.plane.install_crds().await?;
            store::fill(&Hands::new(&world).await?).await?;
            Ok(world)
        })
        .await
}

impl World {
    /// The binary with `line`, against this API server.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(PLUGIN);
        command
            .args(words(line))
            .env("KUBECONFIG", self.plane.kubeconfig())
            .env_remove("PAAMESH_NAMESPACE")
            .current_dir(self.plane.directory())
            .stdin(Stdio::null());
        command
    }

    /// What `kubectl middleware LINE` says: both streams and the exit code.
    pub fn say(&self, line: &str) -> String {
        said(line, &self.command(line).output().unwrap())
    }

    /// What it answers in JSON.
    pub fn json(&self, line: &str) -> serde_json::Value {
        let out = self.command(&format!("{line} -o json")).output().unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr);
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{line}: {e}: {stderr}"))
    }
}

/// Words as a shell splits them, with `'…'` as one.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![];
    for (i, part) in line.split('\'').enumerate() {
        match i % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// Both streams and the exit code, without what is another in each run.
pub fn said(line: &str, out: &Output) -> String {
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    let mut said = format!("$ kubectl middleware {line}\n{stdout}");
    if !stderr.is_empty() {
        said.push_str(&format!("[stderr]\n{stderr}"));
    }
    said.push_str(&format!("[exit {}]\n", out.status.code().unwrap()));
    steady(&said)
}

/// The text without addresses, ages and times.
pub fn steady(text: &str) -> String {
    static CHANGING: LazyLock<[(Regex, &str); 5]> = LazyLock::new(|| {
        [
            (r"https://127\.0\.0\.1:\d+", "https://<server>"),
            (r"(?m)(  )\d+s$", "$1<age>"),
            (r"(?m)^ +\d+\.\d s ", "<time> "),
            (r"(?m)(  )\d+s(  +\S)", "$1<age>$2"),
            (r"/tmp/[^ `]*/", "<dir>/"),
        ]
        .map(|(pattern, with)| (Regex::new(pattern).unwrap(), with))
    });
    let mut text = text.to_owned();
    for (pattern, with) in CHANGING.iter() {
        text = pattern.replace_all(&text, *with).into_owned();
    }
    text
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
