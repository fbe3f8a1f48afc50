//! Says what was done: status, Events and metrics, and nothing where nothing changed.

use super::{
    act::Acted,
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

/// Reports on `source`.
pub(crate) async fn report(
    context: &Context,
    source: &AddonSource,
    observed: &Observed,
    plan: &Plan,
    acted: &Acted,
    now: Timestamp,
) -> Result<(), ReportError> {
    let before = &observed.status;
    // What failed is said at once.
    let speaks = !plan.quiet || !acted.errors.is_empty();
    let after = speaks.then(|| status::status(observed, plan, acted, now));
    let name = source.name_any();
    let revision = match &observed.look {
        Some(Look::Found { revision, .. }) => revision.as_str(),
        _ => "",
    };
    let announced = context.memories.with(&name, |memory| {
        if !acted.projected.is_empty() {
            memory.announced = Some(revision.to_owned());
        }
        memory.announced.clone()
    });
    let announced = announced.as_deref();
    let happened = story::happened(before, after.as_ref(), acted, revision, announced);
    count(context, before, after.as_ref());
    let telling = async {
        for happened in &happened {
            context.events.publish(source, happened).await;
        }
    };
    let changed = after.filter(|after| after != before);
    let writing = async {
        match changed {
            Some(status) => write(context, source, status).await,
            None => Ok(()),
        }
    };
    let ((), written) = futures::join!(telling, writing);
    written
}

fn count(context: &Context, before: &AddonSourceStatus, after: Option<&AddonSourceStatus>) {
    let metrics = &context.metrics;
    let refused = i64::try_from(context.memories.refused()).unwrap_or(i64::MAX);
    metrics.failed.set(refused);
    let result = match after {
        Some(after) => {
            let changed = story::new_changes(before, after).count();
            metrics.changed.inc_by(changed as u64);
            reason(after)
        }
        None => SourceReason::Progressing.as_str(),
    };
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
