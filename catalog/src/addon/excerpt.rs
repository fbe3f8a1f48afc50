//! What stands at the place of a finding: one line of a file, and a mark below the column.

use super::read;
use crate::output::{Paint, WIDTH};
use package::tree::MAX_FILE_BYTES;
use std::path::Path;

/// The characters before the column that are shown of a line too long for a terminal.
const BEFORE: usize = 24;
/// What the number of a line and its rule take.
const GUTTER: usize = 9;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    line: u32,
    /// Of the mark, from 0, in `text`.
    column: Option<usize>,
    text: String,
}

impl Excerpt {
    /// The line of the file at `path`; `None` where there is none, or nothing stands in it.
    pub(super) fn of(path: &Path, line: Option<u32>, column: Option<u32>) -> Option<Self> {
        let line = line?;
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let text = read::text(path, MAX_FILE_BYTES).ok()?;
        let text = shown(text.lines().nth(index)?);
        let column = column.and_then(|column| usize::try_from(column).ok()?.checked_sub(1));
        Self {
            line,
            column: column.filter(|column| *column <= text.chars().count()),
            text,
        }
        .fitting()
    }

    /// The part around the column that fits a terminal.
    fn fitting(mut self) -> Option<Self> {
        let (most, length) = (WIDTH - GUTTER - 1, self.text.chars().count());
        if length > most {
            let first = self.column.unwrap_or_default().saturating_sub(BEFORE);
            let first = first.min(length - most);
            self.text = self.text.chars().skip(first).take(most).collect();
            self.column = self.column.map(|column| column - first);
        }
        self.text.truncate(self.text.trim_end().len());
        (!self.text.is_empty()).then_some(self)
    }

    /// Two lines: the text with its number, and the mark.
    pub(super) fn text(&self, paint: Paint) -> String {
        let Self { line, column, text } = self;
        let mut lines = format!("  {line:>4} | {text}\n");
        if let Some(column) = column {
            let (column, mark) = (*column, paint.red("^"));
            lines.push_str(&format!("  {:>4} | {:column$}{mark}\n", "", ""));
        }
        lines
    }
}

/// The line as a terminal may show it: one character for each of it, none that moves a cursor.
fn shown(line: &str) -> String {
    let one = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    line.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(text: &str, line: u32, column: u32) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        match Excerpt::of(file.path(), Some(line), Some(column)) {
            Some(excerpt) => excerpt.text(Paint::none()),
            None => String::new(),
        }
    }

    #[test]
    fn the_mark_stands_below_the_column() {
        assert_eq!(
            excerpt("a:\n\tb: ü\u{1b}x\n", 2, 5),
            "     2 |  b: ü\u{fffd}x\n       |     ^\n"
        );
        assert_eq!(excerpt("a\n", 1, 2), "     1 | a\n       |  ^\n");
    }

    #[test]
    fn of_a_long_line_the_part_around_the_column_is_shown() {
        let long = format!("{}x{}", "a".repeat(300), "b".repeat(300));
        let shown = excerpt(&long, 1, 301);
        let (line, mark) = shown.split_once('\n').unwrap();
        assert_eq!(line.chars().count(), WIDTH - 1);
        assert_eq!(line.find('x'), mark.find('^'));
        let end = excerpt(&long, 1, 601);
        assert_eq!(
            end.lines().next().map(|l| l.chars().count()),
            Some(WIDTH - 1)
        );
    }

    #[test]
    fn where_nothing_stands_nothing_is_shown() {
        assert_eq!(excerpt("a\n\n", 2, 1), "");
        assert_eq!(excerpt("a\n", 9, 1), "");
        assert_eq!(excerpt("a\n", 1, 99), "     1 | a\n");
        assert!(Excerpt::of(Path::new("/nowhere"), Some(1), Some(1)).is_none());
        assert!(Excerpt::of(Path::new("/dev"), Some(1), None).is_none());
    }
}
