//! Tables for people: columns as wide as what stands in them, in a terminal's width on one.

use crate::output::{Paint, WIDTH, one_line, wrapped};
use std::fmt::Display;

/// Between two columns.
const GAP: usize = 2;
/// What stands before values.
const LABEL: usize = 11;
/// The least that a column is cut to.
const LEAST: usize = 12;

/// Rows of cells under heads.
#[derive(Debug, Default)]
pub(crate) struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// What stands in a row, and how it looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

/// How a text looks where there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As all others.
    #[default]
    Plain,
    /// What matters most in a row.
    Bold,
    /// What is right.
    Good,
    /// What deserves a look.
    Look,
    /// What is wrong.
    Bad,
}

impl Cell {
    /// The text in one line; `-` where it is empty.
    pub(crate) fn new(text: impl Display) -> Self {
        Self::toned(text, Tone::Plain)
    }

    /// The same, with a tone.
    pub(crate) fn toned(text: impl Display, tone: Tone) -> Self {
        let text = one_line(&text.to_string());
        let text = match text.trim() {
            "" => "-".to_owned(),
            text => text.to_owned(),
        };
        Self { text, tone }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl Tone {
    /// The text in this tone.
    pub(crate) fn paint(self, text: &str, paint: Paint) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Bold => paint.bold(text),
            Self::Good => paint.green(text),
            Self::Look => paint.yellow(text),
            Self::Bad => paint.red(text),
        }
    }

    /// The tone of a state of a version or of a source.
    pub(crate) fn of_state(state: &str) -> Self {
        match state {
            "Active" | "Ready" => Self::Good,
            "Failed" | "Withdrawn" | "Stalled" => Self::Bad,
            _ => Self::Look,
        }
    }
}

impl Table {
    /// No rows yet.
    pub(crate) fn new(heads: &[&'static str]) -> Self {
        Self {
            heads: heads.to_vec(),
            rows: Vec::new(),
        }
    }

    /// One more row, of as many cells as there are heads.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The table; on a terminal in lines of its width, where the widest columns are cut first.
    pub(crate) fn text(&self, paint: Paint) -> String {
        match paint.on_terminal() {
            true => self.drawn(Some(WIDTH), paint),
            false => self.drawn(None, paint),
        }
    }

    /// The table in lines as long as they are.
    pub(crate) fn wide(&self, paint: Paint) -> String {
        self.drawn(None, paint)
    }

    fn drawn(&self, most: Option<usize>, paint: Paint) -> String {
        let widths = self.widths(most);
        let heads = self.heads.iter().map(Cell::new).collect();
        let mut text = String::new();
        for row in std::iter::once(&heads).chain(&self.rows) {
            text.push_str(&line(row, &widths, paint));
        }
        text
    }

    fn widths(&self, most: Option<usize>) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let widest = cells.map(Cell::width).max().unwrap_or_default();
            widest.max(self.heads[column].len())
        };
        let mut widths: Vec<usize> = (0..self.heads.len()).map(width).collect();
        let gaps = GAP * widths.len().saturating_sub(1);
        while let Some(most) = most {
            let all = widths.iter().sum::<usize>() + gaps;
            let widest = widths.iter_mut().max_by_key(|width| **width);
            match widest.filter(|width| all > most && **width > LEAST) {
                Some(width) => *width = width.saturating_sub(all - most).max(second(LEAST, *width)),
                None => break,
            }
        }
        widths
    }
}

/// The least that one step cuts a column to: a quarter less, so that two wide ones share the loss.
fn second(least: usize, width: usize) -> usize {
    least.max(width - width / 4 - 1)
}

fn line(row: &[Cell], widths: &[usize], paint: Paint) -> String {
    let mut text = String::new();
    for (i, (cell, width)) in row.iter().zip(widths).enumerate() {
        let shown = cut(&cell.text, *width);
        let pad = width.saturating_sub(shown.chars().count()) + GAP;
        text.push_str(&cell.tone.paint(&shown, paint));
        if i + 1 < widths.len() {
            text.push_str(&" ".repeat(pad));
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// `  label        value`, the value wrapped under itself; nothing where there is none.
pub(crate) fn labelled(label: &str, value: &str) -> String {
    if value.trim().is_empty() {
        return String::new();
    }
    let lead = " ".repeat(LABEL + 2 * GAP);
    format!("  {label:LABEL$}  {}", hanging(value, &lead))
}

/// `text` as a paragraph of a terminal's width, indented by two, and by more in further lines.
pub(crate) fn item(text: &str) -> String {
    format!("  {}", hanging(text, "    "))
}

/// `text` in lines that fit a terminal's width behind `lead`, which stands before all but the first.
pub(crate) fn hanging(text: &str, lead: &str) -> String {
    let lines = wrapped(&one_line(text), WIDTH - lead.len(), "");
    let lines = lines.trim_end().replace('\n', &format!("\n{lead}"));
    format!("{lines}\n")
}

/// `text` with every SHA-256 in it cut to its first digits: programs are told the whole.
pub(crate) fn brief(text: &str) -> String {
    const WHOLE: usize = 64;
    const DIGITS: usize = 12;
    let mut brief = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        match digits.len() {
            WHOLE => {
                brief.push_str(&digits[..DIGITS]);
                brief.push_str(&part[WHOLE..]);
            }
            _ => brief.push_str(part),
        }
    }
    brief
}

/// The text, with `…` at its end where it had more than `most` characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cells: &[&str]) -> Table {
        let mut table = Table::new(&["NAME", "URL", "WHAT"]);
        table.row(cells.iter().map(Cell::new).collect());
        table
    }

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let text = table(&["redis", "", "a\ncache"]).wide(Paint::none());
        assert_eq!(text, "NAME   URL  WHAT\nredis  -    a cache\n");
    }

    #[test]
    fn long_digests_are_cut_for_people() {
        let digest = "0123456789abcdef".repeat(4);
        assert_eq!(
            brief(&format!("dev@sha256:{digest}: 3")),
            "dev@sha256:0123456789ab: 3"
        );
        assert_eq!(brief(&digest), "0123456789ab");
        let commit = format!("main@sha1:{}", &digest[..40]);
        assert_eq!(brief(&commit), commit);
    }

    #[test]
    fn the_widest_columns_are_cut_to_a_terminals_width() {
        let (url, what) = ("u".repeat(70), "w".repeat(60));
        let text = table(&["redis", &url, &what]).drawn(Some(WIDTH), Paint::none());
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(
            longest.is_some_and(|n| n <= WIDTH && n > WIDTH - 4),
            "{text}"
        );
        assert!(
            text.contains("redis") && text.matches('…').count() == 2,
            "{text}"
        );
        let long = "n".repeat(90);
        let whole = table(&[&long, "u", "w"]).wide(Paint::none());
        assert!(whole.contains(&long));
    }
}
