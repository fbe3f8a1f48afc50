//! What the registry counts of itself. Label sets are closed.

use crate::source::memory::Counted;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

/// How a reconcile ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Ended {
    /// The reason of the source's condition Ready, or `Error`.
    pub result: &'static str,
}

/// How a webhook's request ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Delivered {
    /// `accepted` or `refused`.
    pub result: &'static str,
    /// Why, in one word.
    pub reason: &'static str,
}

/// Why a source is ready, or is not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Ready {
    /// The reason of its condition Ready.
    pub reason: &'static str,
}

/// The counters of the source controller.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// `source_reconciles_total`.
    pub reconciles: Family<Ended, Counter>,
    /// `source_reconcile_duration_seconds`.
    pub duration: Histogram,
    /// `source_fetch_duration_seconds`.
    pub fetch: Histogram,
    /// `source_versions_projected_total`.
    pub projected: Counter,
    /// `source_version_changed_total`.
    pub changed: Counter,
    /// `source_failed_addons`.
    pub failed: Gauge,
    /// `source_verification_failures_total`.
    pub unverified: Counter,
    /// `source_versions_withdrawn_total`.
    pub withdrawn: Counter,
    /// `source_versions_pruned_total`.
    pub pruned: Counter,
    /// `source_ready`.
    pub ready: Family<Ready, Gauge>,
    /// `webhook_requests_total`.
    pub delivered: Family<Delivered, Counter>,
}

fn seconds() -> Histogram {
    Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0])
}

/// Registers every metric of the registry with `registry`, whose prefix is `paamesh`.
pub fn register(registry: &mut Registry) -> Metrics {
    let metrics = Metrics {
        reconciles: Family::default(),
        duration: seconds(),
        fetch: seconds(),
        projected: Counter::default(),
        changed: Counter::default(),
        failed: Gauge::default(),
        unverified: Counter::default(),
        withdrawn: Counter::default(),
        pruned: Counter::default(),
        ready: Family::default(),
        delivered: Family::default(),
    };
    registry.register(
        "webhook_requests",
        "Requests of webhooks by result and reason",
        metrics.delivered.clone(),
    );
    let ours = registry.sub_registry_with_prefix("source");
    ours.register(
        "reconciles",
        "Reconciles of sources by result",
        metrics.reconciles.clone(),
    );
    ours.register_with_unit(
        "reconcile_duration",
        "How long reconciles of sources take",
        Unit::Seconds,
        metrics.duration.clone(),
    );
    ours.register_with_unit(
        "fetch_duration",
        "How long looks at repositories take",
        Unit::Seconds,
        metrics.fetch.clone(),
    );
    ours.register(
        "versions_projected",
        "Versions that were handed to the operator",
        metrics.projected.clone(),
    );
    ours.register(
        "version_changed",
        "Published versions that a source offered with other bytes",
        metrics.changed.clone(),
    );
    ours.register(
        "failed_addons",
        "Addons that the checks refuse now, in all sources",
        metrics.failed.clone(),
    );
    ours.register(
        "verification_failures",
        "Revisions, versions and images that are not signed by whom they should be",
        metrics.unverified.clone(),
    );
    ours.register(
        "versions_withdrawn",
        "Published versions that were withdrawn because they were removed from their source",
        metrics.withdrawn.clone(),
    );
    ours.register(
        "versions_pruned",
        "Old versions that nobody used and that were deleted",
        metrics.pruned.clone(),
    );
    ours.register(
        "ready",
        "Sources by the reason of their condition Ready",
        metrics.ready.clone(),
    );
    metrics
}

impl Metrics {
    /// A source that was counted as `before` is counted as `now`.
    pub(crate) fn turned(&self, before: Counted, now: Counted) {
        let refused = |counted: Counted| i64::try_from(counted.refused).unwrap_or(i64::MAX);
        self.failed.inc_by(refused(now) - refused(before));
        if before.reason == now.reason {
            return;
        }
        if let Some(reason) = before.reason {
            self.ready.get_or_create(&Ready { reason }).dec();
        }
        if let Some(reason) = now.reason {
            self.ready.get_or_create(&Ready { reason }).inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_counted_once_under_its_last_reason() {
        let metrics = register(&mut Registry::default());
        let counted = |reason, refused| Counted { reason, refused };
        let (synced, failed) = (counted(Some("Synced"), 0), counted(Some("AddonsFailed"), 3));
        let sources = |reason| metrics.ready.get_or_create(&Ready { reason }).get();
        metrics.turned(Counted::default(), synced);
        metrics.turned(synced, failed);
        assert_eq!((sources("Synced"), sources("AddonsFailed")), (0, 1));
        assert_eq!(metrics.failed.get(), 3);
        metrics.turned(failed, Counted::default());
        assert_eq!((sources("AddonsFailed"), metrics.failed.get()), (0, 0));
    }
}
