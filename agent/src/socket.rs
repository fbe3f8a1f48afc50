//! Unix sockets in the volume that the containers of a pod share.

use crate::atomic;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::net::{UnixListener, UnixStream};
use tonic::codegen::tokio_stream::Stream;
use tonic::transport::Endpoint;

/// The other containers may run as another user of the pod's group.
const MODE: u32 = 0o660;

/// Listens on `path`. A socket there is of a process that is gone.
///
/// # Errors
/// Whatever the file system says.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    atomic::remove(path)?;
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    Ok(listener)
}

/// Where somebody listens on `path`.
///
/// # Errors
/// The path is no URI.
pub fn endpoint(path: &Path) -> Result<Endpoint, tonic::transport::Error> {
    Endpoint::from_shared(format!("unix://{}", path.display()))
}

/// Connections as they come.
pub struct Incoming(pub UnixListener);

impl Stream for Incoming {
    type Item = io::Result<UnixStream>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepted = ready!(self.0.poll_accept(context));
        Poll::Ready(Some(accepted.map(|(stream, _)| stream)))
    }
}
