//! A platform as people meet it: registry and operator as the processes that they are, a Git server and
//! two OCI registries over TLS under the names that the documents use, and a home directory with
//! `kubectl` and its plugin on the PATH.
//!
//! The names lead to this machine by an HTTP proxy, and their certificates are of an authority that
//! everybody here trusts: nothing in a command line is other than a reader would type it.

use crate::world::{GitServer, Repository};
use crate::{
    http_server::{HttpServer, Manner, Response, proxied},
    registries::{Demands, Registry, openssl},
};
use anyhow::{Context as _, Result, ensure};
use kit::{ControlPlane, Process};
use regex::Regex;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::LazyLock,
};

/// The names under which the servers are known.
const HOSTS: [&str; 3] = [
    "git.example.com",
    "registry.example.com",
    "inner.example.com",
];
/// Who may read the repository: what the documents take for granted.
const LOGIN: &str = "ann:secret";
const PLATFORM: &str = "paamesh-system";

/// The platform, and a person's home directory.
pub struct Place {
    pub cp: ControlPlane,
    /// `https://git.example.com/platform/addons.git`.
    pub repository: Repository,
    directory: tempfile::TempDir,
    proxy: HttpServer,
    // Held until the end.
    _servers: (GitServer, Registry, Registry),
    services: Vec<Process>,
}

/// What a command said.
pub struct Said {
    /// Both streams and the exit code, without what is another in each run.
    pub text: String,
    pub code: i32,
}

impl Place {
    pub async fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let at = directory.path();
        for folder in ["home/bin", "git/platform", "data"] {
            fs::create_dir_all(at.join(folder))?;
        }
        let git = at.join("git");
        let repository = Repository::create(&git, "platform/addons.git");
        let server = GitServer::start_tls(&git, certified(at)?);
        server.demand(LOGIN);
        let open = Demands {
            tls_for_all: true,
            ..Demands::default()
        };
        let registries = [0, 1].map(|_| Registry::distribution(at, &open));
        let port = server.url("");
        let port = port.trim_end_matches('/').rsplit(':').next();
        let port: u16 = port.context("a port")?.parse()?;
        let ports = [port, registries[0].port, registries[1].port];
        let cp = ControlPlane::start().await?;
        cp.install_crds().await?;
        cp.kubectl()?.run(&["create", "namespace", PLATFORM])?;
        let plugin = plugin()?;
        std::os::unix::fs::symlink(plugin, at.join("home/bin/kubectl-middleware"))?;
        let kubectl = kit::tool("kubectl")?;
        std::os::unix::fs::symlink(kubectl, at.join("home/bin/kubectl"))?;
        let [outer, inner] = registries;
        let mut place = Self {
            cp,
            repository,
            proxy: HttpServer::start(move |request| led(request, ports)),
            directory,
            _servers: (server, outer, inner),
            services: Vec::new(),
        };
        place.serve()?;
        Ok(place)
    }

    /// Starts registry and operator.
    fn serve(&mut self) -> Result<()> {
        let (home, data) = (self.home(), self.directory.path().join("data"));
        let (home, data) = (home.to_string_lossy(), data.to_string_lossy());
        let registry = ["--data-dir", &data, "--directories", &home];
        let operator = ["--agent-image", "paamesh/agent:test"];
        for (name, own) in [("registry", &registry[..]), ("operator", &operator)] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_paamesh"));
            command.arg(name).args(own);
            command.args(["--listen", "127.0.0.1:0", "--namespace", PLATFORM]);
            if name == "registry" {
                command.args(["--webhook-listen", ""]);
            }
            self.surround(&mut command);
            // The API server is asked without the proxy.
            command.env("NO_PROXY", "127.0.0.1");
            let log = self.directory.path().join(format!("{name}.log"));
            self.services.push(Process::start(command, log)?);
        }
        Ok(())
    }

    /// Where the person works, which is the root of the registry's directories too.
    pub fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// Lets `command` live in the world of the documents.
    fn surround(&self, command: &mut Command) {
        for (variable, _) in std::env::vars() {
            if variable.starts_with("PAAMESH_") || variable.to_lowercase().ends_with("_proxy") {
                command.env_remove(variable);
            }
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let at = self.directory.path();
        command
            .current_dir(self.home())
            .env("PATH", format!("{}:{path}", at.join("home/bin").display()))
            .env("KUBECONFIG", self.cp.kubeconfig())
            .env(
                "HTTPS_PROXY",
                format!("http://127.0.0.1:{}", self.proxy.port),
            )
            .env("SSL_CERT_FILE", at.join("ca.crt"))
            .env("DOCKER_CONFIG", at.join("nobody"))
            .env("TOKEN", "secret")
            .stdin(Stdio::null());
    }

    /// A shell at home that does what `script` says.
    pub fn command(&self, script: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-euc", script]);
        self.surround(&mut command);
        command
    }

    /// What it did.
    pub fn shell(&self, script: &str) -> Result<Output> {
        self.command(script).output().context("run bash")
    }

    /// The same, where it must succeed.
    pub fn sh(&self, script: &str) -> Result<String> {
        let Output {
            status,
            stdout,
            stderr,
        } = self.shell(script)?;
        let said = String::from_utf8([stdout, stderr].concat())?;
        ensure!(status.success(), "{script}: {status}\n{said}");
        Ok(said)
    }

    /// What `kubectl middleware LINE` says.
    pub fn say(&self, line: &str) -> Result<Said> {
        let out = self.shell(&format!("kubectl middleware {line}"))?;
        let code = out.status.code().context("an exit code")?;
        let (stdout, stderr) = (
            String::from_utf8(out.stdout)?,
            String::from_utf8(out.stderr)?,
        );
        let mut text = format!("$ kubectl middleware {line}\n{stdout}");
        if !stderr.is_empty() {
            text.push_str(&format!("[stderr]\n{stderr}"));
        }
        text.push_str(&format!("[exit {code}]\n"));
        let text = steady(&text);
        Ok(Said { text, code })
    }

    /// Puts a file into the home directory.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.home().join(path);
        let folder = path.parent().context("a folder")?;
        fs::create_dir_all(folder)?;
        fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// An error where registry or operator ended.
    pub fn alive(&mut self) -> Result<()> {
        self.services.iter_mut().try_for_each(Process::alive)
    }
}

/// The text without ages, times and digests.
fn steady(text: &str) -> String {
    static CHANGING: LazyLock<[(Regex, &str); 7]> = LazyLock::new(|| {
        [
            ("sha256:[0-9a-f]{64}", "sha256:<digest>"),
            (r"sha256-[0-9a-f]{64}\.sig", "sha256-<digest>.sig"),
            ("sha256([:-])[0-9a-f]{12}", "sha256$1<short>"),
            ("sha1:[0-9a-f]{40}", "sha1:<commit>"),
            (r"(?m)(  )(\d+[smh])+$", "$1<age>"),
            (r"(?m)^ +\d+\.\d s ", "<time> "),
            // What is told on the way is told where it is slow enough to be seen.
            (r"(?m)^<time>  (Progressing|Waiting) .*\n", ""),
        ]
        .map(|(pattern, with)| (Regex::new(pattern).unwrap(), with))
    });
    let mut text = text.to_owned();
    for (pattern, with) in CHANGING.iter() {
        text = pattern.replace_all(&text, *with).into_owned();
    }
    text
}

/// The plugin, which the build of the workspace leaves beside `paamesh`.
fn plugin() -> Result<PathBuf> {
    let plugin = Path::new(env!("CARGO_BIN_EXE_paamesh")).with_file_name("kubectl-middleware");
    let build = "build it with `cargo build --workspace --bins`";
    let built = fs::metadata(&plugin).and_then(|about| about.modified());
    let built = built.with_context(|| format!("{} is not there: {build}", plugin.display()))?;
    let mut folders = vec![kit::root().join("catalog/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let (entry, about) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            match about.is_dir() {
                true => folders.push(entry),
                false => ensure!(
                    about.modified()? <= built,
                    "{} is older than {}: {build}",
                    plugin.display(),
                    entry.display()
                ),
            }
        }
    }
    Ok(plugin)
}

/// `ca.crt`, and `tls.crt` with `tls.key` that it signed for all hosts; what a server shows of them.
fn certified(at: &Path) -> Result<rustls::ServerConfig> {
    let names: Vec<String> = HOSTS.iter().map(|host| format!("DNS:{host}")).collect();
    fs::write(
        at.join("san"),
        format!("subjectAltName={}\n", names.join(",")),
    )?;
    for arguments in [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca",
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.csr -subj /CN=hosts",
        "x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san -out tls.crt",
    ] {
        openssl(at, &arguments.split(' ').collect::<Vec<_>>());
    }
    let chain = CertificateDer::pem_file_iter(at.join("tls.crt"))?;
    let chain = chain.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(at.join("tls.key"))?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = rustls::ServerConfig::builder().with_no_client_auth();
    Ok(builder.with_single_cert(chain, key)?)
}

/// Where the proxy leads: a host of the documents to its server.
fn led(request: &crate::http_server::Request, ports: [u16; 3]) -> Response {
    let host = request.target.split(':').next().unwrap_or_default();
    let known = HOSTS.iter().position(|known| *known == host);
    match known.filter(|_| request.method == "CONNECT") {
        Some(n) => Response::new(200, "").manner(Manner::Tunnel(ports[n])),
        None => proxied(request),
    }
}
