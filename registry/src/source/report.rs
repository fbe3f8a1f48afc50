//! Says what was done: status, Events and metrics, and nothing where nothing changed.

use super::{
    act::Acted,
    memory::Counted,
    observed::{Look, Observed},
    plan::Plan,
    status, story,
};
use crate::{context::Context, metrics::Ended};
use api::{
    API_VERSION, AddonSource, AddonSourceStatus, conditions::READY, crd::source::SourceReason,
    labels,
};
use jiff::Timestamp;
use kube::{
    Resource as _, ResourceExt as _,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

/// Something could not be said.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The status.
    #[error("writing the status failed: {0}")]
    Status(Box<kube::Error>),
}

/// Reports on `source`: one Event, then the status, so that who sees the one finds the other.
pub(crate) async fn report(
    context: &Context,
    source: &AddonSource,
    observed: &Observed,
    plan: &Plan,
    acted: &Acted,
    now: Timestamp,
) -> Result<(), ReportError> {
    let name = source.name_any();
    count_done(context, acted);
    // What failed is said at once.
    let speaks = !plan.quiet || !acted.errors.is_empty();
    let untold = context.memories.with(&name, |memory| {
        memory.untold.add(acted);
        speaks.then(|| std::mem::take(&mut memory.untold))
    });
    let Some(untold) = untold else {
        ended(context, SourceReason::Progressing.as_str());
        return Ok(());
    };
    let after = status::status(observed, plan, acted, now);
    count(context, observed, plan, &after);
    let announced = context.memories.with(&name, |memory| {
        let announced = memory.announced.clone();
        if untold.has_projected() {
            memory.announced.clone_from(&after.revision);
        }
        announced
    });
    let happened = story::happened(observed, &after, plan, &untold, announced.as_deref());
    if let Some(happened) = &happened {
        context.events.publish(source, happened).await;
    }
    match after == observed.status {
        true => Ok(()),
        false => write(context, source, after).await,
    }
}

/// Counts what was done.
fn count_done(context: &Context, acted: &Acted) {
    let metrics = &context.metrics;
    metrics.withdrawn.inc_by(acted.withdrawn.len() as u64);
    metrics.pruned.inc_by(acted.pruned.len() as u64);
}

/// Counts what is said.
fn count(context: &Context, observed: &Observed, plan: &Plan, after: &AddonSourceStatus) {
    let (metrics, before) = (&context.metrics, &observed.status);
    let changed = story::new_changes(before, after).count();
    metrics.changed.inc_by(changed as u64);
    let (unverified, _) = story::new_failures(before, after, plan);
    let unsigned = story::is_newly_unsigned(observed, after);
    let unverified = unverified.len() as u64 + u64::from(unsigned);
    metrics.unverified.inc_by(unverified);
    let reason = reason(after);
    ended(context, reason);
    let refused = plan.failed.len() + plan.unverified.len();
    let is_found = matches!(observed.look.as_deref(), Some(Look::Found { .. }));
    context.memories.with(&observed.source, |memory| {
        let refused = if is_found {
            refused
        } else {
            memory.counted.refused
        };
        let now = Counted {
            reason: Some(reason),
            refused,
        };
        metrics.turned(std::mem::replace(&mut memory.counted, now), now);
    });
}

fn ended(context: &Context, result: &'static str) {
    let metrics = &context.metrics;
    metrics.reconciles.get_or_create(&Ended { result }).inc();
}

/// The reason of Ready as a label of a closed set.
fn reason(status: &AddonSourceStatus) -> &'static str {
    let ready = status.conditions.iter().find(|c| c.type_ == READY);
    let said = ready.map_or("", |ready| ready.reason.as_str());
    [
        SourceReason::Synced,
        SourceReason::Suspended,
        SourceReason::FetchFailed,
        SourceReason::InvalidSpec,
        SourceReason::AddonsFailed,
        SourceReason::VersionChanged,
        SourceReason::VerificationFailed,
        SourceReason::Conflict,
    ]
    .into_iter()
    .map(SourceReason::as_str)
    .find(|known| *known == said)
    .unwrap_or(SourceReason::Progressing.as_str())
}

/// Applies the status whole: what is not in it any more goes.
async fn write(
    context: &Context,
    source: &AddonSource,
    status: AddonSourceStatus,
) -> Result<(), ReportError> {
    let form = |error| ReportError::Status(Box::new(kube::Error::SerdeError(error)));
    let mut value = serde_json::to_value(&status).map_err(form)?;
    strip_nulls(&mut value);
    let patch = json!({
        "apiVersion": API_VERSION,
        "kind": AddonSource::kind(&()),
        "metadata": {"name": source.name_any(), "uid": source.uid()},
        "status": value,
    });
    let params = PatchParams::apply(labels::manager::REGISTRY).force();
    let name = source.name_any();
    let written = context
        .sources()
        .patch_status(&name, &params, &Patch::Apply(patch))
        .await;
    match written {
        Ok(_) => {
            let over = source.resource_version();
            context
                .memories
                .with(&name, |memory| memory.written = Some((over, status)));
            Ok(())
        }
        // Gone, or another source of the same name by now.
        Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => Ok(()),
        Err(error) => Err(ReportError::Status(Box::new(error))),
    }
}

fn strip_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}
