//! Looks at the member: runs its probe and asks its supervisor, both at once.

use crate::content::{self, Content, ContentError, Revision};
use crate::live;
use crate::log::with_causes;
use crate::probe::{self, Action, InvalidAction, Reading};
use crate::reaper::Reaper;
use crate::root::Root;
use crate::rpc::supervisor_client::SupervisorClient;
use crate::table::{self, TableError};
use api::agent::{CONTENT_REVISION_FILE, Process, StatusRequest};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tonic::transport::Channel;

/// The supervisor answers in microseconds unless it is gone.
const SUPERVISOR_DEADLINE: Duration = Duration::from_secs(1);

/// The pod's content cannot be followed.
#[derive(Debug, thiserror::Error)]
enum NotFollowed {
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error(transparent)]
    Table(#[from] TableError),
}

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What the probe said, or why it said nothing; `None` where the addon has no probe.
    pub probe: Option<Result<Reading, String>>,
    /// The supervised processes, or why the supervisor does not tell.
    pub processes: Result<Vec<Process>, String>,
}

/// Where the sidecar looks.
pub struct Sources {
    root: Root,
    reaper: Arc<Reaper>,
    supervisor: SupervisorClient<Channel>,
    action: Option<Result<Option<Action>, InvalidAction>>,
    followed: watch::Sender<Option<Revision>>,
}

impl Sources {
    /// The sources of the pod under `root`; nothing is read yet.
    ///
    /// # Errors
    /// The socket's path is no URI.
    pub fn new(root: &Root, reaper: Arc<Reaper>) -> Result<Self, tonic::transport::Error> {
        let supervisor = SupervisorClient::new(live::supervisor(root)?.connect_lazy());
        Ok(Self {
            root: root.clone(),
            reaper,
            supervisor,
            action: None,
            followed: watch::channel(None).0,
        })
    }

    /// The content revision whose scripts and actions are in place.
    pub fn followed(&self) -> watch::Receiver<Option<Revision>> {
        self.followed.subscribe()
    }

    /// How long the probe waits between two runs; `None` where there is none.
    pub fn interval(&self) -> Option<Duration> {
        let action = self.action.as_ref()?.as_ref().ok()?;
        action.as_ref().map(|action| action.interval)
    }

    /// Follows the pod's content revision. While the new one is not there the old one stays.
    fn follow(&mut self) -> Result<(), NotFollowed> {
        let wanted = content::revision(&self.root, CONTENT_REVISION_FILE)?;
        let known = self.followed.borrow().clone();
        let Some(revision) = wanted.filter(|wanted| known.as_ref() != Some(wanted)) else {
            return Ok(());
        };
        let Some(content) = content::content(&self.root, &revision)? else {
            return Ok(());
        };
        place(&self.root, &content)?;
        let action = content.table.probe.as_ref().map(Action::parse).transpose();
        tracing::info!(%revision, scripts = content.scripts.len(), "content");
        self.action = Some(action);
        self.followed.send_replace(Some(revision));
        Ok(())
    }

    async fn probe(&self) -> Option<Result<Reading, String>> {
        let Some(action) = &self.action else {
            return Some(Err("the pod's content is not there yet".to_owned()));
        };
        match action {
            Ok(None) => None,
            Ok(Some(action)) => {
                let reading = probe::run(&self.reaper, action).await;
                Some(reading.map_err(|error| error.to_string()))
            }
            Err(error) => Some(Err(error.to_string())),
        }
    }
}

/// Looks once. Whatever fails is part of what was seen.
pub async fn observe(sources: &mut Sources) -> Seen {
    if let Err(error) = sources.follow() {
        tracing::warn!(error = with_causes(&error), "cannot follow the content");
    }
    let supervisor = sources.supervisor.clone();
    let (probe, processes) = tokio::join!(sources.probe(), processes(supervisor));
    Seen { probe, processes }
}

/// The table is placed last: with it the scripts that it names are there.
fn place(root: &Root, content: &Content) -> Result<(), NotFollowed> {
    content::place_scripts(root, &content.scripts)?;
    table::place(root, &content.table)?;
    Ok(())
}

async fn processes(mut supervisor: SupervisorClient<Channel>) -> Result<Vec<Process>, String> {
    let asked = supervisor.status(StatusRequest {});
    match tokio::time::timeout(SUPERVISOR_DEADLINE, asked).await {
        Ok(Ok(answer)) => Ok(answer.into_inner().processes),
        Ok(Err(_)) => Err("cannot reach the supervisor".to_owned()),
        Err(_) => Err("the supervisor does not answer".to_owned()),
    }
}
