//! Real registries on localhost: the distribution project's, which has no referrers API, and that of
//! go-containerregistry, which has one. For tests only.

use std::{
    fmt::Write as _,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The bcrypt hash of `secret`, as htpasswd wants it.
const ANN: &str = "ann:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";

/// What a registry demands.
#[derive(Default)]
pub struct Demands {
    /// `ann` and `secret`.
    pub basic: bool,
    /// A token of the server at this URL, whose certificate is `token.crt` in the directory.
    pub tokens_of: Option<String>,
    /// TLS with `tls.crt`, `tls.key`, and a client certificate of `ca.crt`, all in the directory.
    pub tls: bool,
    /// TLS with `tls.crt`, `tls.key` in the directory, and nothing of the client.
    pub tls_for_all: bool,
    /// Whom it notifies of what happens: a URL, and the token that is shown there.
    pub notifies: Option<(String, String)>,
}

/// A running registry; it is ended when it is dropped.
pub struct Registry {
    _service: Service,
    pub port: u16,
    /// Where it keeps what it has.
    pub storage: PathBuf,
}

impl Registry {
    /// The distribution project's registry, with its storage below `directory`.
    pub fn distribution(directory: &Path, demands: &Demands) -> Self {
        let port = free_port();
        let storage = directory.join(format!("storage-{port}"));
        let config = directory.join(format!("registry-{port}.yml"));
        let text = configuration(directory, &storage, port, demands);
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(tool("registry"));
        command.arg("serve").arg(config);
        Self::run(command, port, storage)
    }

    /// go-containerregistry's, in memory, with the referrers API.
    pub fn with_referrers(directory: &Path) -> Self {
        let port = free_port();
        let mut command = Command::new(tool("referrers"));
        command.arg(format!("127.0.0.1:{port}"));
        Self::run(command, port, directory.to_owned())
    }

    fn run(mut command: Command, port: u16, storage: PathBuf) -> Self {
        let command = command.env("OTEL_TRACES_EXPORTER", "none");
        Self {
            _service: Service::start(command, port),
            port,
            storage,
        }
    }

    /// The URL of the repository `path`.
    pub fn url(&self, path: &str) -> String {
        format!("oci://127.0.0.1:{}/{path}", self.port)
    }
}

/// A program that serves a port; it is ended when it is dropped.
pub struct Service(Child);

impl Service {
    /// Runs `command`, and waits until somebody answers at `port`.
    pub fn start(command: &mut Command, port: u16) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let service = Self(child);
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let late = began.elapsed() > Duration::from_secs(60);
            assert!(!late, "{command:?} does not answer");
            thread::sleep(Duration::from_millis(10));
        }
        service
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn configuration(directory: &Path, storage: &Path, port: u16, demands: &Demands) -> String {
    let shown = |path: &Path| path.to_str().unwrap().to_owned();
    let file = |name: &str| shown(&directory.join(name));
    let mut text = format!(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
         storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
         http:\n  addr: 127.0.0.1:{port}\n",
        shown(storage)
    );
    if demands.tls || demands.tls_for_all {
        let (certificate, key, ca) = (file("tls.crt"), file("tls.key"), file("ca.crt"));
        let clients = match demands.tls {
            true => format!(", clientcas: [{ca}]"),
            false => String::new(),
        };
        let _ = writeln!(
            text,
            "  tls: {{certificate: {certificate}, key: {key}{clients}}}"
        );
    }
    if let Some((url, token)) = &demands.notifies {
        let shown = format!("headers: {{Authorization: ['Bearer {token}']}}");
        let _ = writeln!(
            text,
            "notifications: {{endpoints: [{{name: test, url: '{url}', {shown}, timeout: 5s, threshold: 1, backoff: 100ms}}]}}"
        );
    }
    if demands.basic {
        std::fs::write(directory.join("htpasswd"), ANN).unwrap();
        let users = file("htpasswd");
        let _ = writeln!(text, "auth: {{htpasswd: {{realm: test, path: {users}}}}}");
    }
    if let Some(realm) = &demands.tokens_of {
        let roots = file("token.crt");
        let _ = writeln!(
            text,
            "auth: {{token: {{realm: '{realm}', service: registry, issuer: test, rootcertbundle: {roots}}}}}"
        );
    }
    text
}

/// A port that nobody listens at.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// The path of a tool of `hack/tools`, which is built if it is not there.
pub fn tool(name: &str) -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let tools = above.find_map(|above| {
        let tools = above.join("hack/tools");
        tools.exists().then_some(tools)
    });
    let tools = tools.unwrap();
    let built = Command::new(tools.join("build"))
        .arg(name)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{name} was not built: {error}");
    let path = Command::new(tools.join("path")).arg(name).output().unwrap();
    PathBuf::from(String::from_utf8(path.stdout).unwrap().trim())
}

/// Runs openssl in `directory`; returns what it prints.
pub fn openssl(directory: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl")
        .current_dir(directory)
        .args(arguments)
        .output()
        .expect("openssl must be installed");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {error}");
    output.stdout
}

/// `NAME.crt` and `NAME.key`, signed by themselves.
pub fn self_signed(directory: &Path, name: &str) {
    let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
    let subject = format!("/CN={name}");
    openssl(
        directory,
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &certificate,
            "-days",
            "2",
            "-subj",
            &subject,
        ],
    );
}
