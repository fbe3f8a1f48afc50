//! Real registries on localhost: the distribution project's, which has no referrers API, and that of
//! go-containerregistry, which has one. For tests only.

use super::http_server::{HttpServer, Response};
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
    child: Child,
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
        let child = command
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "no registry");
            thread::sleep(Duration::from_millis(10));
        }
        Self {
            child,
            port,
            storage,
        }
    }

    /// The URL of the repository `path`.
    pub fn url(&self, path: &str) -> String {
        format!("oci://127.0.0.1:{}/{path}", self.port)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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

fn free_port() -> u16 {
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

/// `NAME.crt` and `NAME.key`, signed by `ca`, for 127.0.0.1.
pub fn signed(directory: &Path, name: &str) {
    let (key, request) = (format!("{name}.key"), format!("{name}.csr"));
    let (certificate, subject) = (format!("{name}.crt"), format!("/CN={name}"));
    std::fs::write(directory.join("san"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    openssl(
        directory,
        &[
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &request, "-subj",
            &subject,
        ],
    );
    openssl(
        directory,
        &[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "san",
            "-out",
            &certificate,
        ],
    );
}

/// A server of tokens for the distribution project's registry (JWT, RS256): to `ann` and `secret`, to who
/// has the refresh token `identity`, or to everybody. Its key is `token.key` in `directory`, which must
/// be there.
pub fn token_server(directory: &Path, everybody: bool) -> HttpServer {
    let directory = directory.to_owned();
    HttpServer::start(move |request| {
        let json = |status, body: String| {
            Response::new(status, body).header("Content-Type", "application/json")
        };
        if request.method == "POST" {
            let form = form(&request.body);
            if form["grant_type"] != "refresh_token" || form["refresh_token"] != "identity" {
                return json(400, r#"{"error": "invalid_grant"}"#.to_owned());
            }
            let token = token(&directory, &form);
            return json(
                200,
                format!(r#"{{"access_token": "{token}", "expires_in": 300}}"#),
            );
        }
        let given = request.headers.get("authorization").map(String::as_str);
        let ann = format!("Basic {}", base64(b"ann:secret", false));
        if !everybody && given != Some(&ann) {
            return Response::new(401, "");
        }
        let (_, query) = request.target.split_once('?').unwrap();
        let token = token(&directory, &form(query.as_bytes()));
        json(200, format!(r#"{{"token": "{token}", "expires_in": 300}}"#))
    })
}

type Form = std::collections::HashMap<String, String>;

fn form(text: &[u8]) -> Form {
    url::form_urlencoded::parse(text).into_owned().collect()
}

fn token(directory: &Path, query: &Form) -> String {
    let scope: Vec<&str> = query["scope"].split(':').collect();
    let actions = scope[2].split(',').collect::<Vec<_>>().join("\",\"");
    let certificate = openssl(directory, &["x509", "-in", "token.crt", "-outform", "DER"]);
    let chain = base64(&certificate, false);
    let header = format!(r#"{{"typ":"JWT","alg":"RS256","x5c":["{chain}"]}}"#);
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = format!(
        r#"{{"iss":"test","sub":"ann","aud":"{}","exp":{},"nbf":{},"iat":{now},"jti":"1","access":[{{"type":"repository","name":"{}","actions":["{actions}"]}}]}}"#,
        query["service"],
        now + 300,
        now - 10,
        scope[1]
    );
    let signed = format!(
        "{}.{}",
        base64(header.as_bytes(), true),
        base64(claims.as_bytes(), true)
    );
    let name = format!("jwt-{:?}", thread::current().id());
    std::fs::write(directory.join(&name), &signed).unwrap();
    let signature = openssl(directory, &["dgst", "-sha256", "-sign", "token.key", &name]);
    format!("{signed}.{}", base64(&signature, true))
}

fn base64(bytes: &[u8], url: bool) -> String {
    use base64::{Engine as _, engine::general_purpose as engines};
    if url {
        engines::URL_SAFE_NO_PAD.encode(bytes)
    } else {
        engines::STANDARD.encode(bytes)
    }
}
