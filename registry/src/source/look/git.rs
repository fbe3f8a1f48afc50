//! What a Git repository offers: what stands in a revision, or every addon that ever stood in its
//! history. The revision is verified before anything of it is read.

use super::{Failure, Item, Listing, Looked, Looking, Place, Stopped, Stores, blocking, secrets};
use crate::source::observed::{Look, Verdict};
use api::{
    crd::source::{GitSource, GitVerificationMode, History},
    provenance::Signer,
};
use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};
use transport::{
    Content, Mirrors, Offered, Reference, Remote, Revision, Signers,
    signed::{Refusal, What},
};

/// What a look at a repository saw.
pub(super) enum Seen {
    /// What the last look saw, which was settled.
    Unchanged(Looked),
    /// What is to be judged.
    New(Place, Listing),
}

/// What is done by the thread that may block.
struct Reading {
    stores: Stores,
    remote: Remote,
    since: Instant,
    directories: Vec<String>,
    verify: Option<(Signers, What)>,
    /// The revision of the last look, where that was settled.
    settled: Option<String>,
}

enum Read {
    Unverified { revision: String, message: String },
    Unchanged(Option<Signer>),
    Listed(Listing),
}

/// What the repository `git` offers; `reusable` where what the last look found can be all that is to be
/// known of the same revision.
pub(super) async fn list(
    looking: &Looking<'_>,
    git: &GitSource,
    reusable: bool,
) -> Result<Seen, Stopped> {
    let context = looking.context;
    let remote = Remote {
        url: git.url.clone(),
        insecure: git.insecure,
        reference: Reference {
            branch: git.reference.branch.clone(),
            tag: git.reference.tag.clone(),
            semver: git.reference.semver.clone(),
            prefix: git.reference.tag_prefix.clone(),
            commit: git.reference.commit.clone(),
            history: git.history == History::Full,
        },
        credentials: secrets::git(context, git).await?,
        timeout: looking.timeout,
    };
    let verify = match &git.verify {
        None => None,
        Some(verify) => {
            let field = "git.verify.secretRef";
            let signers = secrets::signers(context, &verify.secret_ref, field).await?;
            let what = match verify.mode {
                GitVerificationMode::Head => What::Head,
                GitVerificationMode::Tag => What::Tag,
                GitVerificationMode::TagAndHead => What::TagAndHead,
            };
            Some((signers, what))
        }
    };
    let reading = Reading {
        stores: context.stores.clone(),
        remote: remote.clone(),
        since: looking.since,
        directories: git.directories.clone(),
        verify,
        settled: settled(looking).filter(|_| reusable),
    };
    match blocking(context, move || reading.read()).await?? {
        Read::Unverified { revision, message } => Err(Stopped {
            look: Look::Unverified { revision, message },
            again: None,
        }),
        Read::Unchanged(signer) => Ok(Seen::Unchanged(again(looking, remote, signer.as_ref()))),
        Read::Listed(listing) => Ok(Seen::New(Place::Git(remote), listing)),
    }
}

/// The revision that the last look found, where another look at it would find the same.
fn settled(looking: &Looking<'_>) -> Option<String> {
    let before = looking.before;
    let Some(Look::Found { revision, offers }) = before.look.as_deref() else {
        return None;
    };
    let open = |verdict: &Verdict| {
        matches!(
            verdict,
            Verdict::NotJudged { .. } | Verdict::Unverified { .. }
        )
    };
    let same = before.generation == looking.source.metadata.generation
        && !offers.iter().any(|offer| open(&offer.verdict));
    same.then(|| revision.clone())
}

fn again(looking: &Looking<'_>, remote: Remote, signer: Option<&Signer>) -> Looked {
    let mut look = looking.before.look.as_deref().cloned();
    if let Some(Look::Found { offers, .. }) = &mut look {
        for offer in offers {
            offer.signer = signer.cloned();
        }
    }
    let nothing = Look::Failed {
        terminal: false,
        message: "the last look was forgotten".to_owned(),
    };
    Looked {
        look: look.unwrap_or(nothing),
        place: Some(Place::Git(remote)),
        fresh: HashMap::new(),
        again: None,
    }
}

impl Reading {
    fn read(&self) -> Result<Read, Failure> {
        let (mirrors, remote) = (&self.stores.mirrors, &self.remote);
        let mut revision = mirrors.fetch_since(remote, self.since)?;
        let signer = match self.signer(&revision) {
            Ok(signer) => signer,
            Err(Refusal::Mirror(error)) => return Err(error.into()),
            Err(refusal) => {
                return Ok(Read::Unverified {
                    revision: revision.text,
                    message: refusal.to_string(),
                });
            }
        };
        if self.settled.as_ref() == Some(&revision.text) {
            return Ok(Read::Unchanged(signer));
        }
        let listed = match self.listed(mirrors, &revision) {
            Ok(listed) => listed,
            // A broken mirror is gone by now; the second fetch makes it anew.
            Err(_) => {
                let commit = revision.commit.clone();
                revision = mirrors.fetch_since(remote, self.since)?;
                if revision.commit != commit {
                    return Err(Failure::passing("the repository changed while it was read"));
                }
                self.listed(mirrors, &revision)?
            }
        };
        Ok(Read::Listed(Listing {
            revision: revision.text,
            signer,
            items: listed,
            history: remote.reference.history,
        }))
    }

    fn signer(&self, revision: &Revision) -> Result<Option<Signer>, Refusal> {
        let Some((signers, what)) = &self.verify else {
            return Ok(None);
        };
        let mirrors = &self.stores.mirrors;
        let signer = mirrors.verify(&self.remote, revision, signers, *what)?;
        Ok(Some(Signer::Key(signer)))
    }

    fn listed(
        &self,
        mirrors: &Mirrors,
        revision: &Revision,
    ) -> Result<Vec<Item>, transport::Error> {
        let everything = |_: &str| true;
        let commit = &revision.commit;
        let standing = mirrors.offered(&self.remote, commit, &self.directories, &everything)?;
        if !self.remote.reference.history {
            return Ok(standing.into_iter().map(item).collect());
        }
        let there: HashSet<(String, String)> = standing
            .iter()
            .map(|offered| (offered.directory.clone(), offered.tree.clone()))
            .collect();
        let nowhere = standing
            .into_iter()
            .filter(|offered| offered.tree.is_empty());
        let nowhere = nowhere.map(item);
        let name = revision
            .text
            .rsplit_once('@')
            .map(|(name, _)| format!("{name}@"));
        let name = name.unwrap_or_default();
        let history = mirrors.history(&self.remote, commit, &self.directories)?;
        let history = history.into_iter().map(|candidate| {
            let key = (candidate.directory, candidate.tree);
            Item {
                past: !there.contains(&key),
                directory: key.0,
                tree: key.1,
                revision: Some(format!("{name}sha1:{}", candidate.commit)),
                refused: None,
            }
        });
        Ok(history.chain(nowhere).collect())
    }
}

fn item(offered: Offered) -> Item {
    Item {
        directory: offered.directory,
        tree: offered.tree,
        refused: match offered.content {
            Content::Refused(findings) => Some(findings),
            Content::Known | Content::Files(_) => None,
        },
        ..Item::default()
    }
}
