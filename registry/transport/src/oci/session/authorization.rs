//! How a session meets what a registry asks for: with user and password, or with a token, its own or
//! that of a token server (the distribution project's `spec/auth`).

use super::Session;
use crate::{
    credentials::basic,
    http::Answer,
    oci::{
        Error,
        challenge::Challenge,
        docker_config::{self, Login},
        tokens::{Held, locked},
    },
};
use reqwest::header;
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// The most of a token server's answer.
const MAX_TOKEN_BYTES: u64 = 1 << 20;
/// What we are called where tokens are changed.
const CLIENT_ID: &str = "paamesh";
/// The lifetime of a token that does not say its own (the token specification's default).
const TOKEN_LIFETIME: Duration = Duration::from_secs(60);

impl Session<'_> {
    /// How `challenge` is met; none where we have nothing to show.
    pub(super) fn authorize(&self, challenge: &Challenge) -> Result<Option<Held>, Error> {
        let login = self.login()?;
        match (login, challenge) {
            (Some(Login::Token(token)), _) => Ok(Some(Held::lasting(format!("Bearer {token}")))),
            (None, Challenge::Basic) => Ok(None),
            (
                Some(
                    Login::Basic(user, password)
                    | Login::Identity {
                        otherwise: Some((user, password)),
                        ..
                    },
                ),
                Challenge::Basic,
            ) => Ok(Some(Held::lasting(basic(&user, &password)))),
            (Some(Login::Identity { .. }), Challenge::Basic) => {
                Err(self.identity_token("which has no token server"))
            }
            (None, Challenge::Bearer { realm, service }) => {
                self.ask(realm, service.as_deref(), None).map(Some)
            }
            (Some(Login::Basic(user, password)), Challenge::Bearer { realm, service }) => {
                let shown = basic(&user, &password);
                self.ask(realm, service.as_deref(), Some(&shown)).map(Some)
            }
            (Some(Login::Identity { token, otherwise }), Challenge::Bearer { realm, service }) => {
                let service = service.as_deref();
                match (self.change(realm, service, &token)?, otherwise) {
                    (Some(held), _) => Ok(Some(held)),
                    (None, Some((user, password))) => {
                        let shown = basic(&user, &password);
                        self.ask(realm, service, Some(&shown)).map(Some)
                    }
                    (None, None) => Err(self.identity_token("whose token server takes none")),
                }
            }
        }
    }

    /// Nobody there takes an identity token, and it is all that we have: `why`.
    fn identity_token(&self, why: &str) -> Error {
        Error::Settings {
            url: self.url(),
            reason: format!(
                ".dockerconfigjson has an identity token alone for this registry, {why}; use username \
                 and password"
            ),
        }
    }

    fn login(&self) -> Result<Option<Login>, Error> {
        let credentials = &self.remote.credentials;
        if let Some(token) = &credentials.bearer_token {
            return Ok(Some(Login::Token(token.clone())));
        }
        if credentials.authenticate() {
            let value = |value: &Option<String>| value.clone().unwrap_or_default();
            let (user, password) = (value(&credentials.username), value(&credentials.password));
            return Ok(Some(Login::Basic(user, password)));
        }
        let Some(config) = &credentials.docker_config else {
            return Ok(None);
        };
        let login = docker_config::login(config, &self.at.host, &self.at.path);
        login.map_err(|reason| Error::Settings {
            url: self.url(),
            reason,
        })
    }

    /// Where `realm` is, and what it is called.
    fn token_server(&self, realm: &str) -> Result<(Url, String), Error> {
        let url = Url::parse(realm).map_err(|_| self.odd("its token server has no URL"))?;
        let plain = url.scheme() == "http" && self.remote.insecure;
        if url.scheme() != "https" && !plain {
            return Err(self.odd("its token server does not speak https"));
        }
        let who = format!("the token server {}", url.host_str().unwrap_or_default());
        Ok((url, who))
    }

    /// A token of the server `realm`, to which `authorization` is shown.
    fn ask(
        &self,
        realm: &str,
        service: Option<&str>,
        authorization: Option<&str>,
    ) -> Result<Held, Error> {
        let (mut to, who) = self.token_server(realm)?;
        let scope = self.action.scope(&self.at.path);
        to.query_pairs_mut().append_pair("scope", &scope);
        if let Some(service) = service {
            to.query_pairs_mut().append_pair("service", service);
        }
        let request = self.client.get(to);
        let answer = self.attempt(request, authorization, self.deadline.idle())?;
        Ok(self.granted(answer, who)?.held)
    }

    /// A token of the server `realm` for the refresh token `token` (the distribution project's
    /// `spec/auth/oauth.md`); none where that server takes none. Another refresh token in its answer
    /// takes the place of the one that was shown (RFC 6749, section 6), as long as it is taken.
    fn change(
        &self,
        realm: &str,
        service: Option<&str>,
        token: &str,
    ) -> Result<Option<Held>, Error> {
        let (to, who) = self.token_server(realm)?;
        let refresh = self.tokens.refresh(realm, token);
        let mut refresh = locked(&refresh);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token")
            .append_pair("client_id", CLIENT_ID)
            .append_pair("scope", &self.action.scope(&self.at.path))
            .append_pair("refresh_token", &refresh);
        if let Some(service) = service {
            form.append_pair("service", service);
        }
        let kind = "application/x-www-form-urlencoded";
        let request = self.client.post(to).header(header::CONTENT_TYPE, kind);
        let answer = self.attempt(request.body(form.finish()), None, self.deadline.idle())?;
        if matches!(answer.status().as_u16(), 404 | 405) {
            return Ok(None);
        }
        let granted = self.granted(answer, who);
        match &granted {
            Ok(Granted {
                refresh: Some(next),
                ..
            }) => refresh.clone_from(next),
            Err(Error::Unauthorized { .. }) => token.clone_into(&mut refresh),
            _ => {}
        }
        Ok(Some(granted?.held))
    }

    /// What the token server `who` answered.
    fn granted(&self, answer: Answer, who: String) -> Result<Granted, Error> {
        let status = answer.status().as_u16();
        // 400 is what OAuth 2.0 answers to a refresh token that is not good any more.
        if matches!(status, 400 | 401 | 403) {
            return Err(self.unauthorized(who, status));
        }
        let answer = self.accepted(answer, "token server", "for a token")?;
        let token: Token = self.json(answer, MAX_TOKEN_BYTES, "the token server's answer")?;
        let lifetime = token.expires_in.map(Duration::from_secs);
        let refresh = token.refresh_token.filter(|token| !token.is_empty());
        let token = token.token.or(token.access_token).unwrap_or_default();
        if token.is_empty() || token.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(self.odd("its token server gave no token"));
        }
        let lifetime = lifetime.unwrap_or(TOKEN_LIFETIME);
        let held = Held::short(format!("Bearer {token}"), lifetime);
        Ok(Granted { held, refresh })
    }
}

/// What a token server gave.
struct Granted {
    held: Held,
    /// The refresh token to show the next time, where it says so.
    refresh: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
}
