//! How answers look: for people, in colours on a terminal, or as JSON or YAML with stable names.

use crate::args::{self, CheckOutput, ListOutput, Output};
use anyhow::Context as _;
use serde::Serialize;
use std::io::IsTerminal;

/// The widest line of what is made for people: a terminal's usual width.
pub(crate) const WIDTH: usize = 80;

/// An answer, and what it means for the exit code.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What goes to stdout.
    pub(crate) text: String,
    /// Whether something was found.
    pub(crate) verdict: Verdict,
}

impl Outcome {
    /// What was asked for, and nothing to object.
    pub(crate) fn clean(text: String) -> Self {
        Self {
            text,
            verdict: Verdict::Clean,
        }
    }
}

/// A person ended it, by Ctrl-C: what there is to know then.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Interrupted(pub(crate) String);

/// What was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Everything is right.
    Clean,
    /// Something is wrong, and the answer says what.
    Findings,
}

/// What a forge shows at a line of a change.
#[derive(Debug)]
pub(crate) struct Annotation {
    /// `error`, `warning` or `notice`.
    pub(crate) level: &'static str,
    /// The file and, where they are known, line and column.
    pub(crate) place: (String, Option<u32>, Option<u32>),
    /// What is to be said.
    pub(crate) message: String,
}

/// A verdict, which a forge can show too.
pub(crate) trait Annotated: Report {
    /// All that was found.
    fn annotations(&self) -> Vec<Annotation>;
}

/// An answer that people and programs can read.
pub(crate) trait Report: Serialize {
    /// For people, with a newline at the end.
    fn text(&self, paint: Paint) -> String;

    /// What it means for the exit code.
    fn verdict(&self) -> Verdict {
        Verdict::Clean
    }
}

/// An answer that is a list.
pub(crate) trait Listed: Report {
    /// For people with wide terminals.
    fn wide(&self, paint: Paint) -> String;

    /// Names alone, as other commands take them.
    fn names(&self) -> Vec<String>;
}

/// The list in the wanted form.
///
/// # Errors
/// As [`show`].
pub(crate) fn list(report: &impl Listed, output: ListOutput) -> anyhow::Result<Outcome> {
    let text = match output {
        ListOutput::Text => return show(report, Output::Text),
        ListOutput::Json => return show(report, Output::Json),
        ListOutput::Yaml => return show(report, Output::Yaml),
        ListOutput::Wide => report.wide(Paint::of(&std::io::stdout())),
        ListOutput::Name => report.names().into_iter().map(|name| name + "\n").collect(),
    };
    Ok(Outcome {
        text,
        verdict: report.verdict(),
    })
}

/// The answer in the wanted form.
///
/// # Errors
/// None for the reports of this crate; a serializer has the last word.
pub(crate) fn show(report: &impl Report, output: Output) -> anyhow::Result<Outcome> {
    let text = match output {
        Output::Text => report.text(Paint::of(&std::io::stdout())),
        Output::Json => serde_json::to_string_pretty(report)? + "\n",
        Output::Yaml => serde_saphyr::to_string(report).context("writing YAML")?,
    };
    Ok(Outcome {
        text,
        verdict: report.verdict(),
    })
}

/// The verdict in the wanted form.
///
/// # Errors
/// As [`show`].
pub(crate) fn judge(report: &impl Annotated, output: CheckOutput) -> anyhow::Result<Outcome> {
    let output = match output {
        CheckOutput::Text => Output::Text,
        CheckOutput::Json => Output::Json,
        CheckOutput::Yaml => Output::Yaml,
        CheckOutput::Github => {
            let annotations = report.annotations();
            let lines: String = annotations.iter().map(Annotation::github).collect();
            let text = report.text(Paint::of(&std::io::stdout()));
            return Ok(Outcome {
                text: text + &lines,
                verdict: report.verdict(),
            });
        }
    };
    show(report, output)
}

impl Annotation {
    /// A workflow command: `::error file=…,line=…,col=…::message`.
    fn github(&self) -> String {
        let (file, line, column) = &self.place;
        let number = |name: &str, number: &Option<u32>| match number {
            Some(number) => format!(",{name}={number}"),
            None => String::new(),
        };
        format!(
            "::{} file={}{}{}::{}\n",
            self.level,
            escaped(file).replace(':', "%3A").replace(',', "%2C"),
            number("line", line),
            number("col", column),
            escaped(&self.message)
        )
    }
}

/// The text as a workflow command takes it.
fn escaped(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

/// What goes to stderr where the work could not be done: in lines of a terminal's width on one, else
/// in one.
pub(crate) fn complaint(error: &anyhow::Error, paint: Paint) -> String {
    let text = match error.downcast_ref::<Interrupted>() {
        // Behind the `^C` that a terminal shows.
        Some(interrupted) if paint.on_terminal() => format!("\n{interrupted}"),
        Some(interrupted) => interrupted.to_string(),
        None => format!("error: {error:#}"),
    };
    let text = match paint.on_terminal() {
        true => text
            .lines()
            .map(|line| wrapped(line, WIDTH, "  "))
            .collect(),
        false => text + "\n",
    };
    text.replacen("error:", &paint.red("error:"), 1)
}

/// What the reader is shown beside words: colours where they are wanted, and what only a terminal
/// has room for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    colours: bool,
    terminal: bool,
}

impl Paint {
    /// What fits the stream.
    pub(crate) fn of(stream: &impl IsTerminal) -> Self {
        let terminal = stream.is_terminal();
        Self {
            colours: terminal && args::colours(),
            terminal,
        }
    }

    /// Words alone.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self {
            colours: false,
            terminal: false,
        }
    }

    /// Whether a person reads along.
    pub(crate) fn on_terminal(self) -> bool {
        self.terminal
    }

    /// What matters most in a line.
    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What is wrong.
    pub(crate) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// What is right.
    pub(crate) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What deserves a look.
    pub(crate) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// `place: label: message`, in lines of a terminal's width on one; no label where it is empty.
    pub(crate) fn finding(self, place: &str, label: &str, message: &str) -> String {
        let (place, message) = (one_line(place), one_line(message));
        let text = match label {
            "" => format!("{place}: {message}"),
            label => format!("{place}: {label}: {message}"),
        };
        let text = match self.terminal {
            true => wrapped(&text, WIDTH, "  "),
            false => text + "\n",
        };
        let text = text.replacen(&place, &self.bold(&place), 1);
        match label {
            "error" => text.replacen("error:", &format!("{}:", self.red(label)), 1),
            "warning" => text.replacen("warning:", &format!("{}:", self.yellow(label)), 1),
            _ => text,
        }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.colours {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}

/// `text` in one line: blanks and line ends become one blank each, other control characters are
/// escaped, so that no name in a foreign addon moves a cursor or begins a line of its own.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' | ' ' if line.ends_with(' ') => {}
            '\n' | '\r' | '\t' => line.push(' '),
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

/// `text` in lines of at most `width` characters, the second and all later ones indented.
pub(crate) fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            lines.push('\n');
            lines.push_str(indent);
            column = indent.chars().count();
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_wrapped_at_words() {
        assert_eq!(wrapped("aa bb cc", 5, "  "), "aa bb\n  cc\n");
        assert_eq!(wrapped("aaaaaaaa b", 3, ""), "aaaaaaaa\nb\n");
    }

    #[test]
    fn a_forge_is_told_in_its_own_words() {
        let annotation = Annotation {
            level: "error",
            place: ("a,b:c.yaml".to_owned(), Some(3), None),
            message: "50 %\n::warning::x".to_owned(),
        };
        assert_eq!(
            annotation.github(),
            "::error file=a%2Cb%3Ac.yaml,line=3::50 %25%0A::warning::x\n"
        );
    }

    #[test]
    fn foreign_names_stay_in_their_line() {
        assert_eq!(
            one_line("a\n  ::b\u{1b}[2J\u{7f}"),
            "a ::b\\u{1b}[2J\\u{7f}"
        );
        assert_eq!(one_line("ä b"), "ä b");
    }

    #[test]
    fn colours_are_written_where_they_are_wanted() {
        let terminal = |colours| Paint {
            colours,
            terminal: true,
        };
        assert_eq!(terminal(false).red("x"), "x");
        assert_eq!(terminal(true).red("x"), "\u{1b}[31mx\u{1b}[0m");
    }

    #[test]
    fn a_finding_is_one_line_where_programs_read_it() {
        let message = ["word"; 30].join(" ");
        let plain = Paint::none().finding("a/b:1:2", "error", &message);
        assert_eq!(plain, format!("a/b:1:2: error: {message}\n"));
        let terminal = Paint {
            colours: true,
            terminal: true,
        };
        let told = terminal.finding("a/b:1:2", "warning", &message);
        assert!(told.starts_with("\u{1b}[1ma/b:1:2\u{1b}[0m: \u{1b}[33mwarning\u{1b}[0m: word"));
        assert_eq!(told.lines().count(), 3);
    }

    #[test]
    fn a_complaint_fits_a_terminal_and_is_one_line_elsewhere() {
        let error = anyhow::anyhow!("{}", ["word"; 30].join(" "));
        let long = complaint(&error, Paint::none());
        assert_eq!(long.lines().count(), 1);
        let paint = Paint {
            colours: true,
            terminal: true,
        };
        let told = complaint(&error, paint);
        assert!(told.starts_with("\u{1b}[31merror:\u{1b}[0m word"), "{told}");
        assert!(
            told.lines()
                .skip(1)
                .all(|line| line.starts_with("  word") && line.len() <= WIDTH)
        );
        assert_eq!(told.lines().count(), 3);
    }
}
