//! Leader election: one replica of a service works, the others stand by. A Lease in the platform's
//! namespace; the only object that a platform at rest writes.

use anyhow::Context as _;
use kube::Client;
use kube_lease_manager::LeaseManagerBuilder;
use tokio::{sync::watch, task::JoinHandle};

/// Seconds after which a leader that went away silently is succeeded.
const DURATION_SECONDS: u64 = 15;
/// Seconds before the end of the Lease at which the leader renews it.
const GRACE_SECONDS: u64 = 5;

/// Leadership of a service, held until it is lost or released.
pub struct Leadership {
    held: watch::Receiver<bool>,
    task: JoinHandle<kube_lease_manager::Result<kube_lease_manager::LeaseManager>>,
}

impl Leadership {
    /// Waits until this replica leads `service`.
    ///
    /// # Errors
    /// The Lease cannot be made or read, or was given up meanwhile.
    pub async fn acquire(
        client: Client,
        namespace: &str,
        service: &str,
        identity: &str,
    ) -> anyhow::Result<Self> {
        let name = format!("paamesh-{service}");
        let manager = LeaseManagerBuilder::new(client, &name)
            .with_namespace(namespace)
            .with_identity(identity)
            .with_duration(DURATION_SECONDS)
            .with_grace(GRACE_SECONDS)
            .with_field_manager(&name)
            .build()
            .await
            .with_context(|| format!("taking the Lease {namespace}/{name}"))?;
        let (mut held, task) = manager.watch().await;
        held.wait_for(|held| *held)
            .await
            .context("waiting for the Lease")?;
        Ok(Self { held, task })
    }

    /// Waits until leadership is lost; for ever while it is held.
    pub async fn lost(&mut self) {
        // A closed channel means that the manager ended: nobody renews the Lease any more.
        let _ = self.held.wait_for(|held| !*held).await;
    }

    /// Gives the Lease back, so that another replica need not wait for its end.
    pub async fn release(self) {
        drop(self.held);
        let _ = self.task.await;
    }
}
