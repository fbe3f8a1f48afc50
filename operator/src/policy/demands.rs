//! What one policy has against one version.

use super::{
    Objection, Policy, Subject,
    url::{is_under, normal},
};
use crate::provenance::Origin;
use api::{
    AddonPolicySpec, Digest,
    crd::policy::{AllowedSigner, ImagePolicy, SignaturePolicy},
    names::PluginName,
    provenance::{Signer, VerifiedImage},
};

/// How many images or signers a message names.
const NAMED: usize = 10;

/// Everything that `policy` has against `subject`.
pub(super) fn objections(policy: &Policy, subject: &Subject) -> Vec<Objection> {
    match policy {
        Policy::Unreadable { name, reach, why } => {
            let concerned = reach
                .as_ref()
                .is_none_or(|reach| concerns(&reach.plugins, &reach.sources, subject));
            concerned
                .then(|| unreadable(name, why))
                .into_iter()
                .collect()
        }
        Policy::Read { name, spec } => {
            let concerned = concerns(&spec.plugins, &spec.sources, subject);
            if !concerned || is_excepted(spec, subject) {
                return Vec::new();
            }
            let source = source(&spec.allowed_sources, subject);
            let signature = spec
                .signature
                .as_ref()
                .and_then(|of| signature(of, subject));
            let images = spec.images.iter().flat_map(|of| images(of, subject));
            let demands = source.into_iter().chain(signature).chain(images);
            demands.map(|missing| missing.of(name)).collect()
        }
    }
}

/// What is missing, before it is said by whom.
struct Missing {
    demands: String,
    found: String,
    remedy: String,
}

impl Missing {
    fn of(self, policy: &str) -> Objection {
        Objection {
            policy: policy.to_owned(),
            demands: self.demands,
            found: self.found,
            remedy: self.remedy,
            takes_exceptions: true,
        }
    }
}

fn unreadable(name: &str, why: &str) -> Objection {
    Objection {
        policy: name.to_owned(),
        demands: format!("what cannot be read ({why})"),
        found: "can show nothing for that".to_owned(),
        remedy: "mend the policy, or upgrade the platform to a release that reads it".to_owned(),
        takes_exceptions: false,
    }
}

/// Whether a policy about these plugins and sources is about the version. One that was made by hand
/// could bear any name, so that sources make no difference for it.
fn concerns(plugins: &[PluginName], sources: &[String], subject: &Subject) -> bool {
    let by_source = match &subject.origin {
        Origin::ByHand(_) => true,
        Origin::Source(provenance) => {
            let url = normal(&provenance.url);
            sources.is_empty()
                || sources
                    .iter()
                    .any(|prefix| url.starts_with(&normal(prefix)))
        }
    };
    by_source && (plugins.is_empty() || plugins.contains(&subject.plugin))
}

fn is_excepted(spec: &AddonPolicySpec, subject: &Subject) -> bool {
    let mut exceptions = spec.exceptions.iter();
    exceptions.any(|e| e.plugin == subject.plugin && e.digest == subject.digest)
}

fn source(allowed: &[String], subject: &Subject) -> Option<Missing> {
    let found = match &subject.origin {
        _ if allowed.is_empty() => return None,
        Origin::ByHand(_) => by_hand(subject),
        Origin::Source(provenance) => {
            let url = normal(&provenance.url);
            if allowed.iter().any(|prefix| is_under(&url, &normal(prefix))) {
                return None;
            }
            format!(
                "comes from {} (AddonSource `{}`)",
                provenance.url, provenance.source
            )
        }
    };
    Some(Missing {
        demands: format!("that it comes from {}", any_of(allowed)),
        found,
        remedy: "publish it from there".to_owned(),
    })
}

fn signature(policy: &SignaturePolicy, subject: &Subject) -> Option<Missing> {
    let (found, remedy) = match (&subject.origin, subject.origin.signer()) {
        (_, Some(signer)) if policy.signers.is_empty() || is_allowed(policy, signer) => {
            return None;
        }
        (_, Some(signer)) => (
            format!("is signed by {signer}"),
            "have it signed by one of these".to_owned(),
        ),
        (Origin::Source(provenance), None) => (
            format!(
                "comes from AddonSource `{}`, which verified no signature of it",
                provenance.source
            ),
            "have it signed, and say in the source's `verify` whose signature counts".to_owned(),
        ),
        (Origin::ByHand(_), None) => (
            by_hand(subject),
            "publish it from an AddonSource that verifies signatures".to_owned(),
        ),
    };
    let by = match policy.signers.as_slice() {
        [] => String::new(),
        signers => format!(
            " by {}",
            any_of(&signers.iter().map(named).collect::<Vec<_>>())
        ),
    };
    Some(Missing {
        demands: format!("a verified signature{by}"),
        found,
        remedy,
    })
}

fn is_allowed(policy: &SignaturePolicy, signer: &Signer) -> bool {
    policy.signers.iter().any(|allowed| match signer {
        Signer::Key(found) => allowed.key.as_ref().is_some_and(|key| same_key(key, found)),
        Signer::Identity { issuer, subject } => {
            allowed.issuer.as_ref() == Some(issuer) && allowed.subject.as_ref() == Some(subject)
        }
    })
}

/// Hexadecimal digits alone are a key of OpenPGP, which people write in either case, and in groups.
fn same_key(allowed: &str, found: &str) -> bool {
    let plain = |key: &str| key.replace(' ', "");
    let (allowed, found) = (plain(allowed), plain(found));
    let is_hex = |key: &str| key.bytes().all(|b| b.is_ascii_hexdigit());
    allowed == found || (is_hex(&allowed) && allowed.eq_ignore_ascii_case(&found))
}

fn named(signer: &AllowedSigner) -> String {
    match signer {
        AllowedSigner { key: Some(key), .. } => format!("key {key}"),
        AllowedSigner {
            issuer: Some(issuer),
            subject: Some(subject),
            ..
        } => format!("{subject} ({issuer})"),
        _ => "nobody".to_owned(),
    }
}

fn images(policy: &ImagePolicy, subject: &Subject) -> Vec<Missing> {
    let mut missing = Vec::new();
    let verified: &[VerifiedImage] = match &subject.origin {
        Origin::Source(provenance) => &provenance.images,
        Origin::ByHand(_) => &[],
    };
    let mut demand = |wanted: bool, demands: &str, is: &dyn Fn(&str) -> bool, remedy: &str| {
        let without: Vec<&str> = subject
            .images
            .iter()
            .map(String::as_str)
            .filter(|i| !is(i))
            .collect();
        if wanted && !without.is_empty() {
            missing.push(Missing {
                demands: demands.to_owned(),
                found: format!("names {} without", all_of(&without)),
                remedy: remedy.to_owned(),
            });
        }
    };
    demand(
        policy.require_digest,
        "every image with its digest",
        &|image| digest_of(image).is_some(),
        "write each as `name:tag@sha256:…` in addon.yaml",
    );
    demand(
        policy.require_signature,
        "every image with a verified signature",
        &|image| is_verified(image, verified),
        "sign the images, and say in the source's spec.images whose signature counts",
    );
    missing
}

fn digest_of(image: &str) -> Option<Digest> {
    image.split_once('@')?.1.parse().ok()
}

/// Whether the registry verified `image`, and no other digest than the one that it names.
fn is_verified(image: &str, verified: &[VerifiedImage]) -> bool {
    let named = digest_of(image);
    verified
        .iter()
        .any(|v| v.image == image && named.as_ref().is_none_or(|named| *named == v.digest))
}

fn by_hand(subject: &Subject) -> String {
    match &subject.origin {
        Origin::ByHand(Some(why)) => format!("counts as made by hand, for {why}"),
        _ => "was made by hand, and nobody vouches for it".to_owned(),
    }
}

fn any_of(choices: &[String]) -> String {
    joined(
        &choices.iter().map(String::as_str).collect::<Vec<_>>(),
        " or ",
    )
}

fn all_of(things: &[&str]) -> String {
    joined(things, ", ")
}

/// The first of them, and how many more.
fn joined(things: &[&str], with: &str) -> String {
    let shown = &things[..things.len().min(NAMED)];
    match things.len() - shown.len() {
        0 => shown.join(with),
        more => format!("{} and {more} more", shown.join(with)),
    }
}
