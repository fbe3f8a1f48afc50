//! Says what was done: the status, Events and metrics, each on change only.

use super::{AddonError, act::Acted, observe::Facts, plan::Verdict};
use crate::{context::Context, metrics::Refused};
use api::{
    MiddlewareAddon, MiddlewareAddonStatus,
    conditions::{self, Time},
    crd::addon::{AddonPhase, AddonReason},
    labels::manager,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use kube::{Api, runtime::controller::Action};
use std::time::Duration;

/// How often a version is looked at that waits for something of which nobody tells: content without
/// our labels, an evaluator.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// How long at the most until a version is looked at that changes on a day to come: a clock may be set.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Writes the status where it changed, and publishes the Events.
///
/// # Errors
/// The status could not be written.
pub async fn report(
    addon: &MiddlewareAddon,
    acted: Acted,
    context: &Context,
) -> Result<Action, AddonError> {
    let Acted {
        verdict,
        events,
        look_again,
        look_on,
        gone,
    } = acted;
    if !gone {
        write_status(addon, &verdict, context).await?;
    }
    let is_refused =
        verdict.phase == AddonPhase::Failed || verdict.reason == AddonReason::Unverified.as_str();
    if is_refused && events.iter().any(|e| e.warning) {
        context
            .metrics
            .addon_refused
            .get_or_create(&Refused {
                reason: verdict.reason,
            })
            .inc();
    }
    for happened in &events {
        context.events.publish(addon, happened).await;
    }
    Ok(match (look_again, look_on) {
        (true, _) => Action::requeue(LOOK_AGAIN),
        (false, Some(day)) => Action::requeue(until(day, Timestamp::now())),
        (false, None) => Action::await_change(),
    })
}

/// How long until `day` begins (UTC), and a second more; at most a day.
fn until(day: Date, now: Timestamp) -> Duration {
    let begins = day.to_zoned(TimeZone::UTC).map(|begin| begin.timestamp());
    let left =
        begins.map(|begin| Duration::try_from(begin.duration_since(now)).unwrap_or_default());
    left.map_or(A_DAY, |left| (left + Duration::from_secs(1)).min(A_DAY))
}

async fn write_status(
    addon: &MiddlewareAddon,
    verdict: &Verdict,
    context: &Context,
) -> Result<(), AddonError> {
    let before = addon.status.clone().unwrap_or_default();
    let status = status(
        &before,
        verdict,
        addon.metadata.generation,
        &Time(Timestamp::now()),
    );
    if status == before {
        return Ok(());
    }
    let addons = Api::<MiddlewareAddon>::all(context.client.clone());
    let written = crate::status::write(&addons, addon, &status, manager::ADDON).await;
    if written.map_err(AddonError::Report)? {
        context.unseen.wrote(addon);
    }
    Ok(())
}

fn status(
    before: &MiddlewareAddonStatus,
    verdict: &Verdict,
    generation: Option<i64>,
    now: &Time,
) -> MiddlewareAddonStatus {
    let base = match &verdict.facts {
        Some(facts) => of_facts(facts),
        None if verdict.phase == AddonPhase::Active => before.clone(),
        None => MiddlewareAddonStatus::default(),
    };
    MiddlewareAddonStatus {
        observed_generation: generation,
        phase: Some(verdict.phase),
        lifecycle: verdict.standing.word.map(str::to_owned),
        users: Some(i32::try_from(verdict.users).unwrap_or(i32::MAX)),
        conditions: conditions::merge(&before.conditions, verdict.said(), generation, now),
        ..base
    }
}

fn of_facts(facts: &Facts) -> MiddlewareAddonStatus {
    MiddlewareAddonStatus {
        digest: Some(facts.digest.clone()),
        short_digest: Some(facts.digest.short(12).to_owned()),
        runtimes: Some(in_one_line(&facts.runtimes)),
        runtime_versions: facts.runtimes.clone(),
        upgrade_from: facts.upgrade_from.clone(),
        migrate_from: facts.migrate_from.clone(),
        topology_names: Some(in_one_line(&facts.topologies)),
        topologies: facts.topologies.clone(),
        signer: facts.signer.clone(),
        ..MiddlewareAddonStatus::default()
    }
}

fn in_one_line(items: &[impl ToString]) -> String {
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_to_come_is_waited_for_a_day_at_the_most() {
        let now: Timestamp = "2027-03-31T23:50:00Z".parse().unwrap();
        for (day, seconds) in [
            ("2027-04-01", 601),
            ("2027-03-31", 1),
            ("2027-04-02", 86_400),
            ("2035-01-01", 86_400),
        ] {
            let day = day.parse().unwrap();
            assert_eq!(until(day, now), Duration::from_secs(seconds), "{day}");
        }
    }
}
