//! How the story speaks: 80 columns, colours on a terminal only, and progress while it waits.

use std::{
    cell::RefCell,
    io::{IsTerminal, Write, stdout},
    time::{Duration, Instant},
};

/// Columns of a line, the indent included.
const WIDTH: usize = 80;
const INDENT: &str = "   ";
/// Waits shorter than this pass in silence.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two lines about the same wait where no line can be written over.
const REMINDER: Duration = Duration::from_secs(15);

/// Where the story is told.
#[derive(Debug)]
pub struct Voice {
    terminal: bool,
    last_reminder: RefCell<Instant>,
}

impl Voice {
    /// Standard output, plain unless it is a terminal that wants colours.
    pub fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none();
        let last_reminder = RefCell::new(Instant::now());
        Self {
            terminal: stdout().is_terminal() && wanted,
            last_reminder,
        }
    }

    /// The title of a step.
    pub fn title(&self, text: &str) {
        self.line(&format!("\n{}", self.styled("1", text)));
    }

    /// What was seen, wrapped.
    pub fn say(&self, text: &str) {
        for line in wrap(text, WIDTH - INDENT.len()) {
            self.line(&format!("{INDENT}{line}"));
        }
    }

    /// A command, as a person would type it; a long one goes on in the next line.
    pub fn command(&self, text: &str) {
        let lines = wrap(text, WIDTH - INDENT.len() - 4);
        let text = lines.join(&format!(" \\\n{INDENT}    "));
        self.line(&self.styled("2", &format!("{INDENT}$ {text}")));
    }

    /// The output of a command, its tables set closer, each line cut.
    pub fn output(&self, text: &str) {
        for line in closer(text) {
            self.line(&format!(
                "{INDENT}{}",
                cut(line.trim_end(), WIDTH - INDENT.len())
            ));
        }
    }

    /// That a step went as told.
    pub fn done(&self, took: Duration) {
        let text = format!("{INDENT}ok, {}", seconds(took));
        self.line(&self.styled("32", &text));
    }

    /// That a step went otherwise.
    pub fn failed(&self, text: &str) {
        for line in text
            .lines()
            .flat_map(|line| wrap(line, WIDTH - INDENT.len()))
        {
            self.line(&self.styled("31", &format!("{INDENT}{line}")));
        }
    }

    /// What is waited for, how long already, and what is seen meanwhile.
    pub fn waiting(&self, what: &str, so_far: Duration, seen: &str) {
        if so_far < PATIENCE {
            return;
        }
        let first = seen.lines().next().unwrap_or_default();
        let text = format!("{INDENT}… {what}, {:.0} s: {first}", so_far.as_secs_f64());
        if self.terminal {
            print!("\r\x1b[2K{}", cut(&text, WIDTH - 1));
            let _ = stdout().flush();
        } else if so_far > REMINDER && self.last_reminder.borrow().elapsed() > REMINDER {
            *self.last_reminder.borrow_mut() = Instant::now();
            println!("{}", cut(&text, WIDTH));
        }
    }

    fn line(&self, text: &str) {
        let erase = if self.terminal { "\r\x1b[2K" } else { "" };
        println!("{erase}{text}");
        let _ = stdout().flush();
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.terminal {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Seconds with one digit.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Tables of `kubectl` with two spaces between columns, one where they are wide, and without the API group in names: the same
/// cells, in fewer columns. Other text stays as it is.
fn closer(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for block in text.split("\n\n") {
        let starts = |word: &str| block.trim_start().starts_with(word);
        if starts("NAME ") || starts("NAMESPACE ") {
            lines.extend(table(block));
        } else {
            lines.extend(block.lines().map(str::to_owned));
        }
    }
    lines
}

fn table(block: &str) -> Vec<String> {
    let cells = |line: &str| -> Vec<String> {
        let cells = line
            .split("   ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty());
        cells
            .map(|cell| cell.replacen(".middleware.io/", "/", 1))
            .collect()
    };
    let rows: Vec<Vec<String>> = block.lines().map(cells).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |n: usize| {
        let cells = rows.iter().filter_map(|row| row.get(n));
        cells.map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).filter_map(width).collect();
    let whole = |gap: usize| widths.iter().sum::<usize>() + gap * columns.saturating_sub(1);
    let gap = if whole(2) > WIDTH - INDENT.len() {
        " "
    } else {
        "  "
    };
    let pad = |(cell, width): (&String, &usize)| format!("{cell:<width$}");
    rows.iter()
        .map(|row| {
            row.iter()
                .zip(&widths)
                .map(pad)
                .collect::<Vec<_>>()
                .join(gap)
        })
        .collect()
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            let gap = if line.is_empty() { "" } else { " " };
            line.push_str(&format!("{gap}{word}"));
        }
    }
    lines.iter().map(|line| cut(line, width)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_set_closer() {
        let text = "NAME                  READY   AGE\napp.middleware.io/a   1/1     2s\n\nNAME   X\nb      c";
        let wanted = [
            "NAME   READY  AGE",
            "app/a  1/1    2s ",
            "NAME  X",
            "b     c",
        ];
        assert_eq!(closer(text), wanted);
        assert_eq!(closer("created\nx"), ["created", "x"]);
    }

    #[test]
    fn no_line_is_longer_than_the_screen() {
        let text = "the quick brown fox ".repeat(20) + &"x".repeat(100);
        for line in wrap(&text, 77) {
            assert!(line.chars().count() <= 77, "{line}");
        }
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(wrap("a b", 77), ["a b"]);
    }
}
