//! TLS before a server of localhost that speaks none. For tests only.

use rustls::{ServerConfig, ServerConnection};
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A port where TLS is spoken for the server at `port`. It ends with the test's process.
pub fn start(config: ServerConfig, port: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let own = listener.local_addr().unwrap().port();
    let config = Arc::new(config);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, config) = (client.unwrap(), Arc::clone(&config));
            thread::spawn(move || serve(&client, config, port));
        }
    });
    own
}

/// Both directions, each on a thread of its own; only whoever has bytes takes the session.
fn serve(client: &TcpStream, config: Arc<ServerConfig>, port: u16) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", port))?;
    let session = Arc::new(Mutex::new(ServerConnection::new(config).unwrap()));
    let (to_client, from_server) = (client.try_clone()?, server.try_clone()?);
    let shared = Arc::clone(&session);
    thread::spawn(move || {
        let _ = encrypted(&from_server, &to_client, &shared);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let _ = decrypted(client, &server, &session);
    server.shutdown(Shutdown::Write)
}

fn encrypted(
    from: &TcpStream,
    mut to: &TcpStream,
    session: &Mutex<ServerConnection>,
) -> io::Result<()> {
    pieces(from, |plain| {
        let mut session = session.lock().unwrap();
        session.writer().write_all(plain)?;
        flush(&mut session, &mut to)
    })?;
    let mut session = session.lock().unwrap();
    session.send_close_notify();
    flush(&mut session, &mut to)
}

fn decrypted(
    from: &TcpStream,
    mut to: &TcpStream,
    session: &Mutex<ServerConnection>,
) -> io::Result<()> {
    pieces(from, |mut came| {
        let mut session = session.lock().unwrap();
        while !came.is_empty() {
            session.read_tls(&mut came)?;
            let outcome = session.process_new_packets();
            // An alert too is for the client.
            flush(&mut session, &mut &*from)?;
            let state = outcome.map_err(io::Error::other)?;
            let mut plain = vec![0; state.plaintext_bytes_to_read()];
            session.reader().read_exact(&mut plain)?;
            to.write_all(&plain)?;
        }
        Ok(())
    })
}

/// Gives `take` what comes, until the end.
fn pieces(mut from: &TcpStream, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    while let length @ 1.. = from.read(&mut buffer)? {
        take(&buffer[..length])?;
    }
    Ok(())
}

fn flush(session: &mut ServerConnection, to: &mut impl Write) -> io::Result<()> {
    while session.wants_write() {
        session.write_tls(to)?;
    }
    Ok(())
}
