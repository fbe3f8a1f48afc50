//! A small HTTP/1.1 server in front of the real `git http-backend` (CGI, RFC 3875), and working
//! copies that are committed and pushed by the real git. For tests only.

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// How the server misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// It does not.
    #[default]
    None,
    /// It accepts and never answers.
    Hang,
    /// It sends one byte of the answer every 50 ms.
    Drip,
    /// It closes the connection in the middle of a pack.
    DropHalfWay,
    /// It answers 200 with a web page.
    WebPage,
    /// It answers as Git would, with garbage in it.
    Garbage,
    /// It answers this status.
    Status(u16),
}

#[derive(Default)]
struct Shared {
    root: PathBuf,
    credentials: Mutex<Option<String>>,
    fault: Mutex<Fault>,
    requests: Mutex<Vec<String>>,
    chunked: AtomicUsize,
    gzipped: AtomicUsize,
    stop: AtomicBool,
    tls: Option<Arc<rustls::ServerConfig>>,
}

/// A running server; it stops when it is dropped.
pub struct GitServer {
    shared: Arc<Shared>,
    port: u16,
}

impl GitServer {
    /// Serves the repositories below `root` on a free port of localhost.
    pub fn start(root: impl Into<PathBuf>) -> Self {
        Self::serve(root.into(), None)
    }

    /// The same over TLS.
    pub fn start_tls(root: impl Into<PathBuf>, tls: rustls::ServerConfig) -> Self {
        Self::serve(root.into(), Some(Arc::new(tls)))
    }

    fn serve(root: PathBuf, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            root,
            tls,
            ..Shared::default()
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming() {
                if serving.stop.load(Ordering::SeqCst) {
                    return;
                }
                let serving = Arc::clone(&serving);
                thread::spawn(move || accept(&serving, connection.unwrap()));
            }
        });
        Self { shared, port }
    }

    /// The URL of the repository `name`.
    pub fn url(&self, name: &str) -> String {
        let scheme = if self.shared.tls.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://127.0.0.1:{}/{name}", self.port)
    }

    /// From now on only `user:password` may read or write.
    pub fn demand(&self, credentials: &str) {
        *self.shared.credentials.lock().unwrap() = Some(credentials.to_owned());
    }

    /// From now on the server misbehaves so.
    pub fn fault(&self, fault: Fault) {
        *self.shared.fault.lock().unwrap() = fault;
    }

    /// The requests since the last call: method and path.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.requests.lock().unwrap())
    }

    /// How many requests came since the last call of [`GitServer::requests`].
    pub fn requests_so_far(&self) -> usize {
        self.shared.requests.lock().unwrap().len()
    }

    /// How many request bodies came in chunks, and how many came compressed.
    pub fn bodies(&self) -> (usize, usize) {
        let count = |n: &AtomicUsize| n.load(Ordering::SeqCst);
        (count(&self.shared.chunked), count(&self.shared.gzipped))
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

trait Connection: Read + Write {}
impl<T: Read + Write> Connection for T {}

fn accept(shared: &Shared, stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let _ = match &shared.tls {
        None => answer_all(shared, &mut BufReader::new(stream)),
        Some(config) => {
            let session = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
            let stream = rustls::StreamOwned::new(session, stream);
            answer_all(shared, &mut BufReader::new(stream))
        }
    };
}

struct Request {
    method: String,
    target: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

fn answer_all<C: Connection>(shared: &Shared, stream: &mut BufReader<C>) -> io::Result<()> {
    while let Some(request) = read_request(shared, stream)? {
        let line = format!("{} {}", request.method, request.target);
        shared.requests.lock().unwrap().push(line);
        let fault = *shared.fault.lock().unwrap();
        if fault == Fault::Hang {
            while !shared.stop.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(50));
            }
            return Ok(());
        }
        let (status, headers, body) = respond(shared, &request, fault);
        write_response(stream.get_mut(), &status, &headers, &body, fault)?;
    }
    Ok(())
}

fn read_request<C: Connection>(
    shared: &Shared,
    stream: &mut BufReader<C>,
) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let headers = read_headers(stream)?;
    if headers.get("expect").is_some_and(|e| e == "100-continue") {
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        stream.get_mut().flush()?;
    }
    if headers.get("content-encoding").is_some_and(|e| e == "gzip") {
        shared.gzipped.fetch_add(1, Ordering::SeqCst);
    }
    let body = if headers
        .get("transfer-encoding")
        .is_some_and(|e| e == "chunked")
    {
        shared.chunked.fetch_add(1, Ordering::SeqCst);
        read_chunks(stream)?
    } else {
        let length = headers
            .get("content-length")
            .map_or(0, |n| n.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        body
    };
    Ok(Some(Request {
        method,
        target,
        headers,
        body,
    }))
}

fn read_headers(stream: &mut impl BufRead) -> io::Result<HashMap<String, String>> {
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            None => return Ok(headers),
        }
    }
}

fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let size = line.split(';').next().unwrap().trim();
        let size = usize::from_str_radix(size, 16).unwrap();
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..])?;
        stream.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(body);
        }
    }
}

type Response = (String, Vec<(String, String)>, Vec<u8>);

fn respond(shared: &Shared, request: &Request, fault: Fault) -> Response {
    let plain = |status: &str, content_type: &str, body: &[u8]| {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        (status.to_owned(), headers, body.to_vec())
    };
    match fault {
        Fault::WebPage => return plain("200 OK", "text/html", b"<html>Hello</html>"),
        Fault::Garbage => {
            let git = "application/x-git-upload-pack-advertisement";
            return plain("200 OK", git, b"zzzz\xff\xfe this is no packet line");
        }
        Fault::Status(status) => return plain(&format!("{status} No"), "text/plain", b""),
        Fault::None | Fault::Hang | Fault::Drip | Fault::DropHalfWay => {}
    }
    if let Some(credentials) = shared.credentials.lock().unwrap().as_deref() {
        let given = request.headers.get("authorization");
        if given.map(String::as_str) != Some(&format!("Basic {}", base64(credentials.as_bytes()))) {
            let mut refused = plain("401 Unauthorized", "text/plain", b"");
            let challenge = (
                "WWW-Authenticate".to_owned(),
                "Basic realm=\"git\"".to_owned(),
            );
            refused.1.push(challenge);
            return refused;
        }
    }
    cgi(shared, request)
}

fn cgi(shared: &Shared, request: &Request) -> Response {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
    let mut backend = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &shared.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "tester")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = backend.stdin.take().unwrap();
    let body = request.body.clone();
    let writer = thread::spawn(move || {
        let _ = stdin.write_all(&body);
    });
    let output = backend.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    parse_cgi(&output)
}

fn parse_cgi(output: &[u8]) -> Response {
    let mut stream = BufReader::new(output);
    let mut headers = Vec::new();
    let mut status = "200 OK".to_owned();
    for (name, value) in read_headers(&mut stream).unwrap() {
        if name == "status" {
            status = value;
        } else {
            headers.push((name, value));
        }
    }
    let mut body = Vec::new();
    stream.read_to_end(&mut body).unwrap();
    (status, headers, body)
}

fn write_response(
    stream: &mut impl Write,
    status: &str,
    headers: &[(String, String)],
    body: &[u8],
    fault: Fault,
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    match fault {
        Fault::Drip => {
            for byte in body {
                stream.write_all(&[*byte])?;
                stream.flush()?;
                thread::sleep(Duration::from_millis(50));
            }
        }
        Fault::DropHalfWay => {
            stream.write_all(&body[..body.len() / 2])?;
            stream.flush()?;
            return Err(io::Error::other("dropped on purpose"));
        }
        _ => stream.write_all(body)?,
    }
    stream.flush()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0u32, |n, byte| n << 8 | u32::from(*byte));
        for i in 0..4 {
            if i <= chunk.len() {
                text.push(char::from(DIGITS[(n >> (18 - 6 * i) & 63) as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// A bare repository on disk and a working copy of it.
pub struct Repository {
    /// The bare repository.
    pub bare: PathBuf,
    /// The working copy.
    pub work: PathBuf,
}

impl Repository {
    /// An empty bare repository `<root>/<name>` and a working copy beside it.
    pub fn create(root: &Path, name: &str) -> Self {
        let bare = root.join(name);
        let work = root.join(format!("{name}-work"));
        let repository = Self { bare, work };
        let bare = repository.bare.to_str().unwrap();
        run(
            root,
            &["init", "--quiet", "--bare", "--initial-branch=main", bare],
        );
        run(root, &["-C", bare, "config", "http.receivepack", "true"]);
        let work = repository.work.to_str().unwrap();
        run(root, &["clone", "--quiet", bare, work]);
        repository
    }

    /// Writes a file of the working copy; an empty text removes it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.work.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if text.is_empty() {
            std::fs::remove_file(path).unwrap();
        } else {
            std::fs::write(path, text).unwrap();
        }
    }

    /// Commits everything and pushes it to `main`; returns the commit's hash.
    pub fn push(&self) -> String {
        self.commit();
        self.git(&["push", "--quiet", "origin", "HEAD:main"]);
        self.head()
    }

    /// Commits everything.
    pub fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "change"]);
    }

    /// The hash of the working copy's commit.
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Runs git in the working copy.
    pub fn git(&self, arguments: &[&str]) -> String {
        run(&self.work, arguments)
    }
}

fn run(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(directory)
        .args([
            "-c",
            "user.name=Author",
            "-c",
            "user.email=author@example.com",
        ])
        .args(["-c", "commit.gpgsign=false", "-c", "http.proxy="])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .expect("git must be installed");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}
