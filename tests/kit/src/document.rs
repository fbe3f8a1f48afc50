//! The fenced blocks of a document, for tests that do what it says.

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// On which line its text begins.
    pub line: usize,
    /// What stands behind the fence, such as `sh`; empty where nothing does.
    pub language: String,
    /// Its lines, each with its end.
    pub text: String,
}

/// The blocks of a document in Markdown, in order.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (i, line) in text.lines().enumerate() {
        match (&mut open, line) {
            (Some(_), "```") => blocks.extend(open.take()),
            (Some(block), line) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, line) => {
                open = line.strip_prefix("```").map(|language| Block {
                    line: i + 2,
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_their_lines() {
        let found = blocks("a\n```sh\nls\n\n```\n```\nx\n```\n```text\nno end\n");
        let block = |line, language: &str, text: &str| Block {
            line,
            language: language.to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(found, [block(3, "sh", "ls\n\n"), block(7, "", "x\n")]);
    }
}
