//! Which states of this App's sessions may go: the old ones that nobody uses.

use super::{Session, saved::Saved, voice::Tone};
use crate::cluster::ClusterError;
use api::{MiddlewareAddon, Version, crd::addon::AddonPhase};
use k8s_openapi::{api::core::v1::ConfigMap, jiff::Timestamp};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, Preconditions},
};
use package::graph::Dev;
use std::collections::BTreeSet;

/// How many states stay, used or not.
const KEPT: usize = 10;
/// Younger content may be that of a version which is just being created.
const CONTENT_AGE_SECONDS: i64 = 3600;

/// Of `states`, with whether somebody uses them, those that go: all but the newest, and but what is
/// used. What failed its checks goes at once.
fn old(mut states: Vec<(Version, Use)>) -> Vec<Version> {
    states.sort_by(|a, b| Dev::of(&b.0).cmp(&Dev::of(&a.0)));
    let places = states.into_iter().enumerate();
    let gone = places.filter(|(place, (_, is))| match is {
        Use::Used => false,
        Use::Unused => *place >= KEPT,
        Use::Failed => true,
    });
    gone.map(|(_, (version, _))| version).collect()
}

/// What is known of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Used,
    Unused,
    /// It was never published.
    Failed,
}

impl Session<'_> {
    /// Deletes old states, and content that nothing names; what is not allowed is told, and no error.
    pub(super) async fn prune(&self, saved: &Saved, now: &Version) {
        match self.pruned(saved, now).await {
            Ok(0) => {}
            Ok(number) => {
                let text = format!("{} deleted", crate::output::count(number, "old state"));
                self.voice.say(Tone::Plain, &text);
            }
            Err(error) => {
                let text = format!("old states stay: {error}");
                self.voice.say(Tone::Plain, &text);
            }
        }
    }

    async fn pruned(&self, saved: &Saved, now: &Version) -> Result<usize, ClusterError> {
        let addons = Api::<MiddlewareAddon>::all(self.cluster.client.clone());
        let selector = self.owner(saved).selector();
        let ours = ListParams::default().labels(&selector);
        let states = self.cluster.list(&addons, ours.clone()).await?;
        let state = |addon: &MiddlewareAddon| (addon.spec.version.clone(), used(addon, now));
        let old = old(states.iter().map(state).collect());
        let mut gone = 0;
        for addon in states
            .iter()
            .filter(|addon| old.contains(&addon.spec.version))
        {
            if addon.metadata.deletion_timestamp.is_none() {
                delete(&addons, addon)
                    .await
                    .map_err(|e| self.cluster.error(e))?;
                gone += 1;
            }
        }
        if gone > 0 {
            self.sweep(&selector).await?;
        }
        Ok(gone)
    }

    /// Deletes content of these sessions that no version names.
    async fn sweep(&self, selector: &str) -> Result<(), ClusterError> {
        let client = &self.cluster.client;
        let addons = Api::<MiddlewareAddon>::all(client.clone());
        let all = self.cluster.list(&addons, ListParams::default()).await?;
        let named: BTreeSet<&str> = all
            .iter()
            .flat_map(|addon| {
                addon
                    .spec
                    .content
                    .iter()
                    .map(|content| content.name.as_str())
            })
            .collect();
        let content = Api::<ConfigMap>::namespaced(client.clone(), &self.cluster.platform);
        let ours = ListParams::default().labels(selector);
        let young = Timestamp::now().as_second() - CONTENT_AGE_SECONDS;
        for object in self.cluster.list(&content, ours).await? {
            let created = object.creation_timestamp().map(|time| time.0.as_second());
            if !named.contains(object.name_any().as_str()) && created.is_some_and(|at| at < young) {
                delete(&content, &object)
                    .await
                    .map_err(|e| self.cluster.error(e))?;
            }
        }
        Ok(())
    }
}

fn used(addon: &MiddlewareAddon, now: &Version) -> Use {
    let status = addon.status.clone().unwrap_or_default();
    match status.phase {
        _ if addon.spec.version == *now => Use::Used,
        Some(AddonPhase::Failed) => Use::Failed,
        // Where nobody counted yet it may be used.
        _ if status.users != Some(0) => Use::Used,
        _ => Use::Unused,
    }
}

/// Deletes exactly this object; one that went meanwhile is fine.
async fn delete<K>(api: &Api<K>, object: &K) -> Result<(), kube::Error>
where
    K: kube::Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let params = DeleteParams::default().preconditions(Preconditions {
        uid: object.meta().uid.clone(),
        resource_version: None,
    });
    match api.delete(&object.name_any(), &params).await {
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay_and_what_is_used() {
        let states = |numbers: std::ops::RangeInclusive<u64>, used: &[u64], failed: &[u64]| {
            let state = |n| {
                let is = match n {
                    n if used.contains(&n) => Use::Used,
                    n if failed.contains(&n) => Use::Failed,
                    _ => Use::Unused,
                };
                (format!("1.2.0-dev.{n}").parse::<Version>().unwrap(), is)
            };
            let old = old(numbers.map(state).collect());
            old.into_iter()
                .map(|v| Dev::of(&v).unwrap().n)
                .collect::<Vec<_>>()
        };
        assert_eq!(states(1..=10, &[], &[]), Vec::<u64>::new());
        assert_eq!(states(1..=13, &[], &[]), [3, 2, 1]);
        assert_eq!(states(1..=13, &[2], &[13]), [13, 3, 1]);
    }
}
