//! The test kit: a real API server for tests, its audit log, `kubectl`, and waiting.
//!
//! In: the scripts of `hack/`, run as a person runs them. Out: handles that end what they started
//! when they are dropped, and at the latest when the test's process is gone. Nothing here stands in
//! for Kubernetes: what a test sees, an API server said.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let cp = kit::ControlPlane::start().await?;
//! cp.install_crds().await?;
//! let client = cp.client().await?;
//! let mark = cp.audit().mark()?;
//! // … run a controller with `client` …
//! assert_eq!(cp.audit().since(mark)?.writes().len(), 0);
//! # Ok(())
//! # }
//! ```

mod audit;
mod control_plane;
mod document;
mod kubectl;
mod process;
mod proxy;
mod repository;
mod wait;

pub use audit::{AuditLog, Event, Events, Mark, ObjectRef};
pub use control_plane::ControlPlane;
pub use document::{Block, blocks};
pub use kubectl::Kubectl;
pub use process::Process;
pub use proxy::{Kill, Proxy, Side};
pub use repository::{hack, root, tool};
pub use wait::{eventually, until};
