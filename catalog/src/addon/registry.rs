//! What all commands share that ask an OCI registry: which repository, by whose rights, what is said
//! where it fails, and how far it is.

mod credentials;
mod failure;
mod progress;
mod reference;

pub(super) use failure::told;
pub(super) use progress::Progress;
pub(crate) use reference::OciReference;

use crate::args::registry::{RegistryArgs, TrustArgs};
use anyhow::{Context as _, bail};
use std::path::Path;
use transport::{
    Credentials,
    cosign::{Keys, PrivateKey, Trust, TrustRoot},
    oci::{Artifacts, Error, Reference, Remote, Revision},
};

/// How many versions an error lists.
const LISTED: usize = 10;
/// The most bytes of a key, or of certificates.
const MAX_PEM: usize = 1 << 20;
/// What stands in a private key's first line, whatever kind it is of.
const PRIVATE: &str = "PRIVATE KEY-----";

/// Repositories, by one person's rights; the password is read once.
pub(super) struct Registries<'a> {
    args: &'a RegistryArgs,
    own: Option<(String, String)>,
    ca: Option<String>,
}

impl<'a> Registries<'a> {
    /// Those that `args` reach.
    ///
    /// # Errors
    /// The certificates cannot be read, or there is no password.
    pub(super) fn new(args: &'a RegistryArgs) -> anyhow::Result<Self> {
        let ca = args.ca_file.as_deref();
        let ca = ca
            .map(|path| super::read::text(path, MAX_PEM))
            .transpose()?;
        let own = match &args.username {
            Some(user) => Some((user.clone(), credentials::password()?)),
            None => None,
        };
        Ok(Self { args, own, ca })
    }

    /// The repository of `reference`, and what of it is meant.
    ///
    /// # Errors
    /// docker's config cannot be used.
    pub(super) fn remote(&self, reference: &OciReference) -> anyhow::Result<Remote> {
        self.reached(reference, self.args.insecure, self.own.as_ref())
    }

    /// The same by docker's config alone, and over plain HTTP where `insecure`.
    ///
    /// # Errors
    /// docker's config cannot be used.
    pub(super) fn other(&self, reference: &OciReference, insecure: bool) -> anyhow::Result<Remote> {
        self.reached(reference, insecure, None)
    }

    fn reached(
        &self,
        reference: &OciReference,
        insecure: bool,
        own: Option<&(String, String)>,
    ) -> anyhow::Result<Remote> {
        let mut credentials = match own {
            Some((username, password)) => Credentials {
                username: Some(username.clone()),
                password: Some(password.clone()),
                ..Credentials::default()
            },
            None => credentials::of_docker(&reference.host)?,
        };
        credentials.ca = self.ca.clone();
        Ok(Remote {
            url: reference.url.clone(),
            insecure,
            reference: Reference {
                digest: reference.digest.clone(),
                tag: reference.tag.clone(),
                ..Reference::default()
            },
            credentials,
            timeout: self.args.timeout,
        })
    }
}

/// The one version that `remote` means.
///
/// # Errors
/// There is none, or nothing says which; the message lists what is there.
pub(super) fn one(
    artifacts: &Artifacts,
    remote: &Remote,
    reference: &OciReference,
) -> anyhow::Result<Revision> {
    if reference.is_repository() {
        let there = there(artifacts, remote)?;
        bail!("{reference}: say which version, by `:TAG` or `@sha256:…`; there is {there}");
    }
    let found = match artifacts.resolve(remote) {
        Err(Error::NotFound { url, what }) if reference.digest.is_none() => {
            let there = there(artifacts, remote)?;
            bail!("{url}: there is no {what}; there is {there}");
        }
        found => found.map_err(told)?,
    };
    found.into_iter().next().context("nothing was found")
}

/// The newest releases of a repository.
fn there(artifacts: &Artifacts, remote: &Remote) -> anyhow::Result<String> {
    let all = Remote {
        reference: Reference::default(),
        ..remote.clone()
    };
    let found = artifacts.resolve(&all).map_err(told)?;
    let tags = found.iter().rev().filter_map(|one| one.tag.as_deref());
    let tags: Vec<&str> = tags.take(LISTED).collect();
    Ok(match tags.is_empty() {
        true => "no release".to_owned(),
        false => tags.join(", "),
    })
}

/// Whom `args` trust; none where they name nobody.
///
/// # Errors
/// A file cannot be read, or holds no keys or no trust root.
pub(super) fn trust(args: &TrustArgs) -> anyhow::Result<Option<Trust>> {
    if args.key.is_empty() && args.identity.is_empty() {
        return Ok(None);
    }
    let mut trust = Trust {
        identities: args.identity.clone(),
        ..Trust::default()
    };
    for path in &args.key {
        let named = || format!("`{}`", path.display());
        let pem = super::read::text(path, MAX_PEM)?;
        let more = match Keys::parse(&pem) {
            Err(_) if pem.contains(PRIVATE) => bail!(
                "{} is a private key, which signs; --key wants the public one, which `openssl pkey \
                 -in FILE -pubout` prints, or `cosign public-key --key FILE`",
                named()
            ),
            parsed => parsed.with_context(named)?,
        };
        trust.keys = Some(match trust.keys.take() {
            Some(keys) => keys.and(more).with_context(named)?,
            None => more,
        });
    }
    if let Some(path) = &args.trusted_root {
        let root = TrustRoot::parse(&super::read::text(path, MAX_PEM)?);
        trust.root = Some(root.with_context(|| format!("`{}`", path.display()))?);
    }
    Ok(Some(trust))
}

/// The private key in `path`.
///
/// # Errors
/// It cannot be read or opened.
pub(super) fn private_key(path: &Path) -> anyhow::Result<PrivateKey> {
    let pem = super::read::text(path, MAX_PEM)?;
    let password = crate::args::registry::cosign_password();
    let shown = path.display();
    if PrivateKey::wants_password(&pem) && password.is_none() {
        bail!("`{shown}` is encrypted by cosign: give its password in COSIGN_PASSWORD");
    }
    let key = PrivateKey::parse(&pem, password.as_deref().unwrap_or_default());
    key.with_context(|| format!("`{shown}`"))
}
