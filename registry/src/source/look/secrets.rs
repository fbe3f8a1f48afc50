//! What the Secrets of a source hold: the keys are Flux's. What is missing or malformed is refused with
//! the Secret, the key and what is wanted, and never with a value.

use super::Stopped;
use crate::context::Context;
use api::crd::source::{GitSource, OciSource, SecretRef};
use k8s_openapi::ByteString;
use std::collections::BTreeMap;
use transport::{
    Credentials, Proxy, Signers,
    cosign::{Keys, TrustRoot},
};

const USERNAME: &str = "username";
const PASSWORD: &str = "password";
const BEARER_TOKEN: &str = "bearerToken";
const DOCKER_CONFIG: &str = ".dockerconfigjson";
/// Today's key, and the one that Flux had before.
const CA: [&str; 2] = ["ca.crt", "caFile"];
const CERTIFICATE: [&str; 2] = ["tls.crt", "certFile"];
const KEY: [&str; 2] = ["tls.key", "keyFile"];
const IDENTITY: &str = "identity";
const KNOWN_HOSTS: &str = "known_hosts";
const ADDRESS: &str = "address";
const TRUST_ROOT: &str = "trusted_root.json";
/// What keys of cosign end in.
const PUBLIC_KEY: &str = ".pub";

/// The credentials of a Git repository.
pub(super) async fn git(context: &Context, git: &GitSource) -> Result<Credentials, Stopped> {
    let ssh = git.url.starts_with("ssh://");
    let mut credentials = match &git.secret_ref {
        None if ssh => {
            let why = "SSH needs git.secretRef: a Secret with `identity` and `known_hosts`";
            return Err(Stopped::invalid(why));
        }
        None => Credentials::default(),
        Some(reference) => {
            let held = Held::read(context, reference, "git.secretRef").await?;
            if ssh { held.ssh()? } else { held.https()? }
        }
    };
    if let Some(reference) = &git.proxy_secret_ref {
        if ssh {
            let why = "git.proxySecretRef is for https: take it away, SSH goes through no proxy";
            return Err(Stopped::invalid(why));
        }
        let held = Held::read(context, reference, "git.proxySecretRef").await?;
        credentials.proxy = Some(held.proxy()?);
    }
    Ok(credentials)
}

/// The credentials of an OCI repository.
pub(super) async fn oci(context: &Context, oci: &OciSource) -> Result<Credentials, Stopped> {
    let mut credentials = match &oci.secret_ref {
        None => Credentials::default(),
        Some(reference) => registries(context, reference, "oci.secretRef").await?,
    };
    if let Some(reference) = &oci.cert_secret_ref {
        let held = Held::read(context, reference, "oci.certSecretRef").await?;
        let tls = held.certificates()?;
        credentials.ca = tls.ca;
        credentials.certificate = tls.certificate;
        credentials.key = tls.key;
    }
    if let Some(reference) = &oci.proxy_secret_ref {
        let held = Held::read(context, reference, "oci.proxySecretRef").await?;
        credentials.proxy = Some(held.proxy()?);
    }
    Ok(credentials)
}

/// The credentials at OCI registries.
pub(super) async fn registries(
    context: &Context,
    reference: &SecretRef,
    field: &str,
) -> Result<Credentials, Stopped> {
    Held::read(context, reference, field).await?.registry()
}

/// The keys of which one must have signed a commit or tag: every value of the Secret.
pub(super) async fn signers(
    context: &Context,
    reference: &SecretRef,
    field: &str,
) -> Result<Signers, Stopped> {
    Held::read(context, reference, field).await?.signers()
}

/// The keys of which one must have signed an artifact: every value under a key that ends in `.pub`.
pub(super) async fn cosign_keys(
    context: &Context,
    reference: &SecretRef,
    field: &str,
) -> Result<Keys, Stopped> {
    Held::read(context, reference, field).await?.cosign_keys()
}

/// The trust root under which identities are believed.
pub(super) async fn trust_root(
    context: &Context,
    reference: &SecretRef,
    field: &str,
) -> Result<TrustRoot, Stopped> {
    Held::read(context, reference, field).await?.trust_root()
}

/// A Secret that was read.
struct Held {
    /// The Secret as messages name it.
    name: String,
    data: BTreeMap<String, ByteString>,
}

impl Held {
    async fn read(context: &Context, reference: &SecretRef, field: &str) -> Result<Self, Stopped> {
        let (namespace, name) = (&context.settings.namespace, &reference.name);
        let name = format!("Secret `{name}` of {field} in namespace `{namespace}`");
        match context.secrets().get_opt(&reference.name).await {
            Ok(Some(secret)) => Ok(Self {
                name,
                data: secret.data.unwrap_or_default(),
            }),
            Ok(None) => Err(Stopped::failed(
                false,
                format!("{name} does not exist; create it"),
            )),
            Err(error) => Err(Stopped::failed(
                false,
                format!("{name} cannot be read: {error}"),
            )),
        }
    }

    fn refuse(&self, why: impl std::fmt::Display) -> Stopped {
        // A Secret is no part of the source: it is read again until it is right.
        Stopped::failed(false, format!("{}: {why}", self.name))
    }

    /// The text under the first of `keys` that is there.
    fn first(&self, keys: &[&str]) -> Result<Option<String>, Stopped> {
        let found = keys
            .iter()
            .find_map(|key| Some((key, self.data.get(*key)?)));
        let Some((key, bytes)) = found else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&bytes.0);
        let text = text.map_err(|_| self.refuse(format!("`{key}` is not UTF-8")))?;
        if text.trim().is_empty() {
            return Err(self.refuse(format!("`{key}` is empty")));
        }
        Ok(Some(text.to_owned()))
    }

    fn text(&self, key: &str) -> Result<Option<String>, Stopped> {
        self.first(&[key])
    }

    fn needed(&self, key: &str, want: &str) -> Result<String, Stopped> {
        let missing = || self.refuse(format!("`{key}` is missing; want {want}"));
        self.text(key)?.ok_or_else(missing)
    }

    /// User and password: both, or none.
    fn login(&self) -> Result<(Option<String>, Option<String>), Stopped> {
        let (username, password) = (self.text(USERNAME)?, self.text(PASSWORD)?);
        match (&username, &password) {
            (Some(_), None) => Err(self
                .refuse("`password` is missing; want it beside `username`: a password or token")),
            (None, Some(_)) => {
                Err(self
                    .refuse("`username` is missing; want it beside `password` (for a token: any)"))
            }
            _ => Ok((username, password)),
        }
    }

    /// `ca.crt`, and `tls.crt` with `tls.key`; each may be missing.
    fn tls(&self) -> Result<Credentials, Stopped> {
        let (certificate, key) = (self.first(&CERTIFICATE)?, self.first(&KEY)?);
        match (&certificate, &key) {
            (Some(_), None) => {
                Err(self.refuse("`tls.key` is missing; want the private key of `tls.crt` (PEM)"))
            }
            (None, Some(_)) => {
                Err(self.refuse("`tls.crt` is missing; want the certificate of `tls.key` (PEM)"))
            }
            _ => Ok(Credentials {
                ca: self.first(&CA)?,
                certificate,
                key,
                ..Credentials::default()
            }),
        }
    }

    fn certificates(&self) -> Result<Credentials, Stopped> {
        let tls = self.tls()?;
        if tls == Credentials::default() {
            return Err(self.none_of("`ca.crt`, or `tls.crt` with `tls.key`"));
        }
        self.checked(tls)
    }

    fn https(&self) -> Result<Credentials, Stopped> {
        let (username, password) = self.login()?;
        let credentials = Credentials {
            username,
            password,
            bearer_token: self.text(BEARER_TOKEN)?,
            ..self.tls()?
        };
        if credentials == Credentials::default() {
            return Err(self.none_of(
                "`username` with `password`, `bearerToken`, `ca.crt`, or `tls.crt` with `tls.key`",
            ));
        }
        self.checked(credentials)
    }

    fn ssh(&self) -> Result<Credentials, Stopped> {
        let credentials = Credentials {
            identity: Some(self.needed(IDENTITY, "a private key of SSH (OpenSSH or PEM)")?),
            known_hosts: Some(self.needed(KNOWN_HOSTS, "lines as `ssh-keyscan HOST` prints them")?),
            password: self.text(PASSWORD)?,
            ..Credentials::default()
        };
        self.checked(credentials)
    }

    fn registry(&self) -> Result<Credentials, Stopped> {
        let (username, password) = self.login()?;
        let credentials = Credentials {
            username,
            password,
            bearer_token: self.text(BEARER_TOKEN)?,
            docker_config: self.text(DOCKER_CONFIG)?,
            ..Credentials::default()
        };
        if credentials == Credentials::default() {
            let want = "`.dockerconfigjson`, `username` with `password`, or `bearerToken`";
            return Err(self.none_of(want));
        }
        self.checked(credentials)
    }

    fn proxy(&self) -> Result<Proxy, Stopped> {
        let proxy = Proxy {
            address: self.needed(ADDRESS, "`http://HOST:PORT` or `https://HOST:PORT`")?,
            username: self.text(USERNAME)?,
            password: self.text(PASSWORD)?,
        };
        self.checked(Credentials {
            proxy: Some(proxy.clone()),
            ..Credentials::default()
        })?;
        Ok(proxy)
    }

    fn signers(&self) -> Result<Signers, Stopped> {
        let mut signers: Option<Signers> = None;
        for key in self.data.keys() {
            let text = self.text(key)?.unwrap_or_default();
            let refuse = |error| self.refuse(format!("`{key}`: {error}"));
            let more = Signers::parse(&text).map_err(refuse)?;
            signers = Some(match signers {
                None => more,
                Some(signers) => signers.and(more).map_err(refuse)?,
            });
        }
        let want = "armored OpenPGP public keys, or public keys of SSH, under keys of any name";
        signers.ok_or_else(|| self.none_of(want))
    }

    fn cosign_keys(&self) -> Result<Keys, Stopped> {
        let mut keys: Option<Keys> = None;
        for key in self.data.keys().filter(|key| key.ends_with(PUBLIC_KEY)) {
            let text = self.text(key)?.unwrap_or_default();
            let refuse = |error| self.refuse(format!("`{key}`: {error}"));
            let more = Keys::parse(&text).map_err(refuse)?;
            keys = Some(match keys {
                None => more,
                Some(keys) => keys.and(more).map_err(refuse)?,
            });
        }
        let want = "public keys (PEM) under keys that end in `.pub`, such as `cosign.pub`";
        keys.ok_or_else(|| self.none_of(want))
    }

    fn trust_root(&self) -> Result<TrustRoot, Stopped> {
        let text = self.needed(TRUST_ROOT, "the trust root of sigstore (JSON)")?;
        let parsed = TrustRoot::parse(&text);
        parsed.map_err(|error| self.refuse(format!("`{TRUST_ROOT}`: {error}")))
    }

    fn none_of(&self, want: &str) -> Stopped {
        let there: Vec<&str> = self.data.keys().map(String::as_str).collect();
        let there = match there.is_empty() {
            true => "it is empty".to_owned(),
            false => format!("it has {}", there.join(", ")),
        };
        self.refuse(format!(
            "none of the keys that are wanted is there; want {want}; {there}"
        ))
    }

    fn checked(&self, credentials: Credentials) -> Result<Credentials, Stopped> {
        let checked = credentials.check();
        checked.map_err(|invalid| self.refuse(invalid))?;
        Ok(credentials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::observed::Look;

    fn held(data: &[(&str, &str)]) -> Held {
        let data = data.iter();
        let data =
            data.map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().into())));
        Held {
            name: "Secret `s`".to_owned(),
            data: data.collect(),
        }
    }

    fn refused<T>(got: Result<T, Stopped>) -> String {
        let Err(stopped) = got else {
            panic!("it was taken");
        };
        match stopped.look {
            Look::Failed {
                terminal: false,
                message,
            } => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_keys_are_those_of_flux() {
        let basic = held(&[("username", "ann"), ("password", "pw")]);
        let credentials = basic.https().ok().unwrap();
        assert_eq!(credentials.username.as_deref(), Some("ann"));
        assert_eq!(basic.registry().ok().unwrap(), credentials);
        let token = held(&[("bearerToken", "t")]).https().ok().unwrap();
        assert_eq!(token.bearer_token.as_deref(), Some("t"));
        let config = held(&[(".dockerconfigjson", r#"{"auths": {}}"#)]);
        assert!(config.registry().ok().unwrap().docker_config.is_some());
        let proxy = held(&[
            ("address", "http://p:3128"),
            ("username", "u"),
            ("password", "p"),
        ]);
        assert_eq!(proxy.proxy().ok().unwrap().username.as_deref(), Some("u"));
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_wanted() {
        type Take = fn(&Held) -> String;
        let https: Take = |held| refused(held.https());
        let ssh: Take = |held| refused(held.ssh());
        let registry: Take = |held| refused(held.registry());
        let proxy: Take = |held| refused(held.proxy());
        let certificates: Take = |held| refused(held.certificates());
        let signers: Take = |held| refused(held.signers());
        let keys: Take = |held| refused(held.cosign_keys());
        let root: Take = |held| refused(held.trust_root());
        for (data, take, want) in [
            (
                &[][..],
                https,
                "none of the keys that are wanted is there; want `username` with",
            ),
            (&[("user", "ann")], https, "it has user"),
            (
                &[("username", "ann")],
                https,
                "`password` is missing; want it beside `username`",
            ),
            (&[("password", "x")], https, "`username` is missing"),
            (
                &[("username", " "), ("password", "x")],
                https,
                "`username` is empty",
            ),
            (
                &[("tls.crt", "x")],
                https,
                "`tls.key` is missing; want the private key",
            ),
            (&[("keyFile", "x")], https, "`tls.crt` is missing"),
            (&[("ca.crt", "x")], https, "`ca.crt` cannot be used"),
            (&[("caFile", "x")], https, "`ca.crt` cannot be used"),
            (
                &[("known_hosts", "x")],
                ssh,
                "`identity` is missing; want a private key of SSH",
            ),
            (
                &[("identity", "x")],
                ssh,
                "`known_hosts` is missing; want lines as `ssh-keyscan",
            ),
            (
                &[("identity", "x"), ("known_hosts", "h ssh-ed25519 AAAA")],
                ssh,
                "cannot be used",
            ),
            (
                &[(".dockerconfigjson", "x")],
                registry,
                "`.dockerconfigjson` cannot be used",
            ),
            (
                &[("ca.crt", "x")],
                registry,
                "want `.dockerconfigjson`, `username` with `password`",
            ),
            (
                &[("username", "u")],
                proxy,
                "`address` is missing; want `http://HOST:PORT`",
            ),
            (&[("address", "p:1")], proxy, "`address` cannot be used"),
            (
                &[],
                certificates,
                "want `ca.crt`, or `tls.crt` with `tls.key`; it is empty",
            ),
            (&[("ann", "x")], signers, "`ann`: a key of SSH"),
            (&[], signers, "want armored OpenPGP public keys"),
            (
                &[("key", "x")],
                keys,
                "under keys that end in `.pub`, such as `cosign.pub`; it has key",
            ),
            (
                &[("cosign.pub", "x")],
                keys,
                "`cosign.pub`: there is no public key",
            ),
            (
                &[],
                root,
                "`trusted_root.json` is missing; want the trust root of sigstore",
            ),
            (&[("trusted_root.json", "x")], root, "`trusted_root.json`: "),
        ] {
            let message = take(&held(data));
            assert!(message.starts_with("Secret `s`: "), "{message}");
            assert!(message.contains(want), "{data:?}: {message}");
        }
        let mut binary = held(&[]);
        let bytes = ByteString(vec![0xff]);
        binary.data.insert("bearerToken".to_owned(), bytes);
        assert!(refused(binary.https()).contains("`bearerToken` is not UTF-8"));
    }
}
