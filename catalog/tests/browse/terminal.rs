//! A terminal of a size, in which the binary runs: what is typed, what is seen.

use std::{
    io::{Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use vt100::Parser;

/// How long what takes milliseconds may take on a machine that does other things.
const SOON: Duration = Duration::from_secs(30);
/// So long is quiet.
const QUIET: Duration = Duration::from_millis(1200);

/// What a terminal has seen.
struct Seen {
    parser: Parser,
    output: Vec<u8>,
    is_wrapped: bool,
}

/// A terminal with a program in it.
pub struct Terminal {
    child: Running,
    keys: Option<ChildStdin>,
    seen: Arc<Mutex<Seen>>,
    reader: std::thread::JoinHandle<()>,
}

/// Ends with its test: without its terminal the program in it ends too.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

/// What is left when the program has ended.
pub struct Left {
    pub code: i32,
    /// The text on the screen.
    pub screen: String,
    /// All that was written, with what moves cursors.
    pub output: String,
    /// Whether the screen is the one from before, with its cursor.
    pub is_restored: bool,
    /// Whether a line was too long for the terminal at any time.
    pub is_wrapped: bool,
}

impl Terminal {
    /// Runs a shell command in a terminal of that size.
    pub fn start(command: &str, columns: u16, lines: u16) -> Self {
        let inside = format!("stty cols {columns} rows {lines}; {command}");
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--echo", "never", "--command"])
            .arg(format!("bash -c {}", quoted(&inside)))
            .arg("/dev/null")
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let seen = Arc::new(Mutex::new(Seen {
            parser: Parser::new(lines, columns, 0),
            output: Vec::new(),
            is_wrapped: false,
        }));
        let shared = seen.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                let mut seen = shared.lock().unwrap();
                seen.parser.process(&buffer[..length]);
                seen.output.extend(&buffer[..length]);
                let screen = seen.parser.screen();
                let is_wrapped = (0..lines).any(|line| screen.row_wrapped(line));
                seen.is_wrapped |= is_wrapped;
            }
        });
        let keys = child.stdin.take();
        Self {
            child: Running(child),
            keys,
            seen,
            reader,
        }
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        let stdin = self.keys.as_mut().unwrap();
        stdin.write_all(keys.as_bytes()).unwrap();
        stdin.flush().unwrap();
        if keys == "\u{1b}" {
            // What follows at once would make it another key.
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until the text is on the screen.
    pub fn shows(&self, text: &str) {
        self.until(text, |screen| screen.contains(text));
    }

    /// Waits until the text is not on the screen.
    pub fn hides(&self, text: &str) {
        self.until(text, |screen| !screen.contains(text));
    }

    fn until(&self, text: &str, holds: impl Fn(&str) -> bool) {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return;
            }
            assert!(start.elapsed() < SOON, "`{text}`; the screen is\n{screen}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn screen(&self) -> String {
        self.seen.lock().unwrap().parser.screen().contents()
    }

    /// How many bytes were written so far.
    pub fn written(&self) -> usize {
        self.seen.lock().unwrap().output.len()
    }

    /// Waits until nothing is written for a while; how many bytes came in the last such while.
    pub fn quiet(&self) -> usize {
        let start = Instant::now();
        loop {
            let before = self.written();
            std::thread::sleep(QUIET);
            let written = self.written() - before;
            if written == 0 || start.elapsed() > SOON {
                return written;
            }
        }
    }

    /// Ends the program from outside.
    pub fn terminate(&self) {
        let script = self.child.0.id().to_string();
        let kill = format!(
            "pkill -TERM --parent $(pgrep --parent {script}) || pkill -TERM --parent {script}"
        );
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the end.
    pub fn ends(mut self) -> Left {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.0.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > SOON {
                self.child.0.kill().unwrap();
                panic!("it does not end; the screen is\n{}", self.screen());
            }
            std::thread::sleep(Duration::from_millis(30));
        };
        self.reader.join().unwrap();
        let seen = self.seen.lock().unwrap();
        let screen = seen.parser.screen();
        Left {
            code: status.code().unwrap_or(-1),
            screen: screen.contents(),
            output: String::from_utf8_lossy(&seen.output).into_owned(),
            is_restored: !screen.alternate_screen() && !screen.hide_cursor(),
            is_wrapped: seen.is_wrapped,
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
