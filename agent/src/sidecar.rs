//! The sidecar: looks at the member round after round, and keeps the pod's object as it is seen.
//!
//! In: the supervisor's socket, the pod's content, the API server's address. Out: the file that
//! `ready` reads, and the pod's role label and annotation. It runs from the middleware's own image
//! as PID 1 of its container, so it reaps too. SIGTERM ends it after one last word.

use crate::log::with_causes;
use crate::member::Member;
use crate::member::observe::Sources;
use crate::pod::{self, api_server::PodApi};
use crate::reaper::Reaper;
use crate::root::Root;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// For telling the API server that the member is not probed any more. The pod is most likely being
/// deleted, and nothing is lost if that does not arrive.
const LAST_WORD: Duration = Duration::from_secs(1);

/// What `paamesh-agent sidecar` was asked for.
#[derive(Clone, Debug)]
pub struct Sidecar {
    /// Where the pod's places are.
    pub root: Root,
    /// The pod's object.
    pub pod: PodApi,
}

/// The sidecar cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SidecarError {
    /// Signals cannot be watched or orphans not adopted.
    #[error("cannot watch signals")]
    Signals(#[source] io::Error),
    /// The socket's path is no URI.
    #[error("cannot ask the supervisor")]
    Supervisor(#[source] tonic::transport::Error),
}

/// Runs until it is asked to end.
///
/// # Errors
/// [`SidecarError`], at the start only.
pub async fn run(sidecar: &Sidecar) -> Result<(), SidecarError> {
    let reaper = Reaper::start().map_err(SidecarError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(SidecarError::Signals)?;
    let mut sources = Sources::new(&sidecar.root, reaper).map_err(SidecarError::Supervisor)?;
    let (member, observed) = Member::new(&sidecar.root);
    tokio::select! {
        _ = terminate.recv() => {}
        () = member.watch(&mut sources) => {}
        () = pod::keep(&sidecar.pod, observed) => {}
    }
    let last = member.close();
    if let Ok(Err(error)) = tokio::time::timeout(LAST_WORD, pod::write(&sidecar.pod, &last)).await {
        tracing::warn!(
            error = with_causes(&error),
            "the pod's object keeps what it said"
        );
    }
    Ok(())
}
