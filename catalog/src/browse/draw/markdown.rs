//! Markdown as a terminal shows it: headings, lists, code, quotes, tables, and links as numbers with
//! their addresses at the end.
//!
//! In: foreign text and a width. Out: lines. HTML is left out; nothing of it is fetched.

mod table;

use super::{
    look::{Look, Role},
    text::{Cells, broken, cells, wrap},
};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use ratatui::{
    style::{Modifier, Style},
    text::Line,
};
use table::Table;

/// The most bytes that are shown of one file.
const MAX_BYTES: usize = 256 << 10;

/// The lines of `text` in `width` columns.
pub(crate) fn lines(text: &str, width: usize, look: Look) -> Vec<Line<'static>> {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut page = Page::new(width, look);
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    for event in Parser::new_ext(text.get(..end).unwrap_or_default(), options) {
        page.event(event);
    }
    page.finish(end < text.len())
}

/// What was read so far.
struct Page {
    width: usize,
    look: Look,
    lines: Vec<Line<'static>>,
    /// The paragraph that is not finished.
    text: Cells,
    style: Vec<Style>,
    /// The number of the next item of each list one is in, none where it has no numbers; and how far
    /// its items are indented.
    lists: Vec<(Option<u64>, usize)>,
    /// What stands before the next line of the item, once.
    bullet: Option<String>,
    quotes: usize,
    code: bool,
    table: Option<Table>,
    links: Vec<String>,
    link: Option<String>,
}

impl Page {
    fn new(width: usize, look: Look) -> Self {
        Self {
            width: width.max(8),
            look,
            lines: Vec::new(),
            text: Vec::new(),
            style: vec![Style::new()],
            lists: Vec::new(),
            bullet: None,
            quotes: 0,
            code: false,
            table: None,
            links: Vec::new(),
            link: None,
        }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.begin(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.code => self.code_lines(&text),
            Event::Text(text) => self.say(&text),
            Event::Code(code) => {
                let style = self.style().patch(self.look.style(Role::Code));
                // Without colours its ends are marked.
                let mark = if self.look.colours { "" } else { "`" };
                self.text
                    .extend(cells(&format!("{mark}{code}{mark}"), style));
            }
            Event::SoftBreak => self.say(" "),
            Event::HardBreak => self.flush(),
            Event::Rule => {
                self.gap();
                let rule = self.look.rule(self.width);
                self.lines.push(self.quiet(rule));
            }
            Event::TaskListMarker(done) => self.say(if done { "[x] " } else { "[ ] " }),
            _ => {}
        }
    }

    fn begin(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.gap_unless_item(),
            Tag::Heading { level, .. } => {
                self.gap();
                let style = Style::new().add_modifier(Modifier::BOLD);
                self.style.push(match level {
                    HeadingLevel::H1 | HeadingLevel::H2 => self.look.style(Role::Title),
                    _ => style.add_modifier(Modifier::ITALIC),
                });
            }
            Tag::BlockQuote(_) => {
                self.gap();
                self.quotes += 1;
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                self.gap_unless_item();
                self.code = true;
                if let CodeBlockKind::Fenced(language) = kind
                    && !language.is_empty()
                {
                    let language = language.split_whitespace().next().unwrap_or_default();
                    let line = format!("{}[{language}]", self.indent());
                    self.lines.push(self.quiet(line));
                }
            }
            Tag::List(first) => {
                self.flush();
                if self.lists.is_empty() {
                    self.gap();
                }
                self.lists.push((first, 2));
            }
            Tag::Item => self.item(),
            Tag::Emphasis => self.push(Style::new().add_modifier(Modifier::ITALIC)),
            Tag::Strong => self.push(Style::new().add_modifier(Modifier::BOLD)),
            Tag::Strikethrough => self.push(Style::new().add_modifier(Modifier::CROSSED_OUT)),
            Tag::Link { dest_url, .. } => {
                self.link = Some(dest_url.to_string());
                self.push(self.look.style(Role::Link));
            }
            Tag::Image { dest_url, .. } => {
                self.say("[image: ");
                self.link = Some(dest_url.to_string());
                self.push(Style::new());
            }
            Tag::Table(_) => {
                self.gap();
                self.table = Some(Table::default());
            }
            Tag::TableHead => self.push(self.look.style(Role::Title)),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.flush(),
            TagEnd::Heading(level) => {
                self.flush();
                self.pop();
                if matches!(level, HeadingLevel::H1 | HeadingLevel::H2) {
                    let sign = match level {
                        HeadingLevel::H1 => self.look.either("═", "="),
                        _ => self.look.either("─", "-"),
                    };
                    let width = self.lines.last().map_or(0, Line::width);
                    let line = sign.repeat(width);
                    self.lines.push(self.quiet(line));
                }
            }
            TagEnd::BlockQuote(_) => self.quotes = self.quotes.saturating_sub(1),
            TagEnd::CodeBlock => self.code = false,
            TagEnd::List(_) => drop(self.lists.pop()),
            TagEnd::Item => {
                self.flush();
                self.bullet = None;
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => self.pop(),
            TagEnd::Link => {
                self.pop();
                self.number();
            }
            TagEnd::Image => {
                self.pop();
                self.say("]");
                self.number();
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text);
                self.table.get_or_insert_default().cell(cell);
            }
            TagEnd::TableHead => {
                self.pop();
                self.table.get_or_insert_default().row();
            }
            TagEnd::TableRow => self.table.get_or_insert_default().row(),
            TagEnd::Table => {
                let table = self.table.take().unwrap_or_default();
                self.lines.extend(table.lines(self.width, self.look));
            }
            _ => {}
        }
    }

    fn item(&mut self) {
        self.flush();
        let bullet = self.look.either("•", "*");
        self.bullet = Some(match self.lists.last_mut() {
            Some((Some(number), width)) => {
                *number += 1;
                let text = format!("{}. ", *number - 1);
                *width = text.len();
                text
            }
            _ => format!("{bullet} "),
        });
    }

    fn code_lines(&mut self, text: &str) {
        let bar = format!("{} ", self.look.either("│", "|"));
        let indent = self.indent();
        let style = self.look.style(Role::Code);
        for line in text.lines() {
            let line = cells(&line.replace('\t', "    "), style);
            let first = self.with_bullet(&indent) + &bar;
            let indent = format!("{indent}{bar}");
            self.lines
                .extend(broken(&line, self.width, &first, &indent));
        }
    }

    /// Ends the paragraph.
    fn flush(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.text);
        let indent = self.indent();
        let first = self.with_bullet(&indent);
        self.lines.extend(wrap(&text, self.width, &first, &indent));
    }

    /// What stands before each line here.
    fn indent(&self) -> String {
        let quote = self.look.either("▌ ", "> ").repeat(self.quotes);
        let list: usize = self.lists.iter().map(|(_, width)| width).sum();
        let list = " ".repeat(list.min(self.width / 2));
        format!("{quote}{list}")
    }

    /// `indent` with the item's bullet at its end, where it was not shown yet.
    fn with_bullet(&mut self, indent: &str) -> String {
        let Some(bullet) = self.bullet.take() else {
            return indent.to_owned();
        };
        let before = indent
            .chars()
            .count()
            .saturating_sub(bullet.chars().count());
        let mut first: String = indent.chars().take(before).collect();
        first.push_str(&bullet);
        first
    }

    fn say(&mut self, text: &str) {
        let style = self.style();
        self.text.extend(cells(text, style));
    }

    /// The number of the link that just ended.
    fn number(&mut self) {
        let Some(link) = self.link.take() else { return };
        let number = match self.links.iter().position(|l| *l == link) {
            Some(at) => at + 1,
            None => {
                self.links.push(link);
                self.links.len()
            }
        };
        let style = self.look.style(Role::Quiet);
        self.text.extend(cells(&format!("[{number}]"), style));
    }

    fn finish(mut self, is_cut: bool) -> Vec<Line<'static>> {
        self.flush();
        let links = std::mem::take(&mut self.links);
        if !links.is_empty() {
            self.gap();
        }
        for (i, link) in links.iter().enumerate() {
            let link = cells(link, self.look.style(Role::Quiet));
            let number = format!("[{}] ", i + 1);
            let rest = " ".repeat(number.len());
            self.lines.extend(wrap(&link, self.width, &number, &rest));
        }
        if is_cut {
            self.gap();
            let most = MAX_BYTES >> 10;
            self.lines
                .push(self.quiet(format!("[the rest after {most} KiB is not shown]")));
        }
        self.lines
    }

    fn gap_unless_item(&mut self) {
        if self.bullet.is_none() {
            self.gap();
        }
    }

    /// One empty line, unless there is one or nothing above.
    fn gap(&mut self) {
        self.flush();
        if self.lines.last().is_some_and(|line| line.width() > 0) {
            self.lines.push(Line::default());
        }
    }

    fn quiet(&self, text: String) -> Line<'static> {
        Line::styled(text, self.look.style(Role::Quiet))
    }

    fn style(&self) -> Style {
        self.style.last().copied().unwrap_or_default()
    }

    fn push(&mut self, style: Style) {
        self.style.push(self.style().patch(style));
    }

    fn pop(&mut self) {
        self.style.pop();
    }
}

#[cfg(test)]
mod tests;
