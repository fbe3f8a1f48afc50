//! A look at a repository: which revision it has, which addons stand there, what the checks say of
//! those that are new. Threads that may block do the work.

use super::{
    duration,
    memory::Verdicts,
    observed::{Look, Offer, Verdict},
};
use crate::context::Context;
use api::{AddonSource, labels};
use kube::ResourceExt as _;
use package::{Evaluate, Finding, Package, Refusal, Tree, manifest};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use transport::{Content, Credentials, Mirrors, Offered, Reference, Remote, Revision};

/// Where `spec.timeout` does not parse, which the API server prevents.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// Packages that are kept for their projection; others are read again.
const MAX_FRESH: usize = 64;
/// The longest name of a source: it stands in labels.
const MAX_NAME: usize = 63;

/// What a look found, and what it kept of it.
pub(crate) struct Looked {
    pub look: Look,
    pub remote: Option<Remote>,
    pub fresh: HashMap<String, Arc<Package>>,
}

/// The value of the reconcile-now annotation, ours or Flux's; both where both are there.
pub(crate) fn requested(source: &AddonSource) -> Option<String> {
    let annotations = source.annotations();
    let ours = annotations.get(labels::RECONCILE_REQUESTED_AT);
    let fluxs = annotations.get(labels::FLUX_RECONCILE_REQUESTED_AT);
    let value = match (ours, fluxs) {
        (Some(ours), Some(fluxs)) if ours != fluxs => format!("{ours} {fluxs}"),
        (ours, fluxs) => ours.or(fluxs)?.clone(),
    };
    Some(value.chars().take(128).collect())
}

/// Looks at `source`. What goes wrong is part of what was found.
pub(crate) async fn look(context: &Context, source: &AddonSource) -> Looked {
    let remote = match remote(context, source).await {
        Ok(remote) => remote,
        Err(look) => return nothing(look, None),
    };
    match fetch(context, source, remote.clone()).await {
        Err(look) => nothing(look, Some(remote)),
        Ok((revision, offered)) => judge(context, remote, revision, offered).await,
    }
}

fn nothing(look: Look, remote: Option<Remote>) -> Looked {
    Looked {
        look,
        remote,
        fresh: HashMap::new(),
    }
}

fn failed(terminal: bool, message: impl Into<String>) -> Look {
    Look::Failed {
        terminal,
        message: message.into(),
    }
}

async fn remote(context: &Context, source: &AddonSource) -> Result<Remote, Look> {
    let name = source.name_any();
    if name.len() > MAX_NAME {
        let why = format!("the source's name has more than {MAX_NAME} characters; give it another");
        return Err(failed(true, why));
    }
    let Some(git) = &source.spec.git else {
        return Err(failed(true, "only git is served"));
    };
    let credentials = match &git.secret_ref {
        None => Credentials::default(),
        Some(reference) => credentials(context, &reference.name).await?,
    };
    Ok(Remote {
        url: git.url.clone(),
        insecure: git.insecure,
        reference: Reference {
            branch: git.reference.branch.clone(),
            tag: git.reference.tag.clone(),
            semver: git.reference.semver.clone(),
            prefix: git.reference.tag_prefix.clone(),
            commit: git.reference.commit.clone(),
            history: git.history == api::crd::source::History::Full,
        },
        credentials,
        // It ends before the reconcile does, so that what it met is said.
        timeout: duration(&source.spec.timeout)
            .unwrap_or(DEFAULT_TIMEOUT)
            .min(context.settings.reconcile_timeout.mul_f64(0.9)),
    })
}

async fn credentials(context: &Context, name: &str) -> Result<Credentials, Look> {
    let namespace = &context.settings.namespace;
    let place = format!("Secret `{name}` of secretRef in namespace `{namespace}`");
    let secret = match context.secrets().get_opt(name).await {
        Ok(Some(secret)) => secret,
        Ok(None) => return Err(failed(false, format!("{place} does not exist; create it"))),
        Err(error) => return Err(failed(false, format!("{place} cannot be read: {error}"))),
    };
    let mut data = secret.data.unwrap_or_default();
    let mut value = |key: &str| {
        let bytes = data.remove(key).map(|bytes| bytes.0);
        let text = bytes.map(String::from_utf8).transpose();
        text.map_err(|_| failed(false, format!("{place}: `{key}` is not UTF-8")))
    };
    Ok(Credentials {
        username: value("username")?,
        password: value("password")?,
        ca: value("ca.crt")?,
        ..Credentials::default()
    })
}

async fn fetch(
    context: &Context,
    source: &AddonSource,
    remote: Remote,
) -> Result<(Revision, Vec<Offered>), Look> {
    let Ok(_look) = context.looks.acquire().await else {
        return Err(failed(false, "the registry is ending"));
    };
    let begun = Instant::now();
    let (mirrors, verdicts) = (context.mirrors.clone(), context.verdicts.clone());
    let directories = source
        .spec
        .git
        .iter()
        .flat_map(|git| git.directories.clone())
        .collect::<Vec<_>>();
    let work = move || read(&mirrors, &verdicts, &remote, &directories);
    let done = tokio::select! {
        done = tokio::task::spawn_blocking(work) => done,
        // A thread that waits for a server ends by the source's timeout, and nobody waits for it.
        () = context.shutdown.clone() => return Err(failed(false, "the registry is ending")),
    };
    context.metrics.fetch.observe(begun.elapsed().as_secs_f64());
    match done {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(failed(error.is_terminal(), error.to_string())),
        Err(_) => Err(failed(false, "the server sent what Git cannot be")),
    }
}

fn read(
    mirrors: &Mirrors,
    verdicts: &Verdicts,
    remote: &Remote,
    directories: &[String],
) -> Result<(Revision, Vec<Offered>), transport::Error> {
    let known = |tree: &str| verdicts.knows(tree);
    let revision = mirrors.fetch(remote)?;
    let offered = match mirrors.offered(remote, &revision.commit, directories, &known) {
        Ok(offered) => offered,
        // A broken mirror is gone by now; the second fetch makes it anew.
        Err(_) => {
            let revision = mirrors.fetch(remote)?;
            mirrors.offered(remote, &revision.commit, directories, &known)?
        }
    };
    Ok((revision, offered))
}

async fn judge(
    context: &Context,
    remote: Remote,
    revision: Revision,
    offered: Vec<Offered>,
) -> Looked {
    let Ok(_worker) = context.workers.acquire().await else {
        return nothing(failed(false, "the registry is ending"), None);
    };
    let addons = context.caches.addons.state();
    let there = addons.iter().filter_map(|addon| addon.spec.digest.as_ref());
    let there: HashSet<String> = there.map(ToString::to_string).collect();
    let (verdicts, evaluate) = (context.verdicts.clone(), context.evaluate.clone());
    let work = move || {
        let mut fresh = HashMap::new();
        let offers = offered
            .into_iter()
            .map(|offered| {
                let (offer, package) = judged(offered, &verdicts, evaluate.as_ref());
                if let Some(package) = package
                    && fresh.len() < MAX_FRESH
                    && !there.contains(package.digest.as_str())
                {
                    fresh.insert(offer.tree.clone(), Arc::new(package));
                }
                offer
            })
            .collect();
        (offers, fresh)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok((offers, fresh)) => Looked {
            look: Look::Found {
                revision: revision.text,
                offers,
            },
            remote: Some(remote),
            fresh,
        },
        Err(_) => nothing(failed(false, "the checks broke off"), Some(remote)),
    }
}

fn judged(
    offered: Offered,
    verdicts: &Verdicts,
    evaluate: &dyn Evaluate,
) -> (Offer, Option<Package>) {
    let Offered {
        directory,
        tree,
        content,
    } = offered;
    let (verdict, package) = match content {
        Content::Known => (known(verdicts, &tree), None),
        Content::Refused(findings) => (refused(findings), None),
        Content::Files(files) => match Tree::from_files(files) {
            Err(findings) => (refused(findings), None),
            Ok(files) => checked(files, evaluate),
        },
    };
    verdicts.put(&tree, &verdict);
    let offer = Offer {
        directory,
        tree,
        revision: None,
        signer: None,
        images: Vec::new(),
        verdict,
    };
    (offer, package)
}

fn known(verdicts: &Verdicts, tree: &str) -> Verdict {
    verdicts.get(tree).unwrap_or_else(|| Verdict::NotJudged {
        reason: "it was forgotten".to_owned(),
    })
}

fn refused(findings: Vec<Finding>) -> Verdict {
    Verdict::Refused {
        plugin: None,
        version: None,
        findings,
    }
}

fn checked(tree: Tree, evaluate: &dyn Evaluate) -> (Verdict, Option<Package>) {
    let refusal = match package::check(tree, evaluate) {
        Ok(package) => {
            let verdict = Verdict::Good {
                plugin: package.manifest.name.clone(),
                version: package.manifest.version.clone(),
                digest: package.digest.clone(),
            };
            return (verdict, Some(package));
        }
        Err(refusal) => refusal,
    };
    let text = refusal.to_string();
    let verdict = match refusal {
        Refusal::Invalid {
            plugin,
            version,
            findings,
        } => Verdict::Refused {
            plugin,
            version,
            findings,
        },
        Refusal::PlatformTooOld {
            plugin, version, ..
        } => Verdict::Refused {
            plugin: Some(plugin),
            version: Some(version),
            findings: vec![Finding {
                file: manifest::FILE.to_owned(),
                message: text,
                ..Finding::default()
            }],
        },
        Refusal::NotJudged { reason } => Verdict::NotJudged { reason },
    };
    (verdict, None)
}
