//! A saved state becomes an Active version.

use super::{
    Session,
    ledger::States,
    objects::{Objects, Owner},
    saved::{Saved, State},
    voice::Tone,
};
use crate::cluster::ClusterError;
use anyhow::bail;
use api::{
    AddonLedger, AddonLedgerSpec, Digest, MiddlewareAddon, Version, conditions::READY,
    crd::addon::AddonPhase, labels, names,
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{ListParams, PostParams},
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Between two looks at what the operator says.
const LOOK: Duration = Duration::from_millis(200);
/// So long the operator may say nothing before somebody asks.
const SILENCE: Duration = Duration::from_secs(10);
/// How often a number may be taken by somebody else at the same moment.
const TRIES: usize = 20;

impl Session<'_> {
    /// The version that the state is, Active; nothing where the operator refuses it, and it says why.
    pub(super) async fn publish(&self, saved: &Saved) -> anyhow::Result<Option<Version>> {
        let states = self.states(saved).await?;
        let digest = |n| Some(saved.numbered(n).ok()?.tree.digest());
        let state = match states.same(digest) {
            Some(n) => {
                let state = saved.numbered(n)?;
                match self.addon(saved, &state.version).await? {
                    Some(addon) if addon.metadata.deletion_timestamp.is_none() => {
                        let text =
                            format!("unchanged: it is {} {}", self.plugin(saved), state.version);
                        self.voice.say(Tone::Plain, &text);
                        return self
                            .active(saved, &state.version, state.tree.digest())
                            .await;
                    }
                    // It was pruned: the same bytes may come back under their number.
                    None => Some(self.create(saved, state).await?),
                    Some(_) => None,
                }
            }
            None => None,
        };
        let version = match state {
            Some(Created::Yes(state)) => state,
            _ => self.numbered(saved, states.next()).await?,
        };
        let text = format!("created {} {}", self.plugin(saved), version.version);
        self.voice.say(Tone::Plain, &text);
        self.active(saved, &version.version, version.tree.digest())
            .await
    }

    /// Creates the state under the first number from `n` that nobody has.
    async fn numbered(&self, saved: &Saved, n: u64) -> anyhow::Result<State> {
        for n in (n..).take(TRIES) {
            if let Created::Yes(state) = self.create(saved, saved.numbered(n)?).await? {
                return Ok(state);
            }
        }
        bail!(
            "others take every number of {} at this moment; save again",
            saved.base()
        )
    }

    async fn states(&self, saved: &Saved) -> anyhow::Result<States> {
        let plugin = self.plugin(saved);
        let ledgers = Api::<AddonLedger>::all(self.cluster.client.clone());
        let ledger = ledgers
            .get_opt(&plugin)
            .await
            .map_err(|e| self.cluster.error(e))?;
        let ledger = ledger.map_or_else(nothing, |ledger| ledger.spec);
        let addons = Api::<MiddlewareAddon>::all(self.cluster.client.clone());
        let ours = ListParams::default().labels(&self.owner(saved).selector());
        let names = match self.cluster.list(&addons, ours).await {
            Ok(addons) => addons.into_iter().map(|addon| addon.spec.version).collect(),
            // A number that is taken is noticed when it is asked for.
            Err(error) if error.hidden().is_some() => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(States::of(saved.base(), &ledger, &names))
    }

    /// Creates content and version.
    async fn create(&self, saved: &Saved, state: State) -> anyhow::Result<Created> {
        let objects = Objects::of(&state, &self.owner(saved), &self.cluster.platform);
        let params = PostParams {
            field_manager: Some(labels::manager::DEV.to_owned()),
            ..PostParams::default()
        };
        let content =
            Api::<ConfigMap>::namespaced(self.cluster.client.clone(), &self.cluster.platform);
        for object in &objects.content {
            // Of the same name are the same bytes; the operator computes that again.
            if let Err(error) = content.create(&params, object).await
                && !is_there(&error)
            {
                return Err(self.cluster.error(error).into());
            }
        }
        let addons = Api::<MiddlewareAddon>::all(self.cluster.client.clone());
        match addons.create(&params, &objects.addon).await {
            Ok(_) => Ok(Created::Yes(state)),
            Err(error) if is_there(&error) => Ok(Created::Taken),
            Err(error) => Err(self.cluster.error(error).into()),
        }
    }

    /// Waits until the operator has judged the version.
    async fn active(
        &self,
        saved: &Saved,
        version: &Version,
        digest: Digest,
    ) -> anyhow::Result<Option<Version>> {
        let mut told = String::new();
        let since = Instant::now();
        loop {
            let Some(addon) = self.addon(saved, version).await? else {
                bail!(
                    "somebody deleted {} {version}; save again",
                    self.plugin(saved)
                );
            };
            let status = addon.status.unwrap_or_default();
            let ready = status.conditions.iter().find(|c| c.type_ == READY);
            let message = ready
                .map(|c| format!("{}: {}", c.reason, c.message))
                .unwrap_or_default();
            match status.phase {
                Some(AddonPhase::Active) if status.digest.as_ref().is_none_or(|d| *d == digest) => {
                    self.voice.say(Tone::Plain, &format!("{version} is Active"));
                    return Ok(Some(version.clone()));
                }
                Some(AddonPhase::Active) => {
                    bail!("{version} was published by somebody else; save again")
                }
                Some(AddonPhase::Failed) => {
                    for line in message.lines() {
                        self.voice.say(Tone::Bad, line);
                    }
                    self.voice.say(Tone::Bad, "the platform refuses it");
                    return Ok(None);
                }
                None if told.is_empty() && since.elapsed() > SILENCE => {
                    told =
                        "the operator says nothing: does it run? `kubectl get pods -n ".to_owned();
                    told.push_str(&format!("{}` lists it", self.cluster.platform));
                    self.voice.say(Tone::Bad, &told);
                }
                _ if !message.is_empty() && message != told => {
                    self.voice.say(Tone::Plain, &format!("Pending, {message}"));
                    told = message;
                }
                _ => {}
            }
            sleep(LOOK).await;
        }
    }

    pub(super) async fn addon(
        &self,
        saved: &Saved,
        version: &Version,
    ) -> Result<Option<MiddlewareAddon>, ClusterError> {
        let addons = Api::<MiddlewareAddon>::all(self.cluster.client.clone());
        let name = names::addon(&saved.package.manifest.name, version);
        addons
            .get_opt(&name)
            .await
            .map_err(|e| self.cluster.error(e))
    }

    pub(super) fn owner<'a>(&'a self, saved: &'a Saved) -> Owner<'a> {
        Owner {
            plugin: &saved.package.manifest.name,
            app: &self.app,
            namespace: &self.namespace,
        }
    }

    fn plugin(&self, saved: &Saved) -> String {
        saved.package.manifest.name.to_string()
    }
}

/// The ledger of a plugin that never had a version.
fn nothing() -> AddonLedgerSpec {
    AddonLedgerSpec {
        entries: BTreeMap::new(),
    }
}

/// What became of a number.
enum Created {
    Yes(State),
    /// Somebody else has it.
    Taken,
}

fn is_there(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}
