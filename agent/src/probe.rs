//! One run of an addon's probe: a command, its time, and what it prints.
//!
//! The command is the addon's, so nothing about it is trusted to end: it has a process group that is
//! killed whole, a time-out, and a bound on what it prints.

mod reading;

pub use reading::{NoReading, Reading};

use crate::reaper::{Child, End, Group, Reaper};
use api::agent::{ProbeAction, ProbeOutput};
use regex::{Regex, RegexBuilder};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::unix::pipe;

/// More than a page of JSON is no probe's answer.
const MOST_OUTPUT: usize = 64 * 1024;
/// Of standard error only the beginning is shown to people.
const MOST_ERRORS: usize = 512;
/// A compiled pattern; the agent has 10 MiB for everything.
const MOST_PATTERN: usize = 512 * 1024;

/// A probe as it can be run.
#[derive(Clone, Debug)]
pub struct Action {
    command: Vec<String>,
    timeout: Duration,
    output: Output,
    /// Between the end of one run and the start of the next.
    pub interval: Duration,
}

#[derive(Clone, Debug)]
enum Output {
    Json,
    Pattern {
        pattern: Regex,
        roles: BTreeMap<String, String>,
    },
}

/// The action table's probe cannot be run.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InvalidAction {
    /// The command is empty.
    #[error("the probe has no command")]
    NoCommand,
    /// The pattern is no regular expression, or too large a one.
    #[error("the probe's pattern: {0}")]
    Pattern(#[source] regex::Error),
}

/// The probe says nothing about the member.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The command cannot be started.
    #[error("cannot start probe `{command}`: {source}")]
    Start {
        /// The program.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// The command did not end in time and was killed.
    #[error("probe timed out after {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The command failed.
    #[error("probe failed with {end}{}", after_colon(.errors))]
    Failed {
        /// How it ended.
        end: End,
        /// The first line of its standard error.
        errors: String,
    },
    /// The command printed too much and was killed.
    #[error("probe printed more than {MOST_OUTPUT} bytes")]
    Oversized,
    /// The command's output cannot be read.
    #[error("cannot read the probe's output: {0}")]
    Read(#[source] io::Error),
    /// The command's output is no reading.
    #[error(transparent)]
    NoReading(#[from] NoReading),
}

impl Action {
    /// The table's entry, checked.
    ///
    /// # Errors
    /// [`InvalidAction`].
    pub fn parse(action: &ProbeAction) -> Result<Self, InvalidAction> {
        if action.command.is_empty() {
            return Err(InvalidAction::NoCommand);
        }
        let output = match &action.output {
            ProbeOutput::Json => Output::Json,
            ProbeOutput::Pattern { pattern, roles } => {
                let pattern = RegexBuilder::new(pattern).size_limit(MOST_PATTERN).build();
                let pattern = pattern.map_err(InvalidAction::Pattern)?;
                Output::Pattern {
                    pattern,
                    roles: roles.clone(),
                }
            }
        };
        Ok(Self {
            command: action.command.clone(),
            timeout: Duration::from_millis(action.timeout_millis),
            output,
            interval: Duration::from_millis(action.interval_millis),
        })
    }
}

/// Runs the probe once. However it ends, and also when this future is dropped, nothing of its
/// process group is left.
///
/// # Errors
/// [`ProbeError`].
pub async fn run(reaper: &Reaper, action: &Action) -> Result<Reading, ProbeError> {
    let mut child = start(reaper, action)?;
    let group = reaper.group(child.pid);
    let finished = tokio::time::timeout(action.timeout, finish(&mut child, &group)).await;
    drop(group);
    let finished = finished.unwrap_or(Err(ProbeError::TimedOut(action.timeout)));
    if finished.is_err() {
        // A killed process that hangs in the kernel is waited for: no second one beside it.
        child.end().await;
    }
    let stdout = finished?;
    Ok(match &action.output {
        Output::Json => Reading::from_json(&stdout)?,
        Output::Pattern { pattern, roles } => Reading::from_pattern(&stdout, pattern, roles)?,
    })
}

fn start(reaper: &Reaper, action: &Action) -> Result<Child, ProbeError> {
    let (program, arguments) = action.command.split_first().unwrap_or((&EMPTY, &[]));
    let mut command = Command::new(program);
    command.args(arguments);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let start = |source| ProbeError::Start {
        command: program.clone(),
        source,
    };
    reaper.spawn(&mut command).map_err(start)
}

/// `Action::parse` refuses an empty command; starting this one fails.
static EMPTY: String = String::new();

async fn finish(child: &mut Child, group: &Group<'_>) -> Result<Vec<u8>, ProbeError> {
    let stdout = piped(child.stdout.take())?;
    let stderr = piped(child.stderr.take())?;
    let end = async {
        let end = child.end().await;
        // What it left running may hold the pipes open.
        group.kill();
        Ok(end)
    };
    let (stdout, errors, end) = tokio::try_join!(all(stdout), beginning(stderr), end)?;
    match end {
        End::Exited(0) => Ok(stdout),
        end => Err(ProbeError::Failed {
            end,
            errors: first_line(&errors),
        }),
    }
}

fn piped(pipe: Option<impl Into<OwnedFd>>) -> Result<pipe::Receiver, ProbeError> {
    let pipe = pipe.ok_or_else(|| ProbeError::Read(io::Error::other("no pipe")))?;
    pipe::Receiver::from_owned_fd(pipe.into()).map_err(ProbeError::Read)
}

async fn all(pipe: impl AsyncRead + Unpin) -> Result<Vec<u8>, ProbeError> {
    let mut bytes = Vec::new();
    let mut pipe = pipe.take(MOST_OUTPUT as u64 + 1);
    pipe.read_to_end(&mut bytes)
        .await
        .map_err(ProbeError::Read)?;
    if bytes.len() > MOST_OUTPUT {
        Err(ProbeError::Oversized)
    } else {
        Ok(bytes)
    }
}

/// Reads to the end, so that the command never waits for a reader, and keeps the beginning.
async fn beginning(mut pipe: impl AsyncRead + Unpin) -> Result<Vec<u8>, ProbeError> {
    let mut kept = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = pipe.read(&mut chunk).await.map_err(ProbeError::Read)?;
        if read == 0 {
            return Ok(kept);
        }
        let room = MOST_ERRORS.saturating_sub(kept.len()).min(read);
        kept.extend_from_slice(&chunk[..room]);
    }
}

fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .to_owned()
}

fn after_colon(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}
