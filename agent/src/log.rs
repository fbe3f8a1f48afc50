//! The agent's own log: JSON lines on standard error.
//!
//! The middleware shares that stream, and the one who reads it may stall. A PID 1 that waits in
//! `write` reaps nothing and stops nothing, so a thread of its own writes, and lines that find its
//! queue full are dropped.

use std::error::Error;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait for a slow reader; some 64 KiB.
const QUEUE: usize = 256;
/// How long an ending agent waits for its last lines to be taken.
const FLUSH: Duration = Duration::from_millis(200);
/// The thread only copies bytes.
const STACK: usize = 64 * 1024;

/// An error and what caused it, on one line: `cannot read x: not found`.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

enum Message {
    Line(Vec<u8>),
    Flush(Sender<()>),
}

/// Lets the last lines out; see [`Log::flush`].
pub struct Log(Queue);

#[derive(Clone)]
struct Queue(SyncSender<Message>);

/// Sends all of `tracing` from `level` up to standard error.
///
/// # Errors
/// No thread could be started.
pub fn start(level: LevelFilter) -> io::Result<Log> {
    let (sender, receiver) = sync_channel(QUEUE);
    std::thread::Builder::new()
        .name("log".to_owned())
        .stack_size(STACK)
        .spawn(move || write_all(&receiver))?;
    let queue = Queue(sender);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(level)
        .with_writer(queue.clone())
        .init();
    Ok(Log(queue))
}

impl Log {
    /// Waits until what was logged is written, but not for a reader that stalls.
    pub fn flush(&self) {
        let (done, wait) = channel();
        if self.0.0.try_send(Message::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(FLUSH);
        }
    }
}

fn write_all(messages: &Receiver<Message>) {
    for message in messages {
        match message {
            Message::Line(line) => drop(io::stderr().write_all(&line)),
            Message::Flush(done) => drop(done.send(())),
        }
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Queue;

    fn make_writer(&'a self) -> Queue {
        self.clone()
    }
}

/// `tracing-subscriber` hands over one whole line at a time.
impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = self.0.try_send(Message::Line(line.to_vec()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
