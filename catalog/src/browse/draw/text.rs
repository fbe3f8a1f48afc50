//! Text of a width: wrapped at words, or cut. What is foreign moves no cursor.

use ratatui::{
    style::Style,
    text::{Line, Span},
};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Characters, each with its style.
pub(crate) type Cells = Vec<(char, Style)>;

/// The characters of `text`; line ends and tabs are blanks, other control characters U+FFFD.
pub(crate) fn cells(text: &str, style: Style) -> Cells {
    text.chars().map(|c| (shown(c), style)).collect()
}

/// The same of several pieces.
pub(crate) fn pieces(pieces: &[(&str, Style)]) -> Cells {
    let each = pieces.iter().flat_map(|(text, style)| cells(text, *style));
    each.collect()
}

/// Lines of at most `width` columns: the first begins with `first`, all others with `rest`. Blanks at
/// which a line ends are left out; a word that is too long is broken.
pub(crate) fn wrap(
    cells: &[(char, Style)],
    width: usize,
    first: &str,
    rest: &str,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut line = Cells::new();
    let mut used = 0;
    let room = |lines: &Vec<Line<'_>>| {
        let indent = if lines.is_empty() { first } else { rest };
        width.saturating_sub(indent.width()).max(1)
    };
    for word in cells.split_inclusive(|(c, _)| *c == ' ') {
        let (word, blank) = match word.split_last() {
            Some((blank, word)) if blank.0 == ' ' => (word, Some(*blank)),
            _ => (word, None),
        };
        let fits_none = columns(word) > width.saturating_sub(rest.width());
        if used > 0 && used + columns(word) > room(&lines) && !fits_none {
            end(&mut lines, &mut line, first, rest);
            used = 0;
        }
        for cell in word {
            let width = cell.0.width().unwrap_or(0);
            if used > 0 && used + width > room(&lines) {
                end(&mut lines, &mut line, first, rest);
                used = 0;
            }
            line.push(*cell);
            used += width;
        }
        if let Some(blank) = blank.filter(|_| used > 0) {
            line.push(blank);
            used += 1;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        end(&mut lines, &mut line, first, rest);
    }
    lines
}

/// The same without regard to words and blanks, as code wants it.
pub(crate) fn broken(
    cells: &[(char, Style)],
    width: usize,
    first: &str,
    rest: &str,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let (mut from, mut used) = (0, 0);
    for (at, (c, _)) in cells.iter().enumerate() {
        let indent = if lines.is_empty() { first } else { rest };
        let wide = c.width().unwrap_or(0);
        if used > 0 && used + wide > width.saturating_sub(indent.width()).max(1) {
            lines.push(line(cells.get(from..at).unwrap_or_default(), indent));
            (from, used) = (at, 0);
        }
        used += wide;
    }
    let indent = if lines.is_empty() { first } else { rest };
    lines.push(line(cells.get(from..).unwrap_or_default(), indent));
    lines
}

/// The text in one line of at most `width` columns; what is left out is marked.
pub(crate) fn cut(text: &str, width: usize, unicode: bool) -> String {
    let text: String = text.chars().map(shown).collect();
    if text.width() <= width {
        return text;
    }
    let mark = if unicode { "…" } else { "~" };
    let (mut kept, mut used) = (String::new(), mark.width());
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    if width > 0 {
        kept.push_str(mark);
    }
    kept
}

/// The text, filled up with blanks to `width` columns.
pub(crate) fn filled(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// How many columns the cells take.
pub(crate) fn columns(cells: &[(char, Style)]) -> usize {
    cells.iter().map(|(c, _)| c.width().unwrap_or(0)).sum()
}

/// The cells as a line, equal styles together.
pub(crate) fn line(cells: &[(char, Style)], indent: &str) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    if !indent.is_empty() {
        spans.push(Span::raw(indent.to_owned()));
    }
    for (c, style) in cells {
        match spans.last_mut() {
            Some(last) if last.style == *style => last.content.to_mut().push(*c),
            _ => spans.push(Span::styled(c.to_string(), *style)),
        }
    }
    Line::from(spans)
}

fn end(lines: &mut Vec<Line<'static>>, cells: &mut Cells, first: &str, rest: &str) {
    while cells.last().is_some_and(|(c, _)| *c == ' ') {
        cells.pop();
    }
    let indent = if lines.is_empty() { first } else { rest };
    lines.push(line(cells, indent));
    cells.clear();
}

fn shown(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        let lines = wrap(&cells(text, Style::new()), width, "- ", "  ");
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lines_end_at_words_and_within_the_width() {
        assert_eq!(wrapped("aa bb cc", 7), ["- aa bb", "  cc"]);
        assert_eq!(wrapped("aaaaaaaa b", 5), ["- aaa", "  aaa", "  aa", "  b"]);
        assert_eq!(wrapped("a bbbbbbb", 5), ["- a b", "  bbb", "  bbb"]);
        assert_eq!(wrapped("", 5), ["- "]);
        assert_eq!(wrapped("日本 日本", 6), ["- 日本", "  日本"]);
    }

    #[test]
    fn code_keeps_its_blanks() {
        let lines = broken(&cells("  a  bc", Style::new()), 6, "| ", "| ");
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["|   a ", "|  bc"]);
    }

    #[test]
    fn what_is_cut_is_marked() {
        assert_eq!(cut("abcdef", 4, true), "abc…");
        assert_eq!(cut("abcd", 4, false), "abcd");
        assert_eq!(cut("日本語", 5, false), "日本~");
        assert_eq!(cut("a\u{1b}[2J", 9, true), "a\u{fffd}[2J");
    }
}
