//! Who asks, whom we trust, and through what: the settings of a source that its Secrets hold.

use crate::{error::chain, http, known_hosts, oci};
use std::fmt;

/// Credentials of a source, as its Secrets hold them. Never printed.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// Basic authentication: the user.
    pub username: Option<String>,
    /// Basic authentication: the password or token. Where `identity` is given and encrypted, its
    /// passphrase.
    pub password: Option<String>,
    /// A token that is sent as it is, as `Authorization: Bearer`.
    pub bearer_token: Option<String>,
    /// Certificate authorities (PEM) that are trusted beside the system's.
    pub ca: Option<String>,
    /// A client certificate and its chain (PEM), with `key`.
    pub certificate: Option<String>,
    /// The client certificate's private key (PEM).
    pub key: Option<String>,
    /// A `config.json` of docker, with the `auths` of registries. OCI only.
    pub docker_config: Option<String>,
    /// A private key of SSH (OpenSSH or PEM). Git over SSH only.
    pub identity: Option<String>,
    /// The host keys that are trusted, in the format of `known_hosts`. Git over SSH only.
    pub known_hosts: Option<String>,
    /// The proxy that is used instead of the environment's. HTTP only.
    pub proxy: Option<Proxy>,
}

/// A proxy for HTTP and HTTPS.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Proxy {
    /// `http://…` or `https://…`.
    pub address: String,
    /// The user at the proxy.
    pub username: Option<String>,
    /// The password at the proxy.
    pub password: Option<String>,
}

impl fmt::Debug for Credentials {
    /// Which are there, and of none its value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            username,
            password,
            bearer_token,
            ca,
            certificate,
            key,
            docker_config,
            identity,
            known_hosts,
            proxy,
        } = self;
        let there = [
            ("username", username.is_some()),
            ("password", password.is_some()),
            ("bearer_token", bearer_token.is_some()),
            ("ca", ca.is_some()),
            ("certificate", certificate.is_some()),
            ("key", key.is_some()),
            ("docker_config", docker_config.is_some()),
            ("identity", identity.is_some()),
            ("known_hosts", known_hosts.is_some()),
            ("proxy", proxy.is_some()),
        ];
        let there = there.iter().filter(|(_, there)| *there);
        f.debug_set().entries(there.map(|(name, _)| name)).finish()
    }
}

impl fmt::Debug for Proxy {
    /// The address alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.address).finish()
    }
}

/// A credential that cannot be used, by the key that Secrets have it under.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` cannot be used: {reason}; want {want}")]
pub struct InvalidCredential {
    /// The key, such as `ca.crt`.
    pub key: &'static str,
    /// What is wrong, without the value.
    pub reason: String,
    /// What is wanted.
    pub want: &'static str,
}

impl Credentials {
    /// Whether each of them can be used; whether it is the right one only a server can say.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn check(&self) -> Result<(), InvalidCredential> {
        let refuse = |key, reason: String, want| InvalidCredential { key, reason, want };
        if let Some(ca) = &self.ca {
            let only = Self {
                ca: Some(ca.clone()),
                ..Self::default()
            };
            let made = http::client(&only);
            let want = "certificates of authorities (PEM)";
            made.map_err(|reason| refuse("ca.crt", reason, want))?;
        }
        if self.certificate.is_some() || self.key.is_some() {
            let only = Self {
                certificate: self.certificate.clone(),
                key: self.key.clone(),
                ..Self::default()
            };
            let want =
                "a client certificate under `tls.crt` and its private key under `tls.key` (PEM)";
            http::client(&only).map_err(|reason| refuse("tls.crt", reason, want))?;
        }
        if let Some(proxy) = &self.proxy {
            let only = Self {
                proxy: Some(proxy.clone()),
                ..Self::default()
            };
            let want = "`http://HOST:PORT` or `https://HOST:PORT`";
            http::client(&only).map_err(|reason| refuse("address", reason, want))?;
        }
        if let Some(config) = &self.docker_config {
            let want = "the JSON of a docker `config.json` with `auths`";
            oci::check_docker_config(config)
                .map_err(|reason| refuse(".dockerconfigjson", reason, want))?;
        }
        if let Some(known) = &self.known_hosts {
            let want = "lines as `ssh-keyscan HOST` prints them";
            known_hosts::check(known).map_err(|reason| refuse("known_hosts", reason, want))?;
        }
        if let Some(identity) = &self.identity {
            let want = "a private key of SSH (OpenSSH or PEM), with its passphrase under `password` \
                        where it has one";
            russh::keys::decode_secret_key(identity.trim(), self.password.as_deref())
                .map_err(|error| refuse("identity", chain(&error), want))?;
        }
        Ok(())
    }

    /// Whether a user, a password or a token is there to be sent over HTTP.
    pub(crate) fn authenticate(&self) -> bool {
        self.username.is_some() || self.password.is_some() || self.bearer_token.is_some()
    }

    /// What to do where the server does not take the client certificate, or that there is none.
    pub(crate) fn refused_certificate(&self) -> &'static str {
        match self.certificate {
            Some(_) => {
                "the server does not take the client certificate; put one that it trusts under \
                 tls.crt, and its private key under tls.key, in the source's Secret"
            }
            None => {
                "the server wants a client certificate; put one that it trusts under tls.crt, and its \
                 private key under tls.key, in the source's Secret"
            }
        }
    }

    /// What to do where the proxy lets nobody through (407).
    pub(crate) fn refused_by_proxy(&self) -> &'static str {
        match &self.proxy {
            Some(Proxy {
                username: Some(_), ..
            }) => {
                "the proxy does not take username and password (407); check them in the Secret of \
                 proxySecretRef"
            }
            Some(_) => {
                "the proxy wants a user (407); put username and password into the Secret of \
                 proxySecretRef"
            }
            None => {
                "the proxy of the environment wants a user, or another one (407); put user and \
                 password into HTTPS_PROXY"
            }
        }
    }

    /// What to do where a proxy that is to be asked by https does not speak TLS.
    pub(crate) fn proxy_without_tls(&self) -> &'static str {
        match &self.proxy {
            Some(_) => {
                "the proxy was asked by https and does not speak TLS; check the address in the Secret of \
                 proxySecretRef, or begin it with http://"
            }
            None => {
                "the proxy of the environment was asked by https and does not speak TLS; check \
                 HTTPS_PROXY and HTTP_PROXY, or begin them with http://"
            }
        }
    }

    /// The value of the header `Authorization`, if something is there to be sent.
    pub(crate) fn authorization(&self) -> Option<String> {
        if let Some(token) = &self.bearer_token {
            return Some(format!("Bearer {token}"));
        }
        self.authenticate().then(|| {
            let user = self.username.as_deref().unwrap_or_default();
            basic(user, self.password.as_deref().unwrap_or_default())
        })
    }
}

/// `Basic …` of RFC 7617.
pub(crate) fn basic(user: &str, password: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_printed() {
        let credentials = Credentials {
            password: Some("secret".into()),
            proxy: Some(Proxy {
                address: "http://proxy".into(),
                password: Some("secret".into()),
                ..Proxy::default()
            }),
            ..Credentials::default()
        };
        let printed = format!("{credentials:?} {:?}", credentials.proxy);
        assert_eq!(
            printed,
            r#"{"password", "proxy"} Some(Proxy("http://proxy"))"#
        );
    }

    #[test]
    fn what_cannot_be_used_is_named_by_its_key_and_not_shown() {
        type Set = fn(&mut Credentials);
        let cases: [(&str, Set); 6] = [
            ("ca.crt", |c| c.ca = Some("secret".into())),
            ("tls.crt", |c| c.certificate = Some("secret".into())),
            ("address", |c| {
                c.proxy = Some(Proxy {
                    address: "proxy:3128".into(),
                    ..Proxy::default()
                });
            }),
            (".dockerconfigjson", |c| {
                c.docker_config = Some("secret".into());
            }),
            ("known_hosts", |c| c.known_hosts = Some("secret".into())),
            ("identity", |c| c.identity = Some("secret".into())),
        ];
        for (key, set) in cases {
            let mut credentials = Credentials::default();
            assert_eq!(credentials.check(), Ok(()));
            set(&mut credentials);
            let error = credentials.check().unwrap_err();
            assert_eq!(error.key, key);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_token_goes_before_user_and_password() {
        let mut credentials = Credentials::default();
        assert_eq!(credentials.authorization(), None);
        credentials.username = Some("Aladdin".into());
        credentials.password = Some("open sesame".into());
        let basic = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        assert_eq!(credentials.authorization().as_deref(), Some(basic));
        credentials.bearer_token = Some("t".into());
        assert_eq!(credentials.authorization().as_deref(), Some("Bearer t"));
    }
}
