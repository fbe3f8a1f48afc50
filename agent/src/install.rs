//! The init container: brings the agent's binary, and the scripts, the action table and the
//! configuration of the pod's revisions, before the middleware's containers start.
//!
//! The kubelet may bring a ConfigMap older than the pod, so it waits for the content of exactly the
//! pod's revisions. All of it is idempotent: what is there and the same is not touched.

use crate::atomic;
use crate::configuration::{self, Configuration};
use crate::content::{self, Content, ContentError, Files, Revision};
use crate::root::Root;
use crate::table::{self, TableError};
use api::agent::{
    ACTIONS_FILE, AGENT_BINARY, CONFIG_DIR, CONFIG_REVISION_FILE, CONFIGURATION_FILE, CONTENT_DIR,
    CONTENT_REVISION_FILE, EMPTY_REVISION,
};
use api::labels;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two looks at the mounts. The kubelet syncs them every minute or so, yet most often all
/// is there at the first look.
const POLL: Duration = Duration::from_millis(200);
/// The program that runs.
const OWN_BINARY: &str = "/proc/self/exe";
const BINARY_MODE: u32 = 0o755;

/// What `paamesh-agent install` was asked for.
#[derive(Clone, Debug)]
pub struct Install {
    /// Where the pod's places are.
    pub root: Root,
    /// How long to wait for the content.
    pub timeout: Duration,
}

/// The pod cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The agent's binary cannot be copied.
    #[error("cannot copy the agent to {}", path.display())]
    Binary {
        /// Where to.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The content is there and wrong, or cannot be put in place.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The action table cannot be put in place.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Which configuration the process starts with cannot be written down.
    #[error("cannot write {CONFIGURATION_FILE}")]
    Configuration(#[source] io::Error),
    /// The content did not come.
    #[error("waited {} s for {missing}", waited.as_secs())]
    TimedOut {
        /// For how long.
        waited: Duration,
        /// What did not come, and who brings it.
        missing: String,
    },
}

/// What the mounts do not hold yet, for people.
struct Missing(String);

/// Prepares the pod; returns when all is in place.
///
/// # Errors
/// [`InstallError`]; what was placed by then stays.
pub async fn run(install: &Install) -> Result<(), InstallError> {
    place_binary(&install.root)?;
    let started = Instant::now();
    loop {
        match place_content(&install.root)? {
            Ok(()) => return Ok(()),
            Err(Missing(missing)) if started.elapsed() >= install.timeout => {
                return Err(InstallError::TimedOut {
                    waited: install.timeout,
                    missing,
                });
            }
            Err(Missing(missing)) => tracing::debug!(%missing, "waiting"),
        }
        sleep(POLL).await;
    }
}

fn place_binary(root: &Root) -> Result<(), InstallError> {
    let path = root.at(AGENT_BINARY);
    let placed = std::fs::read(OWN_BINARY)
        .and_then(|binary| atomic::settle(&path, &binary, BINARY_MODE))
        .map_err(|source| InstallError::Binary {
            path: path.clone(),
            source,
        })?;
    tracing::info!(path = %path.display(), placed, "agent");
    Ok(())
}

/// Nothing is placed before all of it is there.
fn place_content(root: &Root) -> Result<Result<(), Missing>, InstallError> {
    let Some(revision) = content::revision(root, CONTENT_REVISION_FILE)? else {
        let annotation = labels::CONTENT_REVISION;
        return Ok(Err(Missing(format!(
            "the pod's annotation {annotation} (the operator's)"
        ))));
    };
    let Some(content) = content::content(root, &revision)? else {
        return Ok(Err(not_synced(
            &format!("{revision}.{ACTIONS_FILE}"),
            CONTENT_DIR,
        )));
    };
    let config_revision = content::revision(root, CONFIG_REVISION_FILE)?;
    let config_revision = config_revision.filter(|revision| !revision.is_empty());
    let configuration = match &config_revision {
        Some(revision) => content::configuration(root, revision)?,
        None => Files::new(),
    };
    if let (Some(revision), true) = (&config_revision, configuration.is_empty()) {
        return Ok(Err(not_synced(&format!("{revision}.*"), CONFIG_DIR)));
    }
    place(root, &content, &configuration, config_revision.as_ref())?;
    report(&revision, config_revision.as_ref());
    Ok(Ok(()))
}

/// The process has not started: it will read the files that are placed now.
fn place(
    root: &Root,
    content: &Content,
    configuration: &Files,
    config_revision: Option<&Revision>,
) -> Result<(), InstallError> {
    content::place_scripts(root, &content.scripts)?;
    table::place(root, &content.table)?;
    content::place_configuration(root, configuration)?;
    let revision = config_revision.map_or_else(|| EMPTY_REVISION.to_owned(), Revision::to_string);
    configuration::note(root, &Configuration::in_force(revision))
        .map_err(InstallError::Configuration)
}

fn not_synced(key: &str, dir: &str) -> Missing {
    Missing(format!(
        "`{key}` in {dir}: the operator writes the ConfigMap, the kubelet syncs it"
    ))
}

fn report(content: &Revision, configuration: Option<&Revision>) {
    let configuration = configuration.map(ToString::to_string);
    tracing::info!(%content, configuration, "content");
}
