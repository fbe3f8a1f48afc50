//! A small HTTP/1.1 server whose answers a function gives, and which can misbehave: token servers,
//! proxies, and registries behind a fault. For tests only.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub manner: Manner,
}

/// How an answer is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// As it is.
    #[default]
    Whole,
    /// A byte every 50 ms.
    Drip,
    /// The first half, and then the connection is closed.
    Half,
    /// The body again and again, without an end.
    Endless,
    /// Not at all.
    Never,
    /// A tunnel to this port of localhost (the answer to CONNECT).
    Tunnel(u16),
}

impl Response {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            manner: Manner::Whole,
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(there, _)| !there.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(there, _)| !there.eq_ignore_ascii_case(name));
        self
    }

    pub fn manner(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }
}

type Handler = dyn Fn(&Request) -> Response + Send + Sync;

struct Shared {
    handler: Box<Handler>,
    requests: Mutex<Vec<Request>>,
    stop: AtomicBool,
}

/// A running server; it stops when it is dropped.
pub struct HttpServer {
    shared: Arc<Shared>,
    pub port: u16,
}

impl HttpServer {
    /// Serves what `handler` answers on a free port of localhost.
    pub fn start(handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            requests: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for connection in listener.incoming() {
                if serving.stop.load(Ordering::SeqCst) {
                    return;
                }
                let serving = Arc::clone(&serving);
                thread::spawn(move || answer_all(&serving, connection.unwrap()));
            }
        });
        Self { shared, port }
    }

    /// The requests since the last call.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.shared.requests.lock().unwrap())
    }

    /// Method and path of the requests since the last call.
    pub fn lines(&self) -> Vec<String> {
        let requests = self.requests().into_iter();
        requests
            .map(|request| format!("{} {}", request.method, request.target))
            .collect()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn answer_all(shared: &Shared, stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).ok()? {
        shared.requests.lock().unwrap().push(request.clone());
        let response = (shared.handler)(&request);
        if let Manner::Tunnel(port) = response.manner {
            return tunnel(stream.into_inner(), port).ok();
        }
        let head = request.method == "HEAD";
        write_response(shared, stream.get_mut(), &response, head).ok()?;
    }
    Some(())
}

fn read_request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let headers = read_headers(stream)?;
    let body = read_body(stream, &headers, false)?;
    Ok(Some(Request {
        method,
        target,
        headers,
        body,
    }))
}

fn read_headers(stream: &mut impl BufRead) -> io::Result<BTreeMap<String, String>> {
    let mut headers = BTreeMap::new();
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

fn read_body(
    stream: &mut impl BufRead,
    headers: &BTreeMap<String, String>,
    to_the_end: bool,
) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if headers
        .get("transfer-encoding")
        .is_some_and(|e| e == "chunked")
    {
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let size = usize::from_str_radix(line.split(';').next().unwrap().trim(), 16).unwrap();
            let start = body.len();
            body.resize(start + size, 0);
            stream.read_exact(&mut body[start..])?;
            stream.read_line(&mut String::new())?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
    match headers.get("content-length") {
        Some(length) => {
            body.resize(length.parse().unwrap(), 0);
            stream.read_exact(&mut body)?;
        }
        None if to_the_end => {
            stream.read_to_end(&mut body)?;
        }
        None => {}
    }
    Ok(body)
}

fn write_response(
    shared: &Shared,
    stream: &mut TcpStream,
    response: &Response,
    head: bool,
) -> io::Result<()> {
    let stopped = || shared.stop.load(Ordering::SeqCst);
    if response.manner == Manner::Never {
        while !stopped() {
            thread::sleep(Duration::from_millis(20));
        }
        return Err(io::Error::other("stopped"));
    }
    let mut text = format!("HTTP/1.1 {} Status\r\n", response.status);
    for (name, value) in &response.headers {
        let ours = ["content-length", "transfer-encoding", "connection"];
        if !ours.contains(&name.to_ascii_lowercase().as_str()) || head {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    match (head, response.manner) {
        (true, _) => {}
        (_, Manner::Endless) => text.push_str("Connection: close\r\n"),
        _ => text.push_str(&format!("Content-Length: {}\r\n", response.body.len())),
    }
    stream.write_all(format!("{text}\r\n").as_bytes())?;
    if head {
        return stream.flush();
    }
    match response.manner {
        Manner::Drip => {
            for byte in &response.body {
                stream.write_all(&[*byte])?;
                stream.flush()?;
                thread::sleep(Duration::from_millis(50));
            }
        }
        Manner::Half => {
            stream.write_all(&response.body[..response.body.len() / 2])?;
            stream.flush()?;
            return Err(io::Error::other("closed on purpose"));
        }
        Manner::Endless => {
            while !stopped() {
                stream.write_all(&response.body)?;
            }
        }
        Manner::Whole | Manner::Never | Manner::Tunnel(_) => stream.write_all(&response.body)?,
    }
    stream.flush()
}

fn tunnel(mut client: TcpStream, port: u16) -> io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(std::net::Shutdown::Write);
    });
    io::copy(&mut server, &mut client)?;
    Ok(())
}

/// What a proxy answers: a tunnel where one is asked for, else what the server of the URL says.
pub fn proxied(request: &Request) -> Response {
    if request.method == "CONNECT" {
        let port = request.target.rsplit(':').next().unwrap().parse().unwrap();
        return Response::new(200, "").manner(Manner::Tunnel(port));
    }
    let url = url::Url::parse(&request.target).unwrap();
    let mut inner = request.clone();
    inner.target = url[url::Position::BeforePath..].to_owned();
    forward(url.port().unwrap(), &inner)
}

/// The same of one that wants `proxy:secret`.
pub fn proxied_with_password(request: &Request) -> Response {
    let said = request.headers.get("proxy-authorization");
    match said.map(String::as_str) {
        Some("Basic cHJveHk6c2VjcmV0") => proxied(request),
        _ => Response::new(407, ""),
    }
}

/// What the server at `port` of localhost answers to `request`.
pub fn forward(port: u16, request: &Request) -> Response {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // As a reverse proxy does, so that redirects lead back through it.
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        if ![
            "connection",
            "transfer-encoding",
            "content-length",
            "proxy-authorization",
        ]
        .contains(&name.as_str())
        {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    let length = request.body.len();
    text.push_str(&format!(
        "Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ));
    stream.write_all(text.as_bytes()).unwrap();
    stream.write_all(&request.body).unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let status = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    let headers = read_headers(&mut stream).unwrap();
    let body = match request.method.as_str() {
        "HEAD" => Vec::new(),
        _ => read_body(&mut stream, &headers, true).unwrap(),
    };
    Response {
        status,
        headers: headers.into_iter().collect(),
        body,
        manner: Manner::Whole,
    }
}
