//! What the checks say of each addon of a listing: its signature first, then its bytes, then the images
//! that it names. What was judged before costs nothing; what is new is read a few at a time, so that
//! memory is bounded however much a source offers.

use super::{
    Item, Listing, Looked, Looking, Place, Stopped, blocking,
    images::{self, Demand},
    offer,
    proofs::Question,
    trust::{Trust, Unsigned},
};
use crate::source::observed::{Look, Offer, Verdict};
use api::{AddonLedger, Digest, provenance::Signer};
use futures::{StreamExt as _, stream};
use kube::runtime::reflector::Store;
use package::{Evaluate, Finding, Package, Refusal, Tree, manifest};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use transport::Content;

/// Addons of one source that are read at once.
const AT_ONCE: usize = 4;
/// Packages that are kept for their projection; others are read again.
const MAX_FRESH: usize = 64;

/// What is offered by `listing` at `place`, where `trust` must have signed each and `images` is demanded
/// of the images.
pub(super) async fn judge(
    looking: &Looking<'_>,
    place: Place,
    listing: Listing,
    trust: Option<Trust>,
    images: Option<Demand>,
) -> Result<Looked, Stopped> {
    let Listing {
        revision,
        signer,
        items,
        history,
    } = listing;
    let judging = Judging {
        looking,
        place,
        signer,
        trust,
        images,
    };
    let (mut offers, mut fresh) = (Vec::with_capacity(items.len()), HashMap::new());
    let (mut again, mut unread, mut past) = (None, 0, HashSet::new());
    // Each is small until it is polled, and few are polled at once.
    let judged = items.into_iter().map(|item| judging.item(item));
    let mut judged = stream::iter(judged).buffered(AT_ONCE);
    while let Some(one) = judged.next().await {
        let One {
            offer,
            package,
            is_past,
            retry_after,
        } = one;
        again = again.max(retry_after);
        unread += usize::from(retry_after == Some(Duration::ZERO));
        if let Some(package) = package
            && fresh.len() < MAX_FRESH
            && !judging.in_catalog(&package.digest)
        {
            fresh.insert(offer.tree.clone(), Arc::new(package));
        }
        offers.extend(keep(offer, is_past, history, &mut past));
    }
    drop(judged);
    if history {
        whole(&offers, unread, again)?;
    }
    Ok(Looked {
        look: Look::Found { revision, offers },
        place: Some(judging.place),
        fresh,
        again,
    })
}

/// An offer is left out that a history says again, or that only its past is wrong in.
fn keep(offer: Offer, is_past: bool, history: bool, seen: &mut HashSet<String>) -> Option<Offer> {
    match &offer.verdict {
        Verdict::Good {
            plugin,
            version,
            digest,
        } if history => seen
            .insert(format!("{plugin} {version} {digest}"))
            .then_some(offer),
        Verdict::Refused { .. } if is_past => None,
        _ => Some(offer),
    }
}

/// Nothing of a history is said before all of it is known: an addon that is not may hold the oldest
/// bytes of a version.
fn whole(offers: &[Offer], unread: usize, again: Option<Duration>) -> Result<(), Stopped> {
    let open = offers.iter().find_map(|offer| match &offer.verdict {
        Verdict::NotJudged { reason } => Some(format!("{}: {reason}", offer.directory)),
        _ => None,
    });
    let Some(open) = open else {
        return Ok(());
    };
    let message = match unread {
        0 => open,
        _ => "the history is being read; nothing of it is published before all of it is known"
            .to_owned(),
    };
    Err(Stopped {
        again,
        ..Stopped::failed(false, message)
    })
}

/// What an item came to.
struct One {
    offer: Offer,
    package: Option<Package>,
    is_past: bool,
    /// When to come back for it; at once where there was no time for it.
    retry_after: Option<Duration>,
}

struct Judging<'a> {
    looking: &'a Looking<'a>,
    place: Place,
    signer: Option<Signer>,
    trust: Option<Trust>,
    images: Option<Demand>,
}

impl Judging<'_> {
    async fn item(&self, item: Item) -> One {
        let is_past = item.past;
        let mut retry_after = None;
        let unsigned = |unsigned: Unsigned, retry_after: &mut Option<Duration>| match unsigned {
            Unsigned::Refused(message) => Verdict::Unverified { message },
            Unsigned::Untold(failure) => {
                *retry_after = failure.retry_after();
                Verdict::NotJudged {
                    reason: failure.message,
                }
            }
        };
        let signer = match self.signer(&item).await {
            Ok(signer) => signer,
            Err(why) => {
                let verdict = unsigned(why, &mut retry_after);
                let offer = offer(item, None, verdict);
                return One {
                    offer,
                    package: None,
                    is_past,
                    retry_after,
                };
            }
        };
        let (mut verdict, package, failed) = self.verdict(&item).await;
        retry_after = retry_after.max(failed);
        let mut images = Vec::new();
        if let (Some(demand), Verdict::Good { .. }) = (&self.images, &verdict) {
            let context = self.looking.context;
            let named = context.proofs.named(&item.tree).unwrap_or_default();
            match demand.met(context, &item.tree, &named).await {
                Ok(met) => images = met,
                Err(why) => verdict = unsigned(why, &mut retry_after),
            }
        }
        let offer = Offer {
            images,
            ..offer(item, signer, verdict)
        };
        One {
            offer,
            package,
            is_past,
            retry_after,
        }
    }

    /// Who signed it, before anything of it is read.
    async fn signer(&self, item: &Item) -> Result<Option<Signer>, Unsigned> {
        let (Some(trust), Place::Oci(remote)) = (&self.trust, &self.place) else {
            return Ok(self.signer.clone());
        };
        let context = self.looking.context;
        let question = Question {
            tree: item.tree.clone(),
            demand: trust.fingerprint.clone(),
        };
        if let Some(signer) = context.proofs.signer(&question) {
            return Ok(Some(signer));
        }
        if self.is_late() {
            return Err(Unsigned::Untold(super::Failure::late()));
        }
        let (trust, remote, stores) = (trust.clone(), remote.clone(), context.stores.clone());
        let tree = item.tree.clone();
        let work = move || match tree.parse() {
            Ok(digest) => trust.signer(&stores.artifacts, &remote, &digest),
            Err(_) => Err(Unsigned::Refused(format!("`{tree}` is no digest"))),
        };
        let signer = blocking(context, work).await.map_err(Unsigned::Untold)??;
        context.proofs.signed(question, signer.clone());
        Ok(Some(signer))
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.looking.until
    }

    /// What the checks say of its bytes.
    async fn verdict(&self, item: &Item) -> (Verdict, Option<Package>, Option<Duration>) {
        let context = self.looking.context;
        if let Some(findings) = &item.refused {
            return (refused(findings.clone()), None, None);
        }
        let known = context.verdicts.get(&item.tree).filter(|verdict| {
            let needs_images = self.images.is_some() && matches!(verdict, Verdict::Good { .. });
            !needs_images || context.proofs.named(&item.tree).is_some()
        });
        if let Some(verdict) = known {
            return (verdict, None, None);
        }
        let not_judged = |failure: super::Failure| {
            let after = failure.retry_after();
            let reason = failure.message;
            (Verdict::NotJudged { reason }, None, after)
        };
        if self.is_late() {
            return not_judged(super::Failure::late());
        }
        let (place, stores, tree) = (
            self.place.clone(),
            context.stores.clone(),
            item.tree.clone(),
        );
        let reading = blocking(context, move || place.content(&stores, &tree)).await;
        let content = match reading.and_then(|read| read) {
            Ok(content) => content,
            Err(failure) => return not_judged(failure),
        };
        let (evaluate, ledgers) = (context.evaluate.clone(), context.caches.ledgers.clone());
        let Some(_worker) = self.looking.worker().await else {
            return not_judged(super::Failure::passing("the registry is ending"));
        };
        let work = move || {
            let is_published = |digest: &Digest| was_published(&ledgers, digest);
            judged(content, evaluate.as_ref(), is_published)
        };
        match blocking(context, work).await {
            Ok((verdict, package)) => {
                if let Some(package) = package.as_ref().filter(|_| self.images.is_some()) {
                    context
                        .proofs
                        .names(&item.tree, images::of(&package.manifest));
                }
                context.verdicts.put(&item.tree, &verdict);
                (verdict, package, None)
            }
            Err(failure) => not_judged(failure),
        }
    }

    fn in_catalog(&self, digest: &Digest) -> bool {
        let addons = self.looking.context.caches.addons.state();
        addons
            .iter()
            .any(|addon| addon.spec.digest.as_ref() == Some(digest))
    }
}

/// Whether a version with these bytes was ever published.
fn was_published(ledgers: &Store<AddonLedger>, digest: &Digest) -> bool {
    let ledgers = ledgers.state();
    let mut entries = ledgers
        .iter()
        .flat_map(|ledger| ledger.spec.entries.values());
    entries.any(|published| published == digest)
}

/// The verdict on what is no tree.
pub(crate) fn refused(findings: Vec<Finding>) -> Verdict {
    Verdict::Refused {
        plugin: None,
        version: None,
        findings,
    }
}

/// What the checks say of `content`.
fn judged(
    content: Content,
    evaluate: &dyn Evaluate,
    is_published: impl Fn(&Digest) -> bool,
) -> (Verdict, Option<Package>) {
    match content {
        Content::Known => {
            let reason = "it was not read".to_owned();
            (Verdict::NotJudged { reason }, None)
        }
        Content::Refused(findings) => (refused(findings), None),
        Content::Files(files) => match Tree::from_files(files) {
            Err(findings) => (refused(findings), None),
            Ok(tree) => checked(tree, evaluate, is_published),
        },
    }
}

/// What the checks say of `tree`. Bytes that are published are not judged again.
pub(crate) fn checked(
    tree: Tree,
    evaluate: &dyn Evaluate,
    is_published: impl Fn(&Digest) -> bool,
) -> (Verdict, Option<Package>) {
    let checked = if is_published(&tree.digest()) {
        package::load(tree)
    } else {
        package::check(tree, evaluate)
    };
    match checked {
        Ok(package) => (good(&package), Some(package)),
        Err(refusal) => (unpublishable(refusal), None),
    }
}

/// The verdict on what passed.
pub(crate) fn good(package: &Package) -> Verdict {
    Verdict::Good {
        plugin: package.manifest.name.clone(),
        version: package.manifest.version.clone(),
        digest: package.digest.clone(),
    }
}

/// The verdict on what did not.
pub(crate) fn unpublishable(refusal: Refusal) -> Verdict {
    let text = refusal.to_string();
    match refusal {
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
    }
}
