//! This pod's own object: its role label and its annotation with what was observed.
//!
//! Each attempt is observe → plan → act → report: [`observe`](api_server::PodApi::get) reads the
//! pod's metadata, [`plan`] compares, `act` patches with the resource version that was compared, so
//! a late writer changes nothing, `report` says what came of it. An agent that outlived its pod does
//! not write another one of that name.
//!
//! Services follow the label, so this works without the operator; and while the API server is away
//! it tries again until it is back, with what is true then. Nothing here holds up the probing.

mod act;
pub mod api_server;
pub mod plan;
mod report;

use api::probe::Observed;
use api_server::{ApiError, PodApi};
use plan::When;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until};

/// The first wait after a failed attempt; it doubles.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
/// The longest wait, before jitter: how late a Service may follow once the API server is back.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(8);
/// Other writers of a pod are few: who loses so often in a row waits.
const CONFLICTS: usize = 5;

/// What was last written to the pod, and when.
#[derive(Clone, Debug)]
pub struct Written {
    /// What the pod says.
    pub observed: Observed,
    /// Since when.
    pub at: Instant,
}

/// Keeps the pod's object as `wanted` says. Returns when nobody can want anything any more.
pub async fn keep(api: &PodApi, mut wanted: watch::Receiver<Option<Observed>>) {
    let mut written: Option<Written> = None;
    let mut back_off = FIRST_BACK_OFF;
    loop {
        let next = wanted.borrow_and_update().clone();
        match plan::when(written.as_ref(), next.as_ref()) {
            When::Now(next) => match write(api, &next).await {
                Ok(()) => {
                    written = Some(Written {
                        observed: next,
                        at: Instant::now(),
                    });
                    back_off = FIRST_BACK_OFF;
                }
                Err(error) => {
                    let wait = jittered(back_off);
                    report::failed(&error, wait);
                    sleep(wait).await;
                    back_off = (back_off * 2).min(LONGEST_BACK_OFF);
                }
            },
            When::Changed => match wanted.changed().await {
                Ok(()) => {}
                Err(_) => return,
            },
            When::At(instant) if instant <= Instant::now() => written = None,
            When::At(instant) => tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return },
                () = sleep_until(instant.into()) => {}
            },
        }
    }
}

/// Makes the pod say `wanted`; writes nothing if it already does.
///
/// # Errors
/// [`ApiError`].
pub async fn write(api: &PodApi, wanted: &Observed) -> Result<(), ApiError> {
    for _ in 0..CONFLICTS {
        let pod = api.get().await?;
        let Some(patch) = plan::plan(&pod, wanted) else {
            return Ok(());
        };
        if report::patched(wanted, act::act(api, &patch).await?) {
            return Ok(());
        }
    }
    Err(ApiError::Contended(CONFLICTS))
}

/// Up to half as long again, so that the pods of a cluster do not come back all at once. The
/// clock's nanoseconds are random enough for that.
fn jittered(wait: Duration) -> Duration {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    wait + wait.mul_f64(f64::from(now.subsec_nanos() % 1000) / 2000.0)
}
