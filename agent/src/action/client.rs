//! Has an action run: finds the container whose it is, asks there, and hears what it prints.

use crate::root::Root;
use crate::rpc::actions_client::ActionsClient;
use crate::socket;
use crate::table::{self, TableError, UnknownAction};
use api::agent::run_reply::Part;
use api::agent::{
    Action, ActionPlace, PREPARE, RunEnd, RunRequest, SIDECAR_SOCKET, SUPERVISOR_SOCKET,
};
use std::time::Duration;
use tokio::time::timeout;
use tonic::transport::Channel;

/// Beyond the action's own time: whoever runs it must kill and reap first.
const SLACK: Duration = Duration::from_secs(10);

/// The action was not run, or nobody knows how it ended.
#[derive(Debug, thiserror::Error)]
pub enum NotRun {
    /// What the pod may be asked to run is not known.
    #[error(transparent)]
    Table(#[from] TableError),
    /// There is no such action.
    #[error(transparent)]
    Unknown(#[from] UnknownAction),
    /// Nobody listens on the socket.
    #[error("cannot reach {who} on {socket}")]
    Unreachable {
        /// Who should.
        who: &'static str,
        /// Where.
        socket: &'static str,
        /// Why.
        #[source]
        source: tonic::transport::Error,
    },
    /// It cannot run now, for people.
    #[error("{0}")]
    Refused(String),
    /// Whoever ran it is gone, or hangs.
    #[error("{0} ended without a word about how it went")]
    Cut(String),
}

/// Runs the action `name` of the pod's table; what it prints is `heard` as it comes. Dropped, it ends
/// the action.
///
/// # Errors
/// [`NotRun`].
pub async fn run(root: &Root, name: &str, heard: impl FnMut(Part)) -> Result<RunEnd, NotRun> {
    let table = table::in_use(root)?;
    let action = table::find(&table, name)?;
    let time = Duration::from_millis(action.timeout_millis).saturating_add(SLACK);
    timeout(time, ask(root, name, action, heard))
        .await
        .unwrap_or_else(|_| Err(NotRun::Cut(format!("action `{name}`"))))
}

async fn ask(
    root: &Root,
    name: &str,
    action: &Action,
    mut heard: impl FnMut(Part),
) -> Result<RunEnd, NotRun> {
    let mut client = ActionsClient::new(connect(root, whose(name, action)).await?);
    let request = RunRequest {
        name: name.to_owned(),
    };
    let refused = |status: tonic::Status| NotRun::Refused(status.message().to_owned());
    let mut told = client.run(request).await.map_err(refused)?.into_inner();
    while let Some(reply) = told.message().await.map_err(refused)? {
        match reply.part {
            Some(Part::End(end)) => return Ok(end),
            Some(part) => heard(part),
            None => {}
        }
    }
    Err(NotRun::Cut(format!("action `{name}`")))
}

/// Who runs it. `prepare` and a signal are the supervisor's wherever they say they run.
fn whose(name: &str, action: &Action) -> (&'static str, &'static str) {
    match action.place {
        ActionPlace::Sidecar if action.signal.is_none() && name != PREPARE => {
            ("the sidecar", SIDECAR_SOCKET)
        }
        _ => ("the supervisor", SUPERVISOR_SOCKET),
    }
}

async fn connect(
    root: &Root,
    (who, socket): (&'static str, &'static str),
) -> Result<Channel, NotRun> {
    let unreachable = |source| NotRun::Unreachable {
        who,
        socket,
        source,
    };
    let endpoint = socket::endpoint(&root.at(socket)).map_err(unreachable)?;
    endpoint.connect().await.map_err(unreachable)
}
