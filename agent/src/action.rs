//! One run of an addon's action: a command, its time, and what it prints.
//!
//! As with a probe nothing about the command is trusted to end, so it has a process group that is
//! killed whole. What it prints goes on as it comes: a slow reader makes the command wait, and
//! nothing else. `service` runs actions for whoever asks on a socket, `client` asks, `command` is
//! what people type.

pub mod client;
pub mod command;
pub mod service;

use crate::reaper::{Child, End, Group, Reaper};
use api::agent::RunEnd;
use api::agent::run_reply::Part;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::unix::pipe;
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

/// As `timeout(1)` gives the end of a command whose time was over.
pub const TIMED_OUT: u8 = 124;
/// As `env(1)` gives it that it did not run anything.
pub const NOT_RUN: u8 = 125;
/// As a shell gives it that a command cannot be started.
pub const NOT_STARTED: u8 = 127;
/// What is read, and handed on, at once.
const CHUNK: usize = 8 * 1024;
/// After the command's end, for what still stands in its pipes: a daemon that it left outside of its
/// process group may hold them open for ever.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// The command did not end by itself.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The command cannot be started.
    #[error("cannot start `{command}`: {source}")]
    Start {
        /// The program.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// The command did not end in time and was killed.
    #[error("timed out after {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// What the command prints cannot be read.
    #[error("cannot read the output: {0}")]
    Read(#[source] io::Error),
}

impl ActionError {
    /// The exit code that stands for it.
    pub fn code(&self) -> u8 {
        match self {
            Self::Start { .. } => NOT_STARTED,
            Self::TimedOut(_) => TIMED_OUT,
            Self::Read(_) => NOT_RUN,
        }
    }
}

/// How a run is told to have ended.
pub fn told(end: &Result<End, ActionError>) -> RunEnd {
    let (code, description) = match end {
        Ok(end) => (end.code(), end.to_string()),
        Err(error) => (error.code(), error.to_string()),
    };
    RunEnd {
        code: code.into(),
        description,
    }
}

/// Runs `command` once; what it prints goes to `heard`. However it ends, and also when this future
/// is dropped, nothing of its process group is left.
///
/// # Errors
/// [`ActionError`].
pub async fn run(
    reaper: &Reaper,
    command: &[String],
    time: Duration,
    heard: Sender<Part>,
) -> Result<End, ActionError> {
    let mut child = start(reaper, command)?;
    let group = reaper.group(child.pid);
    let finished = timeout(time, finish(&mut child, &group, &heard)).await;
    drop(group);
    let finished = finished.unwrap_or(Err(ActionError::TimedOut(time)));
    if finished.is_err() {
        // A killed process that hangs in the kernel is waited for: no second one beside it.
        child.end().await;
    }
    finished
}

fn start(reaper: &Reaper, command: &[String]) -> Result<Child, ActionError> {
    // The table is checked before it is published; starting an empty program fails.
    let (program, arguments) = match command.split_first() {
        Some((program, arguments)) => (program.as_str(), arguments),
        None => ("", &[][..]),
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    reaper
        .spawn(&mut command)
        .map_err(|source| ActionError::Start {
            command: program.to_owned(),
            source,
        })
}

async fn finish(
    child: &mut Child,
    group: &Group<'_>,
    heard: &Sender<Part>,
) -> Result<End, ActionError> {
    let stdout = piped(child.stdout.take())?;
    let stderr = piped(child.stderr.take())?;
    let output = async {
        tokio::try_join!(
            hand_on(stdout, heard, Part::Stdout),
            hand_on(stderr, heard, Part::Stderr)
        )
    };
    tokio::pin!(output);
    let ended_first = tokio::select! {
        printed = &mut output => printed.map(|_| false)?,
        _ = child.end() => true,
    };
    // Who closes both pipes has not ended by that.
    let end = child.end().await;
    group.kill();
    if ended_first && let Ok(printed) = timeout(LAST_OUTPUT, output).await {
        printed?;
    }
    Ok(end)
}

fn piped(pipe: Option<impl Into<OwnedFd>>) -> Result<pipe::Receiver, ActionError> {
    let pipe = pipe.ok_or_else(|| ActionError::Read(io::Error::other("no pipe")))?;
    pipe::Receiver::from_owned_fd(pipe.into()).map_err(ActionError::Read)
}

/// Reads to the end. Where nobody listens any more, what is read is thrown away.
async fn hand_on(
    mut pipe: impl AsyncRead + Unpin,
    heard: &Sender<Part>,
    part: fn(Vec<u8>) -> Part,
) -> Result<(), ActionError> {
    let mut chunk = [0; CHUNK];
    loop {
        let read = pipe.read(&mut chunk).await.map_err(ActionError::Read)?;
        if read == 0 {
            return Ok(());
        }
        let _ = heard.send(part(chunk[..read].to_vec())).await;
    }
}
