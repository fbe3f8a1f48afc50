//! The standard error of `prepare`: handed on to the supervisor's own as it comes, and its last line
//! kept for whoever asks why it failed.
//!
//! Somebody who reads the log may stall, and PID 1 must not stall with them: a thread of its own
//! reads and writes, and then `prepare` waits, as it would without an agent.

use std::io::{self, Read as _, Write as _};
use std::process::ChildStderr;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// More of a line is not told.
const MOST_LINE: usize = 512;
/// The thread only copies bytes.
const STACK: usize = 64 * 1024;
/// After the end of `prepare`, for what still stands in its pipe: a daemon that it left outside of
/// its process group may hold it open for ever.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// What was handed on.
pub(super) struct Errors(watch::Receiver<Said>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    last_line: String,
    is_all: bool,
}

/// Hands on what comes from `pipe` until it is closed.
///
/// # Errors
/// No thread could be started.
pub(super) fn hand_on(mut pipe: ChildStderr) -> io::Result<Errors> {
    let (say, said) = watch::channel(Said::default());
    std::thread::Builder::new()
        .name("prepare".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            let mut lines = Lines::default();
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                lines.take(&chunk[..read]);
                let last_line = lines.last();
                say.send_modify(|said| said.last_line = last_line);
                let _ = io::stderr().write_all(&chunk[..read]);
            }
            say.send_modify(|said| said.is_all = true);
        })?;
    Ok(Errors(said))
}

impl Errors {
    /// The last line that is not blank, once all was handed on; may be asked again, and dropped while
    /// waiting.
    pub(super) async fn last_line(&mut self) -> String {
        let _ = timeout(LAST_OUTPUT, self.0.wait_for(|said| said.is_all)).await;
        self.0.borrow().last_line.clone()
    }
}

/// The last two lines of a stream: one that is whole, and one that has begun.
#[derive(Default)]
struct Lines {
    whole: Vec<u8>,
    begun: Vec<u8>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte != b'\n' {
                if self.begun.len() < MOST_LINE {
                    self.begun.push(byte);
                }
            } else {
                let begun = std::mem::take(&mut self.begun);
                if !begun.trim_ascii().is_empty() {
                    self.whole = begun;
                }
            }
        }
    }

    fn last(&self) -> String {
        let begun = self.begun.trim_ascii();
        let line = if begun.is_empty() {
            self.whole.trim_ascii()
        } else {
            begun
        };
        String::from_utf8_lossy(line).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(chunks: &[&str]) -> String {
        let mut lines = Lines::default();
        for chunk in chunks {
            lines.take(chunk.as_bytes());
        }
        lines.last()
    }

    #[test]
    fn the_last_line_that_says_something_is_kept() {
        assert_eq!(last(&[]), "");
        assert_eq!(last(&["one\ntwo\n"]), "two");
        assert_eq!(last(&["one\n", "  \n\n"]), "one");
        assert_eq!(last(&["one\nt", "w", "o"]), "two");
        assert_eq!(last(&["one\n  two \r\n"]), "two");
    }

    #[test]
    fn of_a_line_without_end_the_beginning_is_kept() {
        let long = "x".repeat(3 * MOST_LINE);
        assert_eq!(last(&[&long]).len(), MOST_LINE);
        assert_eq!(last(&[&long, "\nshort\n"]), "short");
    }
}
