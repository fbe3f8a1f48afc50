//! A real registry on localhost, the distribution project's, and the commands that speak with it.

use crate::world::{PLUGIN, World, root};
use regex::Regex;
use registries::Demands;
use std::{
    fs,
    io::Write as _,
    ops::Deref,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Where registries keep what they have, in the world.
const PLACE: &str = ".registry";

#[path = "../../../registry/transport/tests/support/registries.rs"]
#[allow(dead_code, clippy::expect_used)]
mod registries;

pub use registries::tool;

/// A running registry; it is ended when it is dropped.
pub struct Registry(registries::Registry);

impl Deref for Registry {
    type Target = registries::Registry;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Registry {
    /// One that lets everybody do everything.
    pub fn open(world: &World) -> Self {
        Self::with(world, &Demands::default())
    }

    /// One for `ann` and `secret`.
    pub fn private(world: &World) -> Self {
        let demands = Demands {
            basic: true,
            ..Demands::default()
        };
        Self::with(world, &demands)
    }

    /// One over TLS, with a certificate of the authority `ca.crt`.
    pub fn over_tls(world: &World) -> Self {
        world.write("san", "subjectAltName=IP:127.0.0.1\n");
        world.sh(&format!(
            "mkdir -p {PLACE}
             openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca
             openssl req -newkey rsa:2048 -nodes -keyout {PLACE}/tls.key -out tls.csr -subj /CN=registry
             openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \\
               -extfile san -out {PLACE}/tls.crt"
        ));
        let demands = Demands {
            tls_for_all: true,
            ..Demands::default()
        };
        Self::with(world, &demands)
    }

    fn with(world: &World, demands: &Demands) -> Self {
        let place = world.path().join(PLACE);
        fs::create_dir_all(&place).unwrap();
        Self(registries::Registry::distribution(&place, demands))
    }

    /// Every file that it has, with its bytes.
    pub fn content(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut folders, mut found) = (vec![self.storage.clone()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push((path.clone(), fs::read(path).unwrap())),
                }
            }
        }
        found.sort();
        found
    }

    /// Changes a byte in the middle of each blob that is larger than `size`.
    pub fn spoil(&self, size: usize) {
        for (path, mut bytes) in self.content() {
            if path.ends_with("data") && bytes.len() > size {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(path, bytes).unwrap();
            }
        }
    }
}

/// Runs `kubectl middleware LINE` in the world, with this on standard input, these variables, and no
/// login but what `.docker` in the world has.
pub fn ask(world: &World, line: &str, input: &str, variables: &[(&str, &str)]) -> Output {
    let mut child = Command::new(PLUGIN)
        .args(line.split_whitespace())
        .current_dir(world.path())
        .env("DOCKER_CONFIG", world.path().join(".docker"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("COSIGN_PASSWORD")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that asks for nothing may be gone.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What it says, both streams and the exit code; ports, digests and places are replaced.
pub fn told(world: &World, line: &str, input: &str, variables: &[(&str, &str)]) -> String {
    let output = ask(world, line, input, variables);
    let [stdout, stderr] = [output.stdout, output.stderr].map(|s| String::from_utf8(s).unwrap());
    let mut said = format!("$ kubectl middleware {line}\n{stdout}");
    if !stderr.is_empty() {
        said.push_str(&format!("[stderr]\n{stderr}"));
    }
    said.push_str(&format!("[exit {}]\n", output.status.code().unwrap()));
    plain(&said, world.path())
}

/// The text without what differs from run to run.
fn plain(said: &str, here: &Path) -> String {
    let said = said.replace(&here.display().to_string(), "<dir>");
    let port = Regex::new(r"127\.0\.0\.1:[0-9]+").unwrap();
    let said = port.replace_all(&said, "r.test");
    let digest = Regex::new("sha256([:-])[0-9a-f]{64}").unwrap();
    let said = digest.replace_all(&said, "sha256$1…");
    let short = Regex::new("sha256:[0-9a-f]{12}…").unwrap();
    short.replace_all(&said, "sha256:<12>…").into_owned()
}

/// The same without input and variables.
pub fn say(world: &World, line: &str) -> String {
    told(world, line, "", &[])
}

/// What it answers in JSON to `line`, and its exit code.
pub fn json(world: &World, line: &str) -> (serde_json::Value, i32) {
    let output = ask(world, &format!("{line} --output json"), "", &[]);
    let error = String::from_utf8_lossy(&output.stderr);
    let value = serde_json::from_slice(&output.stdout);
    assert!(value.is_ok(), "{line}: {error}");
    (value.unwrap(), output.status.code().unwrap())
}

/// Puts the test addon `from` at `to`.
pub fn addon(world: &World, from: &str, to: &str) {
    let from = root().join("catalog/tests/addons").join(from);
    world.sh(&format!(
        "mkdir -p \"$(dirname {to})\" && cp -r {} {to}",
        from.display()
    ));
}

/// `NAME.key` and `NAME.pub` in the world.
pub fn key(world: &World, name: &str, kind: &str) {
    world.sh(&format!(
        "openssl genpkey {kind} -out {name}.key 2>/dev/null && openssl pkey -in {name}.key -pubout -out {name}.pub"
    ));
}

/// ECDSA on P-256, as cosign's own keys.
pub const P256: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
