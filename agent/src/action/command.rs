//! What people type in a pod: `paamesh-agent run NAME`.

use super::{NOT_RUN, client};
use crate::log::with_causes;
use crate::root::Root;
use crate::table;
use api::agent::run_reply::Part;
use api::agent::{Action, ActionPlace, PREPARE};
use std::error::Error;
use std::io::{self, Write};

/// What `paamesh-agent run` was asked for.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where the pod's places are.
    pub root: Root,
    /// The action's name; `None` for a list of all.
    pub name: Option<String>,
}

/// Runs the action, or lists all; answers the exit code. What is wrong goes to standard error.
pub async fn run(run: &Run) -> u8 {
    let answer = match &run.name {
        Some(name) => through(&run.root, name).await,
        None => list(&run.root),
    };
    answer.unwrap_or_else(|error| {
        say(&with_causes(error.as_ref()));
        NOT_RUN
    })
}

async fn through(root: &Root, name: &str) -> Result<u8, Box<dyn Error>> {
    let mut unread = None;
    let end = client::run(root, name, |part| {
        if let Err(error) = print(&part) {
            unread.get_or_insert(error);
        }
    })
    .await?;
    if let Some(error) = unread {
        return Err(Box::new(error));
    }
    if end.code != 0 {
        say(&format!("action `{name}`: {}", end.description));
    }
    Ok(u8::try_from(end.code).unwrap_or(u8::MAX))
}

fn print(part: &Part) -> io::Result<()> {
    match part {
        Part::Stdout(bytes) => {
            let mut stdout = io::stdout().lock();
            stdout.write_all(bytes)?;
            stdout.flush()
        }
        Part::Stderr(bytes) => io::stderr().write_all(bytes),
        Part::End(_) => Ok(()),
    }
}

fn list(root: &Root) -> Result<u8, Box<dyn Error>> {
    let table = table::in_use(root)?;
    let mut stdout = io::stdout().lock();
    for (name, action) in &table.actions {
        writeln!(stdout, "{name:<20} {}", what(name, action))?;
    }
    if table.actions.is_empty() {
        say("this pod has no actions");
    }
    Ok(0)
}

fn what(name: &str, action: &Action) -> String {
    match (&action.signal, action.place) {
        (Some(signal), _) => format!("{signal} to the process"),
        (None, _) if name == PREPARE => "before the process starts for the first time".to_owned(),
        (None, ActionPlace::Main) => format!("in main: {}", action.command.join(" ")),
        (None, ActionPlace::Sidecar) => format!("in the sidecar: {}", action.command.join(" ")),
    }
}

/// One line for people, told from the action's own.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "paamesh-agent: {line}");
}
