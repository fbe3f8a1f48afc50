//! The sidecar: looks at the member round after round, keeps the pod's object as it is seen, follows
//! the pod's configuration, and runs the actions that are to run beside the middleware.
//!
//! In: the supervisor's socket, the pod's content and configuration, the API server's address. Out:
//! the file that `ready` reads, the pod's role label and annotation, the files that the middleware
//! reads. It runs from the middleware's own image
//! as PID 1 of its container, so it reaps too. SIGTERM ends it after one last word.

use crate::action::service::{self, Here};
use crate::log::with_causes;
use crate::member::Member;
use crate::member::observe::Sources;
use crate::pod::{self, api_server::PodApi};
use crate::reaper::Reaper;
use crate::reload;
use crate::root::Root;
use crate::socket::{self, Incoming};
use api::agent::SIDECAR_SOCKET;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tonic::transport::Server;

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
    /// The sidecar's own socket cannot be made.
    #[error("cannot listen on {SIDECAR_SOCKET}")]
    Socket(#[source] io::Error),
}

/// Runs until it is asked to end.
///
/// # Errors
/// [`SidecarError`], at the start only.
pub async fn run(sidecar: &Sidecar) -> Result<(), SidecarError> {
    let reaper = Reaper::start().map_err(SidecarError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(SidecarError::Signals)?;
    let root = &sidecar.root;
    let listener = socket::listen(&root.at(SIDECAR_SOCKET)).map_err(SidecarError::Socket)?;
    tokio::spawn(serve(listener, root.clone(), Arc::clone(&reaper)));
    let mut sources = Sources::new(root, reaper).map_err(SidecarError::Supervisor)?;
    let followed = sources.followed();
    let (member, observed) = Member::new(root);
    tokio::select! {
        _ = terminate.recv() => {}
        () = member.watch(&mut sources) => {}
        () = pod::keep(&sidecar.pod, observed) => {}
        () = reload::follow(root, followed) => {}
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

/// Runs actions for whoever asks, until the sidecar ends.
async fn serve(listener: UnixListener, root: Root, reaper: Arc<Reaper>) {
    let served = Server::builder()
        .add_service(service::service(&root, &reaper, Here::Sidecar))
        .serve_with_incoming(Incoming(listener))
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "no longer runs actions");
    }
}
