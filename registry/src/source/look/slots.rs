//! How many looks there are at once. A server that hangs keeps a slot only for a moment: a look that
//! takes long moves over to where those wait that take long, so that the others go on.

use std::{future::Future, time::Duration};
use tokio::sync::Semaphore;

/// How many sources are looked at once: each look waits for a server, in a few threads of its own.
const QUICK: usize = 64;
/// How many more of those that take long.
const SLOW: usize = 160;
/// How long a look counts as quick.
const PATIENCE: Duration = Duration::from_millis(500);

/// The slots of all looks.
pub struct Slots {
    quick: Semaphore,
    slow: Semaphore,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            quick: Semaphore::new(QUICK),
            slow: Semaphore::new(SLOW),
        }
    }
}

impl Slots {
    /// Does `work` when there is a slot for it.
    pub async fn within<T>(&self, work: impl Future<Output = T>) -> T {
        // They are never closed.
        let quick = self.quick.acquire().await;
        let mut work = std::pin::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(PATIENCE) => {}
        }
        let slow = self.slow.try_acquire();
        let _quick = slow.is_err().then_some(quick);
        work.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt as _, future::join_all};

    #[tokio::test]
    async fn looks_that_hang_make_room_for_the_others() {
        let slots = Slots::default();
        let hanging = (0..SLOW).map(|_| slots.within(std::future::pending::<()>()));
        let mut hanging = std::pin::pin!(join_all(hanging));
        let others = async {
            tokio::time::sleep(PATIENCE.mul_f64(3.5)).await;
            let quick = (0..1000).map(|_| slots.within(std::future::ready(())));
            join_all(quick).await;
        };
        let begun = std::time::Instant::now();
        tokio::select! {
            _ = &mut hanging => panic!("they hang"),
            () = others => {}
        }
        let took = begun.elapsed();
        assert!(took < PATIENCE * 18, "{took:?}");
        assert!(hanging.now_or_never().is_none());
    }
}
