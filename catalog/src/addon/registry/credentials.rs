//! Who asks: as docker and oras know it, by `config.json` and the helpers that it names
//! (docker-credential-helpers' protocol), or by what the person types.

use crate::args::registry::docker_config;
use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    io::{self, Read as _, Write as _},
    process::{Command, Stdio},
};
use transport::Credentials;

/// The most bytes of a `config.json`, and of a password.
const MAX_CONFIG: usize = 1 << 20;
const MAX_PASSWORD: u64 = 64 << 10;
/// What a helper says where it has nothing.
const NOTHING: &str = "credentials not found";
/// The user of an answer that is no password but a token for another kind of login.
const TOKEN_USER: &str = "<token>";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    creds_store: Option<String>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// The password on standard input, without the end of its line.
///
/// # Errors
/// There is none.
pub(super) fn password() -> anyhow::Result<String> {
    let mut text = String::new();
    let read = io::stdin().take(MAX_PASSWORD).read_to_string(&mut text);
    read.context("cannot read the password from standard input")?;
    let password = text.trim_end_matches(['\r', '\n']);
    ensure!(
        !password.is_empty(),
        "there is no password on standard input"
    );
    Ok(password.to_owned())
}

/// What docker's config says of `host`; nobody where there is none.
///
/// # Errors
/// It cannot be read, or its helper does not answer.
pub(super) fn of_docker(host: &str) -> anyhow::Result<Credentials> {
    let Some(path) = docker_config().filter(|path| path.exists()) else {
        return Ok(Credentials::default());
    };
    let text = super::super::read::text(&path, MAX_CONFIG)?;
    let config: Config = serde_json::from_str(&text)
        .with_context(|| format!("`{}` is no config of docker", path.display()))?;
    let server = match host {
        "docker.io" | "index.docker.io" => "https://index.docker.io/v1/",
        host => host,
    };
    let helper = config
        .cred_helpers
        .get(host)
        .or(config.creds_store.as_ref());
    if let Some(helper) = helper.filter(|helper| !helper.is_empty())
        && let Some(answer) = asked(helper, server)?
    {
        if answer.username == TOKEN_USER {
            let entry = serde_json::json!({ host: {"identitytoken": answer.secret} });
            return Ok(Credentials {
                docker_config: Some(serde_json::json!({ "auths": entry }).to_string()),
                ..Credentials::default()
            });
        }
        return Ok(Credentials {
            username: Some(answer.username),
            password: Some(answer.secret),
            ..Credentials::default()
        });
    }
    Ok(Credentials {
        docker_config: Some(text),
        ..Credentials::default()
    })
}

/// What `docker-credential-<helper> get` answers for `server`; none where it has nothing.
fn asked(helper: &str, server: &str) -> anyhow::Result<Option<Answer>> {
    let program = format!("docker-credential-{helper}");
    let instead = "log in again, or give --username and --password-stdin";
    let child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.with_context(|| {
        format!("docker's config has passwords in `{program}`, which cannot be run; {instead}")
    })?;
    if let Some(mut input) = child.stdin.take() {
        // One that ended already says why below.
        let _ = input.write_all(server.as_bytes());
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        let answer = serde_json::from_slice(&output.stdout);
        let answer = answer.with_context(|| format!("`{program}` answers oddly; {instead}"))?;
        return Ok(Some(answer));
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    if said.contains(NOTHING) {
        return Ok(None);
    }
    let said = crate::output::one_line(said.trim());
    bail!("`{program}` gives no password for {server}: {said}; {instead}")
}
