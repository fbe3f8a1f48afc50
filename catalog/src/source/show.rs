//! `source show`: what a source is, why it is not Ready and what to do, and what it brought.

mod text;

use super::{
    advice::advice,
    one,
    spec::{self, Kind},
    standing::{self, Standing},
};
use crate::{
    args::SourceShowArgs,
    catalog::model::{self, Plugin},
    cluster::{Cluster, Hidden, Seen},
    output::{self, Paint, Verdict},
};
use api::{
    AddonSource, AddonSourceSpec, AddonSourceStatus,
    conditions::Time,
    crd::source::{ChangedVersion, FailedAddon},
};
use kube::ResourceExt as _;
use serde::Serialize;

/// A source, and what is to be said of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    name: String,
    kind: &'static str,
    state: Standing,
    /// The registry's reason and words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    spec: AddonSourceSpec,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    /// What is said of signatures, where some are demanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Time>,
    /// The addons that the checks refuse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<FailedAddon>,
    /// Those of them that are not signed by whom they should be.
    #[serde(skip)]
    unsigned: Vec<FailedAddon>,
    /// The published versions that it offers with other bytes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<ChangedVersion>,
    /// The versions that were removed from it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    withdrawn: Vec<String>,
    /// What to do, in the order in which one would.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    advice: Vec<String>,
    /// What it brought into the catalog.
    catalog: Seen<Vec<Plugin>>,
    /// Whether the look that was asked for did not come in time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overdue: bool,
    /// Whether nobody waited: then nothing of it is a finding.
    #[serde(skip)]
    asked: bool,
    /// Whether somebody just waited for it, and was told everything but this.
    #[serde(skip)]
    waited: bool,
}

/// The source of `args`.
///
/// # Errors
/// There is no such source, or the cluster does not show it.
pub(super) async fn show(args: &SourceShowArgs) -> anyhow::Result<Report> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let source = one(&cluster, &args.name).await?;
    report(&cluster, source).await
}

/// What is to be said of `source`.
///
/// # Errors
/// The cluster does not answer.
pub(super) async fn report(cluster: &Cluster, source: AddonSource) -> anyhow::Result<Report> {
    let brought = brought(cluster, &source.name_any()).await?;
    let advice = advice(&source, &cluster.platform);
    Ok(Report::new(source, brought, advice))
}

/// The versions that the source brought, where they may be seen.
///
/// # Errors
/// The cluster does not answer.
pub(super) async fn brought(cluster: &Cluster, name: &str) -> anyhow::Result<Seen<Vec<Plugin>>> {
    match model::load_source(cluster, name).await {
        Ok(catalog) => Ok(Seen::Is(catalog.plugins)),
        Err(error) => match error.hidden() {
            Some(Hidden { needs }) => Ok(Seen::Not(Hidden {
                needs: needs.clone(),
            })),
            None => Err(error.into()),
        },
    }
}

impl Report {
    fn new(source: AddonSource, catalog: Seen<Vec<Plugin>>, advice: Vec<String>) -> Self {
        let (kind, _) = spec::place(&source.spec);
        let ready = standing::ready(&source).cloned();
        let state = standing::of(&source);
        let verified = standing::verified(&source).map(|c| c.message.clone());
        let unsigned = standing::unsigned(&source).into_iter().cloned().collect();
        let AddonSourceStatus {
            revision,
            failed,
            changed,
            withdrawn,
            ..
        } = source.status.clone().unwrap_or_default();
        Self {
            name: source.name_any(),
            kind: kind.text(),
            state,
            reason: ready.as_ref().map(|c| c.reason.clone()),
            message: ready.map(|c| c.message),
            verified,
            created: source.metadata.creation_timestamp.clone(),
            spec: source.spec,
            revision,
            failed,
            unsigned,
            changed,
            withdrawn,
            advice,
            catalog,
            overdue: false,
            asked: false,
            waited: false,
        }
    }

    /// The same, where what happened was told already.
    pub(super) fn after_waiting(self) -> Self {
        Self {
            waited: true,
            ..self
        }
    }

    /// The same for a program that did not want to wait.
    pub(super) fn after_asking(self) -> Self {
        Self {
            asked: true,
            ..self
        }
    }

    /// The same, where what was waited for did not come: all that is known is of before.
    pub(super) fn overdue(mut self, platform: &str) -> Self {
        if matches!(
            self.state,
            Standing::Ready | Standing::Stalled | Standing::Failing
        ) {
            self.advice.insert(
                0,
                format!(
                    "the registry did not look at it in time; is it running? `kubectl -n {platform} \
                     get pods`"
                ),
            );
        }
        Self {
            overdue: true,
            ..self
        }
    }

    /// Whether it is a source of that kind.
    fn is(&self, kind: Kind) -> bool {
        self.kind == kind.text()
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        match self.waited {
            true => text::answer(self, paint),
            false => text::whole(self, paint),
        }
    }

    fn verdict(&self) -> Verdict {
        match self.state {
            _ if self.asked => Verdict::Clean,
            Standing::Ready if !self.overdue => Verdict::Clean,
            _ => Verdict::Findings,
        }
    }
}
