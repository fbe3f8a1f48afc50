//! A README on a terminal: its own lines, without what could move a cursor, headings in bold.

use crate::output::{Paint, WIDTH, wrapped};

/// The text without control characters but line ends and tabs: it comes from whoever wrote the addon.
pub(super) fn clean(text: &str) -> String {
    let kept = text
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    let mut text: String = kept.collect();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// The text for people, indented by two; on a terminal in lines of its width.
pub(super) fn shown(text: &str, paint: Paint) -> String {
    let mut shown = String::new();
    let mut code = false;
    for line in clean(text).lines() {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        let literal = code || fence || line.starts_with("    ") || line.starts_with('|');
        shown.push_str(&match line.trim_start_matches('#') {
            heading if heading.len() < line.len() && !literal => {
                format!("  {}\n", paint.bold(heading.trim()))
            }
            _ if line.trim().is_empty() => "\n".to_owned(),
            _ if literal || !paint.on_terminal() => format!("  {line}\n"),
            _ => paragraph(line),
        });
    }
    shown
}

/// One line of a paragraph or of a list, wrapped under itself.
fn paragraph(line: &str) -> String {
    let blanks = line.len() - line.trim_start().len();
    let item = line.trim_start().starts_with(['-', '*', '+']);
    let lead = " ".repeat(2 + blanks);
    let indent = format!("{lead}{}", if item { "  " } else { "" });
    let width = WIDTH.saturating_sub(lead.len());
    format!("{lead}{}", wrapped(line, width, &indent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_readme_moves_the_cursor() {
        assert_eq!(clean("a\u{1b}[2Jb\r\n\tc"), "a[2Jb\n\tc\n");
    }

    #[test]
    fn headings_lose_their_marks_and_code_keeps_its_own() {
        let text = "# Redis\n\n- one\n```sh\n# no heading\n```\n";
        assert_eq!(
            shown(text, Paint::none()),
            "  Redis\n\n  - one\n  ```sh\n  # no heading\n  ```\n"
        );
    }
}
