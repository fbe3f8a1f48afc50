//! How many looks there are at once. A server that hangs keeps a slot only for a moment: a look that
//! waits long for one moves over to where those wait that take long, so that the others go on.

use std::{future::Future, pin::Pin, time::Duration};
use tokio::sync::Semaphore;

/// How many sources are looked at at once: each look waits for a server, in a few threads of its own.
const QUICK: u16 = 16;
/// How many more of those whose server takes long.
const SLOW: u16 = 208;
/// How many sources are looked at at once at most.
pub(crate) const SLOTS: u16 = QUICK + SLOW;
/// How long a server counts as quick.
const PATIENCE: Duration = Duration::from_millis(250);

/// The slots of all looks.
pub struct Slots {
    quick: Semaphore,
    slow: Semaphore,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            quick: Semaphore::new(QUICK.into()),
            slow: Semaphore::new(SLOW.into()),
        }
    }
}

impl Slots {
    /// Does what `begin` begins when there is a slot for it; `is_at_a_server` says whether it waits for
    /// one just now, and not for a worker of ours.
    pub async fn within<T, F: Future<Output = T>>(
        &self,
        is_at_a_server: impl Fn() -> bool,
        begin: impl FnOnce() -> Pin<Box<F>>,
    ) -> T {
        // They are never closed.
        let quick = self.quick.acquire().await;
        let mut work = begin();
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(PATIENCE) => {}
            }
            if is_at_a_server() {
                break;
            }
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
        let hang = || slots.within(|| true, || Box::pin(std::future::pending::<()>()));
        let hanging = (0..SLOW).map(|_| hang());
        let mut hanging = std::pin::pin!(join_all(hanging));
        let others = async {
            tokio::time::sleep(PATIENCE.mul_f64(13.5)).await;
            let quick =
                (0..1000).map(|_| slots.within(|| true, || Box::pin(std::future::ready(()))));
            join_all(quick).await;
        };
        let begun = std::time::Instant::now();
        tokio::select! {
            _ = &mut hanging => panic!("they hang"),
            () = others => {}
        }
        let took = begun.elapsed();
        assert!(took < PATIENCE * 36, "{took:?}");
        assert!(hanging.now_or_never().is_none());
    }

    #[tokio::test]
    async fn looks_that_compute_stay_among_the_quick() {
        let slots = Slots::default();
        let compute = || slots.within(|| false, || Box::pin(std::future::pending::<()>()));
        let all = join_all((0..=QUICK).map(|_| compute()));
        let mut all = std::pin::pin!(all);
        let _ = tokio::time::timeout(PATIENCE * 3, &mut all).await;
        assert_eq!(slots.quick.available_permits(), 0);
        assert_eq!(slots.slow.available_permits(), usize::from(SLOW));
    }
}
