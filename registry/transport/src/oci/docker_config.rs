//! Who we are at a registry by a `config.json` of docker, as Secrets of the type
//! `kubernetes.io/dockerconfigjson` hold it. Pure.
//!
//! Credential helpers are programs of a developer's machine, and are not followed.

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Default, Deserialize)]
struct Entry {
    username: Option<String>,
    password: Option<String>,
    /// Base64 of `user:password`.
    auth: Option<String>,
    #[serde(rename = "registrytoken")]
    registry_token: Option<String>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<String>,
}

/// Who we are at one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// User and password.
    Basic(String, String),
    /// A token that is sent as it is.
    Token(String),
    /// A token of OAuth 2.0 that the token server changes for one that is sent.
    Identity {
        /// The refresh token.
        token: String,
        /// User and password, for a registry without a token server.
        otherwise: Option<(String, String)>,
    },
}

/// Whether `config` can be read.
///
/// # Errors
/// What is wrong with it, without its values.
pub(crate) fn check(config: &str) -> Result<(), String> {
    parse(config).map(drop)
}

/// The login for the repository `path` at `host` by `config`; none where no entry matches. Keys may
/// have a path, of which the longest that matches wins, and `*` for a part of the host, as Kubernetes
/// reads them.
///
/// # Errors
/// What is wrong with the config, without its values.
pub(crate) fn login(config: &str, host: &str, path: &str) -> Result<Option<Login>, String> {
    let config = parse(config)?;
    let matching = config.auths.iter().filter_map(|(key, entry)| {
        let length = matches(key, host, path)?;
        Some((length, key, entry))
    });
    match matching.max_by_key(|(length, ..)| *length) {
        None => Ok(None),
        Some((_, key, entry)) => of(key, entry),
    }
}

fn parse(config: &str) -> Result<Config, String> {
    serde_json::from_str(config).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!(".dockerconfigjson is no docker config (line {line}, column {column})")
    })
}

fn of(key: &str, entry: &Entry) -> Result<Option<Login>, String> {
    if let Some(token) = nonempty(entry.registry_token.as_ref()) {
        return Ok(Some(Login::Token(token)));
    }
    // Beside an identity token, `auth` names a user of no account, as `<token>:`.
    let basic = basic(key, entry)?;
    Ok(match nonempty(entry.identity_token.as_ref()) {
        Some(token) => Some(Login::Identity {
            token,
            otherwise: basic.filter(|(_, password)| !password.is_empty()),
        }),
        None => basic.map(|(user, password)| Login::Basic(user, password)),
    })
}

/// User and password of an entry.
fn basic(key: &str, entry: &Entry) -> Result<Option<(String, String)>, String> {
    if let (Some(user), Some(password)) = (
        nonempty(entry.username.as_ref()),
        nonempty(entry.password.as_ref()),
    ) {
        return Ok(Some((user, password)));
    }
    let Some(auth) = nonempty(entry.auth.as_ref()) else {
        return Ok(None);
    };
    let decoded = decode(&auth)
        .ok_or_else(|| format!(".dockerconfigjson: `auth` of `{key}` is no base64"))?;
    let (user, password) = decoded
        .split_once(':')
        .ok_or_else(|| format!(".dockerconfigjson: `auth` of `{key}` has no colon"))?;
    let password = password.trim_end_matches('\0');
    Ok(Some((user.to_owned(), password.to_owned())))
}

fn nonempty(value: Option<&String>) -> Option<String> {
    value.filter(|value| !value.is_empty()).cloned()
}

fn decode(text: &str) -> Option<String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()
}

/// How many characters of `host/path` the key `key` covers; `None` where it is for another registry.
fn matches(key: &str, host: &str, path: &str) -> Option<usize> {
    let bare = key
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let bare = bare
        .strip_suffix("/v1")
        .or_else(|| bare.strip_suffix("/v2"))
        .unwrap_or(bare);
    let (key_host, key_path) = bare.split_once('/').unwrap_or((bare, ""));
    if !host_matches(hub(key_host), hub(host)) {
        return None;
    }
    let below = path.strip_prefix(key_path)?;
    (key_path.is_empty() || below.is_empty() || below.starts_with('/')).then_some(bare.len())
}

/// Docker Hub has three names.
fn hub(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        other => other,
    }
}

fn host_matches(pattern: &str, host: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('.'), host.split('.'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if pattern == "*" || pattern == part => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"auths": {
        "https://index.docker.io/v1/": {"auth": "aHViOnNlY3JldA=="},
        "r.example.com:5000": {"username": "ann", "password": "secret"},
        "r.example.com:5000/team": {"username": "bob", "password": "secret"},
        "*.azurecr.io": {"registrytoken": "t"},
        "broken.example.com": {"auth": "???"},
        "id.example.com": {"auth": "PHRva2VuPjo=", "identitytoken": "x"},
        "both.example.com": {"username": "ann", "password": "secret", "identitytoken": "x"},
        "empty.example.com": {}
    }, "credHelpers": {"x": "y"}}"#;

    fn check(host: &str, path: &str, want: Result<Option<&str>, &str>) {
        let got = login(CONFIG, host, path).map(|login| {
            login.map(|login| match login {
                Login::Basic(user, password) => format!("{user}:{password}"),
                Login::Token(token) => token,
                Login::Identity { token, otherwise } => format!("{token} or {otherwise:?}"),
            })
        });
        match (&got, want) {
            (Ok(got), Ok(want)) => assert_eq!(got.as_deref(), want, "{host}/{path}"),
            (Err(got), Err(want)) => assert!(got.contains(want), "{got}"),
            _ => panic!("{host}/{path}: {got:?}, want {want:?}"),
        }
    }

    #[test]
    fn the_entry_of_the_registry_is_found_and_the_longest_path_wins() {
        check("docker.io", "library/redis", Ok(Some("hub:secret")));
        check("r.example.com:5000", "other/redis", Ok(Some("ann:secret")));
        check("r.example.com:5000", "team/redis", Ok(Some("bob:secret")));
        check("r.example.com:5000", "teams/redis", Ok(Some("ann:secret")));
        check("ours.azurecr.io", "redis", Ok(Some("t")));
        check("a.ours.azurecr.io", "redis", Ok(None));
        check("r.example.com", "redis", Ok(None));
        check("empty.example.com", "redis", Ok(None));
        check("id.example.com", "redis", Ok(Some("x or None")));
        let both = r#"x or Some(("ann", "secret"))"#;
        check("both.example.com", "redis", Ok(Some(both)));
    }

    #[test]
    fn what_cannot_be_used_is_said_without_its_value() {
        check("broken.example.com", "redis", Err("is no base64"));
        let error = login("{\"auths\": secret}", "a", "b").unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }
}
