//! `source add`: makes an AddonSource, and shows how the first look at it goes.

use super::{MANAGER, all, live, show, spec};
use crate::{
    args::AddArgs,
    cluster::{self, Cluster, ClusterError},
    output::{self, Outcome},
};
use anyhow::{Context as _, bail};
use api::AddonSource;
use kube::{ResourceExt as _, api::PostParams};

/// Does what `args` say.
///
/// # Errors
/// The flags make no source, there is one of that name, or the cluster refuses it.
pub(super) fn run(args: &AddArgs) -> anyhow::Result<Outcome> {
    let source = spec::source(args)?;
    if args.export {
        return Ok(Outcome::clean(exported(&source)?));
    }
    let report = cluster::wait(add(args, &source))?;
    match report {
        Some(report) => output::show(&report, args.output.output),
        None => Ok(Outcome::clean(format!(
            "{0} was made; `kubectl middleware source show {0}` says how it is\n",
            args.name
        ))),
    }
}

async fn add(args: &AddArgs, source: &AddonSource) -> anyhow::Result<Option<show::Report>> {
    let cluster = Cluster::connect(&args.cluster).await?;
    create(&cluster, source).await?;
    if args.no_wait || source.spec.suspend {
        return live::not_waited(&cluster, &args.name, args.output.output).await;
    }
    let ended = live::follow(&cluster, &args.name, None, args.wait.wait).await?;
    live::concluded(&cluster, &args.name, ended).await.map(Some)
}

async fn create(cluster: &Cluster, source: &AddonSource) -> anyhow::Result<()> {
    let writing = PostParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PostParams::default()
    };
    let created = all(cluster).create(&writing, source).await;
    match created.map_err(|error| cluster.error(error)) {
        Ok(_) => Ok(()),
        Err(ClusterError::Refused { status }) if status.code == 409 => {
            let name = source.name_any();
            let there = super::one(cluster, &name).await?;
            let (kind, place) = spec::place(&there.spec);
            bail!(
                "there is a source `{name}` already: {} {place}; take another name, or change that \
                 one with `kubectl edit addonsource {name}`",
                kind.text()
            )
        }
        Err(error) => Err(error.into()),
    }
}

/// The source as a manifest: what a person would write.
fn exported(source: &AddonSource) -> anyhow::Result<String> {
    let mut value = serde_json::to_value(source)?;
    let spec = value.get_mut("spec");
    if let Some(spec) = spec {
        prune(spec);
    }
    serde_saphyr::to_string(&value).context("writing YAML")
}

/// Takes away what says nothing: nulls, false, what is empty, and what is meant anyway.
fn prune(value: &mut serde_json::Value) {
    use serde_json::Value;
    let says_nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    if let Value::Object(map) = value {
        map.values_mut().for_each(prune);
        let usual = [
            ("history", "head"),
            ("provider", "cosign"),
            ("mode", "HEAD"),
        ];
        let is_usual =
            |key: &str, value: &Value| usual.iter().any(|(k, v)| key == *k && value == v);
        map.retain(|key, value| !says_nothing(value) && !is_usual(key, value));
    }
}
