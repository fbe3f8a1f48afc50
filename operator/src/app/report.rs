//! Says what was done for an App: the status, Events and metrics, each on change only.

use super::{AppError, act::Acted, plan::Verdict};
use crate::{context::Context, metrics::Refused, status};
use api::{
    App, AppStatus,
    conditions::{self, Time},
    crd::app::PastPin,
    labels::manager,
};
use jiff::Timestamp;
use kube::{Api, ResourceExt as _, runtime::controller::Action};
use std::time::Duration;

/// How often an App is looked at that waits for something of which nobody tells: pods that end,
/// content that comes back.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How many past pins are kept.
const HISTORY: usize = 10;

/// Writes the status where it changed, and publishes the Events.
///
/// # Errors
/// The status could not be written.
pub async fn report(app: &App, acted: Acted, context: &Context) -> Result<Action, AppError> {
    let Acted {
        verdict,
        events,
        look_again,
        gone,
    } = acted;
    if !gone {
        write_status(app, &verdict, context).await?;
    }
    for happened in &events {
        if happened.warning && happened.action == "Pin" {
            let refused = Refused {
                reason: happened.reason,
            };
            context.metrics.pin_refused.get_or_create(&refused).inc();
        }
        context.events.publish(app, happened).await;
    }
    Ok(match look_again {
        true => Action::requeue(LOOK_AGAIN),
        false => Action::await_change(),
    })
}

async fn write_status(app: &App, verdict: &Verdict, context: &Context) -> Result<(), AppError> {
    let before = app.status.clone().unwrap_or_default();
    let status = status_of(
        &before,
        verdict,
        app.metadata.generation,
        &Time(Timestamp::now()),
    );
    if status == before {
        return Ok(());
    }
    let namespace = app.namespace().unwrap_or_default();
    let apps = Api::<App>::namespaced(context.client.clone(), &namespace);
    status::write(&apps, app, &status, manager::APP)
        .await
        .map_err(AppError::Report)?;
    Ok(())
}

fn status_of(
    before: &AppStatus,
    verdict: &Verdict,
    generation: Option<i64>,
    now: &Time,
) -> AppStatus {
    let left = verdict.left.iter().map(|pin| PastPin {
        pin: pin.clone(),
        until: now.clone(),
    });
    AppStatus {
        observed_generation: generation,
        phase: Some(verdict.phase),
        pin: verdict.pin.clone(),
        history: left
            .chain(before.history.iter().cloned())
            .take(HISTORY)
            .collect(),
        members: Some(verdict.members.clone()),
        components: verdict.components.clone(),
        conditions: conditions::merge(&before.conditions, verdict.said(), generation, now),
    }
}
