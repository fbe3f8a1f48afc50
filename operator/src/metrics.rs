//! What the operator counts of itself. Label sets are closed: controller, outcome, reason of an enum.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

/// Whose reconcile.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Controller {
    /// `addon`, `app`, `component` or `group`.
    pub controller: &'static str,
}

/// Why a reconcile failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Failed {
    /// `addon`, `app`, `component` or `group`.
    pub controller: &'static str,
    /// The reason, as the condition has it.
    pub reason: &'static str,
}

/// Why something was refused that a person asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Refused {
    /// The reason, as the condition has it.
    pub reason: &'static str,
}

/// The counters of all controllers.
#[derive(Clone)]
pub struct Metrics {
    /// `paamesh_reconcile_duration_seconds`.
    pub duration: Family<Controller, Histogram, fn() -> Histogram>,
    /// `paamesh_reconcile_failures_total`.
    pub failures: Family<Failed, Counter>,
    /// `paamesh_addon_published_total`.
    pub published: Counter,
    /// `paamesh_addon_refused_total`.
    pub addon_refused: Family<Refused, Counter>,
    /// `paamesh_app_pin_refused_total`.
    pub pin_refused: Family<Refused, Counter>,
    /// `paamesh_applied_total`: objects that were written because they differed.
    pub applied: Family<Controller, Counter>,
}

fn seconds() -> Histogram {
    Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0])
}

impl Metrics {
    /// Registers every metric with `registry`, whose prefix is `paamesh`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            duration: Family::new_with_constructor(seconds as fn() -> Histogram),
            failures: Family::default(),
            published: Counter::default(),
            addon_refused: Family::default(),
            pin_refused: Family::default(),
            applied: Family::default(),
        };
        let ours = registry;
        ours.register_with_unit(
            "reconcile_duration",
            "How long reconciles take",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        ours.register(
            "reconcile_failures",
            "Reconciles that failed",
            metrics.failures.clone(),
        );
        ours.register(
            "addon_published",
            "Addon versions that were published",
            metrics.published.clone(),
        );
        ours.register(
            "addon_refused",
            "Addon versions that the checks or the ledger refused",
            metrics.addon_refused.clone(),
        );
        ours.register(
            "app_pin_refused",
            "Pins of Apps that were refused",
            metrics.pin_refused.clone(),
        );
        ours.register(
            "applied",
            "Objects that were written because they differed",
            metrics.applied.clone(),
        );
        metrics
    }
}
