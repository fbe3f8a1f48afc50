//! A source as flags say it, and as people read it. Pure.

use crate::{
    addon,
    args::{AddArgs, Identity},
};
use api::{
    AddonSource, AddonSourceSpec,
    crd::source::{
        CosignVerification, DirectorySource, GitReference, GitSource, GitVerification,
        ImageVerification, OciReference, OciSource, OidcIdentity, Retention, SecretRef, Webhook,
    },
};

/// How often a source is looked at where nobody says.
const INTERVAL: &str = "1m";
/// How long a look may take where nobody says.
const TIMEOUT: &str = "60s";

/// The flags make no source.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpecError {
    /// Flags of another kind.
    #[error("`{place}` is {is}, and takes no {}; {hint}", .flags.join(", "))]
    Foreign {
        /// The flags.
        flags: Vec<&'static str>,
        /// What was given.
        place: String,
        /// What that is.
        is: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// SSH as `git clone` takes it, and a URL is wanted.
    #[error("`{place}` is no URL; write `{url}`")]
    Scp {
        /// What was given.
        place: String,
        /// The same as a URL.
        url: String,
    },
    /// A scheme that nobody serves.
    #[error(
        "`{place}`: want https://, ssh:// or http:// for Git, oci:// for an OCI registry, or a path"
    )]
    Scheme {
        /// What was given.
        place: String,
    },
    /// A password where everybody who sees the source reads it.
    #[error(
        "`{url}` has a user or a password in it, which everybody could read who sees the source; put \
         them into a Secret in the platform's namespace (`username`, `password`), and name it with \
         --secret"
    )]
    Login {
        /// What was given, without them.
        url: String,
    },
    /// One version, where a repository is wanted.
    #[error(
        "`{place}` names a version, and a source is a repository; write `{url} {flag}` for that one, or `{url}` for all"
    )]
    Version {
        /// What was given.
        place: String,
        /// The repository.
        url: String,
        /// The flag that names the version.
        flag: String,
    },
    /// Neither host nor repository.
    #[error("`{place}` is no URL of a repository; want {scheme}://HOST/PATH")]
    NoPath {
        /// What was given.
        place: String,
        /// What it begins with.
        scheme: String,
    },
    /// A directory that the registry cannot see.
    #[error(
        "`{place}` is no path below the registry's root of directories, where sources lie; want one \
         such as `redis/1.0.0`, without `..`"
    )]
    Outside {
        /// What was given.
        place: String,
    },
    /// Plain HTTP.
    #[error("`{place}` is plain HTTP, which anybody on the way can change; --insecure allows it")]
    Plain {
        /// What was given.
        place: String,
    },
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Git,
    Oci,
    Directory,
}

impl Kind {
    /// In a word.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Git => "Git",
            Self::Oci => "OCI",
            Self::Directory => "directory",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Git => "a Git repository",
            Self::Oci => "an OCI repository",
            Self::Directory => "a directory",
        }
    }
}

/// The kind of the source, and where it is.
pub(super) fn place(spec: &AddonSourceSpec) -> (Kind, &str) {
    match (&spec.git, &spec.oci, &spec.directory) {
        (Some(git), _, _) => (Kind::Git, &git.url),
        (_, Some(oci), _) => (Kind::Oci, &oci.url),
        (_, _, Some(directory)) => (Kind::Directory, &directory.path),
        (None, None, None) => (Kind::Directory, ""),
    }
}

/// The source that `args` describe.
///
/// # Errors
/// Flags do not fit the kind, or the place is none.
pub(super) fn source(args: &AddArgs) -> Result<AddonSource, SpecError> {
    let kind = kind(args)?;
    is_place(&args.place, kind)?;
    fits(args, kind)?;
    let upkeep = &args.upkeep;
    let spec = AddonSourceSpec {
        git: (kind == Kind::Git).then(|| git(args)),
        oci: (kind == Kind::Oci).then(|| oci(args)),
        directory: (kind == Kind::Directory).then(|| DirectorySource {
            path: args.place.clone(),
        }),
        interval: upkeep
            .interval
            .clone()
            .unwrap_or_else(|| INTERVAL.to_owned()),
        timeout: upkeep.timeout.clone().unwrap_or_else(|| TIMEOUT.to_owned()),
        suspend: upkeep.suspend,
        images: images(args),
        webhook: match (upkeep.webhook, &upkeep.webhook_secret) {
            (Some(kind), Some(secret)) => Some(Webhook {
                kind: kind.into(),
                secret_ref: secret_ref(secret),
            }),
            _ => None,
        },
        retention: upkeep.keep.map(|versions| Retention { versions }),
    };
    Ok(AddonSource::new(&args.name, spec))
}

/// Whether a source of that kind can be at `place`.
fn is_place(place: &str, kind: Kind) -> Result<(), SpecError> {
    let given = || place.to_owned();
    match kind {
        Kind::Oci => {
            let refused = |_| SpecError::NoPath {
                place: given(),
                scheme: "oci".to_owned(),
            };
            let addon::OciReference {
                url, tag, digest, ..
            } = place.parse().map_err(refused)?;
            let flag = match (tag, digest) {
                (None, None) => return Ok(()),
                (_, Some(digest)) => format!("--digest {digest}"),
                (Some(tag), None) => format!("--tag {tag}"),
            };
            Err(SpecError::Version {
                place: given(),
                url,
                flag,
            })
        }
        Kind::Git => {
            let (scheme, rest) = place.split_once("://").unwrap_or_default();
            let (host, path) = rest.split_once('/').unwrap_or_default();
            match host.is_empty() || path.is_empty() {
                true => Err(SpecError::NoPath {
                    place: given(),
                    scheme: scheme.to_owned(),
                }),
                false => Ok(()),
            }
        }
        Kind::Directory => {
            let climbs = place.split('/').any(|part| part == "..");
            match place.is_empty() || place.starts_with('/') || climbs {
                true => Err(SpecError::Outside { place: given() }),
                false => Ok(()),
            }
        }
    }
}

fn kind(args: &AddArgs) -> Result<Kind, SpecError> {
    let place = args.place.clone();
    if let Some((scheme @ ("https" | "http" | "oci"), rest)) = args.place.split_once("://")
        && let Some((_, host)) = rest
            .split('/')
            .next()
            .and_then(|host| host.rsplit_once('@'))
    {
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        let url = format!("{scheme}://…@{host}/{path}");
        return Err(SpecError::Login { url });
    }
    match args.place.split_once("://") {
        Some(("oci", _)) => Ok(Kind::Oci),
        Some(("https" | "ssh", _)) => Ok(Kind::Git),
        Some(("http", _)) if args.access.insecure => Ok(Kind::Git),
        Some(("http", _)) => Err(SpecError::Plain { place }),
        Some(_) => Err(SpecError::Scheme { place }),
        None => match args.place.split_once(':') {
            Some((host, path)) if host.contains('@') && !host.contains('/') => {
                let url = format!("ssh://{host}/{}", path.trim_start_matches('/'));
                Err(SpecError::Scp { place, url })
            }
            _ => Ok(Kind::Directory),
        },
    }
}

/// Refuses flags that say nothing of this kind.
fn fits(args: &AddArgs, kind: Kind) -> Result<(), SpecError> {
    let (what, access, verify) = (&args.reference, &args.access, &args.verify);
    let git = [
        (what.branch.is_some(), "--branch"),
        (what.commit.is_some(), "--commit"),
        (what.tag_prefix.is_some(), "--tag-prefix"),
        (!what.dir.is_empty(), "--dir"),
        (what.history.is_some(), "--history"),
        (verify.verify_mode.is_some(), "--verify-mode"),
    ];
    let oci = [
        (what.digest.is_some(), "--digest"),
        (what.semver_filter.is_some(), "--semver-filter"),
        (access.cert_secret.is_some(), "--cert-secret"),
        (!verify.verify_identity.is_empty(), "--verify-identity"),
    ];
    let both = [
        (what.tag.is_some(), "--tag"),
        (what.semver.is_some(), "--semver"),
        (access.secret.is_some(), "--secret"),
        (access.proxy_secret.is_some(), "--proxy-secret"),
        (access.insecure, "--insecure"),
        (verify.verify_secret.is_some(), "--verify-secret"),
    ];
    let (foreign, hint): (Vec<_>, _) = match kind {
        Kind::Git => (
            oci.to_vec(),
            "it takes --branch, --tag, --semver or --commit",
        ),
        Kind::Oci => (git.to_vec(), "it takes --tag, --semver or --digest"),
        Kind::Directory => ([&git[..], &oci, &both].concat(), "its path says all"),
    };
    let flags: Vec<_> = foreign
        .into_iter()
        .filter(|(given, _)| *given)
        .map(|(_, f)| f)
        .collect();
    match flags.is_empty() {
        true => Ok(()),
        false => Err(SpecError::Foreign {
            flags,
            place: args.place.clone(),
            is: kind.sentence(),
            hint,
        }),
    }
}

fn git(args: &AddArgs) -> GitSource {
    let (what, access, verify) = (&args.reference, &args.access, &args.verify);
    GitSource {
        url: args.place.clone(),
        insecure: access.insecure,
        reference: GitReference {
            branch: what.branch.clone(),
            tag: what.tag.clone(),
            semver: what.semver.clone(),
            tag_prefix: what.tag_prefix.clone(),
            commit: what.commit.clone(),
        },
        directories: what.dir.clone(),
        history: what.history.map(Into::into).unwrap_or_default(),
        secret_ref: access.secret.as_deref().map(secret_ref),
        proxy_secret_ref: access.proxy_secret.as_deref().map(secret_ref),
        verify: verify
            .verify_secret
            .as_deref()
            .map(|secret| GitVerification {
                mode: verify.verify_mode.map(Into::into).unwrap_or_default(),
                secret_ref: secret_ref(secret),
            }),
    }
}

fn oci(args: &AddArgs) -> OciSource {
    let (what, access, verify) = (&args.reference, &args.access, &args.verify);
    OciSource {
        url: args.place.clone(),
        insecure: access.insecure,
        reference: OciReference {
            tag: what.tag.clone(),
            semver: what.semver.clone(),
            semver_filter: what.semver_filter.clone(),
            digest: what.digest.clone(),
        },
        secret_ref: access.secret.as_deref().map(secret_ref),
        cert_secret_ref: access.cert_secret.as_deref().map(secret_ref),
        proxy_secret_ref: access.proxy_secret.as_deref().map(secret_ref),
        verify: cosign(
            verify.verify_secret.as_deref(),
            &verify.verify_identity,
            verify.trusted_root_secret.as_deref(),
        ),
    }
}

fn images(args: &AddArgs) -> Option<ImageVerification> {
    let images = &args.images;
    let verification = ImageVerification {
        require_digest: images.images_require_digest,
        verify: cosign(
            images.images_verify_secret.as_deref(),
            &images.images_verify_identity,
            images.images_trusted_root_secret.as_deref(),
        ),
        insecure: images.images_insecure,
        secret_ref: images.images_secret.as_deref().map(secret_ref),
    };
    (verification != ImageVerification::default()).then_some(verification)
}

fn cosign(
    secret: Option<&str>,
    identities: &[Identity],
    root: Option<&str>,
) -> Option<CosignVerification> {
    if secret.is_none() && identities.is_empty() {
        return None;
    }
    let identities = identities.iter().map(|identity| OidcIdentity {
        issuer: identity.issuer.clone(),
        subject: identity.subject.clone(),
    });
    Some(CosignVerification {
        secret_ref: secret.map(secret_ref),
        match_oidc_identity: identities.collect(),
        trusted_root_secret_ref: root.map(secret_ref),
        ..CosignVerification::default()
    })
}

fn secret_ref(name: &str) -> SecretRef {
    SecretRef {
        name: name.to_owned(),
    }
}

/// What of the source is meant, in a line: `branch main`, `every tag in >=1.0.0`.
pub(super) fn reference(spec: &AddonSourceSpec) -> String {
    if let Some(git) = &spec.git {
        return git_reference(&git.reference);
    }
    let Some(oci) = &spec.oci else {
        return String::new();
    };
    let reference = &oci.reference;
    let filter = reference.semver_filter.as_ref();
    match (&reference.digest, &reference.semver, &reference.tag) {
        (Some(digest), _, _) => digest.to_string(),
        (_, Some(range), _) => match filter {
            Some(filter) => format!("every tag in {} that matches {filter}", range.as_str()),
            None => format!("every tag in {}", range.as_str()),
        },
        (_, _, Some(tag)) => format!("tag {tag}"),
        (None, None, None) => "every tag that is a release".to_owned(),
    }
}

fn git_reference(reference: &GitReference) -> String {
    let prefix = reference.tag_prefix.as_ref();
    let prefix = prefix
        .map(|prefix| format!(" that begins with {prefix}"))
        .unwrap_or_default();
    match (
        &reference.commit,
        &reference.tag,
        &reference.semver,
        &reference.branch,
    ) {
        (Some(commit), ..) => format!("commit {commit}"),
        (_, Some(tag), ..) => format!("tag {tag}"),
        (_, _, Some(range), _) => format!("the newest tag in {}{prefix}", range.as_str()),
        _ if reference.tag_prefix.is_some() => format!("the newest tag{prefix}"),
        (.., Some(branch)) => format!("branch {branch}"),
        (None, None, None, None) => "the default branch".to_owned(),
    }
}
